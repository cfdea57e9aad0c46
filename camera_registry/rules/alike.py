"""This file holds values that many devices tell alike once: what they say of themselves is most of what they weigh."""

from __future__ import annotations

from collections.abc import Mapping
from sys import intern

import orjson

from camera_registry.model.observation import Facts

LARGEST = 1_000
"""Bytes of JSON beyond which a value is one device's own, as a picture's judgement is."""
MOST = 4_096
"""Values that are known; then all are forgotten, and found anew as they are told."""

_NOTHING = object()


class Alike:
    """The values that are held, by their JSON. It belongs to whoever holds the facts of many devices."""

    def __init__(self) -> None:
        self._held: dict[bytes, object] = {}

    def after(self, before: Facts, told: Facts) -> Facts:
        """The facts ``before`` with what is told now on top, as one mapping; ``before`` itself where nothing differs.
        None of it may be changed in place, for it may be another device's too."""
        differing: dict[str, object] = {}
        for name, value in told.items():
            known = before.get(name, _NOTHING)
            if known is not value and (type(known) is not type(value) or known != value):
                differing[name] = self._one(value)
        return {**before, **differing} if differing else before

    def _one(self, value: object) -> object:
        if type(value) is str:
            return intern(value)
        if not value or not isinstance(value, Mapping | list):
            return value
        try:
            written = orjson.dumps(value)
        except orjson.JSONEncodeError:
            return value
        if len(written) > LARGEST:
            return value
        if len(self._held) >= MOST:
            self._held.clear()
        held = self._held.setdefault(written, value)
        # JSON has one word for what is not a number and for nothing.
        return held if held == value else value

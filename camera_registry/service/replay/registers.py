"""This file tells a register by what differs from the one before it, and makes it again from that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from camera_registry.model.register import KINDS, Register

Gone = Mapping[str, tuple[str, ...]]
"""The identifiers of what was taken out, by kind."""


def differing(before: Register, after: Register) -> tuple[Register, Gone]:
    """What must be put into the register of before, and taken out of it, to have the one of after."""
    put: dict[str, Any] = {}
    gone: dict[str, tuple[str, ...]] = {}
    for kind in KINDS:
        old, new = getattr(before, f"{kind}s"), getattr(after, f"{kind}s")
        put[f"{kind}s"] = {id: item for id, item in new.items() if old.get(id) != item}
        if removed := tuple(sorted(old.keys() - new.keys())):
            gone[kind] = removed
    return Register(**put), gone


def edited(before: Register, put: Register, gone: Gone) -> Register:
    """The register of after."""
    after: dict[str, Any] = {}
    for kind in KINDS:
        name = f"{kind}s"
        kept = {**getattr(before, name), **getattr(put, name)}
        for id in gone.get(kind, ()):
            kept.pop(id, None)
        after[name] = kept
    return Register(**after)

"""This file hears a device out: the bytes of each connection, in order, with the time they took."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import NamedTuple

TAPE_LIMIT = 48 * 1024 * 1024
"""Bytes kept of one device; what comes after them is not."""


class Passed(NamedTuple):
    """Bytes in one direction; ``at`` in seconds of a monotonic clock."""

    sent: bool
    at: float
    data: bytes


@dataclass(slots=True)
class Reel:
    """One connection."""

    port: int
    tls: bool
    passed: list[Passed] = field(default_factory=list)


class Tape:
    """All connections to one device, in the order they were opened: a tap."""

    def __init__(self) -> None:
        self._reels: dict[object, Reel] = {}
        self._left = TAPE_LIMIT

    @property
    def reels(self) -> list[Reel]:
        return list(self._reels.values())

    def opened(self, connection: object, port: int, *, tls: bool) -> None:
        self._reels[connection] = Reel(port, tls)

    def sent(self, connection: object, data: bytes) -> None:
        self._reels[connection].passed.append(Passed(True, time.monotonic(), data))

    def received(self, connection: object, data: bytes) -> None:
        if self._left >= len(data):
            self._left -= len(data)
            self._reels[connection].passed.append(Passed(False, time.monotonic(), data))

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
    tape: Tape
    passed: list[Passed] = field(default_factory=list)

    def sent(self, data: bytes) -> None:
        self.passed.append(Passed(True, time.monotonic(), data))

    def received(self, data: bytes) -> None:
        if self.tape.left >= len(data):
            self.tape.left -= len(data)
            self.passed.append(Passed(False, time.monotonic(), data))


class Tape:
    """All connections to one device, in the order they were opened."""

    def __init__(self) -> None:
        self.reels: list[Reel] = []
        self.left = TAPE_LIMIT

    def opened(self, port: int, *, tls: bool) -> Reel:
        reel = Reel(port, tls, self)
        self.reels.append(reel)
        return reel

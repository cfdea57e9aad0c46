"""What is remembered of a device between runs: how it wants to be greeted, how far its clock is off, when to leave it
alone. Losing it costs one extra exchange, never a wrong verdict."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

EVERYTHING = "*"
"""In ``Trials.quiet``: no protocol of the device is tried."""


@dataclass(slots=True)
class Trials:
    """How one version of a credential has fared at a device: the lock-out guard's memory.

    ``secrets`` are the texts that must never be seen: the password, in every form of it. ``refusals``: per
    protocol, passwords refused since ``window_end`` was set; ``worked``: protocols where it was accepted; ``quiet``:
    protocols (or EVERYTHING) where it is not sent again before ``window_end`` (loop time); ``refused_at`` and ``until``
    say the same for people. ``turn`` lets one run at a time try what has not worked yet.
    """

    version: tuple[str, int]
    secrets: tuple[str, ...] = field(repr=False)
    refusals: dict[str, int] = field(default_factory=dict)
    worked: set[str] = field(default_factory=set)
    quiet: set[str] = field(default_factory=set)
    window_end: float = 0.0
    refused_at: datetime | None = None
    until: datetime | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class DeviceMemory:
    """``schemes``: per protocol ("onvif", "rtsp", "http") the authentication that worked last, as its client keeps it.
    ``clock_offset``: device clock minus ours, seconds. ``media_at``: when (loop time) it last told its profiles.
    ``trials``: by the id of the credential."""

    schemes: dict[str, object] = field(default_factory=dict)
    clock_offset: float | None = None
    media_at: float | None = None
    trials: dict[str, Trials] = field(default_factory=dict)


class Memory:
    """One record per device, made when first asked for."""

    def __init__(self) -> None:
        self._devices: dict[str, DeviceMemory] = {}

    def of(self, device: str) -> DeviceMemory:
        known = self._devices.get(device)
        if known is None:
            known = self._devices[device] = DeviceMemory()
        return known

    def forget(self, device: str) -> None:
        self._devices.pop(device, None)

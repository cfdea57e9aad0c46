"""What is remembered of a device between runs: how it wants to be greeted, how far its clock is off, when to leave it
alone. Losing it costs one extra exchange, never a wrong verdict."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from weakref import WeakValueDictionary

from camera_registry.model.roster import LeaveAlone

EVERYTHING = "*"
"""In ``Trials.quiet``: no protocol of the device is tried."""
_NOWHERE: frozenset[str] = frozenset()


@lru_cache(64)
def joined(some: frozenset[str], one: str) -> frozenset[str]:
    """One more among some: the same set for all devices that have the same ones."""
    return some | {one}


@dataclass(slots=True)
class Trials:
    """How one version of a credential has fared at a device: the lock-out guard's memory.

    ``secrets`` are the texts that must never be seen: the password, in every form of it. ``refusals``: per
    protocol, passwords refused since ``window_end`` was set; ``worked``: protocols where it was accepted; ``quiet``:
    protocols (or EVERYTHING) where it is not sent before ``window_end`` (loop time), and after that once, by one run,
    until one succeeds; ``refused_at`` and ``until`` say the same for people.
    """

    version: tuple[str, int]
    secrets: tuple[str, ...] = field(repr=False)
    refusals: dict[str, int] = field(default_factory=dict)
    worked: frozenset[str] = _NOWHERE
    quiet: frozenset[str] = frozenset()
    window_end: float = 0.0
    refused_at: datetime | None = None
    until: datetime | None = None


@dataclass(slots=True)
class DeviceMemory:
    """``schemes``: per protocol ("onvif", "rtsp", "http") the authentication that worked last, as its client keeps it.
    ``clock_offset``: device clock minus ours, seconds. ``kept``: what a probe wants to know at its next run, under a
    name of its own. ``old_tls``: it agrees on encryption only as it was usual once. ``trials``: by the id of the
    credential."""

    schemes: dict[str, object] = field(default_factory=dict)
    clock_offset: float | None = None
    kept: dict[str, object] = field(default_factory=dict)
    old_tls: bool = False
    trials: dict[str, Trials] = field(default_factory=dict)
    left_alone: tuple[LeaveAlone, ...] = ()


class Ration:
    """So many a second, and after a rest one second's at once."""

    def __init__(self, rate: float) -> None:
        self._every = 1 / rate
        self._next = float("-inf")

    def take(self, now: float) -> bool:
        """Whether there is one left at ``now`` (loop time), which is taken then."""
        if self._next > now:
            return False
        self._next = max(self._next, now - 1.0) + self._every
        return True

    def hold(self, until: float) -> None:
        """None is left before ``until`` (loop time)."""
        self._next = max(self._next, until)


SET_UPS = 20.0
"""Devices a second that are asked how they are set up, at most: a dozen questions that are no hurry, of which a city
that was just imported would otherwise be asked so many that what matters comes late."""


class Memory:
    """One record per device, made when first asked for, and whose turn it is at a host."""

    def __init__(self) -> None:
        self.set_ups = Ration(SET_UPS)
        self._devices: dict[str, DeviceMemory] = {}
        self._turns: WeakValueDictionary[tuple[object, ...], asyncio.Lock] = WeakValueDictionary()

    def of(self, device: str) -> DeviceMemory:
        known = self._devices.get(device)
        if known is None:
            known = self._devices[device] = DeviceMemory()
        return known

    def turn(self, host: str) -> asyncio.Lock:
        """What a run must hold while it has a stream session at ``host``: devices have few, and we use one of them."""
        return self._turn(host)

    def trial(self, device: str, version: tuple[str, int]) -> asyncio.Lock:
        """What a run must hold while it tries a version of a credential that has not worked yet at a device."""
        return self._turn(device, *version)

    def _turn(self, *of: object) -> asyncio.Lock:
        turn = self._turns.get(of)
        if turn is None:
            turn = self._turns[of] = asyncio.Lock()
        return turn

    def forget(self, device: str) -> None:
        self._devices.pop(device, None)

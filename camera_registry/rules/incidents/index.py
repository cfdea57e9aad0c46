"""This file keeps, beside the faults of all devices, what tells which of them one call of ``fold`` can concern: so that
a call costs what has changed, and not what is down.

It follows from the book alone: ``index`` makes it anew, ``change`` and ``hold`` keep a copy of it up to date.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush
from typing import TypeVar

from camera_registry.model.health import Subject
from camera_registry.model.incident import Scope
from camera_registry.rules.incidents import common, faults
from camera_registry.rules.incidents.book import Fault, Fleet, GroupKey, Held
from camera_registry.rules.topology import children, descendants

Faults = Mapping[str, tuple[Fault, ...]]
_Key = TypeVar("_Key")
AllHeld = Mapping[str, Mapping[Subject, Held]]


@dataclass(slots=True)
class Index:
    """``lost`` are the devices whose reach is lost, ``found`` those with a loss found on top of another fault,
    ``awaited`` those with a fault that was explained by what is over. ``blames`` counts the faults that each parent
    explains, ``shared`` those not explained that have something in common. ``due`` is a heap of when faults are to be
    told; one that was dealt with otherwise stays in it until its time. ``below``: who stands right behind whom.
    ``joining``: a group has changed, so what did not belong to it before may now.
    """

    lost: set[str] = field(default_factory=set)
    found: set[str] = field(default_factory=set)
    awaited: set[str] = field(default_factory=set)
    blames: Counter[str] = field(default_factory=Counter)
    shared: Counter[GroupKey] = field(default_factory=Counter)
    due: list[tuple[datetime, str]] = field(default_factory=list)
    below: Mapping[str, list[str]] = field(default_factory=dict)
    joining: bool = False

    def copy(self) -> Index:
        """One of its own for a call to change."""
        return Index(
            set(self.lost),
            set(self.found),
            set(self.awaited),
            self.blames.copy(),
            self.shared.copy(),
            list(self.due),
            self.below,
            self.joining,
        )

    def hold(self, device: str, held: Mapping[Subject, Held]) -> bool:
        """Take up what is held against a device; whether it was lost by that, or is back."""
        (self.found.add if any(one.found for one in held.values()) else self.found.discard)(device)
        lost = faults.lost(device, held) is not None
        if lost == (device in self.lost):
            return False
        (self.lost.add if lost else self.lost.discard)(device)
        return True

    def behind(self, devices: Iterable[str]) -> set[str]:
        """Everything that stands behind one of these."""
        return {one for device in devices if device in self.below for one in descendants(device, self.below)}

    def change(self, device: str, before: Iterable[Fault], after: Collection[Fault], fleet: Fleet) -> None:
        """Take up the faults of a device in place of those of before."""
        for step, known in ((-1, before), (1, after)):
            for fault in known:
                if fault.blame:
                    _count(self.blames, fault.blame, step)
                if not fault.explained:
                    for key in common.keys(fault, fleet):
                        _count(self.shared, key, step)
        (self.awaited.add if any(one.until for one in after) else self.awaited.discard)(device)
        for fault in after:
            if untold(fault):
                heappush(self.due, (fault.due, device))

    def ripe(self, now: datetime, known: Faults) -> list[str]:
        """The devices with a fault that is to be told by now, each once; they leave the heap."""
        found: dict[str, None] = {}
        while self.due and self.due[0][0] <= now:
            device = heappop(self.due)[1]
            if any(untold(one) and one.due <= now for one in known.get(device, ())):
                found[device] = None
        return list(found)

    def next_due(self, known: Faults) -> datetime | None:
        """When the next fault is to be told, unless something explains it by then."""
        while self.due:
            due, device = self.due[0]
            if any(untold(one) and one.due == due for one in known.get(device, ())):
                return due
            heappop(self.due)
        return None

    def may_be_one(self, minimum: int) -> bool:
        """Whether enough faults have something in common to be one incident."""
        return any(number >= (2 if key[0] is Scope.POWER else minimum) for key, number in self.shared.items())


def index(held: AllHeld, known: Faults, fleet: Fleet) -> Index:
    """The index of these faults."""
    made = Index(below=children(fleet.parents))
    for device, one in held.items():
        made.hold(device, one)
    for device, of_device in known.items():
        made.change(device, (), of_device, fleet)
    return made


def untold(fault: Fault) -> bool:
    """Whether a fault becomes an incident when its time has come."""
    return fault.incident is None and not fault.explained and fault.window is None and fault.silent_since is None


def _count(counter: Counter[_Key], key: _Key, step: int) -> None:
    counter[key] += step
    if not counter[key]:
        del counter[key]

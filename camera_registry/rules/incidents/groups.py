"""This file makes one incident of what was lost together, and ends it once most of that is back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from camera_registry.model.incident import Party, Scope
from camera_registry.rules.incidents import common, faults
from camera_registry.rules.incidents.book import Book, Fault, Fleet, Group, GroupKey
from camera_registry.rules.incidents.cases import Cases, opening
from camera_registry.rules.incidents.roll import Roll
from camera_registry.rules.places import shared_area


class Groups:
    """Copies of a book's groups, and what is done to them in one fold. ``known`` are those there are by now."""

    def __init__(self, book: Book, roll: Roll, cases: Cases, fleet: Fleet, now: datetime) -> None:
        self.known = dict(book.groups)
        self._before = book.faults
        self._roll, self._cases, self._fleet, self._now = roll, cases, fleet, now

    def gather(self, ends: Mapping[str, datetime], *, sees: bool) -> None:
        """End the groups whose devices are back (``ends`` says when), let faults join those there are, and found new
        ones. While the poller ``sees`` nothing, nobody joins."""
        self._leave(ends)
        roll, fleet = self._roll, self._fleet
        roll.index_again()
        before = dict(self.known)
        if self.known and sees:
            everybody = roll.all or roll.index.joining
            known = roll.faults.items() if everybody else roll.among(roll.changed)
            self._join_known([one for _, of_device in known for one in of_device if self._joinable(one)])
        if roll.index.may_be_one(fleet.rules.minimum) and sees:
            alone = [one for of_device in roll.faults.values() for one in of_device if self._joinable(one)]
            if any(one.due <= self._now for one in alone):
                for key, members in common.together(alone, fleet):
                    # Not before somebody would have to be told: until then their parents are asked.
                    if any(one.due <= self._now for one in members):
                        self._found(key, members)
        roll.index.joining = any(before.get(key) != group for key, group in self.known.items())

    def since(self, fault: Fault) -> datetime:
        """From when on what explains a fault is charged for it. One that began about then began by it."""
        if fault.group is not None:
            since = self.known[fault.group].started
        else:
            above = faults.lost(fault.blame, self._roll.held.get(fault.blame, {}))
            since = above.since if above is not None else fault.started
        return fault.started if fault.started >= since - self._fleet.rules.together else since

    def _leave(self, ends: Mapping[str, datetime]) -> None:
        if not self.known:
            return
        lost: Counter[GroupKey] = Counter()
        for known in self._roll.faults.values():
            lost.update(one.group for one in known if one.group is not None and one.until is None)
        for key, group in list(self.known.items()):
            most = max(group.most, lost[key])
            if lost[key] * 4 > most:
                self.known[key] = replace(group, most=most)
                continue
            # Most of them are back: it is over, and those that are not must have another fault besides.
            ended = max((end for device, end in ends.items() if self._was_in(device, key)), default=self._now)
            self._cases.resolve(group.incident, ended)
            del self.known[key]
            for device, faults_of_it in list(self._roll.faults.items()):
                left = [
                    replace(one, until=ended + self._fleet.policy(device).recheck)
                    if one.group == key and one.until is None
                    else one
                    for one in faults_of_it
                ]
                self._roll.put(device, faults_of_it, left)

    def _was_in(self, device: str, key: GroupKey) -> bool:
        return any(fault.group == key for fault in self._before.get(device, ()))

    def _joinable(self, fault: Fault) -> bool:
        if fault.explained or fault.window is not None or fault.silent_since is not None:
            return False
        told = self._cases.incidents[fault.incident] if fault.incident is not None else None
        return told is None or told.opened_at >= self._now - self._fleet.rules.together

    def _join_known(self, waiting: Sequence[Fault]) -> None:
        """Let faults join the groups there are."""
        for fault in waiting:
            for key in common.keys(fault, self._fleet):
                group = self.known.get(key)
                window = self._fleet.rules.together
                if group is not None and group.started - window <= fault.started <= group.newest + window:
                    self._join(fault, key, replace(group, newest=max(group.newest, fault.started)))
                    break

    def _found(self, key: GroupKey, members: Sequence[Fault]) -> None:
        scope, about, cause = key
        started = min(fault.started for fault in members)
        if key not in self.known:
            areas = (self._fleet.devices[fault.device].area for fault in members)
            area = about if scope is Scope.AREA else shared_area(areas, self._fleet.area_parents)
            begun = opening(scope, about, cause, started, self._now, self._now)
            id = self._cases.make(replace(begun, area=area, detail=members[0].detail))
            self.known[key] = Group(id, started, started, 0)
        # Where there is one, more was lost much later: it is told already.
        group = self.known[key]
        self.known[key] = replace(group, newest=max(group.newest, *(fault.started for fault in members)))
        for fault in members:
            self._join(fault, key, self.known[key])

    def _join(self, fault: Fault, key: GroupKey, group: Group) -> None:
        self.known[key] = replace(group, most=group.most + 1)
        joined = replace(fault, group=key)
        self._roll.mend(fault, faults.charge(joined, Party.PARENT, self.since(joined)))

"""This file decides what people are told: which fault is an incident, which is the consequence of another, and when.

A confirmed fault is held for a while (``Policy.hold``). In that time its parents are asked, what was lost together is
gathered, and short blips pass. What a lost parent, a group or planned work explains makes no incident; once that is
over, it makes one only after it was read as bad again. What has begun is always ended, whoever explains it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime, timedelta

from camera_registry.model.health import Aspect, Cause, Flip, State, Subject
from camera_registry.model.incident import Party, Scope
from camera_registry.rules.incidents import common, faults
from camera_registry.rules.incidents.book import Book, Fault, Fleet, Folded, Group, GroupKey, Held, Outage
from camera_registry.rules.incidents.cases import Cases, opening
from camera_registry.rules.incidents.explaining import explain
from camera_registry.rules.incidents.index import Index, index, untold
from camera_registry.rules.maintenance import Planned, Turn, armed, in_force
from camera_registry.rules.places import shared_area

GAP = timedelta(seconds=60)
"""A longer pause between two calls was no time for anybody to be heard in: holds last so much longer."""

NO_LONGER_MEASURED = "no longer measured"

_KEPT = timedelta(hours=1)
"""How long it is remembered that a parent was lost."""


def fold(book: Book, flips: Iterable[Flip], fleet: Fleet, now: datetime) -> tuple[Book, Folded]:
    """The book after these flips and after time has passed until ``now``, and what has changed.

    Call it at least every few seconds, with or without flips.
    """
    flips = tuple(flips)
    surroundings = around(fleet, now)
    same = book.around == surroundings
    if not flips and same and not _due(book, now):
        return replace(book, at=now), Folded()
    known = book.index if same and isinstance(book.index, Index) else None
    work = _Fold(book, fleet, now, known)
    work.take(flips)
    work.open_eyes()
    work.weigh()
    work.gather()
    work.open()
    work.link()
    return work.close(surroundings)


def around(fleet: Fleet, now: datetime) -> tuple[object, ...]:
    """What surrounds the incidents; where it has changed, all of them are looked at."""
    return (
        fleet.devices,
        fleet.parents,
        fleet.area_parents,
        fleet.rules,
        fleet.windows,
        fleet.blind,
        in_force(fleet.windows, now),
        fleet.holds,
    )


def _due(book: Book, now: datetime) -> bool:
    """Whether time alone may have changed something since the last call."""
    gap = now - book.at
    return gap > GAP or gap < timedelta() or (book.wake is not None and book.wake <= now)


class _Fold:
    """One call: copies of what the book holds, and what was done to them. With an index of the book only the faults
    that this call can concern are looked at; without one, all."""

    def __init__(self, book: Book, fleet: Fleet, now: datetime, known: Index | None) -> None:
        self.book, self.fleet, self.now = book, fleet, now
        gap = now - book.at
        self.late = gap if gap > GAP or gap < timedelta() else timedelta()
        self.all = known is None or bool(self.late) or book.blind is not None
        self.index = known.copy() if known is not None else index(book.held, book.faults, fleet)
        self.indexed = dict(book.faults)
        """The faults that the index knows of."""
        self.turned: set[str] = set()
        self.changed: set[str] = set()
        self.held: dict[str, Mapping[Subject, Held]] = dict(book.held)
        self.faults = dict(book.faults)
        self.groups = dict(book.groups)
        self.over = dict(book.over)
        self.blind = book.blind
        self.cases = Cases(book, fleet.rules, now)
        self.set_off: list[tuple[int, datetime]] = []
        self.ends: dict[str, datetime] = {}

    def take(self, flips: Iterable[Flip]) -> None:
        """Hold the flips against their devices, and end the faults that are over."""
        touched: dict[str, None] = {}
        withdrawn: set[str] = set()
        for flip in flips:
            device = flip.subject.device
            held = dict(self.held.get(device, {}))
            before = held.pop(flip.subject, None)
            after = faults.take(before, flip)
            self.held[device] = held
            touched[device] = None
            if after is not None:
                held[flip.subject] = after
            elif before is not None:
                self.ends[device] = max(flip.at, self.ends.get(device, flip.at))
                if flip.after is State.UNKNOWN:
                    withdrawn.add(device)
            if self.index.hold(device, held):
                self.turned.add(device)
            if flip.subject.aspect is Aspect.REACH:
                if after is not None:
                    self.over.pop(device, None)
                elif before is not None:
                    self.over[device] = Outage(before.since, flip.at)
        touched.update(dict.fromkeys(self._believe()))
        for device in touched:
            self._regroup(device, NO_LONGER_MEASURED if device in withdrawn else "")

    def _believe(self) -> list[str]:
        """Take losses found on top of other faults for their new causes, where it is time; on which devices."""
        changed = []
        for device in sorted(self.index.found):
            known = self.held[device]
            if faults.lost(device, known) is None:
                believed = {
                    subject: faults.believe(one, self.now, self._hold(device, one.cause))
                    for subject, one in known.items()
                }
                if believed != known:
                    self.held[device] = believed
                    self.index.hold(device, believed)
                    changed.append(device)
        return changed

    def _regroup(self, device: str, why: str) -> None:
        held = self.held[device]
        before = {fault.cause: fault for fault in self.faults.pop(device, ())}
        back = self.over[device].ended if device in self.over else None
        after, over = faults.regroup(device, held, before, back, self.fleet.policy(device).hold_for)
        for fault in over:
            if fault.incident is not None:
                self.cases.resolve(fault.incident, self.ends.get(device, self.now), why)
        if after:
            self.faults[device] = tuple(after.values())
        self.changed.add(device)
        if not held:
            del self.held[device]

    def _hold(self, device: str, cause: Cause) -> timedelta:
        return self.fleet.policy(device).hold_for(cause)

    def open_eyes(self) -> None:
        """Tell once that the poller is blind, and once that it sees again."""
        seen = self.fleet.blind
        if seen is not None and self.blind is None:
            begun = opening(Scope.POLLER, seen.poller, Cause.POLLER_BLIND, seen.since, seen.confirmed_at, self.now)
            self.blind = self.cases.make(replace(begun, detail=seen.detail))
        elif seen is None and self.blind is not None:
            self.cases.resolve(self.blind, self.now)
            self.blind = None

    def weigh(self) -> None:
        """Find what explains each fault: a parent, or planned work; and charge its time to whom it belongs."""
        lost = self.index.lost
        windows = self._windows()
        turns = in_force(windows, self.now)
        self.all = self.all or bool(self.set_off)
        concerned = self.changed | self.index.awaited | self.index.behind(self.turned)
        for device in list(self.faults) if self.all else [one for one in concerned if one in self.faults]:
            known = self.faults[device]
            covering = next(
                (one.window.id for one in windows if one.window.id in turns and device in one.covered), None
            )
            weighed = []
            for one in known:
                fault = one
                if self.late and fault.incident is None and fault.due > self.book.at:
                    fault = replace(fault, due=fault.due + self.late)
                fault = explain(fault, lost, self.over, self.fleet, self.now)
                fault = self._plan(fault, covering)
                weighed.append(self._charge(fault, turns))
            self._keep(device, known, weighed)

    def _among(self, devices: AbstractSet[str]) -> list[tuple[str, tuple[Fault, ...]]]:
        """The faults of these devices, or of all, in the order in which they are known."""
        if self.all:
            return list(self.faults.items())
        return [(device, known) for device, known in self.faults.items() if device in devices]

    def _keep(self, device: str, before: Sequence[Fault], after: Sequence[Fault]) -> None:
        if any(new is not old for new, old in zip(after, before, strict=True)):
            self.faults[device] = tuple(after)
            self.changed.add(device)

    def _windows(self) -> Sequence[Planned]:
        """The windows, with those that a first loss sets off now."""
        windows = list(self.fleet.windows)
        for place, planned in enumerate(windows):
            starts = [
                fault.started
                for device in (planned.covered if planned.window.began is None else ())
                for fault in self.faults.get(device, ())
                if armed(planned.window, fault.started)
            ]
            if starts:
                self.set_off.append((planned.window.id, min(starts)))
                windows[place] = replace(planned, window=replace(planned.window, began=min(starts)))
        return windows

    def _plan(self, fault: Fault, covering: int | None) -> Fault:
        """Note the window over a fault. What outlasts it, and what is seen while we see nothing, is held anew."""
        if (fault.window is not None and covering is None) or self.blind is not None:
            hold = self._hold(fault.device, fault.cause)
            fault = replace(fault, due=max(fault.due, self.now + hold))
        return fault if fault.window == covering else replace(fault, window=covering)

    def _charge(self, fault: Fault, turns: dict[int, Turn]) -> Fault:
        if fault.window is not None:
            return faults.charge(fault, Party.MAINTENANCE, turns[fault.window].begins)
        if fault.silent_since is not None:
            return faults.charge(fault, Party.UNKNOWN, fault.silent_since)
        if fault.until is not None:
            return fault
        if fault.explained:
            known = fault.spans[-1].party is Party.PARENT
            return fault if known else faults.charge(fault, Party.PARENT, self._explained_since(fault))
        if fault.spans[-1].party is Party.DEVICE:
            return fault
        back = fault.checked and fault.checked - self.fleet.policy(fault.device).recheck
        since = back if back and fault.spans[-1].party is Party.PARENT else self.now
        return faults.charge(fault, Party.DEVICE, since)

    def _explained_since(self, fault: Fault) -> datetime:
        """From when on another is charged for this fault. One that began about then began by it."""
        if fault.group is not None:
            since = self.groups[fault.group].started
        else:
            above = faults.lost(fault.blame, self.held.get(fault.blame, {}))
            since = above.since if above is not None else fault.started
        return fault.started if fault.started >= since - self.fleet.rules.together else since

    def gather(self) -> None:
        """Make one incident of what was lost together, and end those whose devices are back."""
        self._leave()
        self._index_again()
        before = dict(self.groups)
        if self.groups:
            everybody = self.all or self.index.joining
            known = self.faults.items() if everybody else self._among(self.changed)
            self._join_known([one for _, of_device in list(known) for one in of_device if self._joinable(one)])
        if self.index.may_be_one(self.fleet.rules.minimum):
            alone = [one for of_device in self.faults.values() for one in of_device if self._joinable(one)]
            if any(one.due <= self.now for one in alone):
                for key, members in common.together(alone, self.fleet):
                    # Not before somebody would have to be told: until then their parents are asked.
                    if any(one.due <= self.now for one in members):
                        self._found(key, members)
        self.index.joining = any(before.get(key) != group for key, group in self.groups.items())

    def _join_known(self, waiting: Sequence[Fault]) -> None:
        """Let faults join the groups there are."""
        for fault in waiting:
            for key in common.keys(fault, self.fleet):
                group = self.groups.get(key)
                window = self.fleet.rules.together
                if group is not None and group.started - window <= fault.started <= group.newest + window:
                    self._join(fault, key, replace(group, newest=max(group.newest, fault.started)))
                    break

    def _index_again(self) -> None:
        """Bring the index up to date with what was done to faults."""
        for device in self.changed:
            before, after = self.indexed.get(device, ()), self.faults.get(device, ())
            if before is not after:
                self.index.change(device, before, after, self.fleet)
                self.indexed[device] = after

    def _joinable(self, fault: Fault) -> bool:
        if fault.explained or fault.window is not None or fault.silent_since is not None or self.blind is not None:
            return False
        told = self.cases.incidents[fault.incident] if fault.incident is not None else None
        return told is None or told.opened_at >= self.now - self.fleet.rules.together

    def _leave(self) -> None:
        if not self.groups:
            return
        lost: Counter[GroupKey] = Counter()
        for known in self.faults.values():
            lost.update(one.group for one in known if one.group is not None and one.until is None)
        for key, group in list(self.groups.items()):
            most = max(group.most, lost[key])
            if lost[key] * 4 > most:
                self.groups[key] = replace(group, most=most)
                continue
            # Most of them are back: it is over, and those that are not must have another fault besides.
            ended = max((end for device, end in self.ends.items() if self._was_in(device, key)), default=self.now)
            self.cases.resolve(group.incident, ended)
            del self.groups[key]
            for device, known in list(self.faults.items()):
                left = [
                    replace(one, until=ended + self.fleet.policy(device).recheck)
                    if one.group == key and one.until is None
                    else one
                    for one in known
                ]
                self._keep(device, known, left)

    def _was_in(self, device: str, key: GroupKey) -> bool:
        return any(fault.group == key for fault in self.book.faults.get(device, ()))

    def _found(self, key: GroupKey, members: Sequence[Fault]) -> None:
        scope, about, cause = key
        started = min(fault.started for fault in members)
        if key not in self.groups:
            areas = (self.fleet.devices[fault.device].area for fault in members)
            area = about if scope is Scope.AREA else shared_area(areas, self.fleet.area_parents)
            begun = opening(scope, about, cause, started, self.now, self.now)
            id = self.cases.make(replace(begun, area=area, detail=members[0].detail))
            self.groups[key] = Group(id, started, started, 0)
        # Where there is one, more was lost much later: it is told already.
        group = self.groups[key]
        self.groups[key] = replace(group, newest=max(group.newest, *(fault.started for fault in members)))
        for fault in members:
            self._join(fault, key, self.groups[key])

    def _join(self, fault: Fault, key: GroupKey, group: Group) -> None:
        self.groups[key] = replace(group, most=group.most + 1)
        joined = replace(fault, group=key)
        self._put(fault, faults.charge(joined, Party.PARENT, self._explained_since(joined)))

    def _put(self, fault: Fault, better: Fault) -> None:
        known = self.faults[fault.device]
        self.faults[fault.device] = tuple(better if one.cause is fault.cause else one for one in known)
        self.changed.add(fault.device)

    def open(self) -> None:
        """Make an incident of each fault that was held long enough, and that nothing explains."""
        self._index_again()
        if self.blind is not None:
            return
        ripe = self.index.ripe(self.now, self.faults)
        due = [one for device in ripe for one in self.faults[device] if untold(one) and one.due <= self.now]
        for fault in sorted(due, key=lambda fault: (fault.started, fault.device, fault.cause)):
            device = self.fleet.devices.get(fault.device)
            begun = opening(Scope.DEVICE, fault.device, fault.cause, fault.started, fault.confirmed_at, self.now)
            id = self.cases.make(replace(begun, area=device.area if device else "", detail=fault.detail))
            self._put(fault, replace(fault, incident=id))

    def link(self) -> None:
        """Say of each fault which incident it is charged to, and bring its own up to date."""
        current: dict[tuple[int, str], datetime] = {}
        # What stands behind a parent follows the parent's own fault.
        self.all = self.all or any(device in self.index.blames for device in self.changed)
        looked = None if self.all else set(self.changed)
        for device, known in self._among(self.changed):
            linked = []
            for one in known:
                behind = self._behind(one)
                if behind is not None and one.until is None:
                    current[behind, device] = self._explained_since(one)
                linked.append(one if one.behind == behind else replace(one, behind=behind))
            self._keep(device, known, linked)
            if self.faults[device] is not self.book.faults.get(device):
                for fault in self.faults[device]:
                    if fault.incident is not None:
                        self.cases.follow(fault)
        if self.all:
            self._end_forgotten()
        self.cases.pause(self.fleet.holds)
        self.cases.affect(current, self.ends, looked)
        self.cases.expire()

    def _end_forgotten(self) -> None:
        """End what is about a device that was taken out of the register while nobody looked."""
        told = {fault.incident for known in self.faults.values() for fault in known}
        for id, incident in list(self.cases.incidents.items()):
            if incident.open and incident.scope is Scope.DEVICE and id not in told:
                self.cases.resolve(id, self.now, NO_LONGER_MEASURED)

    def _behind(self, fault: Fault) -> int | None:
        """The incident that explains a fault; none while what explains it has not become one itself."""
        if not fault.explained:
            return None
        if fault.until is not None:
            return fault.behind
        if fault.group is not None:
            return self.groups[fault.group].incident
        reach = Subject(fault.blame, Aspect.REACH)
        above = next((one for one in self.faults.get(fault.blame, ()) if reach in one.symptoms), None)
        # A parent whose own explanation is over has no incident until it was read as bad again.
        if above is None or above.blame or above.until is not None:
            return None
        return self._behind(above) if above.explained else above.incident

    def _wake(self) -> datetime | None:
        """The next moment at which time alone may change something; this one, where somebody must be heard first."""
        if self.blind is not None or self.index.found or self.index.awaited:
            return self.now
        times = [one.acknowledged.until for one in self.cases.incidents.values() if one.acknowledged is not None]
        times.append(self.index.next_due(self.faults))
        return min((time for time in times if time is not None), default=None)

    def close(self, around: tuple[object, ...]) -> tuple[Book, Folded]:
        """The book as it is now, and what has changed."""
        self._index_again()
        over = {
            device: outage
            for device, outage in self.over.items()
            if device in self.index.blames or self.now - outage.ended < _KEPT
        }
        closed = self.cases.close()
        book = Book(
            self.now,
            self.cases.last_id,
            self.held,
            self.faults,
            closed.still,
            self.groups,
            self.cases.affected,
            over,
            self.blind,
            self._wake(),
            around,
            self.index,
        )
        return book, Folded(closed.steps, closed.changed, closed.moved, tuple(self.set_off))

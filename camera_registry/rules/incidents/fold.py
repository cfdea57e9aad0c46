"""This file decides what people are told: which fault is an incident, which is the consequence of another, and when.

A confirmed fault is held for a while (``Policy.hold``). In that time its parents are asked, what was lost together is
gathered, and short blips pass. What a lost parent, a group or planned work explains makes no incident; once that is
over, it makes one only after it was read as bad again. What has begun is always ended, whoever explains it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from camera_registry.model.health import Aspect, Cause, Flip, State, Subject
from camera_registry.model.incident import Party, Scope
from camera_registry.rules.incidents import faults
from camera_registry.rules.incidents.book import Book, Fault, Fleet, Folded, Outage
from camera_registry.rules.incidents.cases import Cases, opening
from camera_registry.rules.incidents.explaining import explain
from camera_registry.rules.incidents.groups import Groups
from camera_registry.rules.incidents.index import Index, untold
from camera_registry.rules.incidents.roll import Roll
from camera_registry.rules.maintenance import Planned, Turn, armed, in_force

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
    work.groups.gather(work.ends, sees=work.blind is None)
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
    """One call: copies of what the book holds, and what was done to them."""

    def __init__(self, book: Book, fleet: Fleet, now: datetime, known: Index | None) -> None:
        self.book, self.fleet, self.now = book, fleet, now
        gap = now - book.at
        self.late = gap if gap > GAP or gap < timedelta() else timedelta()
        self.roll = Roll(book, fleet, known)
        self.roll.all = self.roll.all or bool(self.late) or book.blind is not None
        self.cases = Cases(book, fleet.rules, now)
        self.groups = Groups(book, self.roll, self.cases, fleet, now)
        self.turned: set[str] = set()
        self.over = dict(book.over)
        self.blind = book.blind
        self.set_off: list[tuple[int, datetime]] = []
        self.ends: dict[str, datetime] = {}

    def take(self, flips: Iterable[Flip]) -> None:
        """Hold the flips against their devices, and end the faults that are over."""
        touched: dict[str, None] = {}
        withdrawn: set[str] = set()
        for flip in flips:
            device = flip.subject.device
            held = dict(self.roll.held.get(device, {}))
            before = held.pop(flip.subject, None)
            after = faults.take(before, flip)
            self.roll.held[device] = held
            touched[device] = None
            if after is not None:
                held[flip.subject] = after
            elif before is not None:
                self.ends[device] = max(flip.at, self.ends.get(device, flip.at))
                if flip.after is State.UNKNOWN:
                    withdrawn.add(device)
            if self.roll.index.hold(device, held):
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
        for device in sorted(self.roll.index.found):
            known = self.roll.held[device]
            if faults.lost(device, known) is None:
                believed = {
                    subject: faults.believe(one, self.now, self._hold(device, one.cause))
                    for subject, one in known.items()
                }
                if believed != known:
                    self.roll.held[device] = believed
                    self.roll.index.hold(device, believed)
                    changed.append(device)
        return changed

    def _regroup(self, device: str, why: str) -> None:
        held = self.roll.held[device]
        before = {fault.cause: fault for fault in self.roll.faults.pop(device, ())}
        back = self.over[device].ended if device in self.over else None
        after, over = faults.regroup(device, held, before, back, self.fleet.policy(device).hold_for)
        for fault in over:
            if fault.incident is not None:
                self.cases.resolve(fault.incident, self.ends.get(device, self.now), why)
        if after:
            self.roll.faults[device] = tuple(after.values())
        self.roll.changed.add(device)
        if not held:
            del self.roll.held[device]

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
        roll, lost = self.roll, self.roll.index.lost
        windows = self._windows()
        turns = in_force(windows, self.now)
        roll.all = roll.all or bool(self.set_off)
        concerned = roll.changed | roll.index.awaited | roll.index.behind(self.turned)
        for device in list(roll.faults) if roll.all else [one for one in concerned if one in roll.faults]:
            known = roll.faults[device]
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
            roll.put(device, known, weighed)

    def _windows(self) -> Sequence[Planned]:
        """The windows, with those that a first loss sets off now."""
        windows = list(self.fleet.windows)
        for place, planned in enumerate(windows):
            starts = [
                fault.started
                for device in (planned.covered if planned.window.began is None else ())
                for fault in self.roll.faults.get(device, ())
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
            return fault if known else faults.charge(fault, Party.PARENT, self.groups.since(fault))
        if fault.spans[-1].party is Party.DEVICE:
            return fault
        back = fault.checked and fault.checked - self.fleet.policy(fault.device).recheck
        since = back if back and fault.spans[-1].party is Party.PARENT else self.now
        return faults.charge(fault, Party.DEVICE, since)

    def open(self) -> None:
        """Make an incident of each fault that was held long enough, and that nothing explains."""
        self.roll.index_again()
        if self.blind is not None:
            return
        ripe = self.roll.index.ripe(self.now, self.roll.faults)
        due = [one for device in ripe for one in self.roll.faults[device] if untold(one) and one.due <= self.now]
        for fault in sorted(due, key=lambda fault: (fault.started, fault.device, fault.cause)):
            device = self.fleet.devices.get(fault.device)
            begun = opening(Scope.DEVICE, fault.device, fault.cause, fault.started, fault.confirmed_at, self.now)
            area = device.area if device else ""
            id = self.cases.make(replace(begun, area=area, detail=fault.detail, symptoms=fault.symptoms))
            self.roll.mend(fault, replace(fault, incident=id))

    def link(self) -> None:
        """Say of each fault which incident it is charged to, and bring its own up to date."""
        current: dict[tuple[int, str], datetime] = {}
        # What stands behind a parent follows the parent's own fault.
        roll = self.roll
        roll.all = roll.all or any(device in roll.index.blames for device in roll.changed)
        looked = None if roll.all else set(roll.changed)
        for device, known in roll.among(roll.changed):
            linked = []
            for one in known:
                behind = self._behind(one)
                if behind is not None and one.until is None:
                    current[behind, device] = self.groups.since(one)
                linked.append(one if one.behind == behind else replace(one, behind=behind))
            roll.put(device, known, linked)
            if roll.faults[device] is not self.book.faults.get(device):
                for fault in roll.faults[device]:
                    if fault.incident is not None:
                        self.cases.follow(fault)
        if roll.all:
            self._end_forgotten()
        self.cases.pause(self.fleet.holds)
        self.cases.affect(current, self.ends, looked)
        self.cases.expire()

    def _end_forgotten(self) -> None:
        """End what is about a device that was taken out of the register while nobody looked."""
        told = {fault.incident for known in self.roll.faults.values() for fault in known}
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
            return self.groups.known[fault.group].incident
        reach = Subject(fault.blame, Aspect.REACH)
        above = next((one for one in self.roll.faults.get(fault.blame, ()) if reach in one.symptoms), None)
        # A parent whose own explanation is over has no incident until it was read as bad again.
        if above is None or above.blame or above.until is not None:
            return None
        return self._behind(above) if above.explained else above.incident

    def _wake(self) -> datetime | None:
        """The next moment at which time alone may change something; this one, where somebody must be heard first."""
        if self.blind is not None or self.roll.index.found or self.roll.index.awaited:
            return self.now
        times = [one.acknowledged.until for one in self.cases.incidents.values() if one.acknowledged is not None]
        times.append(self.roll.index.next_due(self.roll.faults))
        return min((time for time in times if time is not None), default=None)

    def close(self, around: tuple[object, ...]) -> tuple[Book, Folded]:
        """The book as it is now, and what has changed."""
        roll = self.roll
        roll.index_again()
        over = {
            device: outage
            for device, outage in self.over.items()
            if device in roll.index.blames or self.now - outage.ended < _KEPT
        }
        closed = self.cases.close()
        book = Book(
            self.now,
            self.cases.last_id,
            roll.held,
            roll.faults,
            closed.still,
            self.groups.known,
            self.cases.affected,
            over,
            self.blind,
            self._wake(),
            around,
            roll.index,
        )
        return book, Folded(closed.steps, closed.changed, closed.moved, tuple(self.set_off))

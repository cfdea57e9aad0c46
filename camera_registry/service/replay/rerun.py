"""This file gives the records of a log to a ledger and a casebook, the very ones that the service has, and gathers what
they decide. It does in the same order what ``service.recorder`` and ``app`` do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from camera_registry.model.dispatch import DispatchPolicy
from camera_registry.model.health import Cause
from camera_registry.model.incident import Affected, Incident, Scope
from camera_registry.model.notice import Audience, Notice, NoticeState
from camera_registry.model.policy import IncidentPolicy, Policies
from camera_registry.model.register import Register
from camera_registry.model.work_order import WorkOrder
from camera_registry.rules import notices
from camera_registry.rules.decisions import LINES
from camera_registry.rules.notices import Told
from camera_registry.service.books import Books
from camera_registry.service.casebook import Casebook
from camera_registry.service.changes import Changes
from camera_registry.service.dispatcher import Dispatcher
from camera_registry.service.ledger import Ledger
from camera_registry.service.memory import Part, joined, register_of
from camera_registry.service.replay import records
from camera_registry.service.replay.reading import Flaw
from camera_registry.service.replay.records import Line
from camera_registry.service.replay.registers import edited


@dataclass(frozen=True, slots=True)
class Instead:
    """Other policies, to judge by in place of those that a log tells of."""

    health: Policies
    incidents: IncidentPolicy


@dataclass(frozen=True, slots=True)
class Since:
    """From when on a log decides: the number of the ``newest`` row of each kind then, and the incidents and orders that
    went on."""

    newest: Mapping[str, int]
    incidents: frozenset[int]
    orders: frozenset[int]


@dataclass(slots=True)
class _Open:
    """What record ``n`` led to, as long as it may turn out that the store did not take it. ``edit`` is what somebody
    did; ``told`` are the channels that had been told before."""

    n: int
    changes: Changes
    owed: Sequence[Notice]
    edit: records.Edited | records.Ordered | None = None
    told: Told = frozenset()


class Rerun:
    """One replay. ``flaws`` are the places at which the log is not whole; after one that breaks it nothing is decided
    until the service was started anew."""

    def __init__(self, instead: Instead | None = None) -> None:
        self.flaws: list[Flaw] = []
        self.records = 0
        self.first: Since | None = None
        """How the service stood when the log began."""
        self.begun: datetime | None = None
        self.ended: datetime | None = None
        self._instead = instead
        self._at_work: tuple[Ledger, Books] | None = None
        self._checkpoint: tuple[records.Checkpoint, list[Part]] | None = None
        self._register = Register()
        self._open: _Open | None = None
        self._last = 0
        self._certain: list[tuple[str, object, object]] = []
        self._latest: list[tuple[int, tuple[str, object, object]]] = []
        """Decisions (kind, key, value) of the run that goes on, each with its record: a kill may undo the last."""
        self._turn = 0
        self._last_id = 0
        self._told: set[tuple[str, int | None]] = set()
        self._affected: dict[tuple[int, str, datetime], Affected] = {}

    def take(self, lines: Iterable[Line | Flaw]) -> None:
        """Give it these records."""
        for line in lines:
            if isinstance(line, Flaw):
                self._note(line)
                continue
            self.records += 1
            self.begun, self.ended = self.begun or line.at, line.at
            self._one(line)
            self._last = line.n

    def decided(self, kept: int | None = None) -> Mapping[str, Sequence[Any]]:
        """What was decided, by kind; what goes on while it changes is there once, as it was at last. ``kept``: only
        what follows from records up to this one."""
        self._settle()
        certain = [*self._certain, *(one for n, one in self._latest if kept is None or n <= kept)]
        found: dict[str, dict[Any, object]] = {kind: {} for kind in LINES}
        keys: set[str] = set()
        for kind, key, value in certain:
            # Two steps may owe the same notice, which the store keeps once.
            if isinstance(value, Notice):
                if value.key in keys:
                    continue
                keys.add(value.key)
            found[kind][key] = value
        return {kind: [values[key] for key in sorted(values)] for kind, values in found.items()}

    def _note(self, flaw: Flaw) -> None:
        self.flaws.append(flaw)
        if flaw.breaks:
            self._settle()
            self._at_work = None

    def _one(self, line: Line) -> None:
        record = line.record
        if isinstance(record, records.Ruled):
            if self._at_work is not None:
                ledger = self._at_work[0]
                ledger.policy, ledger.polls, ledger.zone = self._health(record), record.polls, ZoneInfo(record.zone)
        elif isinstance(record, records.Addressed):
            if self._at_work is not None:
                self._at_work[1].casebook.audiences = record.audiences
        elif isinstance(record, records.Checkpoint | records.Remembered):
            if self._at_work is None:
                self._gather(record, line.at)
        elif isinstance(record, records.Started):
            self._start(record, line.at)
        elif self._at_work is not None:
            self._go_on(line, *self._at_work)
        elif self.first is None and not self.flaws:
            self._note(Flaw(f"n={line.n}", "headless", breaks=False))

    def _go_on(self, line: Line, ledger: Ledger, books: Books) -> None:
        at = line.at
        match line.record:
            case records.Judged(seen):
                ledger.judge(seen, at)
            case records.Ticked(share):
                ledger.tick(at, share)
            case records.Shifted(step):
                self._settle()
                ledger.shift(step)
                books.dispatcher.shift(step)
            case records.Followed() as followed:
                self._follow(followed, at, ledger, books)
            case records.Taken():
                self._settle()
                changes = ledger.collect(at)
                books.fold(changes, at)
                self._open = _Open(line.n, changes, books.owed(changes.steps, changes.order_steps))
            case records.Edited() as edit:
                self._settle()
                self._edit(line.n, edit, books)
            case records.Ordered() as edit:
                self._settle()
                self._edit_order(line.n, edit, books)
            case records.Told(of, pairs) if self._open is not None and self._open.n == of:
                self._open.told = frozenset(pairs)
            case records.Failed(of) if self._open is not None and self._open.n == of:
                ledger.restore(self._open.changes)
                self._open = None
            case _:
                pass

    def _start(self, started: records.Started, at: datetime) -> None:
        self._settle()
        if self.first is None:
            self._begin(started.newest, started.incidents, started.orders)
        elif started.kept == 0 or started.kept > self._last:
            self._note(Flaw(f"{at:%F %T} UTC", "without"))
        self._certain += [one for n, one in self._latest if n <= started.kept]
        self._latest = []
        before = self._at_work
        if self._instead is not None and before is not None:
            started = self._as_decided(started, *before)
        self._last_id = max(self._last_id, started.last_id)
        ledger, books = self._new(started.ruled, started.audiences, at)
        ledger.load(started.states, started.seen)
        books.casebook.load(started.states, started.incidents, started.affected, started.last_id, at)
        books.dispatcher.load(started.orders, started.last_order)
        self._register = Register()
        self._at_work = ledger, books

    def _gather(self, record: records.Checkpoint | records.Remembered, at: datetime) -> None:
        """Go on from a checkpoint, as soon as it is whole."""
        if isinstance(record, records.Checkpoint):
            self._checkpoint = record, []
        elif self._checkpoint is not None:
            self._checkpoint[1].append(record.part)
            if record.last:
                checkpoint, parts = self._checkpoint
                self._resume(checkpoint, joined(parts), at)

    def _resume(self, kept: records.Checkpoint, whole: Part, at: datetime) -> None:
        if self.first is None:
            self._begin(kept.newest, whole.incidents, whole.orders)
        self._told.update(kept.told)
        self._affected.update({(one.incident, one.device, one.since): one for one in whole.affected})
        self._last_id = max(self._last_id, kept.books.last_id)
        self._register = register_of(whole)
        ledger, books = self._new(kept.ruled, kept.audiences, at)
        ledger.lookout.names = kept.canaries
        ledger.recall(kept.ledger, whole.devices, self._register, at)
        books.casebook.follow(self._register, kept.books.windows, self._incidents(kept.ruled.incidents))
        books.dispatcher.follow(self._register, kept.dispatch)
        books.recall(kept.books, whole)
        self._checkpoint, self._at_work = None, (ledger, books)

    def _begin(self, newest: Mapping[str, int], incidents: Sequence[Incident], orders: Sequence[WorkOrder]) -> None:
        self.first = Since(newest, frozenset(one.id for one in incidents), frozenset(one.id for one in orders))
        self._certain += [("incident", one.id, one) for one in incidents]
        self._certain += [("order", one.id, one) for one in orders]

    def _new(self, ruled: records.Ruled, audiences: Sequence[Audience], at: datetime) -> tuple[Ledger, Books]:
        ledger = Ledger(self._health(ruled), ruled.polls, ruled.poller, ZoneInfo(ruled.zone))
        casebook = Casebook(ledger, self._incidents(ruled.incidents), at)
        casebook.audiences = audiences
        return ledger, Books(casebook, Dispatcher(ledger, DispatchPolicy()))

    def _as_decided(self, started: records.Started, ledger: Ledger, books: Books) -> records.Started:
        """A start with what would have been stored, had the other policy been in force."""
        entries = [entry for id in self._register.devices if (entry := ledger.entry(id)) is not None]
        return replace(
            started,
            states=tuple(state for entry in entries for state in entry.states),
            seen=tuple((entry.device.id, run) for entry in entries for run in entry.probes),
            incidents=tuple(books.casebook.incidents.values()),
            affected=tuple(one for one in self._affected.values() if one.until is None),
            last_id=self._last_id,
            orders=tuple(books.dispatcher.orders.values()),
            last_order=books.dispatcher.book.last_id,
        )

    def _follow(self, followed: records.Followed, at: datetime, ledger: Ledger, books: Books) -> None:
        self._register = edited(self._register, followed.put, followed.gone)
        ledger.lookout.names = followed.canaries
        ledger.follow(self._register, at, anew=followed.anew)
        books.casebook.follow(self._register, followed.windows, self._incidents(followed.incidents))
        books.dispatcher.follow(self._register, followed.dispatch)

    def _edit(self, n: int, edit: records.Edited, books: Books) -> None:
        step = edit.step
        if self._instead is not None:
            mine = _the_same(step.incident, books.casebook.incidents.values())
            if mine is None:
                return
            seen, assignee = step.incident.acknowledged, step.incident.assignee
            mine = replace(mine, version=mine.version + 1, acknowledged=seen, assignee=assignee)
            step = replace(step, incident=mine)
        owed = books.owed([step]) if edit.open else []
        self._open = _Open(n, Changes(), owed, replace(edit, step=step))

    def _edit_order(self, n: int, edit: records.Ordered, books: Books) -> None:
        # What a crew would have done to the orders of another policy is not known.
        if self._instead is None:
            self._open = _Open(n, Changes(), books.owed((), [edit.step]), edit)

    def _settle(self) -> None:
        """The store has taken what the last record led to, or there would be word of it."""
        kept, self._open = self._open, None
        if kept is None or self._at_work is None:
            return
        changes, edit = kept.changes, kept.edit
        if isinstance(edit, records.Ordered):
            changes.order_steps.append(edit.step)
            changes.orders[edit.step.order.id] = edit.step.order
            if edit.follows:
                self._at_work[1].dispatcher.put(edit.step.order, edit.step.at)
        elif edit is not None:
            changes.steps.append(edit.step)
            if edit.open:
                changes.incidents[edit.step.incident.id] = edit.step.incident
                self._at_work[1].casebook.put(edit.step.incident)
        due, _ = notices.due_to(kept.owed, kept.told if self._instead is None else self._told)
        self._told.update((one.channel, one.incident) for one in due if one.state is NoticeState.PENDING)
        self._affected.update(changes.affected)
        self._last_id = max(self._last_id, *changes.incidents, 0)
        for kind, key, value in _gathered(changes, due):
            self._turn += 1
            self._latest.append((kept.n, (kind, self._turn if key is None else key, value)))

    def _health(self, ruled: records.Ruled) -> Policies:
        return ruled.health if self._instead is None else self._instead.health

    def _incidents(self, logged: IncidentPolicy) -> IncidentPolicy:
        return logged if self._instead is None else self._instead.incidents


def _gathered(changes: Changes, due: Iterable[Notice]) -> Iterator[tuple[str, object, object]]:
    """Each decision among these changes with its kind and its key; without a key: it is history, and stays."""
    yield from (("flip", None, one) for one in changes.flips)
    yield from (("incident", id, one) for id, one in changes.incidents.items())
    yield from (("step", None, one) for one in changes.steps)
    yield from (("affected", key, one) for key, one in changes.affected.items())
    yield from (("order", id, one) for id, one in changes.orders.items())
    yield from (("order_step", None, one) for one in changes.order_steps)
    yield from (("notice", None, one) for one in due)


def _the_same(incident: Incident, among: Iterable[Incident]) -> Incident | None:
    """The incident that another policy has made of the same outage."""
    return next((one for one in among if (one.scope, one.about, one.cause) == outage(incident)), None)


def outage(incident: Incident) -> tuple[Scope, str, Cause]:
    """By what an incident is known under whatever policy."""
    return incident.scope, incident.about, incident.cause

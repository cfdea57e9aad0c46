"""The recorder: observations in, then states and flips committed in one transaction, then the board swapped.

Judging never waits for the database. While it is locked or full, changes wait in the ledger (bounded: keyed by subject;
only flips add up) and are written in order when it answers again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Connection

from camera_registry.board import Board, BoardEntry
from camera_registry.link.local import LocalLink
from camera_registry.model.dispatch import DispatchPolicy
from camera_registry.model.incident import Incident, IncidentChange
from camera_registry.model.roster import RosterChange
from camera_registry.model.work_order import FINAL, OrderChange, WorkOrder
from camera_registry.rules import recorded
from camera_registry.rules.dispatch.deeds import Actor
from camera_registry.rules.dispatch.opening import Wish
from camera_registry.rules.notices import Told
from camera_registry.service import saving
from camera_registry.service.books import Books
from camera_registry.service.changes import Changes
from camera_registry.service.clock import SteadyClock
from camera_registry.service.evidence import Evidence
from camera_registry.service.ledger import Ledger
from camera_registry.service.memory import Lists
from camera_registry.service.observation_log import ObservationLog, Silent
from camera_registry.service.replay import records
from camera_registry.service.saving import Note
from camera_registry.store import (
    Store,
    Unavailable,
    decisions,
    orders,
    outbox,
    picture_days,
    recordings,
)

log = logging.getLogger(__name__)

BLIND_AFTER = 5.0
"""Seconds without a commit after which readers are shown what is not yet on disk, rather than nothing new."""


class Meter(Protocol):
    """Where the recorder tells how it fares."""

    def committed(self, flips: int, took: float) -> None: ...

    def commit_failed(self) -> None: ...


class Recorder:
    """The only writer of states and of the board."""

    def __init__(
        self,
        link: LocalLink,
        ledger: Ledger,
        books: Books,
        store: Store,
        evidence: Evidence,
        board: Board,
        clock: SteadyClock,
        meter: Meter,
    ) -> None:
        self._link = link
        self._ledger = ledger
        self._casebook = books.casebook
        self._dispatcher = books.dispatcher
        self._books = books
        self._store = store
        self._board = board
        self._clock = clock
        self._meter = meter
        self._evidence = evidence
        self.beat: Callable[[], None] = lambda: None
        """Called whenever the loop that writes has turned."""
        self.healthy = True
        """Whether the last commit went through."""
        self.keep_days: Callable[[], int] = lambda: picture_days.MOST
        """How many days of what pictures were like are kept."""
        self.log = Silent()
        """Where what is judged and done is taken down."""
        self._dirty = asyncio.Event()
        self._writing = asyncio.Lock()
        """Held from taking changes until they are written, so that an edit of an incident or of an order finds it as it
        is stored."""
        self._written_at = 0.0

    @property
    def waiting(self) -> int:
        """Rows that wait to be written."""
        changes = self._ledger.changes
        steps = len(changes.steps) + len(changes.order_steps)
        whole = len(changes.states) + len(changes.seen) + len(changes.flips)
        return whole + len(changes.moved) + len(changes.again) + steps

    async def run(self) -> None:
        """Record until cancelled; what was judged by then is written before this returns."""
        loop = asyncio.get_running_loop()
        self._written_at = loop.time()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._receive(), name="recorder-receive")
                group.create_task(self._commit(), name="recorder-commit")
                group.create_task(self._evidence.run(), name="recorder-evidence")
        finally:
            # Shielded: stopping the service must not lose what was judged a moment ago.
            try:
                await asyncio.shield(self.flush())
            except Unavailable:
                log.exception("the last second of what was measured could not be written")

    def tell(self, changes: Iterable[RosterChange]) -> None:
        """Hand roster changes to the poller, and see to it that what they stand for is written and shown."""
        for change in changes:
            self._link.tell(change)
        self._dirty.set()

    async def flush(self) -> None:
        """Write and show everything now: a start does so before anybody can ask. Raises Unavailable."""
        async with self._writing:
            await self._write(*self._take(None))

    async def edit(self, id: int, change: Callable[[Incident], IncidentChange]) -> Incident | None:
        """Do something to an open incident and write it down at once; None when it is not open. Raises Unavailable
        (nothing was done then), or what ``change`` raises."""
        async with self._writing:
            incident = self._casebook.get(id)
            if incident is None:
                return None
            step = change(incident)
            n = self.log.note(self._clock.utc(), records.Edited(step))
            owed = self._books.owed([step])
            await self._keep(n, lambda tx, told: saving.edit(tx, step, owed, told))
            self._casebook.put(step.incident)
        self._show(Changes())
        return step.incident

    async def remark(self, step: IncidentChange) -> None:
        """Write down what somebody says of an incident that is over. Raises Unavailable."""
        async with self._writing:
            n = self.log.note(self._clock.utc(), records.Edited(step, open=False))
            await self._keep(n, lambda tx, told: saving.remark(tx, step))

    async def shift(self, step: timedelta) -> None:
        """The clock was set by ``step``."""
        async with self._writing:
            self.log.note(self._clock.utc(), records.Shifted(step))
            self._ledger.shift(step)
            self._dispatcher.shift(step)

    async def edit_order(self, id: int, change: Callable[[WorkOrder, DispatchPolicy], OrderChange]) -> WorkOrder | None:
        """Do something to a work order and write it down at once; None when there is none. Raises Unavailable (nothing
        was done then), or what ``change`` raises."""
        if id in self._ledger.changes.orders:
            # It waits to be written itself, with the incident that it is about.
            await self._catch_up()
        async with self._writing:
            known = self._dispatcher.get(id)
            order = known or await self._store.read(orders.get, id)
            if order is None:
                return None
            step = change(order, self._dispatcher.policy)
            follows = known is not None or step.order.state not in FINAL
            return await self._ordered(step, follows=follows)

    async def open_order(self, wish: Wish, actor: Actor) -> WorkOrder:
        """Open a work order for a device and write it down at once. Raises Unavailable (nothing was done then), or
        Refusal."""
        if self._ledger.changes.incidents:
            await self._catch_up()  # the one that it is about may be among them
        async with self._writing:
            now = self._clock.utc()
            step = self._dispatcher.by_hand(wish, self._casebook.policy.severity(wish.cause, 1), actor, now)
            return await self._ordered(step, follows=True)

    async def _ordered(self, step: OrderChange, *, follows: bool) -> WorkOrder:
        n = self.log.note(self._clock.utc(), records.Ordered(step, follows))
        owed = self._books.owed((), [step])
        await self._keep(n, lambda tx, told: saving.order(tx, step, owed, told))
        if follows:
            self._dispatcher.put(step.order, step.at)
        self._show(Changes())
        self._dirty.set()
        return step.order

    async def _catch_up(self) -> None:
        """Have what was judged written first. Raises Unavailable."""
        _, error = await self._try()
        if error is not None:
            raise error

    async def checkpoint(self, log: ObservationLog) -> None:
        """Let the log go on in a new file, with all that is remembered now beside it. Raises Unavailable."""
        async with self._writing:
            # Nothing is under way to the store now: what is remembered is what follows from the records so far.
            newest = await self._store.read(decisions.newest)
            told = await self._store.read(outbox.told_of, self._casebook.incidents)
            now, (own, devices) = self._clock.utc(), self._ledger.memory()
            kept = records.Checkpoint(
                records.Ruled(
                    self._ledger.policy,
                    self._ledger.polls,
                    self._casebook.policy,
                    self._ledger.poller,
                    str(self._ledger.zone),
                ),
                self._dispatcher.policy,
                tuple(self._casebook.audiences),
                self._ledger.lookout.names,
                own,
                self._books.memory(),
                _pairs(told),
                newest,
            )
            lists = Lists(self._casebook.register, devices, self._casebook.book, self._dispatcher.book)
            place = log.turn()
        await asyncio.to_thread(log.keep, *place, now, kept, lists)

    async def _keep(self, n: int, save: Callable[[Connection, Note | None], None]) -> None:
        """Store what record ``n`` of the log (0: there is none) led to. The log is on disk before it."""
        now = self._clock.utc()

        def told(pairs: Told) -> None:
            self.log.note(now, records.Told(n, _pairs(pairs)))

        await self.log.flush()
        try:
            await asyncio.shield(self._store.write(saving.marked, n, save, told if n else None))
        except Exception:
            self.log.note(now, records.Failed(n))
            raise

    async def _receive(self) -> None:
        while True:
            batch = await self._link.take()
            now = self._clock.utc()
            self.log.note(
                now, records.Judged(tuple(replace(seen, picture=None) if seen.picture else seen for seen in batch))
            )
            self.tell(self._ledger.judge(batch, now))
            if self._store.reserve.spent:
                continue  # what room is left is for what people are told
            for seen in batch:
                if seen.picture is not None:
                    self._evidence.keep(seen, good=self._ledger.pictured_well(seen))

    async def _commit(self) -> None:
        loop = asyncio.get_running_loop()
        pause = 0.1
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            # Shielded: what a stop takes out of the writer's hands would be neither stored nor put back.
            changes, error = await asyncio.shield(self._try())
            if error is not None:
                self.healthy = False
                self._meter.commit_failed()
                log.warning("nothing is lost, but the store does not take what was measured: %s", error)
                if loop.time() - self._written_at > BLIND_AFTER:
                    self._show(changes, self._entries(changes))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
                self._dirty.set()
                continue
            pause = 0.1
            self._written_at = loop.time()
            self.healthy = True
            self.beat()
            # Half a second of observations share one transaction and one swap.
            await asyncio.sleep(0.5)

    async def _try(self) -> tuple[Changes, Unavailable | None]:
        """Write what there is. What could not be written is put back, and why is told."""
        async with self._writing:
            changes, n = self._take(self._clock.utc())
            try:
                await self._write(changes, n)
            except Unavailable as error:
                self._ledger.restore(changes)
                return changes, error
            return changes, None

    def _take(self, now: datetime | None) -> tuple[Changes, int]:
        """What is to be written, and the incidents and orders that follow from it; and the number that the log gives
        this."""
        changes = self._ledger.collect(now)
        folded_at = now or self._clock.utc()
        n = self.log.note(folded_at, records.Taken())
        self._books.fold(changes, folded_at)
        return changes, n

    async def _write(self, changes: Changes, n: int) -> None:
        begun = asyncio.get_running_loop().time()
        # As they are now: what is judged while this is written is not on disk yet, and a kill would take it back.
        entries = self._entries(changes)
        if any(changes.rows()):
            owed = self._books.owed(changes.steps, changes.order_steps)
            searched = list(self._searched(changes))
            days = self.keep_days()
            await self._keep(n, lambda tx, told: saving.batch(tx, changes, searched, owed, told, days))
            self._meter.committed(len(changes.flips), asyncio.get_running_loop().time() - begun)
        self._show(changes, entries)

    def _searched(self, changes: Changes) -> Iterator[recordings.Told]:
        """What recorders told of their recordings, by the policy of each."""
        for (device, (probe, _)), run in (changes.seen | changes.again).items():
            if probe == "recording" and run.failure is None:
                policy = self._ledger.policy_of(device).recording
                found = tuple(recorded.searched(run.facts, policy))
                yield recordings.Told(device, found, recorded.expected_tokens(run.facts))

    def _entries(self, changes: Changes) -> list[BoardEntry]:
        return [entry for device in changes.touched if (entry := self._ledger.entry(device)) is not None]

    def _show(self, changes: Changes, entries: Iterable[BoardEntry] = ()) -> None:
        self._board.swap(entries, changes.gone, self._casebook.incidents, self._dispatcher.orders)

    async def adopt(self) -> None:
        """Write into empty fields of device files what the devices told of themselves."""
        told, self._ledger.adoptable = self._ledger.adoptable, {}
        if told:
            await self._store.write(saving.adopted, told, self._clock.utc())


def _pairs(told: Told) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((channel, id) for channel, id in told if id is not None))

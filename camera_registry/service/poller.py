"""The poller: runs what the agenda says is due, within its slots, and ships what came of it.

It carries no policy and no database, so the same code runs beside the core and at a district. There is no task per
device: one heap says who is next, and only what is under way has a task.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from camera_registry.link import Roster, Sink
from camera_registry.model.observation import Observation
from camera_registry.model.probe import PROBES
from camera_registry.model.roster import Drop, Hurry, LeaveAlone, Put, Target, Task
from camera_registry.rules.capacity import LATE, room
from camera_registry.rules.schedule import SEEING, Agenda, Due
from camera_registry.service.diagnosis import Diagnosis
from camera_registry.service.polling import Conditions
from probes.base import Caller, Step, Tools, observe
from probes.catalog import load
from probes.places import Places

log = logging.getLogger(__name__)

SHIP_EVERY = 0.2
"""Seconds over which observations are gathered into one batch."""

TOGETHER = 0.05
"""Seconds within which runs that come due are begun at one turn. Waking up costs as much as a third of a run, and runs
that go side by side find code and data in the processor's cache: beside 0.01 s, an eighth of a service's work."""

IDLE = 10.0
"""Seconds after which the loop that begins runs turns even if nothing is due, to show that it lives."""

STOOD_STILL = IDLE + 5.0
"""Seconds without a turn of that loop that only a process which was stopped, or a machine that slept, explains."""


class Meter(Protocol):
    """Where a poller tells how it fares."""

    def polled(self, seen: Observation, lag: float) -> None:
        """One run is over; it began ``lag`` seconds late."""

    def missed(self, probe: str, runs: int) -> None:
        """Runs that were due and did not happen."""


BREATH = 0.1
"""Seconds between two looks at whether this machine keeps up."""

REST = 1.0
"""Seconds for which nobody is asked how it is set up, after this machine has not kept up: that is no hurry."""

BEHIND = 5_000
"""Observations that nobody has taken yet, from which on no further run is begun: what is not asked is counted as
missed, and what was seen is kept."""

PICTURES = 64
"""Pictures under way at once, at most: more would only wait for each other to be measured, until they are too late."""


@dataclass(slots=True)
class Limits:
    """How much may be under way at once: in all, and towards one host."""

    slots: int
    per_host: int


@dataclass(slots=True)
class _Asked:
    """One run that is under way or waits for a place. ``steps`` and ``answer``: somebody waits for it and wants to be
    told how it went; else it is the agenda's. ``left``: it needs its place at the host no more."""

    due: Due
    steps: list[Step] | None = None
    answer: asyncio.Future[Observation] | None = None
    left: bool = False


class Poller:
    """Follows a roster, runs probes, fills a sink."""

    def __init__(self, roster: Roster, sink: Sink, tools: Tools, limits: Limits, meter: Meter) -> None:
        self.agenda = Agenda()
        self.limits = limits
        self.places = Places(limits.per_host)
        self.diagnosis = Diagnosis(tools, self.places)
        self._roster = roster
        self._sink = sink
        self._tools = tools
        self._meter = meter
        # Pinned once to the wall clock, so that phases survive a restart; from there on it never jumps.
        self._offset = time.time() - time.monotonic()
        self._runs: set[asyncio.Task[Observation]] = set()
        self.room = limits.slots
        """How many runs may be under way now: fewer than there are slots while the machine is too busy for them."""
        self._pictures = self._strangers = 0
        """How many of the runs under way bring pictures, and how many ask strangers; what waits for a
        place at its host is not under way."""
        self._parked: dict[str, tuple[deque[_Asked], deque[_Asked]]] = {}
        """By host: what waits for a place, the urgent before the rest, each in the order in which it came."""
        self._batch: list[Observation] = []
        self._wake = asyncio.Event()
        self._filled = asyncio.Event()
        self.beat: Callable[[], None] = lambda: None
        """Called whenever the loop that begins runs has turned."""

    @property
    def slots(self) -> int:
        return self.limits.slots

    @property
    def slots_used(self) -> int:
        return len(self._runs)

    @property
    def _sees(self) -> bool:
        """Whether another picture may be asked for now: they take a quarter of the room at most, how little it be."""
        return self._pictures < max(1, min(PICTURES, self.room // 4))

    @property
    def _meets(self) -> bool:
        """Whether another stranger may be asked now: who hangs at first contact takes half of the room at most."""
        return self._strangers < max(1, self.room // 2)

    @property
    def _may_begin(self) -> bool:
        """Whether a further run may be begun now."""
        return len(self._runs) < self.room and len(self._batch) < BEHIND

    @property
    def tasks(self) -> int:
        return len(self.agenda)

    def take_up(self, conditions: Conditions) -> None:
        """Go on by these settings."""
        self.limits.slots, self.limits.per_host = conditions.slots, conditions.per_host
        self.agenda.first = conditions.first
        self._tools.guard.allow(conditions.networks)
        self.diagnosis.gateway = conditions.gateway

    def renew(self) -> None:
        """Nothing is to be done: each run looks its credential up."""

    def clock(self) -> float:
        """Seconds since the epoch, by a clock that never jumps."""
        return time.monotonic() + self._offset

    async def run(self) -> None:
        """Poll until cancelled. Runs under way are then given up, and not counted as failures."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow(), name="poller-roster")
                group.create_task(self._work(), name="poller-work")
                group.create_task(self._ship(), name="poller-ship")
                group.create_task(self._breathe(), name="poller-breathe")
        finally:
            for run in self._runs:
                run.cancel()
            await asyncio.gather(*self._runs, return_exceptions=True)
            await self.diagnosis.stop()

    async def ask(self, target: Target, task: Task, steps: list[Step]) -> Observation:
        """One run that somebody waits for, within the limits of all others; it is judged like any. ``steps`` is filled
        with what happened."""
        answer: asyncio.Future[Observation] = asyncio.get_running_loop().create_future()
        due = Due((target.device, task.probe, task.channel), target, task, self.clock(), extra=True)
        self._begin(_Asked(due, steps, answer))
        return await answer

    async def _follow(self) -> None:
        async for change in self._roster.changes():
            match change:
                case Put(entry):
                    self.agenda.put(entry, self.clock())
                case Drop(device):
                    self.agenda.drop(device)
                    self._tools.memory.forget(device)
                    self.diagnosis.forget(device)
                case Hurry(device, probe, channel, after):
                    self.agenda.hurry((device, probe, channel), self.clock() + after)
                case LeaveAlone():
                    self._tools.memory.of(change.device).left_alone += (change,)
            self._wake.set()

    async def _work(self) -> None:
        turned = self.clock()
        while True:
            self._wake.clear()
            now = self.clock()
            if now - turned > STOOD_STILL:
                log.warning(
                    "this process stood still for %.0f s; what was due meanwhile was not measured", now - turned
                )
                self.agenda.skip(now)
            turned = now
            while self._may_begin and (due := self._next(now)) is not None:
                self._begin(_Asked(due))
            if self.agenda.missed:
                missed, self.agenda.missed = self.agenda.missed, {}
                for probe, runs in missed.items():
                    self._meter.missed(probe, runs)
            # With every slot taken, what is due waits in the agenda, the longest overdue first; a run that ends wakes
            # this loop, and so does a batch that was taken after long.
            next_at = self.agenda.next_at(pictures=self._sees, strangers=self._meets) if self._may_begin else None
            timeout = IDLE if next_at is None else min(IDLE, max(TOGETHER, next_at - self.clock()))
            self.beat()
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._wake.wait()

    def _next(self, now: float) -> Due | None:
        return self.agenda.pop(now, pictures=self._sees, strangers=self._meets)

    async def _breathe(self) -> None:
        loop = asyncio.get_running_loop()
        late = 0.0
        while True:
            begun = loop.time()
            await asyncio.sleep(BREATH)
            late, earlier = loop.time() - begun - BREATH, late
            # One long step of anything else (a scrape, an edit of the register) is no sign of too many runs.
            behind = min(late, earlier)
            self.room, before = room(self.room, behind, self.limits.slots), self.room
            if self.room > before:
                self._wake.set()
            if behind > LATE:
                self._tools.memory.set_ups.hold(loop.time() + REST)

    def _begin(self, asked: _Asked) -> None:
        due = asked.due
        host = due.target.host
        self.places.per_host = self.limits.per_host
        if self.places.take(host):
            self._run(asked)
            return
        urgent, rest = self._parked.setdefault(host, (deque(), deque()))
        # A dead recorder's channels can keep its two places taken for minutes; whether it is there at all, and what
        # waits for confirmation, is asked before them.
        (urgent if due.extra or not due.task.channel else rest).append(asked)
        self.places.when_free(host, partial(self._run_next, host))

    def _run_next(self, host: str) -> bool:
        queues = self._parked.get(host, ())
        parked = next((queue for queue in queues if queue), None)
        if parked is not None:
            self._run(parked.popleft())
        if not any(queues):
            self._parked.pop(host, None)
        return parked is not None

    def _run(self, asked: _Asked) -> None:
        run = asyncio.get_running_loop().create_task(self._measure(asked))
        self._runs.add(run)
        self._pictures += asked.due.task.probe in SEEING
        self._strangers += asked.due.stranger
        run.add_done_callback(partial(self._end, asked))

    async def _measure(self, asked: _Asked) -> Observation:
        due, task = asked.due, asked.due.task
        lag = self.clock() - due.due
        seen = await observe(
            task.probe,
            load(task.probe),
            due.target,
            task.options,
            self._tools,
            timeout=task.timeout,
            channel=task.channel,
            caller=Caller(asked.steps, partial(self._leave, asked)),
        )
        seen = await self.diagnosis.explain(seen, due.target, _port(due))
        self._tell(seen, lag)
        return seen

    def _tell(self, seen: Observation, lag: float) -> None:
        self._meter.polled(seen, lag)
        self._batch.append(seen)
        self._filled.set()

    def _end(self, asked: _Asked, run: asyncio.Task[Observation]) -> None:
        if len(self._runs) >= self.room or not self._sees or not self._meets:
            self._wake.set()
        self._runs.discard(run)
        self._pictures -= asked.due.task.probe in SEEING
        self._strangers -= asked.due.stranger
        if run.cancelled():
            if asked.answer is not None:
                asked.answer.cancel()
            return
        if error := run.exception():
            log.error("a run of %s failed on our side: %r", asked.due.key, error)
        else:
            self._spare_the_others(asked.due, run.result())
        self._finish(asked, run.exception() or run.result())
        self._leave(asked)

    def _leave(self, asked: _Asked) -> None:
        """Let others have its place at the host."""
        if not asked.left:
            asked.left = True
            self.places.give_back(asked.due.target.host)

    def _finish(self, asked: _Asked, outcome: Observation | BaseException) -> None:
        if asked.answer is None:
            self.agenda.done(asked.due.key, well=isinstance(outcome, Observation) and outcome.ok)
        elif asked.answer.done():
            pass  # whoever waited has gone
        elif isinstance(outcome, Observation):
            asked.answer.set_result(outcome)
        else:
            asked.answer.set_exception(outcome)

    def _spare_the_others(self, due: Due, seen: Observation) -> None:
        """Let a port that did not answer at all stand for everything that waits to ask the same one.

        A dead recorder with 64 channels would otherwise take minutes to be silent to each of them, two at a time, and
        what nobody asked in that time would go stale.
        """
        failure = seen.failure
        if failure is None or not failure.unanswered:
            return
        for parked in self._parked.get(due.target.host, ()):
            for waiting in [one for one in parked if _port(one.due) == _port(due)]:
                parked.remove(waiting)
                device, probe, channel = waiting.due.key
                told = Observation(device, probe, self._tools.now(), 0.0, channel, failure=failure)
                self._tell(told, self.clock() - waiting.due.due)
                self._finish(waiting, told)

    async def _ship(self) -> None:
        while True:
            await self._filled.wait()
            await asyncio.sleep(SHIP_EVERY)
            self._filled.clear()
            batch, self._batch = self._batch, []
            if len(batch) >= BEHIND:
                self._wake.set()
            await self._sink.put(batch)


def _port(due: Due) -> int:
    kind = PROBES.get(due.task.probe)
    return due.target.ports.get(kind.port, 0) if kind else 0

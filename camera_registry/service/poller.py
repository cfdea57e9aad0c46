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
from camera_registry.model.observation import FailureKind, Observation, Stage
from camera_registry.model.probe import PROBES
from camera_registry.model.roster import Drop, Hurry, Put
from camera_registry.rules.schedule import Agenda, Due
from probes.base import Tools, observe
from probes.catalog import load

log = logging.getLogger(__name__)

SHIP_EVERY = 0.2
"""Seconds over which observations are gathered into one batch."""

IDLE = 10.0
"""Seconds after which the loop that begins runs turns even if nothing is due, to show that it lives."""

_SILENCE = {FailureKind.TIMEOUT, FailureKind.UNREACHABLE, FailureKind.DNS}


class Meter(Protocol):
    """Where a poller tells how it fares."""

    def polled(self, seen: Observation, lag: float) -> None:
        """One run is over; it began ``lag`` seconds late."""

    def missed(self, probe: str, runs: int) -> None:
        """Runs that were due and did not happen."""


@dataclass(slots=True)
class Limits:
    """How much may be under way at once: in all, and towards one host."""

    slots: int
    per_host: int


class Poller:
    """Follows a roster, runs probes, fills a sink."""

    def __init__(self, roster: Roster, sink: Sink, tools: Tools, limits: Limits, meter: Meter) -> None:
        self.agenda = Agenda()
        self.limits = limits
        self._roster = roster
        self._sink = sink
        self._tools = tools
        self._meter = meter
        # Pinned once to the wall clock, so that phases survive a restart; from there on it never jumps.
        self._offset = time.time() - time.monotonic()
        self._runs: set[asyncio.Task[Observation]] = set()
        self._hosts: dict[str, int] = {}
        self._parked: dict[str, deque[Due]] = {}
        self._batch: list[Observation] = []
        self._wake = asyncio.Event()
        self._filled = asyncio.Event()
        self.beat: Callable[[], None] = lambda: None
        """Called whenever the loop that begins runs has turned."""

    @property
    def slots_used(self) -> int:
        return len(self._runs)

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
        finally:
            for run in self._runs:
                run.cancel()
            await asyncio.gather(*self._runs, return_exceptions=True)

    async def _follow(self) -> None:
        async for change in self._roster.changes():
            match change:
                case Put(entry):
                    self.agenda.put(entry, self.clock())
                case Drop(device):
                    self.agenda.drop(device)
                    self._tools.memory.forget(device)
                case Hurry(device, probe, channel, after):
                    self.agenda.hurry((device, probe, channel), self.clock() + after)
            self._wake.set()

    async def _work(self) -> None:
        while True:
            self._wake.clear()
            now = self.clock()
            while len(self._runs) < self.limits.slots and (due := self.agenda.pop(now)) is not None:
                self._begin(due)
            if self.agenda.missed:
                missed, self.agenda.missed = self.agenda.missed, {}
                for probe, runs in missed.items():
                    self._meter.missed(probe, runs)
            # With every slot taken, what is due waits in the agenda, the longest overdue first; a run that ends wakes
            # this loop.
            free = len(self._runs) < self.limits.slots
            next_at = self.agenda.next_at() if free else None
            timeout = IDLE if next_at is None else min(IDLE, max(0.001, next_at - self.clock()))
            self.beat()
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._wake.wait()

    def _begin(self, due: Due) -> None:
        host = due.target.host
        if self._hosts.get(host, 0) >= self.limits.per_host:
            parked = self._parked.setdefault(host, deque())
            # A dead recorder's channels can keep its two places taken for minutes; whether it is there at all, and what
            # waits for confirmation, is asked before them.
            if due.extra or not due.task.channel:
                parked.appendleft(due)
            else:
                parked.append(due)
            return
        self._hosts[host] = self._hosts.get(host, 0) + 1
        run = asyncio.get_running_loop().create_task(self._measure(due))
        self._runs.add(run)
        run.add_done_callback(partial(self._end, due))

    async def _measure(self, due: Due) -> Observation:
        task = due.task
        lag = self.clock() - due.due
        probe = load(task.probe)
        seen = await observe(
            task.probe, probe, due.target, task.options, self._tools, timeout=task.timeout, channel=task.channel
        )
        self._tell(seen, lag)
        return seen

    def _tell(self, seen: Observation, lag: float) -> None:
        self._meter.polled(seen, lag)
        self._batch.append(seen)
        self._filled.set()

    def _end(self, due: Due, run: asyncio.Task[Observation]) -> None:
        if len(self._runs) >= self.limits.slots:
            self._wake.set()
        self._runs.discard(run)
        if run.cancelled():
            return
        if error := run.exception():
            log.error("a run of %s failed on our side: %r", due.key, error)
        else:
            self._spare_the_others(due, run.result())
        self.agenda.done(due.key)
        host = due.target.host
        self._hosts[host] -= 1
        if not self._hosts[host]:
            del self._hosts[host]
        if parked := self._parked.get(host):
            waiting = parked.popleft()
            if not parked:
                del self._parked[host]
            self._begin(waiting)

    def _spare_the_others(self, due: Due, seen: Observation) -> None:
        """Let a port that did not answer at all stand for everything that waits to ask the same one.

        A dead recorder with 64 channels would otherwise take minutes to be silent to each of them, two at a time, and
        what nobody asked in that time would go stale.
        """
        failure = seen.failure
        if failure is None or failure.stage not in (Stage.ADDRESS, Stage.CONNECT) or failure.kind not in _SILENCE:
            return
        parked = self._parked.pop(due.target.host, None)
        others: deque[Due] = deque()
        for waiting in parked or ():
            if _port(waiting) != _port(due):
                others.append(waiting)
                continue
            _, probe, channel = waiting.key
            told = Observation(waiting.target.device, probe, self._tools.now(), 0.0, channel, failure=failure)
            self._tell(told, self.clock() - waiting.due)
            self.agenda.done(waiting.key)
        if others:
            self._parked[due.target.host] = others

    async def _ship(self) -> None:
        while True:
            await self._filled.wait()
            await asyncio.sleep(SHIP_EVERY)
            self._filled.clear()
            batch, self._batch = self._batch, []
            await self._sink.put(batch)


def _port(due: Due) -> int:
    kind = PROBES.get(due.task.probe)
    return due.target.ports.get(kind.port, 0) if kind else 0

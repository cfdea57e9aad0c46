"""One process that polls a share of the fleet, as the service sees it: started, told, listened to, replaced."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from camera_registry.link import Sink, codec
from camera_registry.link.pipe import Broken, Message, Pipe
from camera_registry.model.observation import Failure, FailureKind, Observation, Stage
from camera_registry.model.people import Credential
from camera_registry.model.roster import Drop, Entry, Hurry, LeaveAlone, Put, RosterChange, Target, Task
from camera_registry.service.polling import Conditions
from camera_registry.service.wire import terms
from camera_registry.service.wire.gate import Gate
from camera_registry.service.wire.terms import Setup, Status
from probes.base import References, Step

log = logging.getLogger(__name__)

GATHER = 0.05
"""Seconds over which what is to be told is gathered."""
TOGETHER = 500
"""Changes of the roster in one message, at most."""
START_SECONDS = 60.0
"""How long a process may take to say its first word, on a machine that is busy with other things."""
SILENCE = 30.0
"""Seconds without a word, of which two are said each second, after which a process is replaced."""
END_SECONDS = 5.0
"""How long a process may take to end by itself."""
PAUSE, LONGEST_PAUSE = 0.2, 5.0
"""Seconds before a process is started anew: the first time, and at most."""
SETTLED = 60.0
"""A process that has lived for so many seconds is started anew as if for the first time."""


class Meter(Protocol):
    """Where it is told how the pollers fare."""

    def polled(self, seen: Observation, lag: float) -> None: ...

    def missed(self, probe: str, runs: int) -> None: ...

    def loop_lagged(self, lag: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Sources:
    """What a process asks the service for: credentials by name, what must be known of refused passwords, and accepted
    pictures."""

    credential: Callable[[str], Credential | None]
    left_alone: Callable[[str], Iterable[LeaveAlone]]
    references: Callable[[str, str], Awaitable[References]]


class _Gone(Exception):
    """The process is of no use any more; says why."""


_Answer = tuple[Observation, list[Step]]


class Share:
    """``entries`` are its devices. It belongs to the event loop."""

    def __init__(
        self, name: str, setup: Setup, sources: Sources, sink: Sink, meter: Meter, gate: Gate | None = None
    ) -> None:
        self.entries: dict[str, Entry] = {}
        self.restarts = 0
        self.pictures = self.picture_restarts = 0
        self.picture_seconds = 0.0
        self.status = Status()
        self.pid = 0
        """Of the process; 0 while there is none."""
        self.setup = setup
        self._name = name
        self._sources = sources
        self._sink = sink
        self._meter = meter
        self._gate = gate
        """Where processes come to that others start; None: ours are started here."""
        self._sent: dict[str, Credential] = {}
        self._outbox: list[tuple[str, object]] = []
        self._filled = asyncio.Event()
        self._asked: dict[int, tuple[Observation, asyncio.Future[_Answer]]] = {}
        self._count = 0
        self._aside: set[asyncio.Task[None]] = set()
        self._heard = 0.0
        self._handing = False
        """Whether the recorder is so far behind that we don't listen."""

    def turns(self, patience: float) -> bool:
        """Whether it has begun runs, or seen that none is due, within so many seconds."""
        silent = asyncio.get_running_loop().time() - self._heard
        return bool(self.pid) and self.status.turned + (0.0 if self._handing else silent) < patience

    def tell(self, change: RosterChange) -> None:
        """Hand on a change of the roster, after the credentials that it needs."""
        match change:
            case Put(entry):
                self.entries[entry.target.device] = entry
                self._lend(_names(entry.target))
            case Drop(device):
                self.entries.pop(device, None)
            case Hurry() | LeaveAlone():
                pass
        if self._outbox and self._outbox[-1][0] == "roster":
            rows = self._outbox[-1][1]
            assert isinstance(rows, list)
            if len(rows) < TOGETHER:
                rows.append(codec.told(change))
                return
        self._post("roster", [codec.told(change)])

    def renew(self) -> None:
        """Hand on credentials that are others now, and take back those that none of its devices needs."""
        needed = {name for entry in self.entries.values() for name in _names(entry.target)}
        gone = {name: None for name in self._sent if name not in needed or self._sources.credential(name) is None}
        if gone:
            for name in gone:
                del self._sent[name]
            self._post("credentials", gone)
        self._lend(needed)

    def take_up(self, conditions: Conditions) -> None:
        """Go on by these."""
        self._post("conditions", conditions)

    async def ask(self, target: Target, task: Task, steps: list[Step]) -> Observation:
        """One run that somebody waits for."""
        self._lend(_names(target))
        self._count += 1
        number = self._count
        answer: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        lost = Failure(FailureKind.INTERNAL, Stage.ADDRESS, "lost with the process that polls this device", "lost")
        asked = Observation(target.device, task.probe, datetime.now(UTC), 0.0, task.channel, failure=lost)
        self._asked[number] = asked, answer
        try:
            self._post("ask", (number, Entry(target, (task,))))
            seen, told = await answer
        finally:
            self._asked.pop(number, None)
        steps += told
        return seen

    async def run(self) -> None:
        """Have a process poll until cancelled; one that ends is replaced, and told all anew."""
        loop = asyncio.get_running_loop()
        pause = PAUSE
        while True:
            begun = loop.time()
            why = await self._live()
            self.restarts += 1
            log.error("%s, which polls %d devices, is replaced: %s", self._name, len(self.entries), why)
            self._begin_anew()
            if loop.time() - begun > SETTLED:
                pause = PAUSE
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _post(self, kind: str, body: object) -> None:
        self._outbox.append((kind, body))
        self._filled.set()

    def _lend(self, names: Iterable[str]) -> None:
        lent: dict[str, Credential] = {}
        for name in names:
            known = self._sources.credential(name)
            if known is not None and self._sent.get(name) != known:
                lent[name] = self._sent[name] = known
        if lent:
            self._post("credentials", lent)

    def _begin_anew(self) -> None:
        """Fill the outbox with all that the next process must know, and with nothing that was meant for the last."""
        self._give_up()
        self._outbox.clear()
        self._sent.clear()
        for entry in list(self.entries.values()):
            self.tell(Put(entry))
            for quiet in self._sources.left_alone(entry.target.device):
                self.tell(quiet)

    async def _live(self) -> str:
        """One process from its start to its end; why it ended."""
        process: Process | None = None
        pipe: Pipe | None = None
        code: int | None = None
        why = ""
        try:
            try:
                process, pipe = await self._start()
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._send(pipe), name="wire-send")
                    group.create_task(self._receive(pipe), name="wire-receive")
                    group.create_task(self._watch(process), name="wire-watch")
            finally:
                self.pid, self.status = 0, Status()
                if pipe is not None:
                    pipe.close()
                code = await _end(process)
        except* (_Gone, Broken, OSError, ValueError, TimeoutError) as group:
            why = str(_first(group)) or type(_first(group)).__name__
        return why if code is None else f"{why} (exit code {code})"

    async def _start(self) -> tuple[Process | None, Pipe]:
        """A process to poll, greeted and set up. Which others start are waited for, however long that is."""
        process: Process | None = None
        if self._gate is None:
            process, pipe = await self._begin()
            pid = process.pid
        else:
            pid, pipe = await self._gate.next()
        try:
            async with asyncio.timeout(START_SECONDS):
                await pipe.send("setup", self.setup)
        except BaseException:
            pipe.close()
            await _end(process)
            raise
        self.pid = pid
        self._heard = asyncio.get_running_loop().time()
        return process, pipe

    async def _begin(self) -> tuple[Process, Pipe]:
        ours, theirs = socket.socketpair()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "camera_registry.service.wire.child",
                stdin=theirs.fileno(),
                stdout=DEVNULL,
                start_new_session=True,  # Ctrl-C is for the service, which ends its processes in order
                env=_environment(),
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        pipe = await Pipe.over(ours)
        try:
            async with asyncio.timeout(START_SECONDS):
                await pipe.greet()
        except BaseException:
            pipe.close()
            await _end(process)
            raise
        return process, pipe

    async def _send(self, pipe: Pipe) -> None:
        while True:
            await self._filled.wait()
            await asyncio.sleep(GATHER)
            self._filled.clear()
            waiting, self._outbox = self._outbox, []
            for kind, body in waiting:
                await pipe.send(kind, body)

    async def _receive(self, pipe: Pipe) -> None:
        while (message := await pipe.receive()) is not None:
            self._heard = asyncio.get_running_loop().time()
            match message.kind:
                case "seen":
                    await self._take(message)
                case "status":
                    self._note(terms.status(message.body))
                case "answer":
                    self._answer(message)
                case "references":
                    task = asyncio.create_task(self._show(pipe, *message.body))
                    self._aside.add(task)
                    task.add_done_callback(self._aside.discard)
                case other:
                    raise Broken(f"it says what nobody knows: {other[:40]}")
        raise _Gone("it has ended")

    async def _take(self, message: Message) -> None:
        rows, lags = message.body
        batch = codec.observations(rows, message.blobs)
        for seen, lag in zip(batch, lags, strict=True):
            self._meter.polled(seen, lag)
        self._handing = True
        try:
            await self._sink.put(batch)
        finally:
            self._handing = False
            self._heard = asyncio.get_running_loop().time()

    def _note(self, status: Status) -> None:
        self.status = status
        self.pictures += status.pictures
        self.picture_restarts += status.picture_restarts
        self.picture_seconds += status.picture_seconds
        for probe, runs in status.missed.items():
            self._meter.missed(probe, runs)
        for lag in status.lags:
            self._meter.loop_lagged(lag)

    def _answer(self, message: Message) -> None:
        number, rows, told = message.body
        asked, answer = self._asked.get(number, (None, None))
        if asked is None or answer is None or answer.done():
            return
        seen = next(iter(codec.observations(rows, message.blobs)), asked)
        answer.set_result((seen, [Step(key, values) for key, values in told]))

    async def _show(self, pipe: Pipe, number: int, device: str, channel: str) -> None:
        there = References()
        try:
            there = await self._sources.references(device, channel)
        finally:
            with contextlib.suppress(ConnectionError):
                body = (number, there.version, list(there.times), list(there.masks))
                await pipe.send("references", body, there.pictures)

    def _give_up(self) -> None:
        """Tell whoever waits for an answer that none will come."""
        for asked, answer in self._asked.values():
            if not answer.done():
                answer.set_result((asked, []))
        for task in self._aside:
            task.cancel()

    async def _watch(self, process: Process | None) -> None:
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(1)
            now = loop.time()
            if self._handing or now - before > 5:
                self._heard = now  # it is we who did not listen
            if now - self._heard > SILENCE:
                if process is not None:
                    process.kill()
                raise _Gone(f"it said nothing for {SILENCE:g} s")


def _names(target: Target) -> set[str]:
    return {name for name in (target.credential, *target.credentials.values()) if name}


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _end(process: Process | None) -> int | None:
    """Take leave of a process that was told to end, or has; its exit code."""
    if process is None:
        return None
    try:
        async with asyncio.timeout(END_SECONDS):
            return await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        return await process.wait()


def _environment() -> dict[str, str]:
    """What such a process may know: where Python is, and where the system keeps things; no secret of ours."""
    kept = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "TZ", "TMPDIR", "HOME")
    return {name: os.environ[name] for name in kept if name in os.environ}

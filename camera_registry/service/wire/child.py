"""This file is a process that polls a share of the fleet: it has no database, and may be killed at any moment.

Over a Unix socket to the service it is told all it needs, passwords included. The service starts it as ``python -m
camera_registry.service.wire.child`` (only ``service.wire.share`` does) with that for its standard input, and it ends
when that is closed; or it was started by itself (``attend``), and then waits for the service to be there again.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Coroutine
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from camera_registry.link import codec
from camera_registry.link.local import LocalLink
from camera_registry.link.pipe import Broken, Message, Pipe
from camera_registry.model.observation import Observation
from camera_registry.model.people import Credential
from camera_registry.service import garbage, logs
from camera_registry.service.clock import SteadyClock
from camera_registry.service.loop import run
from camera_registry.service.poller import Limits, Poller
from camera_registry.service.wire import terms
from camera_registry.service.wire.gate import AGAIN, reach
from camera_registry.service.wire.terms import Setup, Status
from camera_registry.service.wire.uplink import Uplink
from probes.base import References, Step, Tools
from probes.guard import AddressGuard
from probes.memory import Memory
from probes.picture.desk import PictureDesk

log = logging.getLogger(__name__)

TELL_EVERY = 0.5
"""Seconds between two words of how we fare."""


class _Ended(Exception):
    """The service has closed."""


class Child:
    """One share's poller, with the desk that measures its pictures."""

    def __init__(self, pipe: Pipe, setup: Setup) -> None:
        conditions = setup.conditions
        self._pipe = pipe
        self._clock = SteadyClock()
        self._credentials: dict[str, Credential] = {}
        self._desk = PictureDesk(setup.picture_processes, setup.width)
        self._roster = LocalLink()
        self._uplink = Uplink(pipe)
        self._tools = Tools(
            AddressGuard(conditions.networks),
            Memory(),
            self._credentials.get,
            self._desk,
            self._clock.utc,
            setup.auth_quiet,
            references=self._references,
        )
        limits = Limits(conditions.slots, conditions.per_host)
        self._poller = Poller(self._roster, self._uplink, self._tools, limits, self._uplink)
        self._poller.take_up(conditions)
        self._poller.beat = self._beat
        self._turned = 0.0
        self._asked: dict[int, asyncio.Future[References]] = {}
        self._count = 0
        self._aside: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Poll until the service closes. What is under way then is given up, and not counted as failures."""
        self._beat()
        await self._desk.start()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(), name="wire-listen")
                group.create_task(self._poller.run(), name="poller")
                group.create_task(self._tell(), name="wire-status")
                group.create_task(garbage.keep_house(), name="garbage")
        finally:
            for task in self._aside:
                task.cancel()
            await self._desk.close()

    def _beat(self) -> None:
        self._turned = asyncio.get_running_loop().time()

    async def _listen(self) -> None:
        while (message := await self._pipe.receive()) is not None:
            self._hear(message)
        raise _Ended

    def _hear(self, message: Message) -> None:
        body = message.body
        match message.kind:
            case "roster":
                for row in body:
                    self._roster.tell(codec.change(row))
            case "credentials":
                for name, known in terms.credentials(body).items():
                    if known is None:
                        self._credentials.pop(name, None)
                    else:
                        self._credentials[name] = known
            case "conditions":
                self._poller.take_up(terms.conditions(body))
            case "ask":
                self._go(self._ask(*body))
            case "references":
                number, version, times, masks = body
                waiting = self._asked.pop(number, None)
                if waiting is not None and not waiting.done():
                    taken = [datetime.fromisoformat(at) for at in times]
                    waiting.set_result(References(version, message.blobs, taken, tuple(masks)))
            case other:
                raise Broken(f"the service says what nobody knows: {other[:40]}")

    def _go(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)

    async def _ask(self, number: int, item: object) -> None:
        entry = codec.entry(item)
        steps: list[Step] = []
        seen: list[Observation] = []
        try:
            seen.append(await self._poller.ask(entry.target, entry.tasks[0], steps))
        finally:
            rows, pictures = codec.observed(seen)
            told = [(step.key, step.values) for step in steps]
            with suppress(ConnectionError):
                await self._pipe.send("answer", (number, rows, told), pictures)

    async def _references(self, device: str, channel: str) -> References:
        self._count += 1
        number = self._count
        waiting: asyncio.Future[References] = asyncio.get_running_loop().create_future()
        self._asked[number] = waiting
        try:
            # Where the service has gone, so have we in a moment: no answer comes, and that is no fault of a picture.
            with suppress(ConnectionError):
                await self._pipe.send("references", (number, device, channel))
            return await waiting
        finally:
            self._asked.pop(number, None)

    async def _tell(self) -> None:
        loop, desk = asyncio.get_running_loop(), self._desk
        measured, restarts, spent = 0, 0, 0.0
        while True:
            due = loop.time() + TELL_EVERY
            await asyncio.sleep(TELL_EVERY)
            # A step needs no word: the service follows the same clock, and shifts what it holds.
            self._clock.resync()
            now = loop.time()
            status = Status(
                self._poller.slots_used,
                self._poller.room,
                self._poller.tasks,
                now - self._turned,
                (max(0.0, now - due),),
                self._uplink.take_missed(),
                desk.waiting,
                desk.measured - measured,
                desk.restarts - restarts,
                desk.spent - spent,
            )
            measured, restarts, spent = desk.measured, desk.restarts, desk.spent
            await self._pipe.send("status", status)


async def main() -> int:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Asked to stop, all processes of a service are told so at once; ours ends when the service has let go of it.
        loop.add_signal_handler(number, lambda: None)
    await _poll(await Pipe.over(_socket()))
    return 0


async def attend(path: Path) -> None:
    """Poll for the service whose socket that is, until cancelled."""
    while True:
        await _poll(await reach(path))
        await asyncio.sleep(AGAIN)


async def _poll(pipe: Pipe) -> None:
    """Poll until the service closes the pipe, or says what makes no sense."""
    try:
        await pipe.greet()
        first = await pipe.receive()
        if first is not None:
            setup = terms.setup(first.body)
            logs.set_up(setup.level, setup.format)
            await Child(pipe, setup).run()
    except* (_Ended, ConnectionError):
        pass
    except* Broken as group:
        log.warning("%s", group.exceptions[0])
    finally:
        pipe.close()


def _socket() -> socket.socket:
    """The socket that standard input is; no process of ours is to inherit it."""
    sock = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return sock


if __name__ == "__main__":
    raise SystemExit(run(main))

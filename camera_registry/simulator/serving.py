"""Serves a fleet as a program of its own: signals, the fastest event loop at hand, several processes where asked."""

from __future__ import annotations

import asyncio
import os
import resource
import secrets
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import NoReturn

from camera_registry.simulator.member import Ports
from camera_registry.simulator.plan import Fleet
from camera_registry.simulator.script import Event
from camera_registry.simulator.simulation import Simulation, Sockets, prepare
from camera_registry.texts import Texts

Tell = Callable[[str], None]
"""Hears how the fleet fares, in the words of ``Story.words``."""


@dataclass(frozen=True)
class Story:
    """What all processes of a fleet have in common: its plan, what happens to it from when on (monotonic seconds; None:
    once they are told to begin), and the secret that seals nonces. ``discovery`` is the UDP port on which the first of
    them answers Probes, ``words`` the language in which is told how it fares."""

    fleet: Fleet
    events: Sequence[Event]
    begun: float | None
    secret: bytes
    discovery: int
    words: Texts


@dataclass(frozen=True)
class Part:
    """One process of a fleet: its number from 1 on, its sockets, and the file whose first line begins the story and
    whose end stops it, if any. ``heirs`` are told what is heard there."""

    number: int
    opened: Sockets
    until: int | None
    heirs: Sequence[int] = ()


def serve(
    fleet: Fleet,
    events: Sequence[Event],
    opened: Sequence[Sockets],
    words: Texts,
    tell: Tell,
    until: int | None = None,
    *,
    discovery: int = 0,
    waits: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM, or until the file ``until`` ends, with one process for each of ``opened``.

    With ``waits`` the events are counted from the first line of ``until``, else from now.
    The processes know nothing of each other and need not: their story is the same. Each counts what it was asked.
    """
    _allow_many_files()
    prepare(fleet)  # before there are several processes, so that they share it
    begun = None if waits else time.monotonic()
    story = Story(fleet, events, begun, secrets.token_bytes(16), discovery, words)
    helpers: dict[int, int] = {}
    try:
        for number, own in enumerate(opened[1:], 2):
            heard, told = os.pipe()
            helper = os.fork()
            if helper == 0:
                for others in (*helpers.values(), told):
                    os.close(others)
                _help(story, Part(number, own, heard), opened, tell)
            os.close(heard)
            helpers[helper] = told
        _leave(opened, opened[0])
        _run(story, Part(1, opened[0], until, tuple(helpers.values())), tell)
    finally:
        for told in helpers.values():
            os.close(told)
        for helper in helpers:
            os.waitpid(helper, 0)


def _allow_many_files() -> None:
    """Thousands of clients at once need as many descriptors; what is usual for a shell is 1024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _help(story: Story, part: Part, opened: Sequence[Sockets], tell: Tell) -> NoReturn:
    """Live as one of the further processes. The pipe ``part.until`` ends when the first one does, however it ends."""
    code = 1
    try:
        _leave(opened, part.opened)
        _run(story, part, tell)
        code = 0
    finally:
        os._exit(code)


def _leave(opened: Sequence[Sockets], own: Sockets) -> None:
    """Close what other processes serve: a socket that nobody accepts from would swallow its share of clients."""
    for others in opened:
        if others is not own:
            others.close()


def _run(story: Story, part: Part, tell: Tell) -> None:
    first = part.number == 1
    words = story.words
    said = "" if first else words("simulate.process", number=part.number)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        wished = Ports(discovery=story.discovery)
        async with Simulation(story.fleet, wished, opened=part.opened, secret=story.secret, leads=first) as simulation:
            ports = simulation.ports
            shown = ", ".join(f"{port} ({name.upper()})" for name, port in asdict(ports).items() if port)
            tell(said + words("simulate.answers", devices=len(story.fleet.members), ports=shown))
            waits = story.begun is None

            def play(begun: float) -> None:
                simulation.play(story.events, begun, lambda event: tell(event.told(words)) if first else None)

            def hear(file: int) -> None:
                nonlocal waits
                if not os.read(file, 4096):
                    stop.set()
                elif waits:
                    waits = False
                    play(loop.time())
                    for heir in part.heirs:
                        os.write(heir, b"\n")

            if story.begun is not None:
                play(story.begun + loop.time() - time.monotonic())
            if part.until is not None:
                try:
                    loop.add_reader(part.until, hear, part.until)
                except PermissionError:
                    stop.set()  # a file, or /dev/null: there is nothing to wait for
            await stop.wait()
            if part.until is not None:
                loop.remove_reader(part.until)
            totals = simulation.totals()
            asked = sum(totals.requests.values())
            tell(said + words("simulate.stopped", requests=asked, forbidden=totals.forbidden))

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(main())


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's event loop where it is installed, else the standard one."""
    if find_spec("uvloop") is None:
        return None
    found: Callable[[], asyncio.AbstractEventLoop] = import_module("uvloop").new_event_loop
    return found

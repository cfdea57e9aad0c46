"""Serves a fleet as a program of its own: signals, the fastest event loop at hand, several processes where asked."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec

from camera_registry.simulator.plan import Fleet
from camera_registry.simulator.script import Event
from camera_registry.simulator.simulation import Simulation, Sockets

Tell = Callable[[str], None]


def serve(
    fleet: Fleet, events: Sequence[Event], opened: Sequence[Sockets], tell: Tell, until: int | None = None
) -> None:
    """Serve until SIGINT or SIGTERM, or until the file ``until`` ends, with one process for each of ``opened``.

    The processes know nothing of each other and need not: the plan, the fault script and its start are the same in all,
    and so is the secret that seals nonces. Each counts what it was asked itself.
    """
    secret = secrets.token_bytes(16)
    begun = time.monotonic()
    life, death = os.pipe()
    helpers: list[int] = []
    try:
        for number, own in enumerate(opened[1:], 2):
            helper = os.fork()
            if helper == 0:
                os.close(death)
                _leave(opened, own)
                code = 1
                try:
                    _run(fleet, events, own, secret, begun, _numbered(tell, number), life)
                    code = 0
                finally:
                    os._exit(code)
            helpers.append(helper)
        _leave(opened, opened[0])
        _run(fleet, events, opened[0], secret, begun, tell, until)
    finally:
        os.close(death)
        os.close(life)
        for helper in helpers:
            os.waitpid(helper, 0)


def _leave(opened: Sequence[Sockets], own: Sockets) -> None:
    """Close what other processes serve: a socket that nobody accepts from would swallow its share of clients."""
    for others in opened:
        if others is not own:
            others.close()


def _numbered(tell: Tell, number: int) -> Tell:
    """Helpers are quiet about events, which the first process tells of, and say who they are."""
    return lambda text: None if text[:1].isdigit() and " s: " in text else tell(f"process {number}: {text}")


def _run(
    fleet: Fleet, events: Sequence[Event], own: Sockets, secret: bytes, begun: float, tell: Tell, life: int | None
) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        if life is not None:
            # A pipe from another process ends when that one does, however it ends.
            loop.add_reader(life, stop.set)
        async with Simulation(fleet, opened=own, secret=secret) as simulation:
            simulation.prepare()
            ports = simulation.ports
            shown = f"{ports.http} (HTTP), {ports.rtsp} (RTSP), {ports.tcp} (TCP)"
            tell(f"{len(fleet.members)} devices answer on ports {shown}")
            simulation.play(events, begun + loop.time() - time.monotonic(), tell)
            await stop.wait()
            if life is not None:
                loop.remove_reader(life)
            totals = simulation.totals()
            tell(f"stopped after {sum(totals.requests.values())} requests; forbidden operations: {totals.forbidden}")

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(main())


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's event loop where it is installed, else the standard one."""
    if find_spec("uvloop") is None:
        return None
    found: Callable[[], asyncio.AbstractEventLoop] = import_module("uvloop").new_event_loop
    return found

"""systemd is told that the service is ready and that it measures, and nothing once it does not."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from camera_registry.service.pulse import PATIENCE, Pulse
from camera_registry.service.systemd import Supervisor


@pytest.fixture
def ear(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(5)
        yield sock


def test_it_says_that_it_is_ready(ear: socket.socket) -> None:
    Supervisor({"NOTIFY_SOCKET": ear.getsockname()}).tell("READY=1")
    assert ear.recv(64) == b"READY=1"


def test_it_says_nothing_where_nobody_listens(tmp_path: Path) -> None:
    Supervisor({}).tell("READY=1")
    Supervisor({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).tell("READY=1")
    assert Supervisor({"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}).patience == 0.0


async def test_it_gives_signs_of_life_until_nothing_is_measured_any_more(ear: socket.socket) -> None:
    now = 0.0
    pulse = Pulse(lambda: now)
    supervisor = Supervisor({"NOTIFY_SOCKET": ear.getsockname(), "WATCHDOG_USEC": "50000"})
    watching = asyncio.create_task(supervisor.watch(pulse))
    assert await asyncio.to_thread(ear.recv, 64) == b"WATCHDOG=1"
    assert await asyncio.to_thread(ear.recv, 64) == b"WATCHDOG=1"
    now = PATIENCE + 1
    pulse.beat("poller")
    # A database that refuses stalls the recorder; what was measured waits in memory, which a restart would lose.
    assert await asyncio.to_thread(ear.recv, 64) == b"WATCHDOG=1"
    now = 2 * PATIENCE + 2
    await asyncio.sleep(0.1)
    ear.setblocking(False)
    while True:  # what was sent before
        try:
            ear.recv(64)
        except BlockingIOError:
            break
    await asyncio.sleep(0.2)
    with pytest.raises(BlockingIOError):
        ear.recv(64)
    watching.cancel()

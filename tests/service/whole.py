"""A whole service beside a simulated fleet, for tests: real sockets, a real database, everything fast; but no faster
than a machine that is busy with other tests can follow, or its slowness would be taken for faults of devices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from camera_registry.app import App, running
from camera_registry.model.health import State
from camera_registry.model.people import Role
from camera_registry.rules.inventory import files
from camera_registry.settings import load
from camera_registry.simulator.simulation import Simulation
from camera_registry.store import intake, tokens
from tests.shaped import shaped

SETTINGS = """
language = "en"
[storage]
directory = "data"
reserve = 0
url = "{url}"
[web]
port = 0
[devices]
networks = ["127.0.0.0/8"]
[probes]
{probes}
[probes.tcp]
interval = 2
timeout = 1.9
[probes.onvif]
interval = 2
timeout = 1.9
[probes.rtsp]
interval = 2
timeout = 1.9
[probes.tls]
interval = 2
timeout = 1.9
[probes.http]
interval = 2
timeout = 1.9
[probes.snmp]
interval = 2
timeout = 1.9
[probes.snapshot]
interval = 2
timeout = 1.9
[health]
retry = 0.3
stale_intervals = 20
{more}
"""
RECORDED = "[probes.recording]\ninterval = 4\ntimeout = 3.9\n"
"""Settings by which recorders are soon asked what they keep: else that takes its time. Of a run half is for what each
recording holds, and its last second for nothing new."""


def write_settings(folder: Path, url: str = "", more: str = "", probes: str = "") -> Path:
    """A settings file for a service in ``folder``; a database of its own is of today's shape already."""
    if not url:
        shaped(folder / "data")
    path = folder / "settings.toml"
    path.write_text(SETTINGS.format(url=url, more=more, probes=probes), encoding="utf-8")
    return path


async def register(app: App, inventory: str, at: datetime | None = None) -> None:
    """Take an inventory into the register of a running service; ``at``: as if it had been then, not now."""
    sheets = files.read(inventory.encode())
    looked = await app.store.read(intake.look, sheets, ())
    assert looked.inventory.sound, looked.inventory.problems
    await app.store.write(lambda tx: intake.take(tx, sheets, (), looked, app.vault, author="test", at=at or app.now()))
    await app.follow()


async def token(app: App) -> str:
    """A token that may read everything."""
    return await app.store.write(
        lambda tx: tokens.create(tx, "test", Role.AUDITOR, expires_at=None, author="test", at=app.now())
    )


@asynccontextmanager
async def serving(settings: Path, simulation: Simulation | None = None) -> AsyncIterator[App]:
    """A running service, with the fleet in its register if one is given."""
    async with running(load(settings)) as app:
        if simulation is not None:
            await register(app, simulation.inventory_csv())
        yield app


async def until(met: Callable[[], object], seconds: float = 150) -> None:
    """Wait for something that sets no event."""
    async with asyncio.timeout(seconds):
        while not met():
            await asyncio.sleep(0.05)


def all_known(app: App) -> bool:
    """Whether all that is measured of any device is known, so that a later flip is news: a device is shown as well once
    it and its streams are known, and what a recorder keeps may be told for the first time long after that."""
    return all(state.settled is not State.UNKNOWN for entry in app.board for state in entry.states)

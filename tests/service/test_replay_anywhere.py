"""A replay begins at any file of a log that is still there; over work orders, time alone and an untimely kill."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import sys
import time
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from camera_registry.app import App
from camera_registry.cli import main
from camera_registry.model.health import Status
from camera_registry.model.maintenance import Cover, Window, WindowKind
from camera_registry.model.people import Role
from camera_registry.model.work_order import HoldReason, OrderState
from camera_registry.rules.decisions import lines
from camera_registry.rules.dispatch import deeds
from camera_registry.service import saving
from camera_registry.service.replay.reading import Flaw, files, read
from camera_registry.service.replay.records import Checkpoint, Line, Started, Ticked
from camera_registry.service.replay.rerun import Rerun
from camera_registry.simulator.faults import Fault
from camera_registry.simulator.simulation import Simulation
from camera_registry.store import windows
from tests.service.test_killed import CAMERAS, FLEET
from tests.service.test_orders import do
from tests.service.whole import serving, until, write_settings

DUTY = deeds.Actor("duty", Role.OPERATOR)
DEADLINES = "\n".join(f"P{n} = {{ accept = 1.5, arrive = 900, repair = 3600 }}" for n in (1, 2, 3, 4))
MORE = f"""
hold = 1
[observation_log]
enabled = true
megabytes = 0.05
files = 12
[dispatch.deadlines]
{DEADLINES}
[[channels]]
name = "nowhere"
kind = "webhook"
url = "http://127.0.0.1:9/"
secret_file = "hook.secret"
orders = ["opened", "overdue", "verified", "closed"]
"""


def _settings(folder: Path) -> Path:
    (folder / "hook.secret").write_text("a-secret-of-a-hook")
    path = write_settings(folder, more=MORE)
    # So that a pause of a few seconds makes everything stale.
    path.write_text(path.read_text().replace("stale_intervals = 20", "stale_intervals = 3"))
    return path


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    async with Simulation(FLEET) as served:
        yield served


async def _equal(folder: Path) -> None:
    """The log of this service says what its database says, in another process, in which sets have another order."""
    log, database = folder / "data" / "observations", folder / "data" / "camera_registry.db"
    command = (sys.executable, "-m", "camera_registry", "--lang", "en", "replay", log, "--compare", database)
    running = await asyncio.create_subprocess_exec(
        *command, stdout=PIPE, stderr=STDOUT, env={**os.environ, "PYTHONHASHSEED": "7"}
    )
    said, _ = await running.communicate()
    assert running.returncode == 0, said.decode()


def _records(folder: Path) -> Iterable[Line | Flaw]:
    return read(files([folder / "data" / "observations"]))


def _decided(records: Iterable[Line | Flaw]) -> list[str]:
    rerun = Rerun()
    rerun.take(records)
    return list(lines(rerun.decided()))


def _as_killed(folder: Path, to: Path) -> None:
    """What a kill at this moment would leave on the disk."""
    to.mkdir()
    shutil.copy(folder / "hook.secret", to)
    # All of its log is to be kept from now on.
    (to / "settings.toml").write_text((folder / "settings.toml").read_text().replace("files = 12\n", "files = 99\n"))
    shutil.copytree(folder / "data", to / "data", ignore=shutil.ignore_patterns("camera_registry.db*", "*.lock"))
    source, copy = (sqlite3.connect(one / "data" / "camera_registry.db") for one in (folder, to))
    with closing(source), closing(copy):
        source.backup(copy)


def _cut_at_the_next_flip(app: App, cut: Callable[[], None]) -> Callable[[], bool]:
    """Call ``cut`` when the log is written and the store is about to take the next flip; says whether that was."""
    write, done = app.store.write, []

    async def seam(change: Callable[..., Any], *given: Any) -> Any:
        if not done and app.board and change is saving.marked and _flips(app):
            done.append(True)
            cut()
        return await write(change, *given)

    app.store.write = seam  # type: ignore[method-assign]
    return lambda: bool(done)


def _flips(app: App) -> bool:
    """Whether what is about to be stored flips something: the board does not show it yet."""
    ledger = app.recorder._ledger
    return any((now := ledger.entry(one.device.id)) is not None and now.status is not one.status for one in app.board)


@pytest.mark.timeout(540)
async def test_what_is_left_of_a_log_decides_what_the_service_decided_since(
    simulation: Simulation, tmp_path: Path
) -> None:
    first = tmp_path / "first"
    first.mkdir()
    killed = tmp_path / "killed"
    async with serving(_settings(first), simulation) as app:
        await until(lambda: len(app.board) == 10 and all(entry.status is Status.OK for entry in app.board))
        now = app.now()
        work = Window(
            0, WindowKind.FLEXIBLE, Cover((CAMERAS[1], CAMERAS[3])), now, now + timedelta(hours=1), "mast", "duty", now,
            lasts=timedelta(minutes=20),
        )  # fmt: skip
        await app.store.write(windows.create, work)
        simulation.faults.set(CAMERAS[:2], Fault.BLACK)
        await until(lambda: bool(app.board.orders))
        await until(lambda: 1 not in _numbers(first))
        await do(app, 1, lambda one, _: deeds.accept(one, DUTY, app.now()))
        await do(app, 1, lambda one, _: deeds.hold(one, HoldReason.ACCESS_REFUSED, "", DUTY, app.now()))
        await do(app, 1, lambda one, policy: deeds.resume(one, DUTY, app.now(), policy))
        await do(app, 1, lambda one, _: deeds.fix(one, "擦净镜头", DUTY, app.now()))
        simulation.faults.clear(CAMERAS[0])
        await until(lambda: app.board.orders[1].state is OrderState.VERIFIED)
        simulation.faults.set(CAMERAS[3:5], Fault.BLACK)
        # Longer than it is held: planned work, which the checkpoint knows of, keeps it from being told.
        await until(lambda: CAMERAS[3] in app.recorder._casebook.book.faults)
        await until(lambda: 2 in app.board.orders and app.board.orders[2].escalations > 0)
        was_cut = _cut_at_the_next_flip(app, lambda: _as_killed(first, killed))
        simulation.faults.set(CAMERAS[2], Fault.BLACK)
        await until(was_cut)
    stopped = time.monotonic()
    await _equal(first)
    kept = files([first / "data" / "observations"])
    for name in sorted({one.name.split(".")[0] for one in kept})[1:]:
        later = [str(one) for one in kept if one.name >= name]
        assert main(["replay", *later, "--compare", str(first / "data" / "camera_registry.db")]) == 0, later
    kinds = [type(one.record) for one in _records(first) if isinstance(one, Line)]
    assert Started not in kinds, "the first file of the run is gone"
    assert kinds[0] is Checkpoint
    simulation.faults.clear_all()
    await asyncio.sleep(max(0.0, 7 - (time.monotonic() - stopped)))
    async with serving(killed / "settings.toml") as app:
        # What was true when it was killed is stale now, by time alone, and the kill left a log that knows more.
        await until(lambda: all(entry.status is Status.OK for entry in app.board))
    await _equal(killed)
    (start,) = [one for one in _records(killed) if isinstance(one, Line) and isinstance(one.record, Started)]
    assert any(start.record.kept < one.n for one in _records(killed) if isinstance(one, Line) and one.at < start.at)
    whole = _decided(_records(killed))
    timeless = _decided(one for one in _records(killed) if isinstance(one, Flaw) or not isinstance(one.record, Ticked))
    assert whole != timeless, "without ticks nothing would have gone stale"


def _numbers(folder: Path) -> set[int]:
    return {int(path.name[13:19]) for path in (folder / "data" / "observations").iterdir()}

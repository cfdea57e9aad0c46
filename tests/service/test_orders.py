"""A work order through a whole service: sent, worked on across a restart, and verified by the probes with its pictures;
and through a process that is killed."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from camera_registry.app import App
from camera_registry.model.dispatch import DispatchPolicy
from camera_registry.model.health import Cause, Status
from camera_registry.model.incident import Party
from camera_registry.model.people import Role
from camera_registry.model.work_order import HoldReason, OrderChange, OrderState, OrderStep, WorkOrder
from camera_registry.rules.dispatch import deeds
from camera_registry.simulator.faults import Fault
from camera_registry.simulator.simulation import Simulation
from camera_registry.store import audit, incidents, orders
from camera_registry.store.pictures import Proof
from tests.service.test_killed import CAMERAS, FLEET, prepared, process
from tests.service.whole import serving, until, write_settings

DUTY = deeds.Actor("duty", Role.OPERATOR)
QUICK = "hold = 0.3\n"


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    async with Simulation(FLEET) as served:
        yield served


async def do(app: App, id: int, change: Callable[[WorkOrder, DispatchPolicy], OrderChange]) -> WorkOrder:
    edited = await app.recorder.edit_order(id, change)
    assert edited is not None
    return edited


async def test_an_order_is_sent_worked_on_across_a_restart_and_verified_with_pictures(
    simulation: Simulation, tmp_path: Path
) -> None:
    settings, camera = write_settings(tmp_path, more=QUICK), CAMERAS[0]
    async with serving(settings, simulation) as app:
        await until(lambda: all(entry.status is Status.OK for entry in app.board))
        simulation.faults.set(camera, Fault.BLACK)
        await until(lambda: bool(app.board.orders))
        (order,) = app.board.orders.values()
        assert (order.about, order.cause, order.state) == (camera, Cause.BLACK, OrderState.ASSIGNED)
        assert order.crew
        assert order.contractor
        await do(app, 1, lambda one, _: deeds.accept(one, DUTY, app.now()))
        await do(app, 1, lambda one, _: deeds.hold(one, HoldReason.ACCESS_REFUSED, "", DUTY, app.now()))
        held = app.now()
        await until(lambda: app.proofs.read(1, Proof.BEFORE) is not None)
    async with serving(settings) as app:
        assert app.board.orders[1].state is OrderState.ON_HOLD
        await do(app, 1, lambda one, policy: deeds.resume(one, DUTY, app.now(), policy))
        until_then = app.now()
        await do(app, 1, lambda one, _: deeds.fix(one, "擦净镜头", DUTY, app.now()))
        await asyncio.sleep(2)
        assert app.board.orders[1].state is OrderState.FIXED, "the probes do not agree"
        simulation.faults.clear(camera)
        await until(lambda: app.board.orders[1].state is OrderState.VERIFIED)
        await until(lambda: app.proofs.read(1, Proof.AFTER) is not None)
        before, after = app.proofs.read(1, Proof.BEFORE), app.proofs.read(1, Proof.AFTER)
        assert before is not None
        assert after is not None
        assert before.at < after.at
        steps = [row.step for row in await app.store.read(orders.time_line, 1)]
        assert steps[:5] == [OrderStep.OPENED, OrderStep.ACCEPTED, OrderStep.HELD, OrderStep.RESUMED, OrderStep.FIXED]
        assert steps[-1] is OrderStep.VERIFIED
        incident = await app.store.read(incidents.get, 1)
        assert incident is not None
        paused = incident.charged(app.now())[Party.PAUSE]
        assert abs((paused - (until_then - held)).total_seconds()) < 1
        assert (await app.store.read(audit.verify)).broken is None


@pytest.mark.timeout(360)
async def test_kill_9_at_any_moment_leaves_an_order_for_each_incident_and_one_alone(
    simulation: Simulation, tmp_path: Path
) -> None:
    _, headers = await prepared(tmp_path, simulation)
    del headers
    settings = write_settings(tmp_path, more=QUICK)
    for turn in range(3):
        async with process(settings) as (running, _):
            simulation.faults.set(CAMERAS[turn], Fault.BLACK)
            # Somewhere around the moment at which the incident is opened.
            await asyncio.sleep(1.5 + 0.9 * turn)
            running.kill()
    async with process(settings):
        await until(lambda: len(kept(tmp_path)) == 3)
    about = kept(tmp_path)
    assert sorted(device for device, _ in about) == sorted(CAMERAS[:3])
    assert {number for _, number in about} == {1}


def kept(folder: Path) -> list[tuple[str, int]]:
    """The devices with incidents in the database, and how many orders each incident has."""
    with contextlib.closing(sqlite3.connect(folder / "data" / "camera_registry.db")) as database:
        query = "SELECT about, (SELECT count(*) FROM work_order w WHERE w.incident = i.id) FROM incident i"
        return database.execute(query).fetchall()

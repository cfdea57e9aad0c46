"""From a fault on the wire to the notice that people get, through the whole service."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from camera_registry.model.device import Kind
from camera_registry.model.health import Status
from camera_registry.simulator.faults import Fault
from camera_registry.simulator.plan import Fleet
from camera_registry.simulator.simulation import Simulation
from camera_registry.store import outbox
from tests.notices import receiving
from tests.service.whole import serving, until, write_settings

FLEET = Fleet.plan(10, seed=6)
CAMERA = next(one.id for one in FLEET.members if one.device.kind is Kind.CAMERA and not one.device.probes)


@pytest.mark.timeout(360)
async def test_a_fault_is_told_once_a_restart_tells_nothing_and_its_end_is_told(tmp_path: Path) -> None:
    async with Simulation(FLEET) as simulation, receiving() as receiver:
        channel = f'[[channels]]\nname = "duty"\nkind = "webhook"\nurl = "{receiver.url}"\ngroup_wait = 0\n'
        settings = write_settings(tmp_path, more=f"hold = 0.5\nrecoveries = 1\n{channel}")
        async with serving(settings, simulation) as app:
            await until(lambda: len(app.board) == 10 and all(entry.status is Status.OK for entry in app.board))
            simulation.faults.set(CAMERA, Fault.BLACK)
            await until(lambda: receiver.got)
            await until(lambda: not app.notifier.pending)
            (message,) = receiver.got
            assert message["notices"][0]["about"] == CAMERA
            assert message["notices"][0]["cause"] == "black"
            assert message["link"].startswith(app.url)
            assert b"camera_registry_outbox_pending 0.0" in app.metrics.text()
            assert b'camera_registry_deliveries_total{channel="duty",result="delivered"} 1.0' in app.metrics.text()
        async with serving(settings) as app:
            polled = simulation.totals().requests["http.snapshot"]
            await until(lambda: simulation.totals().requests["http.snapshot"] > polled + 20)
            assert len(receiver.got) == 1
            simulation.faults.clear_all()
            await until(lambda: len(receiver.got) == 2)
            assert receiver.told[1] == (receiver.told[0][0], "resolved")
            kept = await app.store.read(outbox.page)
            assert {one.channel for one in kept} == {"duty"}
            await asyncio.sleep(0.5)
            assert len(receiver.got) == 2

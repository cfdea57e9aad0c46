"""The service searches its networks when it is time, keeps what that proposes, and survives what goes wrong."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from camera_registry.model.discovery import ProposalState
from camera_registry.simulator.plan import Fleet
from camera_registry.simulator.simulation import Simulation
from camera_registry.store import proposals
from tests.service.whole import serving, until, write_settings

FLEET = Fleet.plan(20, seed=3)


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    async with Simulation(FLEET) as served:
        yield served


def section(simulation: Simulation, **more: object) -> str:
    ports = simulation.ports
    values = {
        "networks": '["127.1.0.0/27"]',
        "ports": f"[{ports.http}, {ports.rtsp}]",
        "port": ports.discovery,
        "interfaces": '["127.0.0.1"]',
        "rate": 500,
        "timeout": 0.5,
        **more,
    }
    return "[discovery]\n" + "\n".join(f"{name} = {value}" for name, value in values.items())


async def test_a_search_runs_by_itself_and_its_proposals_wait(simulation: Simulation, tmp_path: Path) -> None:
    settings = write_settings(tmp_path, more=section(simulation, enabled="true"))
    speaking = {member.device.host for member in FLEET.members if member.speaks_onvif}
    async with serving(settings) as app:
        await until(lambda: app.discoverer.open)
        kept = await app.store.read(proposals.page, state=ProposalState.OPEN)
        await until(lambda: not app.discoverer.progress.running)
        progress = app.discoverer.progress
        async with aiohttp.ClientSession() as session, session.get(f"{app.url}/metrics") as answer:
            metrics = dict(re.findall(r"^(camera_registry_\w+) (\S+)$", await answer.text(), re.MULTILINE))
    assert speaking <= {one.proposal.address for one in kept}
    assert (progress.position, progress.total, progress.trouble, progress.stopped) == (30, 30, "", False)
    assert progress.met == progress.proposed + progress.known + progress.others
    assert progress.proposed == len(kept)
    assert int(float(metrics["camera_registry_proposals_open"])) == len(kept)
    assert float(metrics["camera_registry_discovery_last_end_timestamp_seconds"]) > 1_700_000_000
    totals = simulation.totals()
    assert (totals.failed_authentications, totals.forbidden) == (0, 0)


async def test_a_registered_fleet_leaves_nothing_to_propose(simulation: Simulation, tmp_path: Path) -> None:
    settings = write_settings(tmp_path, more=section(simulation, scan="false"))
    async with serving(settings, simulation) as app:
        assert app.discoverer.start()
        assert not app.discoverer.start()
        await until(lambda: not app.discoverer.progress.running)
        assert app.discoverer.progress.met == sum(member.speaks_onvif for member in FLEET.members)
        assert app.discoverer.progress.known == app.discoverer.progress.met
        assert await app.store.read(proposals.page) == []


async def test_a_stopped_search_keeps_what_it_met_and_goes_on(simulation: Simulation, tmp_path: Path) -> None:
    more = section(simulation, multicast="false", rate=10, networks='["127.1.0.0/27"]')
    async with serving(write_settings(tmp_path, more=more)) as app:
        app.discoverer.start()
        await until(lambda: app.discoverer.progress.position >= 2)
        app.discoverer.stop()
        await until(lambda: not app.discoverer.progress.running)
        stopped = app.discoverer.progress
        assert 0 < stopped.position < stopped.total
        assert stopped.stopped
        assert await app.store.read(proposals.open_count) > 0
        app.discoverer.start(resume=True)
        assert app.discoverer.progress.position == stopped.position
        await until(lambda: not app.discoverer.progress.running)
        assert app.discoverer.progress.position == stopped.total


async def test_a_search_that_can_not_be_made_is_told_and_ends_nothing(simulation: Simulation, tmp_path: Path) -> None:
    more = section(simulation, interfaces='["192.0.2.77"]')
    async with serving(write_settings(tmp_path, more=more)) as app:
        app.discoverer.start()
        await until(lambda: not app.discoverer.progress.running)
        assert "no datagram can be sent from here" in app.discoverer.progress.trouble
        assert not app.main.done()
        assert app.discoverer.start()

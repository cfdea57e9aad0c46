"""The simulated fleet can be discovered as a real one can, and a search of it finds what the register must know."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from camera_registry.model.device import Device
from camera_registry.model.discovery import Oversight, ProposalKind
from camera_registry.model.register import Register
from camera_registry.rules.discovery import find
from camera_registry.simulator.faults import Fault
from camera_registry.simulator.makers import MAKERS
from camera_registry.simulator.plan import Fleet
from camera_registry.simulator.question import INNER_HOST
from camera_registry.simulator.simulation import Simulation
from probes.discovery.inquirer import inquirer
from probes.discovery.search import Plan, Search
from probes.guard import AddressGuard
from probes.wire import soap_requests
from tests.simulator.conftest import camera_of

GUARD = AddressGuard(["127.0.0.0/8"])


@pytest.fixture(scope="module", autouse=True)
def _requests_written() -> None:
    soap_requests.prepare()


async def search(simulation: Simulation, **more: object) -> Search:
    ports = simulation.ports
    plan = Plan(ports=(ports.http, ports.rtsp), rate=1000, timeout=2, listen=1.2, discovery_port=ports.discovery)
    made = Search(replace(plan, **more), GUARD, lambda: datetime.now(UTC))
    await made.run()
    return made


@pytest.mark.parametrize("maker", [maker.name for maker in MAKERS])
async def test_a_device_of_every_maker_answers_when_it_is_asked(
    simulation: Simulation, fleet: Fleet, maker: str
) -> None:
    member = camera_of(fleet, maker)
    async with inquirer(GUARD, simulation.ports.discovery) as asker:
        hint = await asker.ask(member.device.host, 5)
    assert hint is not None
    assert hint.match.hardware == member.device.model
    assert maker in hint.match.name
    assert (hint.port, hint.path) == (simulation.ports.http, "/onvif/device_service")
    assert hint.elsewhere == ((INNER_HOST,) if member.maker.tells_inner_address else ())
    assert hint.match.mac == (member.device.mac if member.maker.tells_mac else "")


async def test_a_switch_and_a_dark_camera_do_not_answer(simulation: Simulation, fleet: Fleet) -> None:
    camera = camera_of(fleet, "Haitun")
    switch = next(member for member in fleet.members if not member.speaks_onvif)
    simulation.faults.set([camera.id], Fault.POWER_OFF)
    async with inquirer(GUARD, simulation.ports.discovery) as asker:
        assert await asker.ask(camera.device.host, 0.5) is None
        assert await asker.ask(switch.device.host, 0.5) is None


async def test_all_that_have_a_picture_answer_a_question_to_all(simulation: Simulation, fleet: Fleet) -> None:
    found = await search(simulation, interfaces=("127.0.0.1",))
    speaking = {member.device.host for member in fleet.members if member.speaks_onvif}
    assert {one.address for one in found.sightings} == speaking
    inner = {member.device.host for member in fleet.members if member.speaks_onvif and member.maker.tells_inner_address}
    assert {(one.address, one.named, one.why) for one in found.ignored} == {
        (host, INNER_HOST, Oversight.ELSEWHERE) for host in inner
    }
    totals = simulation.totals()
    assert (totals.failed_authentications, totals.forbidden, totals.open_sessions) == (0, 0, 0)


async def test_a_search_tells_new_moved_replaced_and_known_devices_apart(simulation: Simulation, fleet: Fleet) -> None:
    devices: dict[str, Device] = {member.id: member.on(simulation.ports) for member in fleet.members}
    telling = [member.id for member in fleet.members if member.speaks_onvif and member.maker.tells_mac]
    moved, replaced, unknown = telling[:3]
    devices[moved] = replace(devices[moved], host="127.250.0.9")
    devices[replaced] = replace(devices[replaced], mac="02:00:00:00:00:77")
    gone = devices.pop(unknown)
    found = await search(simulation, interfaces=("127.0.0.1",))
    findings = find(found.sightings, Register(devices=devices))
    assert {(one.kind, one.device, one.address) for one in findings.proposals} == {
        (ProposalKind.MOVED, moved, fleet.by_id[moved].device.host),
        (ProposalKind.REPLACED, replaced, fleet.by_id[replaced].device.host),
        (ProposalKind.NEW, "", gone.host),
    }
    assert len(findings.known) == len(found.sightings) - 3

"""Tests that certificates, ports and supplies of simulated devices are found as they are, and faults by their names
alone, through the probes and rules of the service."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from pysnmp.hlapi.v3arch.asyncio import (
    CommunityData,
    ContextData,
    ObjectIdentity,
    ObjectType,
    SnmpEngine,
    UdpTransportTarget,
    get_cmd,
    set_cmd,
)
from pysnmp.proto.rfc1902 import OctetString

from camera_registry.model.device import Device, Kind, TlsUse
from camera_registry.model.health import Aspect, Cause
from camera_registry.model.people import Credential
from camera_registry.model.policy import Policy
from camera_registry.rules.adoption import adopt
from camera_registry.rules.plan import plan
from camera_registry.rules.power import explain
from camera_registry.rules.verdict import read
from camera_registry.settings import Settings
from camera_registry.simulator.faults import Fault
from camera_registry.simulator.member import Member
from camera_registry.simulator.simulation import Simulation
from probes.base import Tools, observe
from probes.catalog import load
from probes.guard import AddressGuard
from probes.memory import Memory
from probes.wire import soap_requests

POLLS = Settings().probes.policy()


@pytest.fixture(scope="module", autouse=True)
def _requests_written() -> None:
    soap_requests.prepare()


class Service:
    """The service's way from a device file to causes, without its database."""

    def __init__(self, simulation: Simulation, member: Member) -> None:
        self.device: Device = member.on(simulation.ports)
        self._channels = member.channel_files()
        login = Credential("login", member.username, member.password)
        self._tools = Tools(AddressGuard(["127.0.0.0/8"]), Memory(), {"login": login}.get)
        self.facts: dict[str, dict[str, object]] = {}

    async def causes(self, timeout: float = 8) -> dict[Aspect, set[Cause | None]]:
        """One round of all probes as the plan has them; the register takes over what it may."""
        entry = plan(replace(self.device, credential="login"), self._channels, POLLS, {}, [("onvif", "")])
        assert entry is not None
        found: dict[Aspect, set[Cause | None]] = {}
        for task in entry.tasks:
            seen = await observe(
                task.probe,
                load(task.probe),
                entry.target,
                task.options,
                self._tools,
                timeout=timeout,
                channel=task.channel,
            )
            self.facts[task.probe] = dict(seen.facts)
            for reading in read(seen, {}, Policy(), self.device, feeds_reach=task is entry.tasks[0]):
                found.setdefault(reading.subject.aspect, set()).add(reading.cause)
            self.device = (adopt(self.device, seen.facts) if seen.ok else None) or self.device
        return found


def first(members: Iterable[Member], kind: Kind, use: TlsUse = TlsUse.OFF) -> Member:
    return next(member for member in members if member.device.kind is kind and member.device.tls is use)


def all_of(found: dict[Aspect, set[Cause | None]]) -> set[Cause | None]:
    return set().union(*found.values())


async def test_an_encrypted_camera_is_well_and_its_certificate_is_adopted(simulation, fleet):
    service = Service(simulation, first(fleet.members, Kind.CAMERA, TlsUse.PIN))
    assert all_of(await service.causes()) == {None}
    assert service.device.certificate == service.facts["onvif"]["certificate"]["fingerprint"]
    assert all_of(await service.causes()) == {None}


@pytest.mark.parametrize("kind", [Kind.CAMERA, Kind.RECORDER])
async def test_a_changed_certificate_is_its_own_cause_until_a_person_clears_the_old_one(simulation, fleet, kind):
    use = TlsUse.PIN if kind is Kind.CAMERA else TlsUse.OFF
    service = Service(simulation, first(fleet.members, kind, use))
    await service.causes()
    simulation.faults.set(service.device.id, Fault.CERTIFICATE_CHANGED)
    found = await service.causes()
    assert all_of(found) - {None} == {Cause.CERTIFICATE}
    assert Cause.CERTIFICATE in found[Aspect.CONTROL] & found[Aspect.IDENTITY]
    assert simulation.counts(service.device.id).failed_authentications == 0
    service.device = replace(service.device, certificate="")
    assert all_of(await service.causes()) == {None}


async def test_a_certificate_that_ends_soon_is_told_of_identity_alone(simulation, fleet):
    service = Service(simulation, first(fleet.members, Kind.CAMERA, TlsUse.PIN))
    simulation.faults.set(service.device.id, Fault.CERTIFICATE_EXPIRING)
    found = await service.causes()
    assert found.pop(Aspect.IDENTITY) == {Cause.CERTIFICATE}
    assert all_of(found) == {None}


@pytest.mark.parametrize("kind", [Kind.CAMERA, Kind.RECORDER])
async def test_broken_encryption_is_its_own_cause(simulation, fleet, kind):
    service = Service(simulation, first(fleet.members, kind, TlsUse.PIN if kind is Kind.CAMERA else TlsUse.OFF))
    simulation.faults.set(service.device.id, Fault.TLS_BROKEN)
    assert all_of(await service.causes()) - {None} == {Cause.TLS}


async def test_a_switch_tells_its_ports_and_what_it_feeds(simulation, fleet):
    switch = fleet.members[0]
    service = Service(simulation, switch)
    assert all_of(await service.causes()) == {None}
    ports = {port["name"]: port for port in service.facts["snmp"]["ports"]}
    below = [fleet.by_id[child].device for child in fleet.children[switch.id]]
    assert set(ports) == {child.parent_port for child in below}
    assert all(port["up"] for port in ports.values())
    fed = {child.parent_port for child in below if child.power_source == "PoE" and child.kind is not Kind.NETWORK}
    assert {name for name, port in ports.items() if port.get("poe") == "delivering"} == fed
    assert simulation.counts(switch.id).forbidden == 0


async def test_on_battery_is_a_fault_of_power(simulation, fleet):
    service = Service(simulation, fleet.members[0])
    simulation.faults.set(service.device.id, Fault.ON_BATTERY)
    found = await service.causes()
    assert found.pop(Aspect.CONTROL) == {Cause.POWER}
    assert all_of(found) == {None}


@pytest.mark.parametrize(("fault", "cause"), [(Fault.POE_OFF, Cause.POWER), (Fault.POWER_OFF, Cause.UNREACHABLE)])
async def test_the_switch_tells_a_port_that_feeds_nothing_from_a_camera_that_is_dead(simulation, fleet, fault, cause):
    camera = next(m.device for m in fleet.members if m.device.kind is Kind.CAMERA and m.device.power_source == "PoE")
    switch = Service(simulation, fleet.by_id[camera.parent])
    await switch.causes()
    assert explain(camera, switch.facts["snmp"]) is None
    simulation.faults.set(camera.id, fault)
    assert all_of(await switch.causes()) == {None}, "the switch itself is well"
    told = explain(camera, switch.facts["snmp"])
    assert told is not None
    assert told[0] is cause


async def test_a_sign_is_asked_for_its_page(simulation, fleet):
    sign = next(member for member in fleet.members if member.has_page)
    service = Service(simulation, sign)
    assert all_of(await service.causes()) == {None}
    assert (service.facts["http"]["status"], service.facts["http"]["path"]) == (200, "/status")
    assert set(service.facts) == {"tcp", "http"}


async def test_a_dark_switch_says_nothing_over_snmp(simulation, fleet):
    service = Service(simulation, fleet.members[-20])
    switch = next(member for member in reversed(fleet.members) if member.device.kind is Kind.NETWORK)
    service = Service(simulation, switch)
    simulation.faults.set(switch.id, Fault.SWITCH_DOWN)
    assert all_of(await service.causes(1)) == {Cause.TIMEOUT}


async def test_a_manager_that_others_wrote_reads_the_agent_and_may_change_nothing(simulation, fleet):
    switch = fleet.members[0]
    engine, context = SnmpEngine(), ContextData()
    where = await UdpTransportTarget.create((switch.device.host, simulation.ports.snmp), timeout=2, retries=0)
    name = ObjectType(ObjectIdentity("1.3.6.1.2.1.1.5.0"))
    try:
        community = CommunityData(switch.password)
        error, status, _, values = await get_cmd(engine, community, where, context, name, lookupMib=False)
        assert (error, int(status)) == (None, 0)
        assert bytes(values[0][1]).decode() == switch.id
        other = ObjectType(ObjectIdentity("1.3.6.1.2.1.1.5.0"), OctetString("mine"))
        error, *_ = await set_cmd(engine, community, where, context, other, lookupMib=False)
        assert error is not None
        assert simulation.counts(switch.id).forbidden == 1
    finally:
        engine.close_dispatcher()

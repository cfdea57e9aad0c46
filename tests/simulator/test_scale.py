"""Tests that a big fleet answers whole, from one socket a protocol."""

from __future__ import annotations

import asyncio

from camera_registry.simulator.plan import Fleet
from camera_registry.simulator.simulation import Simulation
from tests.simulator.wire import Wire, soap

AT_ONCE = 200


async def test_two_thousand_devices_answer_each_for_itself():
    fleet = Fleet.plan(2000)
    request = soap("GetSystemDateAndTime")
    async with Simulation(fleet) as simulation:
        cameras = [member for member in fleet.members if member.speaks_onvif]
        turns = asyncio.Semaphore(AT_ONCE)

        async def ask(host: str) -> int:
            async with turns, await Wire.open(host, simulation.ports.http) as wire:
                return (await wire.post("/onvif/device_service", request)).status

        async with asyncio.timeout(150):
            statuses = await asyncio.gather(*(ask(member.device.host) for member in cameras))
        assert set(statuses) == {200}
        assert len(statuses) > 1800
        for member in cameras:
            assert simulation.counts(member.id).requests == {"onvif.GetSystemDateAndTime": 1}
        totals = simulation.totals()
        assert (totals.requests, totals.forbidden) == ({"onvif.GetSystemDateAndTime": len(cameras)}, 0)


async def test_a_fleet_is_gone_when_it_is_stopped_and_its_ports_are_free_again():
    fleet = Fleet.plan(3)
    async with Simulation(fleet) as first:
        ports = first.ports
        wire = await Wire.open(fleet.members[1].device.host, ports.http)
    assert await wire.reader.read() == b""
    wire.writer.close()
    async with Simulation(fleet, ports) as second:
        assert second.ports == ports
        assert second.connections == 0

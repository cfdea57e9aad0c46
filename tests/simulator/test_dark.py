"""Tests that dark devices are truly silent, and that no other device is touched by it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_registry.model.device import Kind
from camera_registry.simulator import dark, sockets
from camera_registry.simulator.faults import Fault
from camera_registry.simulator.member import Ports
from camera_registry.simulator.simulation import Simulation
from tests.simulator.wire import Wire, soap, until

SHORT = 0.4
"""Seconds after which a connection attempt on loopback counts as unanswered."""
BASE = 0x7F100000


def passes(code: Sequence[dark.Instruction], destination: int) -> bool:
    """Run a filter as the kernel's documentation tells, on a packet of which only the destination is known."""
    accumulator = place = 0
    while True:
        operation, if_true, if_false, constant = code[place]
        place += 1
        match operation:
            case 0x20:
                assert constant == 0xFFF00000 + 16
                accumulator = destination
            case 0x54:
                accumulator &= constant
            case 0x15:
                place += if_true if accumulator == constant else if_false
            case 0x05:
                place += constant
            case 0x06:
                return constant != 0
            case _:
                raise AssertionError(f"unknown operation {operation:#x}")


@given(st.frozensets(st.integers(BASE, BASE + 1500), max_size=600), st.integers(BASE - 70, BASE + 1570))
def test_a_filter_drops_the_dark_addresses_and_no_other(addresses, probed):
    code = dark.program(addresses)
    assert passes(code, probed) is (probed not in addresses)
    assert all(if_true <= 255 and if_false <= 255 for _, if_true, if_false, _ in code)
    for address in list(addresses)[:20]:
        assert not passes(code, address)


def test_a_whole_range_is_one_comparison():
    assert sum(operation == 0x15 for operation, *_ in dark.program(range(BASE, BASE + 64))) == 1


def test_more_than_a_filter_can_hold_is_told_and_not_cut_off():
    with pytest.raises(dark.TooMany, match="5000 separate"):
        dark.program(range(BASE, BASE + 10_000, 2))


async def silent(host: str, port: int) -> bool:
    """Whether a connection attempt hears nothing at all; a refusal is an answer."""
    try:
        async with await Wire.open(host, port, SHORT):
            return False
    except TimeoutError:
        return True


async def answers(host: str, port: int) -> bool:
    async with await Wire.open(host, port) as wire:
        return (await wire.post("/onvif/device_service", soap("GetSystemDateAndTime"))).status == 200


async def test_a_device_without_power_is_silent_on_every_port_and_its_neighbour_answers(simulation, fleet):
    device, neighbour, *_ = (member for member in fleet.members if member.device.kind is Kind.CAMERA)
    simulation.faults.set(device.id, Fault.POWER_OFF)
    for port in (simulation.ports.http, simulation.ports.rtsp):
        assert await silent(device.device.host, port)
    assert await answers(neighbour.device.host, simulation.ports.http)
    simulation.faults.clear(device.id)
    assert await answers(device.device.host, simulation.ports.http)


async def test_a_switch_that_is_down_takes_all_beneath_it_and_nothing_else(simulation, fleet):
    switches = [member.id for member in fleet.members if member.device.kind is Kind.NETWORK]
    switch = switches[1]
    simulation.faults.set(switch, Fault.SWITCH_DOWN)
    below = {member.id for member in fleet.members if switch in (member.id, member.device.parent)}
    assert simulation.faults.dark() == below
    cameras = [member for member in fleet.members if member.device.kind is Kind.CAMERA]
    inside = [member for member in cameras if member.id in below]
    outside = [member for member in cameras if member.id not in below]
    http = simulation.ports.http
    assert all(await asyncio.gather(*(silent(member.device.host, http) for member in inside)))
    assert all(await asyncio.gather(*(answers(member.device.host, http) for member in outside)))
    assert await silent(fleet.by_id[switch].device.host, simulation.ports.tcp)


async def test_the_switch_that_links_a_district_takes_the_other_switches_along(simulation, fleet):
    uplink = next(member.id for member in fleet.members if member.device.kind is Kind.NETWORK)
    simulation.faults.set(uplink, Fault.POWER_OFF)
    dark_switches = [id for id in simulation.faults.dark() if fleet.by_id[id].device.kind is Kind.NETWORK]
    assert len(dark_switches) > 1


async def test_an_open_connection_hears_no_more_when_power_goes_and_a_reset_when_it_is_back(simulation, camera):
    async with await Wire.open(camera.device.host, simulation.ports.http) as wire:
        request = soap("GetSystemDateAndTime")
        assert (await wire.post("/onvif/device_service", request)).status == 200
        simulation.faults.set(camera.id, Fault.POWER_OFF)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(SHORT):
                await wire.post("/onvif/device_service", request)
        simulation.faults.clear(camera.id, Fault.POWER_OFF)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await wire.reply()


async def test_devices_dark_one_by_one_are_lit_one_by_one(simulation, fleet):
    cameras = [member for member in fleet.members if member.device.kind is Kind.CAMERA][:30]
    order = random.Random(1).sample(cameras, len(cameras))
    for member in order:
        simulation.faults.set(member.id, Fault.POWER_OFF)
    for member in order[:15]:
        simulation.faults.clear(member.id)
    assert simulation.faults.dark() == {member.id for member in order[15:]}
    http = simulation.ports.http
    assert all(await asyncio.gather(*(answers(member.device.host, http) for member in order[:15])))
    assert all(await asyncio.gather(*(silent(member.device.host, http) for member in order[15:])))


async def test_where_nobody_may_filter_full_queues_keep_as_silent(fleet, monkeypatch):
    monkeypatch.setattr(dark, "attach", refuse)
    device, neighbour, *_ = (member for member in fleet.members if member.device.kind is Kind.CAMERA)
    async with Simulation(fleet) as simulation:
        http, rtsp, tcp = simulation.ports.http, simulation.ports.rtsp, simulation.ports.tcp
        for _ in range(2):  # what was silent once can be so again
            simulation.faults.set(device.id, Fault.POWER_OFF)
            assert all(await asyncio.gather(*(silent(device.device.host, port) for port in (http, rtsp, tcp, http))))
            assert await answers(neighbour.device.host, http)
            simulation.faults.clear(device.id)
            assert await answers(device.device.host, http)
        switch = fleet.by_id[device.device.parent]
        simulation.faults.set(switch.id, Fault.SWITCH_DOWN)
        below = [fleet.by_id[id] for id in fleet.beneath(switch.id)]
        assert all(await asyncio.gather(*(silent(member.device.host, http) for member in below)))
        assert await silent(switch.device.host, tcp)
    async with Simulation(fleet, Ports(http, rtsp, tcp, 0, 0)):
        assert await answers(device.device.host, http), "nothing is left behind"


async def test_where_the_kernel_cannot_keep_it_silent_a_dark_device_never_answers(fleet, camera, monkeypatch, caplog):
    monkeypatch.setattr(dark, "attach", refuse)
    monkeypatch.setattr(sockets, "own", refuse)
    async with Simulation(fleet) as simulation:
        simulation.faults.set(camera.id, Fault.POWER_OFF)
        assert "accept connections and never answer" in caplog.text
        async with await Wire.open(camera.device.host, simulation.ports.http) as wire:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(SHORT):
                    await wire.post("/onvif/device_service", soap("GetSystemDateAndTime"))
            assert simulation.connections == 1
        await until(lambda: simulation.connections == 0)


def refuse(*_: object) -> None:
    raise OSError(1, "Operation not permitted")

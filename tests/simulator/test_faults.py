"""Tests that faults are seen from outside as their names say, and end when they are cleared."""

from __future__ import annotations

import asyncio
import time

import pytest

from camera_registry.model.device import Kind
from camera_registry.simulator.faults import Fault, FaultError
from camera_registry.simulator.simulation import Simulation
from tests.simulator.wire import Wire, http, soap

ASK = http("POST", "/onvif/device_service", soap("GetSystemDateAndTime"))


async def well(simulation: Simulation, host: str) -> bool:
    async with await Wire.open(host, simulation.ports.http) as wire:
        return (await wire.ask(ASK)).status == 200


async def test_a_refused_connection_is_reset_and_not_just_closed(simulation, camera):
    async with await Wire.open(camera.device.host, simulation.ports.http) as wire:
        assert (await wire.ask(ASK)).status == 200
        simulation.faults.set(camera.id, Fault.REFUSED)
        with pytest.raises(ConnectionResetError):
            await wire.ask(ASK)
    for port in (simulation.ports.http, simulation.ports.rtsp):
        with pytest.raises(ConnectionResetError):
            async with await Wire.open(camera.device.host, port) as wire:
                await wire.ask(ASK)
    simulation.faults.clear(camera.id)
    assert await well(simulation, camera.device.host)


async def test_a_hung_device_accepts_and_never_answers(simulation, camera):
    simulation.faults.set(camera.id, Fault.HANG)
    for port in (simulation.ports.http, simulation.ports.rtsp):
        async with await Wire.open(camera.device.host, port) as wire:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await wire.ask(ASK)


async def test_a_dripping_device_answers_byte_by_byte(simulation, camera):
    simulation.faults.set(camera.id, Fault.SLOW_DRIP, interval=0.02)
    async with await Wire.open(camera.device.host, simulation.ports.http) as wire:
        wire.writer.write(ASK)
        begun = time.monotonic()
        assert await wire.reader.readexactly(20) == b"HTTP/1.1 200 OK\r\nSer"
        assert time.monotonic() - begun > 0.3
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await wire.reader.readuntil(b"Envelope>")


async def test_a_flapping_device_comes_and_goes(simulation, camera):
    simulation.faults.set(camera.id, Fault.FLAPPING, period=0.2)
    seen = []
    async with asyncio.timeout(60):
        while len(seen) < 5:
            now = camera.id in simulation.faults.dark()
            if not seen or seen[-1] is not now:
                seen.append(now)
            await asyncio.sleep(0.01)
    assert seen == [True, False, True, False, True]
    simulation.faults.clear(camera.id, Fault.FLAPPING)
    assert simulation.faults.dark() == frozenset()
    assert await well(simulation, camera.device.host)


async def test_a_cause_that_ends_leaves_the_others_in_force(simulation, fleet):
    switch = next(member for member in reversed(fleet.members) if member.device.kind is Kind.NETWORK)
    (below, *_) = fleet.children[switch.id]
    simulation.faults.set(below, Fault.POWER_OFF)
    simulation.faults.set(switch.id, Fault.SWITCH_DOWN)
    simulation.faults.clear(switch.id)
    assert simulation.faults.dark() == {below}
    simulation.faults.set(switch.id, Fault.SWITCH_DOWN)
    simulation.faults.clear(below)
    assert below in simulation.faults.dark()
    simulation.faults.clear_all()
    assert simulation.faults.dark() == frozenset()
    assert simulation.faults.active() == {}


async def test_a_switch_greets_and_a_camera_has_no_management_port(simulation, fleet, camera):
    switch = fleet.members[0]
    async with await Wire.open(switch.device.host, simulation.ports.tcp) as wire:
        assert await wire.reader.readuntil(b"login: ") == f"\r\n{switch.id} login: ".encode()
    assert simulation.counts(switch.id).requests == {"tcp.connect": 1}
    for host, port in ((camera.device.host, simulation.ports.tcp), (switch.device.host, simulation.ports.http)):
        with pytest.raises(ConnectionResetError):
            async with await Wire.open(host, port) as wire:
                await wire.ask(ASK)


async def test_an_address_without_a_device_has_nobody_to_answer(simulation):
    with pytest.raises(ConnectionResetError):
        async with await Wire.open("127.200.0.1", simulation.ports.http) as wire:
            await wire.ask(ASK)


@pytest.mark.parametrize(
    ("device", "fault", "options", "says"),
    [
        ("cam-99999", "black", {}, "no device 'cam-99999'"),
        (None, "exploded", {}, "there is no fault 'exploded'; there are power_off,"),
        (None, "black", {"seconds": 3}, "takes none"),
        (None, "clock_drift", {"second": 3}, "it takes seconds"),
        (None, "clock_drift", {"seconds": "much"}, "a number of seconds"),
        (None, "flapping", {"period": 0}, "more than 0 s"),
    ],
)
async def test_a_fault_that_cannot_be_is_refused_with_the_reason(simulation, camera, device, fault, options, says):
    with pytest.raises(FaultError, match=says):
        simulation.faults.set(device or camera.id, fault, **options)
    assert simulation.faults.active() == {}

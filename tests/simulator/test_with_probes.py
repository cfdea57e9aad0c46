"""Tests that the probes, as the service runs them, find simulated devices well, and find each fault by its name."""

from __future__ import annotations

import pytest

from camera_registry.model.device import Kind
from camera_registry.model.observation import FailureKind, Observation
from camera_registry.model.people import Credential
from camera_registry.model.roster import Target
from camera_registry.simulator.faults import Fault
from camera_registry.simulator.makers import MAKERS
from camera_registry.simulator.member import Member
from camera_registry.simulator.simulation import Simulation
from probes.base import Tools, observe
from probes.catalog import load
from probes.guard import AddressGuard
from probes.memory import Memory
from probes.wire import soap_requests
from tests.simulator.conftest import camera_of


@pytest.fixture(scope="module", autouse=True)
def _requests_written() -> None:
    """Requests are written once at start; no probe's time-out should pay for that."""
    soap_requests.prepare()


class Watch:
    """Runs probes on one device, as long-lived as a poller."""

    def __init__(self, simulation: Simulation, member: Member) -> None:
        ports, device = simulation.ports, member.on(simulation.ports)
        known = {"onvif": ports.http, "http": device.http_port, "rtsp": device.rtsp_port, "tcp": device.tcp_port}
        self.member = member
        self.target = Target(member.id, device.host, known, "login")
        login = Credential("login", member.username, member.password)
        self.tools = Tools(AddressGuard(["127.0.0.0/8"]), Memory(), {"login": login}.get)

    async def see(self, probe: str, timeout: float = 20, **options: object) -> Observation:
        return await observe(probe, load(probe), self.target, options, self.tools, timeout=timeout)

    async def stream(self, timeout: float = 20) -> Observation:
        return await self.see("rtsp", timeout, path=self.member.stream_path(), frames=True)


@pytest.mark.parametrize("maker", [maker.name for maker in MAKERS])
async def test_the_probes_get_along_with_every_maker(simulation, fleet, maker):
    member = camera_of(fleet, maker)
    watch = Watch(simulation, member)
    control = await watch.see("onvif")
    assert control.failure is None
    assert control.facts["serial"] == member.device.serial
    assert abs(control.facts["clock_offset_seconds"]) < 30
    stream = await watch.see("rtsp", stream_uri=control.facts["stream_uri"], frames=True)
    assert stream.failure is None
    assert (stream.facts["codec"], stream.facts["width"], stream.facts["height"]) == ("H264", 640, 360)
    picture = await watch.see("snapshot", snapshot_uri=control.facts["snapshot_uri"])
    assert picture.failure is None
    assert (picture.facts["width"], picture.facts["height"]) == (640, 360)
    counts = simulation.counts(member.id)
    assert (counts.forbidden, counts.failed_authentications, counts.open_sessions) == (0, 0, 0)


async def test_a_switch_is_found_by_its_management_port(simulation, fleet):
    switch = next(member for member in fleet.members if member.device.kind is Kind.NETWORK)
    assert (await Watch(simulation, switch).see("tcp")).failure is None


@pytest.mark.parametrize(
    ("fault", "probe", "kind"),
    [
        (Fault.POWER_OFF, "onvif", FailureKind.TIMEOUT),
        (Fault.HANG, "rtsp", FailureKind.TIMEOUT),
        (Fault.SLOW_DRIP, "snapshot", FailureKind.TIMEOUT),
        (Fault.WRONG_PASSWORD, "onvif", FailureKind.AUTH),
        (Fault.WRONG_PASSWORD, "snapshot", FailureKind.AUTH),
        (Fault.BUSY, "rtsp", FailureKind.BUSY),
        (Fault.NO_MEDIA, "rtsp", FailureKind.NO_MEDIA),
    ],
)
async def test_a_fault_is_found_by_its_name(simulation, camera, fault, probe, kind):
    simulation.faults.set(camera.id, fault)
    watch = Watch(simulation, camera)
    patience = 1.5 if kind in (FailureKind.TIMEOUT, FailureKind.NO_MEDIA) else 20
    if probe == "rtsp":
        seen = await watch.stream(patience)
    else:
        seen = await watch.see(probe, patience, path=camera.snapshot_path())
    assert seen.failure is not None
    assert seen.failure.kind is kind


@pytest.mark.parametrize("maker", [maker.name for maker in MAKERS])
async def test_a_clock_a_day_off_is_measured_and_locks_nobody_out(simulation, fleet, maker):
    member = camera_of(fleet, maker)
    simulation.faults.set(member.id, Fault.CLOCK_DRIFT, seconds=86_400)
    seen = await Watch(simulation, member).see("onvif")
    assert seen.failure is None
    assert abs(seen.facts["clock_offset_seconds"] - 86_400) < 30
    assert simulation.counts(member.id).failed_authentications == 0


@pytest.mark.parametrize("probe", ["onvif", "rtsp", "snapshot"])
async def test_a_reset_is_told_at_once_and_never_waited_for(simulation, camera, probe):
    simulation.faults.set(camera.id, Fault.REFUSED)
    seen = await Watch(simulation, camera).see(probe, path=camera.stream_path())
    assert seen.failure is not None
    # The kernel takes a connection before the fleet can reset it: a prober may call that refused, or cut off.
    assert seen.failure.kind in (FailureKind.REFUSED, FailureKind.PROTOCOL)

"""Tests that the probes, as the service runs them, find simulated devices well, and find each fault by its name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from camera_registry.model.device import Kind
from camera_registry.model.health import Aspect, Cause
from camera_registry.model.observation import FailureKind
from camera_registry.model.policy import Policy
from camera_registry.model.probe import PROBES
from camera_registry.rules.plan import learn, plan
from camera_registry.rules.verdict import read
from camera_registry.settings import Settings
from camera_registry.simulator.faults import Fault
from camera_registry.simulator.makers import MAKERS, MODERN
from camera_registry.simulator.simulation import Simulation
from probes.wire import soap_requests
from tests.simulator.conftest import camera_of
from tests.simulator.watch import Watch

POLLS = Settings().probes.policy()


@pytest.fixture(scope="module", autouse=True)
def _requests_written() -> None:
    """Requests are written once at start; no probe's time-out should pay for that."""
    soap_requests.prepare()


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


@pytest.mark.parametrize("maker", [maker.name for maker in MAKERS])
async def test_a_full_round_tells_how_a_device_is_set_up(simulation, fleet, maker):
    member = camera_of(fleet, maker)
    facts = (await Watch(simulation, member).see("onvif", full=True)).facts
    assert facts["mac"] == member.device.mac
    assert facts["hostname"] == member.id
    assert facts["dns"] == {"dhcp": False, "servers": ["192.168.1.1"]}
    assert facts["ntp"] == {"dhcp": False, "servers": ["ntp.example.net"]}
    assert facts["time_source"] == "ntp"
    if member.maker.services:
        assert facts["events"] == {"pull_points": True, "most": 4}
        assert facts["video_sources"] == 1
        assert facts["imaging"]["brightness"] == 50
        assert facts["imaging"]["focus_state"] == "idle"
    assert simulation.counts(member.id).forbidden == 0


async def test_a_device_that_tells_its_encoders_by_media2_only_is_asked_there(fleet):
    old = camera_of(fleet, "Dashan")
    modern = replace(old, maker=MODERN)
    members = tuple(modern if member is old else member for member in fleet.members)
    async with Simulation(replace(fleet, members=members)) as simulation:
        seen = await Watch(simulation, modern).see("onvif")
    assert seen.failure is None
    assert {profile["encoding"] for profile in seen.facts["profiles"]} == {"H265"}
    assert seen.facts["stream_uri"].endswith("/live/1/1")
    assert seen.facts["snapshot_uri"].endswith("/live/1.jpg")


async def test_each_channel_of_a_recorder_is_learned_from_the_recorder_itself(simulation, fleet):
    recorder = next(member for member in fleet.members if member.records)
    watch = Watch(simulation, recorder)
    facts = (await watch.see("onvif")).facts
    channels = [replace(channel, rtsp_path="", snapshot_path="") for channel in recorder.channel_files()]
    entry = plan(recorder.on(simulation.ports), channels, POLLS, learn("onvif", facts), [("onvif", "")])
    streams = {task.channel: task.options["stream_uri"] for task in entry.tasks if task.probe == "rtsp"}
    for channel in recorder.channel_files():
        assert streams[channel.id].endswith(channel.rtsp_path)
    pictures = [task for task in entry.tasks if task.probe == "snapshot"]
    assert len(pictures) == recorder.channels


@pytest.mark.parametrize(
    ("fault", "options", "cause"),
    [
        (None, {}, None),
        (Fault.RECORDING_GAP, {"seconds": 7200}, Cause.RECORDING_GAP),
        (Fault.RECORDING_GAP, {"seconds": 5400, "ago": 20_000}, Cause.RECORDING_GAP),
        (Fault.RECORDING_GAP, {"seconds": 300}, None),
        (Fault.STORAGE_FAULT, {}, Cause.STORAGE_FAULT),
    ],
)
async def test_a_recorder_is_judged_by_what_it_records(simulation, fleet, fault, options, cause):
    recorder = next(member for member in fleet.members if member.records)
    if fault is not None:
        simulation.faults.set(recorder.id, fault, **options)
    seen = await Watch(simulation, recorder).see("recording")
    assert seen.failure is None
    assert len(seen.facts["recordings"]) == recorder.channels
    readings = read(seen, {}, Policy(), recorder.device, feeds_reach=False)
    assert {(reading.subject.aspect, reading.cause) for reading in readings} == {(Aspect.RECORDING, cause)}
    assert simulation.counts(recorder.id).forbidden == 0


async def test_a_gap_is_told_with_its_ends_and_how_exactly_they_are_known(simulation, fleet):
    recorder = next(member for member in fleet.members if member.records)
    simulation.faults.set(recorder.id, Fault.RECORDING_GAP, seconds=5400, ago=20_000)
    now = datetime.now(UTC)
    facts = (await Watch(simulation, recorder).see("recording")).facts
    for recording in facts["recordings"]:
        (gap,) = recording["gaps"]
        assert gap["resolution_seconds"] <= 60
        assert abs((now - datetime.fromisoformat(gap["to"])).total_seconds() - 20_000) < 60 + 5
        assert abs(recording["gap_seconds"] - 5400) <= 120
    assert facts["replay"] is True
    assert facts["storage"] == [{"token": "disk_1", "kind": "LocalStorage", "fault": None}]


async def test_a_recorder_whose_clock_is_wrong_is_not_taken_for_one_that_has_stopped(simulation, fleet):
    recorder = next(member for member in fleet.members if member.records)
    simulation.faults.set(recorder.id, Fault.CLOCK_DRIFT, seconds=-50_000)
    seen = await Watch(simulation, recorder).see("recording")
    assert seen.failure is None
    assert abs(seen.facts["age_seconds"]) < 60
    assert seen.facts["recordings"][0]["gaps"] == []


async def test_a_camera_without_recordings_is_not_judged_by_them(simulation, camera):
    seen = await Watch(simulation, camera).see("recording")
    assert seen.failure is None
    assert seen.facts["profile_g"] is False
    assert read(seen, {}, Policy(), camera.device, feeds_reach=False) == ()


@pytest.mark.parametrize("maker", [maker.name for maker in MAKERS])
async def test_all_probes_together_ask_nothing_that_is_forbidden_and_lock_nobody_out(simulation, fleet, maker):
    recorder = next(member for member in fleet.members if member.records)
    for member in (camera_of(fleet, maker), recorder):
        watch = Watch(simulation, member)
        for probe in PROBES:
            port = watch.target.ports.get(PROBES[probe].port)
            if port:
                await watch.see(probe, path=member.stream_path() if probe == "rtsp" else member.snapshot_path())
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

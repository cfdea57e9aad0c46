"""Tests that the rtsp probe plays what simulated devices send, names each fault of a stream, and keeps no session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import pytest

from camera_registry.model.device import Device, Kind
from camera_registry.model.health import Aspect, Cause
from camera_registry.model.observation import FailureKind, Observation
from camera_registry.model.policy import Policy
from camera_registry.rules.plan import learn, plan
from camera_registry.rules.verdict import read
from camera_registry.settings import Settings
from camera_registry.simulator.faults import Fault
from camera_registry.simulator.makers import MAKERS, MODERN, Maker
from camera_registry.simulator.member import Member
from camera_registry.simulator.plan import Fleet
from camera_registry.simulator.simulation import Simulation
from probes.picture.desk import PictureDesk
from probes.wire import soap_requests
from tests.simulator.conftest import camera_of
from tests.simulator.watch import Watch
from tests.simulator.wire import until

DECLARED = {"encoding": "H264", "width": 640, "height": 360, "frame_rate": 15.0}


@pytest.fixture
async def desk() -> AsyncIterator[PictureDesk]:
    desk = PictureDesk()
    await desk.start()
    yield desk
    await desk.close()


def made_by(fleet: Fleet, maker: Maker) -> tuple[Fleet, Member]:
    """The fleet with one camera of this maker."""
    old = camera_of(fleet, "Dashan")
    new = replace(old, maker=maker)
    return replace(fleet, members=tuple(new if member is old else member for member in fleet.members)), new


def sessions(simulation: Simulation, member: Member) -> tuple[int, int]:
    counts = simulation.counts(member.id)
    return counts.open_sessions, counts.abandoned_sessions


@pytest.mark.parametrize(
    ("maker", "stream", "codec", "transport"),
    [
        ("Dashan", 1, "H264", "tcp"),
        ("Yunjing", 1, "H264", "udp"),
        ("Kestrel", 2, "JPEG", "tcp"),
        (MODERN.name, 2, "H265", "tcp"),
    ],
)
async def test_each_codec_is_played_measured_and_looked_at(fleet, desk, maker, stream, codec, transport):
    fleet, member = made_by(fleet, next(one for one in (*MAKERS, MODERN) if one.name == maker))
    async with Simulation(fleet) as simulation:
        watch = Watch(simulation, member, desk)
        path = member.stream_path(1, stream)
        await watch.see("rtsp", path=path, frames=True)  # the picture's encoding is not part of what is measured
        seen = await watch.see("rtsp", path=path, seconds=1.3, picture=True, timeout=40)
        await until(lambda: sessions(simulation, member) == (0, 0))
    facts = seen.facts
    assert seen.failure is None
    width, height = (640, 360) if stream == 1 else (320, 184 if codec == "JPEG" else 180)
    assert (facts["codec"], facts["width"], facts["height"], facts["transport"]) == (codec, width, height, transport)
    assert 10 < facts["frame_rate"] < 20
    assert facts["measured_seconds"] >= 1
    assert facts["packets_lost"] == 0
    assert facts["jitter_ms"] < 200
    assert abs(facts["sender_clock_offset_seconds"] - member.drift) < 5
    assert facts["key_frame_interval_seconds"] == pytest.approx(1 / 15 if codec == "JPEG" else 1, rel=0.01)
    assert 60 < facts["picture"]["mean_luma"] < 200
    assert facts["picture"]["deviation"] > 20
    assert seen.picture.startswith(b"\xff\xd8")


def judged(seen: Observation) -> dict[Aspect, Cause | None]:
    device = Device(seen.device, Kind.CAMERA)
    return {one.subject.aspect: one.cause for one in read(seen, {}, Policy(), device, feeds_reach=False)}


FAULTS: tuple[tuple[Fault | None, Mapping[str, float], Cause | None], ...] = (
    (None, {}, None),
    (Fault.BUSY, {}, Cause.BUSY),
    (Fault.BUSY, {"status": 503}, Cause.BUSY),
    (Fault.NO_STREAM, {}, Cause.NO_STREAM),
    (Fault.NO_MEDIA, {}, Cause.NO_MEDIA),
    (Fault.UNDECODABLE, {}, Cause.UNDECODABLE),
    (Fault.LOW_FRAME_RATE, {}, Cause.LOW_FRAME_RATE),
    (Fault.LOW_FRAME_RATE, {"rate": 9}, None),
    (Fault.WRONG_STREAM, {}, Cause.WRONG_STREAM),
    (Fault.WRONG_PASSWORD, {}, Cause.AUTH),
    (Fault.HANG, {}, Cause.TIMEOUT),
    (Fault.SLOW_DRIP, {}, Cause.TIMEOUT),
)


@pytest.mark.parametrize("maker", ["Dashan", "Yunjing"])
async def test_each_fault_of_a_stream_has_its_own_cause_in_time(fleet, maker):
    wanted = next(one for one in MAKERS if one.name == maker)
    places = [place for place, member in enumerate(fleet.members) if member.device.kind is Kind.CAMERA]
    members = list(fleet.members)
    for place in places[: len(FAULTS)]:
        members[place] = replace(members[place], maker=wanted)
    cameras = [members[place] for place in places[: len(FAULTS)]]

    async def see(camera: Member, fault: Fault | None, options: Mapping[str, float], cause: Cause | None) -> None:
        if fault is not None:
            simulation.faults.set(camera.id, fault, **options)
        patience = 3.0 if cause in (Cause.TIMEOUT, Cause.NO_MEDIA, Cause.UNDECODABLE) else 20.0
        watch = Watch(simulation, camera)
        seen = await watch.see("rtsp", patience, path=camera.stream_path(), seconds=2, declared=DECLARED)
        assert judged(seen) == {Aspect.STREAM: cause}, fault
        assert seen.took < patience + 1
        await until(lambda: sessions(simulation, camera) == (0, 0))

    async with Simulation(replace(fleet, members=tuple(members))) as simulation:
        await Watch(simulation, cameras[0]).see(
            "rtsp", path=cameras[0].stream_path(1, 2)
        )  # both streams are encoded now
        await asyncio.gather(*(see(camera, *case) for camera, case in zip(cameras, FAULTS, strict=True)))


async def test_a_key_frame_of_noise_is_told_as_such(simulation, camera, desk):
    simulation.faults.set(camera.id, Fault.UNDECODABLE)
    seen = await Watch(simulation, camera, desk).see("key_frame", 2, path=camera.stream_path(), picture=True)
    assert judged(seen) == {Aspect.PICTURE: Cause.UNDECODABLE}


@pytest.mark.parametrize("maker", ["Dashan", "Yunjing"])
@pytest.mark.parametrize("moment", [0.001, 0.003, 0.006, 0.01, 0.02, 0.05, 0.2])
async def test_a_run_that_is_given_up_at_any_moment_leaves_no_session(simulation, fleet, maker, moment):
    camera = camera_of(fleet, maker)
    watch = Watch(simulation, camera)
    run = asyncio.create_task(watch.see("rtsp", path=camera.stream_path(), seconds=10))
    await asyncio.sleep(moment)
    run.cancel()
    await asyncio.wait([run])
    await until(lambda: sessions(simulation, camera) == (0, 0))


async def test_a_run_whose_time_is_over_while_it_plays_leaves_no_session(simulation, camera):
    seen = await Watch(simulation, camera).see("rtsp", 1.0, path=camera.stream_path(), seconds=10)
    assert seen.failure is None
    assert seen.facts["measured_seconds"] < 1
    assert seen.took < 2
    await until(lambda: sessions(simulation, camera) == (0, 0))


@pytest.mark.parametrize("maker", ["Dashan", "Yunjing"])
async def test_a_device_with_one_session_is_played_by_one_run_at_a_time(fleet, maker):
    fleet, camera = made_by(fleet, replace(next(one for one in MAKERS if one.name == maker), sessions=1))
    async with Simulation(fleet) as simulation:
        watch = Watch(simulation, camera)
        await watch.see("rtsp", path=camera.stream_path())
        runs = [watch.see("rtsp", path=camera.stream_path(1, 1 + number % 2), frames=True) for number in range(4)]
        seen = await asyncio.gather(*runs)
        assert [one.failure for one in seen] == [None] * 4
        assert simulation.counts(camera.id).requests["rtsp.SETUP"] <= (4 if maker == "Dashan" else 8)
        await until(lambda: sessions(simulation, camera) == (0, 0))


async def test_a_run_that_waits_too_long_for_its_turn_blames_nobody_else(simulation, camera):
    watch = Watch(simulation, camera)
    long = asyncio.create_task(watch.see("rtsp", path=camera.stream_path(), seconds=10))
    await until(lambda: simulation.counts(camera.id).open_sessions == 1)
    seen = await watch.see("rtsp", 1.0, path=camera.stream_path(), frames=True)
    long.cancel()
    await asyncio.wait([long])
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.INTERNAL
    assert seen.facts["codec"] == "H264"
    assert judged(seen) == {}


async def test_a_device_that_tells_no_still_picture_shows_one_out_of_its_stream(simulation, camera, desk):
    soap_requests.prepare()
    watch = Watch(simulation, camera, desk)
    facts: Mapping[str, object] = (await watch.see("onvif", timeout=40)).facts
    told = {name: value for name, value in facts.items() if name != "snapshot_uri"}
    entry = plan(camera.on(simulation.ports), (), Settings().probes.policy(), learn("onvif", told), [("onvif", "")])
    tasks = {task.probe: task for task in entry.tasks}
    assert list(tasks) == ["onvif", "rtsp", "key_frame"]
    assert tasks["rtsp"].options["declared"] == DECLARED
    seen = await watch.see("key_frame", timeout=40, **tasks["key_frame"].options)
    assert judged(seen) == {Aspect.PICTURE: None}
    assert seen.picture is not None

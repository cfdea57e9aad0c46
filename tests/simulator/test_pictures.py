"""Tests that still pictures are real JPEG, that no two are the same, and that each fault looks as it should."""

from __future__ import annotations

import io

import av
import cv2
import numpy as np
import pytest

from camera_registry.model.device import Kind
from camera_registry.simulator.faults import Fault
from camera_registry.simulator.makers import MAKERS, Scheme
from camera_registry.simulator.member import Member
from camera_registry.simulator.simulation import Simulation
from tests.simulator.conftest import camera_of
from tests.simulator.wire import Reply, Wire, basic, digest

CLOCK = (slice(16, 48), slice(16, 16 + 19 * 16))
"""Where the clock is burnt in: rows and columns."""


async def ask(simulation: Simulation, member: Member, password: str, path: str) -> Reply:
    async with await Wire.open(member.device.host, simulation.ports.http) as wire:
        refused = await wire.get(path)
        assert refused.status == 401
        challenge = refused.all("www-authenticate")[0]
        if challenge.startswith("Basic"):
            return await wire.get(path, basic(member.username, password))
        return await wire.get(path, digest(challenge, member.username, password, "GET", path))


async def jpeg(simulation: Simulation, member: Member, channel: int = 1) -> bytes:
    reply = await ask(simulation, member, member.password, member.snapshot_path(channel))
    assert (reply.status, reply.one("content-type")) == (200, "image/jpeg")
    return reply.body


def strictly(picture: bytes) -> np.ndarray:
    """Decode by FFmpeg, which raises at the first bit that is wrong, and check that OpenCV's decoder sees the same."""
    with av.open(io.BytesIO(picture), format="mjpeg", options={"err_detect": "explode"}) as container:
        (frame,) = container.decode(video=0)
    plain = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert plain.shape == (360, 640, 3) == (frame.height, frame.width, 3)
    assert np.abs(frame.to_ndarray(format="gray").astype(int) - cv2.cvtColor(plain, cv2.COLOR_BGR2GRAY)).mean() < 25
    return plain


@pytest.mark.parametrize("maker", [maker.name for maker in MAKERS])
async def test_every_maker_gives_a_real_picture_for_the_right_password_only(simulation, fleet, maker):
    member = camera_of(fleet, maker)
    strictly(await jpeg(simulation, member))
    assert (await ask(simulation, member, "guessed", member.snapshot_path())).status == 401
    counts = simulation.counts(member.id)
    assert (counts.requests, counts.failed_authentications) == ({"http.snapshot": 1}, 1)


async def test_every_scene_decodes_and_devices_do_not_all_show_the_same(simulation, fleet):
    cameras = [member for member in fleet.members if member.device.kind is Kind.CAMERA][:12]
    shown = [strictly(await jpeg(simulation, member)) for member in cameras]
    assert len({picture[60:300].mean().round() for picture in shown}) > 3


async def test_two_pictures_of_one_second_differ_and_the_clock_runs(simulation, camera):
    first, second = strictly(await jpeg(simulation, camera)), strictly(await jpeg(simulation, camera))
    assert (first[100:] != second[100:]).any()
    simulation.faults.set(camera.id, Fault.CLOCK_DRIFT, seconds=11 * 3600)
    later = strictly(await jpeg(simulation, camera))
    assert (np.abs(later[CLOCK].astype(int) - first[CLOCK]) > 60).any()


async def test_each_channel_of_a_recorder_has_a_picture_and_there_is_none_beyond(simulation, fleet):
    recorder = next(member for member in fleet.members if member.channels > 1 and Scheme.MD5 in member.maker.snapshot)
    for channel in (1, recorder.channels):
        strictly(await jpeg(simulation, recorder, channel))
    async with await Wire.open(recorder.device.host, simulation.ports.http) as wire:
        assert (await wire.get(recorder.snapshot_path(recorder.channels + 1))).status == 404
        assert (await wire.get("/")).status == 404


async def shown(simulation: Simulation, member: Member, fault: Fault) -> np.ndarray:
    simulation.faults.set(member.id, fault)
    return cv2.cvtColor(strictly(await jpeg(simulation, member)), cv2.COLOR_BGR2GRAY)


def edges(grey: np.ndarray) -> float:
    """How steep the steepest hundredth of the middle is, where no text is burnt in, noise smoothed away."""
    smooth = cv2.GaussianBlur(grey, (0, 0), 1.5)[60:280].astype(float)
    return float(np.percentile(np.hypot(cv2.Sobel(smooth, -1, 1, 0), cv2.Sobel(smooth, -1, 0, 1)), 99))


async def test_black_is_dark_all_over_but_for_its_text(simulation, camera):
    grey = await shown(simulation, camera, Fault.BLACK)
    assert np.percentile(grey, 95) < 24


async def test_no_signal_is_one_flat_colour_without_noise(simulation, camera):
    grey = await shown(simulation, camera, Fault.NO_SIGNAL)
    blocks = grey.reshape(45, 8, 80, 8).swapaxes(1, 2).reshape(-1, 64)
    assert (blocks.std(axis=1) < 0.5).mean() > 0.8


@pytest.mark.parametrize("fault", [Fault.BLURRED, Fault.COVERED])
async def test_blurred_and_covered_pictures_have_lost_their_edges(simulation, camera, fault):
    healthy = cv2.cvtColor(strictly(await jpeg(simulation, camera)), cv2.COLOR_BGR2GRAY)
    ill = await shown(simulation, camera, fault)
    assert edges(ill) < edges(healthy) / 3
    assert ill.mean() > 40


async def test_a_frozen_camera_repeats_its_bytes_until_it_is_well(simulation, camera):
    simulation.faults.set(camera.id, Fault.FROZEN)
    first = await jpeg(simulation, camera)
    assert await jpeg(simulation, camera) == first
    simulation.faults.clear(camera.id, Fault.FROZEN)
    assert await jpeg(simulation, camera) != first

"""Key frames are decoded where they can do no harm, and measured like any picture."""

from __future__ import annotations

from collections.abc import AsyncIterator
from fractions import Fraction
from functools import cache

import av
import cv2
import numpy as np
import pytest

from camera_registry.model.health import Cause
from camera_registry.model.observation import FailureKind, Stage
from camera_registry.rules.pictures import judge
from camera_registry.rules.pictures.sight import sight
from probes.base import ProbeError
from probes.picture.desk import PictureDesk, View
from tests.picture import scenes

PATIENCE = 40.0
ENCODERS = {"H264": "libx264", "H265": "libx265"}


@pytest.fixture
async def desk() -> AsyncIterator[PictureDesk]:
    desk = PictureDesk()
    await desk.start()
    yield desk
    await desk.close()


def street(width: int = 1280, height: int = 720) -> np.ndarray:
    shown = cv2.resize(scenes.seen(scenes.street()), (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(shown, np.uint8)


@cache
def key_frame(codec: str, width: int = 1280, height: int = 720, crf: int = 18, slices: int = 1) -> bytes:
    encoder = av.CodecContext.create(ENCODERS[codec], "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.thread_count = Fraction(1, 25), 1
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": str(crf), "slices": str(slices)}
    if codec == "H265":
        encoder.options |= {"x265-params": "log-level=error:repeat-headers=1:pools=none:frame-threads=1:wpp=0"}
    flat = width * height > 10_000_000
    shown = np.full((height, width, 3), 99, np.uint8) if flat else street(width, height)
    if slices > 1:
        sensor = np.random.default_rng(7).normal(0, 3, shown.shape)
        shown = np.clip(shown + sensor, 0, 255).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(shown, format="bgr24")
    frame.pts = 0
    return b"".join(bytes(packet) for packet in (*encoder.encode(frame), *encoder.encode(None)))


@pytest.mark.parametrize("codec", ["H264", "H265"])
async def test_a_key_frame_measures_what_the_same_picture_as_a_jpeg_does(desk: PictureDesk, codec: str) -> None:
    jpeg = cv2.imencode(".jpg", street(), (cv2.IMWRITE_JPEG_QUALITY, 95))[1].tobytes()
    still, _ = await desk.measure(jpeg, PATIENCE)
    facts, evidence = await desk.measure(key_frame(codec), PATIENCE, codec)
    for name in ("mean_luma", "luma_p5", "luma_p50", "luma_p95", "deviation"):
        assert abs(facts[name] - still[name]) < 4, name
    small = cv2.imdecode(np.frombuffer(evidence, np.uint8), cv2.IMREAD_COLOR)
    assert small.shape == (360, 640, 3)


@pytest.mark.parametrize("codec", ["H264", "H265"])
async def test_hostile_key_frames_are_undecodable_and_hurt_nobody(desk: PictureDesk, codec: str) -> None:
    whole = key_frame(codec)
    noise = np.random.default_rng(3).bytes(len(whole))
    broken = [b"", b"\x00\x00\x00\x01", noise, whole[:200] + noise[200:]]
    broken += [whole[: len(whole) * share // 100] for share in (50, 90, 99)]
    for data in broken:
        with pytest.raises(ProbeError) as caught:
            await desk.measure(data, PATIENCE, codec)
        assert (caught.value.kind, caught.value.stage) == (FailureKind.UNDECODABLE, Stage.DECODE)
    await desk.measure(whole, PATIENCE, codec)
    assert desk.restarts == 0


async def test_a_key_frame_of_few_bits_is_healthy_and_one_that_lacks_a_slice_is_corrupt(desk: PictureDesk) -> None:
    whole = key_frame("H264", crf=34, slices=6)
    *before, lost, last = whole.split(b"\x00\x00\x01")
    assert len(lost) > 300
    for data, faults in ((whole, []), (b"\x00\x00\x01".join([*before, last]), [Cause.CORRUPT])):
        found, _ = await desk.examine(View((data,), codec="H264"), PATIENCE)
        assert [fault.cause for fault in judge(sight(found, [None], [])).faults] == faults


async def test_a_frame_of_more_pixels_than_any_camera_has_is_not_even_begun(desk: PictureDesk) -> None:
    with pytest.raises(ProbeError, match="gave up") as caught:
        await desk.measure(key_frame("H264", 6400, 6400), PATIENCE, "H264")
    assert caught.value.kind is FailureKind.UNDECODABLE
    assert desk.restarts == 0


async def test_other_codecs_are_not_decoded(desk: PictureDesk) -> None:
    with pytest.raises(ProbeError, match="VP8"):
        await desk.measure(b"frame", PATIENCE, "VP8")

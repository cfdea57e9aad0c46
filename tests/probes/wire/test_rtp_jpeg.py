"""Pictures that travelled as RFC 2435 has it are the same when they are put together again."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera_registry.simulator.payloads import jpeg_payloads
from probes.wire import WireError, jpeg, rtp_jpeg
from probes.wire.h264 import Size
from probes.wire.rtp import FrameFinder, Packet
from tests.probes.wire.refusal import refusal


def picture(width: int = 320, height: int = 240) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width]
    return np.dstack([rows % 256, columns % 256, (rows + columns) % 256]).astype(np.uint8)


def coded(shown: np.ndarray, quality: int = 60, *more: int) -> bytes:
    return cv2.imencode(".jpg", shown, (cv2.IMWRITE_JPEG_QUALITY, quality, *more))[1].tobytes()


def decoded(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def cut(data: bytes, width: int = 320, height: int = 240) -> list[bytes]:
    return [payload for _, payload in jpeg_payloads(data, width, height)]


def test_a_picture_is_put_together_as_it_was():
    original = coded(picture())
    joined = rtp_jpeg.join(cut(original), {})
    assert (decoded(joined) == decoded(original)).all()
    told = jpeg.read(joined)
    assert (told.width, told.height, told.complete) == (320, 240, True)


@pytest.mark.parametrize("quality", [10, 50, 75, 99])
def test_tables_that_a_quality_stands_for_are_those_of_the_standard(quality: int):
    original = coded(picture(), quality)  # libjpeg scales the same tables by the same rule
    first, *others = cut(original)
    bare = [payload[:5] + bytes([quality]) + payload[6:] for payload in (first[:8] + first[140:], *others)]
    assert (decoded(rtp_jpeg.join(bare, {})) == decoded(original)).all()


def test_tables_that_are_sent_once_are_kept():
    original = coded(picture())
    once = [payload[:5] + b"\xc8" + payload[6:] for payload in cut(original)]
    later = [once[0][:8] + b"\x00\x00\x00\x00" + once[0][140:], *once[1:]]
    kept: dict[int, bytes] = {}
    with pytest.raises(WireError, match="never sent"):
        rtp_jpeg.join(later, kept)
    assert rtp_jpeg.join(once, kept) == rtp_jpeg.join(later, kept)


def test_restart_markers_survive():
    original = coded(picture(), 60, cv2.IMWRITE_JPEG_RST_INTERVAL, 5)
    marked = [payload[:4] + b"\x41" + payload[5:8] + b"\x00\x05\xff\xff" + payload[8:] for payload in cut(original)]
    assert (decoded(rtp_jpeg.join(marked, {})) == decoded(original)).all()


def test_a_picture_too_large_for_its_header_has_the_size_of_the_description():
    original = coded(picture())
    payloads = [payload[:6] + b"\x00\x00" + payload[8:] for payload in cut(original)]
    with pytest.raises(WireError, match="2040"):
        rtp_jpeg.join(payloads, {})
    assert jpeg.read(rtp_jpeg.join(payloads, {}, Size(320, 240))).width == 320


def test_a_stream_of_pictures_gives_the_first_whole_one():
    finder = FrameFinder("JPEG")
    payloads = cut(coded(picture()))
    for number, payload in enumerate((*payloads[1:], *payloads)):
        last = payload is payloads[-1]
        finder.add(Packet(26, number, 0 if number < len(payloads) - 1 else 1, last, payload))
    assert finder.frames == 1
    assert finder.key is not None
    assert (decoded(finder.key.data) == decoded(coded(picture()))).all()


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=200), min_size=1, max_size=4), st.integers(0, 255), st.integers(0, 255))
def test_any_payloads_are_a_picture_or_a_declared_error(bodies: list[bytes], kind: int, quality: int):
    headed = [b"\x00\x00\x00\x00" + bytes([kind, quality, 4, 4]) + body for body in bodies]
    for payloads in (bodies, headed[:1], headed):
        assert refusal(rtp_jpeg.join, payloads, {}).isprintable()

"""What the markers of a JPEG tell before anything decodes it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.wire import TooLarge, WireError
from probes.wire.jpeg import Picture, read


def encoded(width: int, height: int, *options: int, grey: bool = False) -> bytes:
    shape = (height, width) if grey else (height, width, 3)
    ok, data = cv2.imencode(".jpg", np.random.default_rng(3).integers(0, 255, shape, np.uint8), list(options))
    assert ok
    return data.tobytes()


def test_size_and_kind_are_read():
    assert read(encoded(64, 48)) == Picture(64, 48, 3, progressive=False, complete=True)
    assert read(encoded(64, 48, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)).progressive
    assert read(encoded(64, 48, grey=True)).components == 1


def test_a_picture_cut_short_is_not_complete():
    whole = encoded(640, 480)
    assert not read(whole[: len(whole) // 2]).complete


def test_an_end_marker_inside_a_thumbnail_does_not_make_a_picture_complete():
    whole = encoded(640, 480)
    thumbnail = b"\xff\xe1" + (2 + 4).to_bytes(2, "big") + b"\xff\xd9ab"
    assert not read(whole[:2] + thumbnail + whole[2 : len(whole) // 2]).complete


@pytest.mark.parametrize("body", [b"", b"\xff\xd8", b"\xff\xd8\xff\xd9", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"<html>"])
def test_what_is_no_picture_says_so(body: bytes):
    with pytest.raises(WireError):
        read(body)


def test_too_many_pixels_are_refused_by_the_header():
    body = bytearray(encoded(64, 48))
    start = body.index(b"\xff\xc0")
    body[start + 5 : start + 9] = b"\xff\xff\xff\xff"
    with pytest.raises(TooLarge):
        read(bytes(body))


@given(st.binary(max_size=200))
def test_any_bytes_give_a_picture_or_a_declared_error(body: bytes):
    for data in (body, b"\xff\xd8" + body, b"\xff\xd8\xff\xc0\x00\x11" + body):
        try:
            picture = read(data)
        except WireError:
            continue
        assert picture.width * picture.height <= 40_000_000

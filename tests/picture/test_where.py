"""People are shown where in a picture something is wrong: glare, what a decoder filled in, lost sharpness."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import cv2
import numpy as np

from camera_registry.model.health import Cause
from camera_registry.rules.pictures import judge
from camera_registry.rules.pictures.sight import sight
from probes.picture.child import Decoder
from probes.picture.examination import Examiner
from tests.picture import generated, wire
from tests.picture.camera import Camera, Light, light_of

NOON = datetime(2026, 6, 10, 12, 0, 5)  # noqa: DTZ001 - a camera's local time has no zone
CAMERA = Camera()
STREET = light_of(generated.street(5).pictures[0])
HALF = STREET.shape[1] // 2


def random() -> np.random.Generator:
    return np.random.default_rng(4)


def told(jpeg: bytes, cause: Cause) -> Sequence[str]:
    """The tiles of this fault of a picture, against a healthy one of the same view."""
    reference = CAMERA.take(STREET, NOON, np.random.default_rng(9))
    found = Examiner(Decoder()).examine([jpeg], [reference], [NOON], [NOON], None)
    return next(fault.tiles for fault in judge(sight(found, [NOON], [NOON])).faults if fault.cause is cause)


def count(tiles: Sequence[str], columns: slice) -> int:
    return sum(row[columns].count("1") for row in tiles)


def taken(light: Light) -> bytes:
    return CAMERA.take(light, NOON, random())


def test_glare_is_shown_where_it_is() -> None:
    glaring = STREET.copy()
    glaring[:, HALF:] += 1.5
    tiles = told(taken(glaring), Cause.OVEREXPOSED)
    assert count(tiles, slice(0, 7)) == 0
    assert count(tiles, slice(9, 16)) > 55


def test_what_a_decoder_filled_in_is_shown_from_the_row_on_where_it_begins() -> None:
    torn = CAMERA.code(wire.grey_rest(CAMERA.burn_in(CAMERA.expose(STREET, random()), NOON), 0.6, random()))
    tiles = told(torn, Cause.CORRUPT)
    assert tiles[-1] == "1" * 16
    assert count(tiles[:2], slice(0, 16)) == 0


def test_lost_sharpness_is_shown_where_there_was_some() -> None:
    soft = np.asarray(cv2.GaussianBlur(STREET, (0, 0), STREET.shape[1] / 200), np.float32)
    assert count(told(taken(soft), Cause.BLURRED), slice(0, 16)) > 40

"""What anybody would see at a glance, made by other laws than those that limits were set on: levels scaled, lines drawn
and plates laid over a picture, without a camera's physics."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from camera_registry.model.health import Cause
from tests.picture import otherwise
from tests.picture.camera import Coded
from tests.picture.test_judgement import CAMERA, NOON, STREET, causes, judged, random

Law = Callable[[Coded], Coded]


def shown() -> Coded:
    """The street as the camera shows it, decoded."""
    jpeg = CAMERA.take(STREET, NOON, random(1))
    return np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), dtype=np.uint8)


def coded(picture: Coded) -> bytes:
    return cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, 85))[1].tobytes()


def levels(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Coded:
    return np.clip(values, 0, 255).astype(np.uint8)


def pale(picture: Coded) -> Coded:
    """An amplifier that has lost nearly all its gain: no brighter than the scene, as fog is."""
    return levels((picture - picture.mean()) * 0.06 + 0.6 * picture.mean())


def drifts(picture: Coded) -> Coded:
    """Fog in drifts: as light and dark as ever from place to place, and every edge faint."""
    down = np.linspace(0, np.pi, picture.shape[0])[:, None, None]
    return levels(picture * 0.22 + 50 + 90 * np.sin(down))


def bands(picture: Coded) -> Coded:
    return levels(picture + 12 * np.sin(2 * np.pi * 17 * np.linspace(0, 1, picture.shape[0]))[:, None, None])


def filled(picture: Coded) -> Coded:
    """The lower part grey, from a row that no block of the coder begins at."""
    spoilt = picture.copy()
    spoilt[int(picture.shape[0] * 0.7) // 16 * 16 + 5 :] = 128
    return spoilt


def mosaic(picture: Coded) -> Coded:
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (width // 22, height // 22), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), dtype=np.uint8)


def bright(picture: Coded) -> Coded:
    """Twice the light everywhere, most of it just below where a level is called clipped."""
    return levels(np.minimum(picture * 2.2 + 60.0, 244))


def plate(level: int, left: float, top: float) -> Law:
    """A plate before the lens, out of focus and evenly lit, from there to the lower right corner (shares)."""

    def lay(picture: Coded) -> Coded:
        spoilt = picture.copy()
        spoilt[round(picture.shape[0] * top) :, round(picture.shape[1] * left) :] = level
        return spoilt

    return lay


@pytest.mark.parametrize(
    ("law", "cause"),
    [
        (pale, Cause.LOW_CONTRAST),
        (drifts, Cause.LOW_CONTRAST),
        (bands, Cause.STRIPED),
        (filled, Cause.CORRUPT),
        (mosaic, Cause.CORRUPT),
        (bright, Cause.OVEREXPOSED),
        (plate(6, 0.15, 0.15), Cause.COVERED),
        (plate(215, 0.3, 0.4), Cause.COVERED),
    ],
    ids=["pale", "drifts", "bands", "filled", "mosaic", "bright", "black plate", "white plate"],
)
def test_what_anybody_sees_is_told_by_its_name(law: Law, cause: Cause) -> None:
    assert cause in causes(judged([coded(law(shown()))], "street"))


def test_the_same_picture_untouched_is_healthy() -> None:
    assert causes(judged([coded(shown())], "street")) == []


@pytest.mark.parametrize("condition", ["snow_cover", "morning_fog"])
def test_snow_and_fog_of_the_season_are_none_of_it(condition: str) -> None:
    jpeg = CAMERA.take(otherwise.CONDITIONS[condition](STREET, random(2)), NOON, random(1))
    assert causes(judged([jpeg], "street")) == []

"""What anybody would see at a glance, made by other laws than those that limits were set on: plain arithmetic."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from camera_registry.model.health import Cause
from tests.picture import otherwise, plain
from tests.picture.camera import Coded
from tests.picture.test_judgement import CAMERA, NOON, STREET, causes, judged, random


def shown() -> Coded:
    """The street as the camera shows it, decoded."""
    jpeg = CAMERA.take(STREET, NOON, random(1))
    return np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), dtype=np.uint8)


def coded(picture: Coded) -> bytes:
    return cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, 85))[1].tobytes()


@pytest.mark.parametrize("kind", [kind for kind in plain.LAWS if kind != "misplaced"])
def test_what_anybody_sees_is_told_by_its_name(kind: str) -> None:
    cause, law = plain.LAWS[kind]
    assert Cause(cause) in causes(judged([coded(law(shown(), 0.8, random(4)))], "street"))


@pytest.mark.parametrize("level", [6, 215])
def test_a_plate_before_the_lens_is_no_dark_picture_and_no_snow(level: int) -> None:
    spoilt = shown()
    height, width = spoilt.shape[:2]
    spoilt[round(0.4 * height) :, round(0.3 * width) :] = level
    assert Cause.COVERED in causes(judged([coded(spoilt)], "street"))


def test_the_same_picture_untouched_is_healthy() -> None:
    assert causes(judged([coded(shown())], "street")) == []


@pytest.mark.parametrize("condition", ["snow_cover", "morning_fog"])
def test_snow_and_fog_of_the_season_are_none_of_it(condition: str) -> None:
    jpeg = CAMERA.take(otherwise.CONDITIONS[condition](STREET, random(2)), NOON, random(1))
    assert causes(judged([jpeg], "street")) == []

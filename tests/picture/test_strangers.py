"""Faults as a stranger would make them: what fills the view, what lies on the glass, light and colours."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from camera_registry.model.health import Cause
from tests.picture.camera import Coded
from tests.picture.test_gross import coded, shown
from tests.picture.test_judgement import CAMERA, NOON, STREET, causes, judged, random


def levels(values: np.ndarray[tuple[int, ...], np.dtype[np.floating]]) -> bytes:
    return coded(np.clip(values, 0, 255).astype(np.uint8))


def bubbles(picture: Coded) -> Coded:
    """Bubble wrap before the lens: each bubble shows a part of the view, small and soft."""
    height, width = picture.shape[:2]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    pitch = width / 18
    down = np.floor(rows / pitch)
    x, y = (columns / pitch + 0.5 * (down % 2)) % 1 - 0.5, rows / pitch - down - 0.5
    reach = 5 * pitch * np.exp(-12 * (x * x + y * y))
    bent = cv2.remap(picture, columns - x * reach, rows - y * reach, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    soft = cv2.GaussianBlur(bent, (0, 0), width / 300).astype(np.float32)
    seen = soft * (0.8 + 0.3 * np.exp(-12 * (x * x + y * y)))[:, :, None]
    return np.asarray(np.clip(seen, 0, 255), dtype=np.uint8)


def test_cardboard_over_the_whole_lens_is_a_cover_and_no_moved_camera() -> None:
    fibres = cv2.GaussianBlur(random(1).normal(0, 60, shown().shape[:2]), (0, 0), 8)[:, :, None]
    grain = random(2).normal(0, 2.5, shown().shape)
    told = causes(judged([levels(np.array((95.0, 125.0, 150.0)) + fibres + grain)], "street"))
    assert Cause.COVERED in told
    assert Cause.MOVED not in told


def test_bubble_wrap_is_on_the_glass_and_neither_interference_nor_a_moved_camera() -> None:
    told = causes(judged([coded(bubbles(shown()))], "street"))
    assert {Cause.COVERED, Cause.BLURRED} & set(told)
    assert not {Cause.STRIPED, Cause.MOVED} & set(told)


@pytest.mark.parametrize(("stops", "cause"), [(1.9, Cause.OVEREXPOSED), (-2.6, Cause.DARK)])
def test_an_exposure_that_is_off_by_day_is_told_before_anything_is_clipped_or_black(stops: float, cause: Cause) -> None:
    assert cause in causes(judged([CAMERA.take(STREET * 2**stops, NOON, random(2))], "street"))


def test_infrared_light_by_day_is_a_cast_though_it_is_weak() -> None:
    glow = STREET.mean(axis=2, keepdims=True) * np.array((0.9, 0.3, 0.9), np.float32)
    told = judged([CAMERA.take(STREET + glow, NOON, random(2))], "street")
    assert Cause.COLOUR_CAST in causes(told)


def test_red_and_blue_exchanged_are_a_cast() -> None:
    assert Cause.COLOUR_CAST in causes(judged([coded(np.ascontiguousarray(shown()[:, :, ::-1]))], "street"))


def test_a_leaf_right_before_the_lens_is_a_cover() -> None:
    picture = shown()
    height, width = picture.shape[:2]
    leaf = np.zeros((height, width), np.float32)
    cv2.ellipse(leaf, (width // 2, round(0.6 * height)), (round(0.24 * width), round(0.28 * height)), 30, 0, 360, 1, -1)
    veil = np.asarray(cv2.GaussianBlur(leaf, (0, 0), width / 70), dtype=np.float32)[:, :, None]
    told = causes(judged([levels(picture * (1 - veil) + np.array((30, 80, 60)) * veil)], "street"))
    assert Cause.COVERED in told

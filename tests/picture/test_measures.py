"""What the measures say of scenes, held against the default policy."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from camera_registry.model.policy import PicturePolicy
from probes.picture import measures
from probes.picture.child import decode
from tests.picture import scenes

POLICY = PicturePolicy()
SIZES = [1920, 640, 352]


def measured(jpeg: bytes) -> dict[str, float]:
    return measures.measure(decode(jpeg, 640))


def is_black(facts: dict[str, float]) -> bool:
    return facts["luma_p95"] < POLICY.black_luma


def has_no_signal(facts: dict[str, float]) -> bool:
    return facts["flat_share"] >= POLICY.flat_share


HEALTHY = {
    "street": scenes.seen(scenes.street()),
    "night": scenes.seen(scenes.night()),
    "wall": scenes.seen(scenes.wall()),
    "wall, little noise": scenes.seen(scenes.wall(), 1.0),
    "wall at dusk": scenes.seen(scenes.wall() * 0.3),
    "glare": scenes.seen(scenes.street() * 3),
}


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("quality", [90, 50, 30])
@pytest.mark.parametrize("scene", HEALTHY)
def test_a_healthy_picture_is_neither_black_nor_without_signal(scene: str, quality: int, width: int) -> None:
    facts = measured(scenes.jpeg(HEALTHY[scene], quality, width))
    assert not is_black(facts), facts
    assert not has_no_signal(facts), facts


SIGNAL_LOST = {
    "blue": scenes.plain(255, 0, 0),
    "dark blue": scenes.plain(160, 0, 0),
    "grey": scenes.plain(128, 128, 128),
    "grey bars": scenes.grey_bars(),
    "blue with its sentence": scenes.lettered(scenes.plain(200, 30, 30), "NO SIGNAL"),
    "colour bars": scenes.bars(
        (191, 191, 191), (0, 191, 191), (191, 191, 0), (0, 191, 0), (191, 0, 191), (0, 0, 191), (191, 0, 0)
    ),
}


@pytest.mark.parametrize("width", [1920, 640])
@pytest.mark.parametrize("quality", [90, 50])
@pytest.mark.parametrize("scene", SIGNAL_LOST)
def test_a_generated_screen_has_no_signal(scene: str, quality: int, width: int) -> None:
    facts = measured(scenes.jpeg(SIGNAL_LOST[scene], quality, width))
    assert has_no_signal(facts), facts


@pytest.mark.parametrize("width", SIZES)
def test_a_capped_lens_is_black_and_no_signal_is_not_claimed(width: int) -> None:
    facts = measured(scenes.jpeg(scenes.seen(scenes.plain(2, 2, 2)), width=width))
    assert is_black(facts)
    assert not has_no_signal(facts)


def test_the_measures_have_the_units_they_say() -> None:
    half = np.zeros((240, 320, 3), np.uint8)
    half[:, 160:] = (255, 0, 0)  # pure blue: luma 29
    facts = measures.measure(half)
    assert facts["mean_luma"] == pytest.approx(14.5, abs=0.1)
    assert (facts["luma_p5"], facts["luma_p50"], facts["luma_p95"]) == (0, 0, 29)
    assert facts["deviation"] == pytest.approx(14.5, abs=0.1)
    assert facts["dominant_share"] == 0.5
    assert facts["saturation"] == 0.5


@pytest.mark.parametrize("shape", [(1, 1, 3), (8, 8, 3), (3, 4000, 3)])
def test_a_picture_too_small_for_a_block_is_measured_all_the_same(shape: tuple[int, int, int]) -> None:
    facts = measures.measure(np.full(shape, 90, np.uint8))
    assert facts["mean_luma"] == 90
    assert facts["flat_share"] == 0


def test_the_evidence_is_a_small_jpeg_of_the_same_shape_and_never_enlarged() -> None:
    wide = measures.thumbnail(np.full((1080, 1920, 3), 90, np.uint8), 640)
    assert cv2.imdecode(np.frombuffer(wide, np.uint8), cv2.IMREAD_COLOR).shape == (360, 640, 3)
    small = measures.thumbnail(np.full((90, 160, 3), 90, np.uint8), 640)
    assert cv2.imdecode(np.frombuffer(small, np.uint8), cv2.IMREAD_COLOR).shape == (90, 160, 3)

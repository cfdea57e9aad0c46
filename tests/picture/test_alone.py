"""What one picture tells of which nothing is known but itself, and what it leaves open, as a scene may look so."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import pytest

from camera_registry.model.health import Cause
from camera_registry.model.picture import Picture, Sight
from camera_registry.rules.pictures import judge
from probes.picture.child import Decoder
from probes.picture.examination import Examiner
from probes.picture.measuring import clock
from tests.picture import generated
from tests.picture.camera import Camera, light_of
from tests.picture.cases import NOON
from tests.picture.test_clock import PLAIN, cut, written
from tests.picture.test_judgement import random

_FOUND = Examiner(Decoder()).examine(
    [Camera().take(light_of(generated.street(5).pictures[0]), NOON, random())], (), (NOON,), (), None
)
STREET = _FOUND["frames"][0]["measures"]  # type: ignore[index]


def told(**measured: float) -> set[Cause]:
    """What is wrong with a street by day, alone, of which this is measured and not what a healthy one shows."""
    return {fault.cause for fault in judge(Sight((Picture({**STREET, **measured}, at=NOON),))).faults}


def tinted(hue: float, shift: float) -> set[Cause]:
    """The same of one whose colours have all shifted so far into a hue, in degrees."""
    a, b = 20 * math.cos(math.radians(hue)), 20 * math.sin(math.radians(hue))
    return told(a=a, b=b, chroma=20.0, colourfulness=21.0, shift=shift, empty=0.05)


def test_edges_that_are_wider_in_one_direction_are_those_of_a_shaken_camera() -> None:
    nearly = {"keen": 0.172, "edge_width_worst": 1.3, "reblur": 0.45}
    assert told(**nearly, edge_width=0.9) == {Cause.BLURRED}
    assert told(**nearly, edge_width=1.25) == set()


def test_a_view_whose_every_edge_is_wide_is_blurred_though_little_is_left_of_it() -> None:
    empty = {"keen": 0.0, "empty": 0.9, "edge_tiles": 0.3, "edge_width": 1.2}
    assert told(**empty, edge_width_worst=1.5, reblur=0.6) == {Cause.BLURRED}
    assert told(**empty, edge_width_worst=1.1, reblur=0.5) == set()
    assert told(**{**empty, "edge_tiles": 0.1}, edge_width_worst=1.5, reblur=0.6) == set()


def test_one_wave_all_over_the_picture_is_interference_and_waves_that_cross_are_bricks() -> None:
    wave = {"wave": 15.0, "wave_prominence": 12.0, "wave_spread": 0.6}
    assert told(**wave, lattice=0.2) == {Cause.STRIPED}
    assert told(**wave, lattice=0.9) == set()


def test_a_white_sky_is_not_too_much_light_unless_the_rest_is_bright_too() -> None:
    sky = {"clipped": 0.35, "p75": 252.0, "p95": 255.0, "p99": 255.0}
    assert told(**sky, mean=150.0) == set()
    assert told(**sky, mean=215.0) == {Cause.OVEREXPOSED}


def test_a_curve_that_ends_below_the_last_level_clips_there() -> None:
    bright = {"clipped": 0.0, "p75": 235.0, "p95": 235.0, "mean": 212.0}
    assert told(**bright, p99=236.0) == {Cause.OVEREXPOSED}
    assert told(**bright, p99=243.0) == set()


@pytest.mark.parametrize(("hue", "shift", "no_cast"), [(340, 0.38, 200), (30, 0.6, 60)])
def test_what_no_light_of_the_day_is_like_is_a_cast_where_it_is_weak(hue: float, shift: float, no_cast: float) -> None:
    assert tinted(hue, shift) == {Cause.COLOUR_CAST}
    assert tinted(no_cast, shift) == set()


@pytest.mark.parametrize(("shown", "sure"), [("12:41:29", True), ("12:56:29", False)])
def test_a_clock_of_an_unknown_font_is_wrong_where_its_figures_are_not_mistaken(shown: str, sure: bool) -> None:
    """A 3 and a 5 that look like a 5 and a 6 may be the font's; no 3 looks like a 4, and no 5 like a 1."""
    right = datetime(2026, 6, 10, 12, 35, 29)  # noqa: DTZ001
    wrong = datetime.combine(right, datetime.strptime(shown, "%H:%M:%S").time())  # noqa: DTZ007
    for seed, away in enumerate((timedelta(), timedelta(days=67))):
        found = clock.read([(cut(written(wrong + away), seed), right + away)], [], PLAIN)
        assert found is not None
        assert (found["sure"] >= 0.65 and abs(found["seconds_off"]) > 60) is sure, found

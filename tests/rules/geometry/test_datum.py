"""Tests of coordinates of Chinese maps: published pairs, and the way back."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera_registry.rules.geometry.datum import Datum, gcj02_to_bd09, to_wgs84, wgs84_to_gcj02

CHINA = st.tuples(st.floats(74, 134), st.floats(18, 53))


def test_published_pairs_of_beijing():
    """Pairs that several published implementations of the formula give in their own documentation."""
    assert wgs84_to_gcj02(116.404, 39.915) == pytest.approx((116.41024449916938, 39.91640428150164), abs=1e-9)
    assert gcj02_to_bd09(116.404, 39.915) == pytest.approx((116.41036949371029, 39.92133699351021), abs=1e-9)


@settings(max_examples=200, deadline=None)
@given(CHINA)
def test_the_way_back_is_exact_to_less_than_a_millimetre(position):
    shifted = wgs84_to_gcj02(*position)
    assert to_wgs84(*shifted, Datum.GCJ02) == pytest.approx(position, abs=5e-9)
    assert to_wgs84(*gcj02_to_bd09(*shifted), Datum.BD09) == pytest.approx(position, abs=5e-9)


def test_the_shift_is_hundreds_of_metres_and_without_conversion_a_camera_would_stand_in_another_street():
    longitude, latitude = to_wgs84(102.7, 25.05, Datum.GCJ02)
    east = (102.7 - longitude) * 111_320 * math.cos(math.radians(25.05))
    north = (25.05 - latitude) * 110_600
    assert 50 < math.hypot(east, north) < 1000


@pytest.mark.parametrize("position", [(2.35, 48.85), (-74.0, 40.7), (151.2, -33.9)])
@pytest.mark.parametrize("datum", Datum)
def test_outside_of_china_a_position_stays_as_it_is(position, datum):
    assert to_wgs84(*position, datum) == position

"""Tests of fields of view and of what they cover: by hand, and against casting rays at a lattice of points."""

from __future__ import annotations

import json
import math

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from camera_registry.model.coverage import Uncomputable
from camera_registry.model.device import Device, Kind
from camera_registry.model.place import Site
from camera_registry.rules.geometry import geojson
from camera_registry.rules.geometry.extent import fields, measure
from camera_registry.rules.geometry.projection import middle_of, plane
from camera_registry.rules.geometry.sectors import View, sector, visible

HOME = (102.7, 25.05)


def place(east: float, north: float) -> tuple[float, float]:
    """Metres from home, in degrees, by the geodesic on the ellipsoid: not the program's own projection."""
    turn, length = math.degrees(math.atan2(east, north)), math.hypot(east, north)
    longitude, latitude, _ = pyproj.Geod(ellps="WGS84").fwd(*HOME, turn, length)
    return longitude, latitude


def camera(id: str, east: float, north: float, azimuth: float | None, angle: float = 90, reach: float = 100) -> Device:
    longitude, latitude = place(east, north)
    return Device(
        id,
        Kind.CAMERA,
        longitude=longitude,
        latitude=latitude,
        azimuth=azimuth,
        view_angle=angle,
        view_range=reach,
    )


def polygon(*corners: tuple[float, float]) -> str:
    ring = [place(*corner) for corner in (*corners, corners[0])]
    return json.dumps({"type": "Polygon", "coordinates": [ring]})


def square(half: float, east: float = 0, north: float = 0) -> str:
    around = ((-half, -half), (half, -half), (half, half), (-half, half))
    return polygon(*((east + x, north + y) for x, y in around))


def test_a_sector_has_the_area_of_a_sector():
    """90 degrees of 100 m: pi x 100^2 / 4 = 7853.98 m2."""
    seen = sector(View((0, 0), 0.0, math.pi / 2, 100))
    assert seen.area == pytest.approx(math.pi * 100**2 / 4, rel=1e-9)
    assert seen.contains(shapely.Point(0, 99))
    assert not seen.contains(shapely.Point(0, -1))


def test_a_dome_sees_a_whole_circle():
    assert sector(View((3, 4), 1.0, 2 * math.pi, 50)).area == pytest.approx(math.pi * 50**2, rel=1e-9)


def test_an_azimuth_of_90_degrees_looks_east():
    """A square of 20 m, 50 m east of the camera, lies within 90 degrees of 100 m to the east; in no other quarter."""
    site = Site("s", polygon=square(10, east=50))
    for azimuth, share in ((90, 1.0), (0, 0.0), (180, 0.0), (270, 0.0)):
        ((extent,), _) = measure([site], fields([camera("c", 0, 0, azimuth)]))
        assert extent.once == pytest.approx(share, abs=1e-9)


def test_half_of_a_square_seen_by_one_and_a_quarter_by_two():
    """A square of 100 m about home; all see 1000 m. a and b stand in the middle of its southern edge: a looks east with
    180 degrees, b north-east with 90: both see the eastern half. c stands in its middle and looks north with 180: the
    northern half. By one at least: 3/4. By two: the eastern half, 1/2. Blind: the south-western quarter, 2500 m2."""
    cameras = [camera("a", 0, -50, 90, 180, 1000), camera("b", 0, -50, 45, 90, 1000), camera("c", 0, 0, 0, 180, 1000)]
    ((extent,), left) = measure([Site("s", polygon=square(50))], fields(cameras))
    assert not left
    assert extent.size == pytest.approx(10_000, rel=1e-5)
    assert (extent.once, extent.twice) == pytest.approx((0.75, 0.5), abs=1e-5)
    blind = plane(middle_of(*HOME)).shape(extent.blind)
    assert blind.area == pytest.approx(2500, rel=1e-4)
    assert extent.devices == ("a", "b", "c")


def test_of_a_road_the_length_is_measured():
    """A road of 200 m from west to east; a camera at its western end sees 60 m along it: 0.3."""
    road = json.dumps({"type": "LineString", "coordinates": [place(-100, 0), place(100, 0)]})
    ((extent,), _) = measure([Site("r", polygon=road)], fields([camera("c", -100, 0, 90, 60, 60)]))
    assert extent.road
    assert (extent.size, extent.once) == (pytest.approx(200, rel=1e-5), pytest.approx(0.3, rel=1e-3))


def test_a_building_hides_what_lies_behind_it():
    """The camera looks east, 90 degrees of 100 m. A wall of 20 m, 10 m thick, stands 50 m ahead, centred: from corners
    at (50, +-10) the shadow spans 2 atan(10/50) = 0.394791 rad. Hidden: the slice of that angle out to 100 m,
    0.394791 x 100^2 / 2 = 1973.956 m2, less the triangle before the wall, 50 x 10 = 500 m2."""
    wall = shapely.box(50, -10, 60, 10)
    seen = visible(View((0, 0), math.pi / 2, math.pi / 2, 100), [wall])
    hidden = math.pi * 100**2 / 4 - seen.area
    assert hidden == pytest.approx(math.atan(10 / 50) * 100**2 - 500, rel=1e-4)
    assert not seen.intersects(shapely.Point(80, 0))
    assert not seen.intersects(shapely.Point(55, 0))
    assert seen.contains(shapely.Point(40, 0))


def cast(view: View, buildings, rays: int = 20_000) -> float:
    """The second way: the area as the sum of thin slices, each as long as its ray runs until it hits a wall."""
    turns = view.direction - view.angle / 2 + view.angle * (np.arange(rays) + 0.5) / rays
    ahead = np.column_stack([np.sin(turns), np.cos(turns)])
    reach = np.full(rays, view.range)
    for ring in shapely.get_rings(buildings):
        corners = shapely.get_coordinates(ring)
        for one, wall in zip(corners[:-1], np.diff(corners, axis=0), strict=True):
            # position + t x ahead = one + s x wall, by Cramer's rule.
            offset = one - np.array(view.position)
            with np.errstate(divide="ignore", invalid="ignore"):
                across = ahead[:, 0] * wall[1] - ahead[:, 1] * wall[0]
                t = (offset[0] * wall[1] - offset[1] * wall[0]) / across
                s = (offset[0] * ahead[:, 1] - offset[1] * ahead[:, 0]) / across
            hit = (across != 0) & (t > 0) & (s >= 0) & (s <= 1)
            reach = np.where(hit & (t < reach), t, reach)
    return float((reach**2).sum() * view.angle / rays / 2)


@st.composite
def streets(draw: st.DrawFn):
    """Buildings around a camera, none over it: some turned, some with corners that touch, one with a yard."""
    found = []
    for _ in range(draw(st.integers(1, 6))):
        width, depth = draw(st.floats(3, 40)), draw(st.floats(3, 40))
        turn, east, north = draw(st.floats(0, 90)), draw(st.floats(-90, 90)), draw(st.floats(-90, 90))
        house = shapely.affinity.rotate(shapely.box(east, north, east + width, north + depth), turn)
        if draw(st.booleans()) and min(width, depth) > 12:
            house = house.difference(house.buffer(-4))
        if house.convex_hull.distance(shapely.Point(0, 0)) > 0.5:
            found.append(house)
    return found


@settings(max_examples=80, deadline=None)
@given(streets(), st.floats(0, 2 * math.pi), st.sampled_from([0.9, 1.8, math.pi, 2 * math.pi]))
def test_what_is_seen_agrees_with_casting_rays_to_a_tenth_of_a_percent_of_the_field(houses, direction, angle):
    view = View((0.0, 0.0), direction, angle, 100.0)
    field = angle * 100**2 / 2
    assert visible(view, houses).area / field == pytest.approx(cast(view, houses) / field, abs=0.001)


def test_a_camera_on_a_wall_sees_away_from_it_and_one_deep_inside_is_not_computed():
    house = shapely.from_geojson(square(20))
    on_wall, inside = camera("on", 0, 19.5, 0, 90, 50), camera("in", 0, 0, 0, 90, 50)
    seen = fields([on_wall, inside], [house])
    assert seen.missing == {"in": Uncomputable.INSIDE_BUILDING}
    flat = plane(middle_of(*HOME))
    assert flat.shape(seen.shapes["on"]).area == pytest.approx(math.pi * 50**2 / 4, rel=1e-3)


@pytest.mark.parametrize(
    ("device", "why"),
    [
        (Device("c", Kind.CAMERA, azimuth=1, view_angle=90, view_range=9), Uncomputable.NO_POSITION),
        (Device("c", Kind.CAMERA, longitude=1, latitude=1, view_angle=90, view_range=9), Uncomputable.NO_AZIMUTH),
        (Device("c", Kind.CAMERA, longitude=1, latitude=1, azimuth=1, view_angle=90), Uncomputable.NO_RANGE),
        (Device("c", Kind.CAMERA, longitude=1, latitude=1, azimuth=1, view_range=9), Uncomputable.NO_ANGLE),
        (Device("c", Kind.MOBILE_UNIT, longitude=1, latitude=1), Uncomputable.MOBILE),
    ],
)
def test_what_is_missing_is_said_and_never_guessed(device, why):
    assert fields([device]).missing == {"c": why}


def test_who_sees_all_around_needs_no_azimuth():
    assert "c" in fields([camera("c", 0, 0, None, 360)]).shapes


def test_the_projection_keeps_lengths_and_areas_to_a_millionth_at_its_worst():
    """The worst place is the corner of the lattice's cell, 16 km from the middle."""
    geod = pyproj.Geod(ellps="WGS84")
    corner = (102.7999, 25.0999)
    ring = [corner, (102.8, 25.0999), (102.8, 25.1), (102.7999, 25.1)]
    area, _ = geod.polygon_area_perimeter([x for x, _ in ring], [y for _, y in ring])
    flat = plane(middle_of(*corner))
    assert flat.shape(shapely.Polygon(ring)).area == pytest.approx(abs(area), rel=2e-6)


def test_a_blind_polygon_is_geojson_that_reads_back():
    ((extent,), _) = measure([Site("s", polygon=square(50))], fields([camera("c", 0, 0, 0, 90, 30)]))
    told = geojson.feature(extent.blind, {"site": "s"})
    read = geojson.read(json.dumps(told["geometry"]))
    assert read.equals_exact(extent.blind.normalize(), 1e-7) or read.symmetric_difference(extent.blind).area < 1e-12
    assert shapely.is_ccw(read.exterior)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{", "not_json"),
        ('{"type": "Point", "coordinates": [1, 2]}', "kind"),
        ('{"type": "Polygon", "coordinates": []}', "empty"),
        ('{"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0]]]}', "ring"),
        ('{"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]}', "ring"),
        ('{"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}', "crossing"),
        ('{"type": "Polygon", "coordinates": [[[0, 0], [190, 0], [1, 1], [0, 0]]]}', "position"),
        ('{"type": "Polygon", "coordinates": 7}', "kind"),
    ],
)
def test_a_shape_that_can_not_be_used_says_why_and_where(text, what):
    with pytest.raises(geojson.BadShape) as raised:
        geojson.read(text)
    assert raised.value.what == what
    if what == "crossing":
        assert raised.value.where == "0.5 0.5"


def test_the_network_is_never_asked_for_grids():
    assert not pyproj.network.is_network_enabled()

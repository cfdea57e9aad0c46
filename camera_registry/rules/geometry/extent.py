"""This file measures how much of each site lies in the fields of view of cameras: areas, and lengths of roads.

    geometric coverage = area of the site inside the union of the fields of view / area of the site

A site is a polygon, or a line where it is a road; then lengths stand for areas. What is blind is told as a shape.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from camera_registry.model.coverage import Uncomputable
from camera_registry.model.device import Device
from camera_registry.model.place import Building, Site
from camera_registry.rules.geometry import geojson
from camera_registry.rules.geometry.projection import Floats, Plane, middle_of, plane
from camera_registry.rules.geometry.sectors import View, missing, visible
from camera_registry.rules.progress import Tick, untold

ON_THE_WALL = 2.0
"""Metres: a camera that stands so little inside a building hangs on its wall, and is put there."""
_OFF_THE_WALL = 0.05
_METRES_A_DEGREE = 110_000
"""Of latitude, at the least: to look a little too far costs nothing."""
_SLIVER = 1e-3
"""Square metres or metres below which what is blind is a matter of rounding."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of one site is seen. ``size`` is m2, or m of a road (``road``); ``once`` and ``twice`` are the shares
    seen by at least one and by at least two devices; ``blind`` the rest as a shape in degrees, None: nothing.

    ``devices`` are those that see some of it.
    """

    site: str
    road: bool
    size: float
    once: float
    twice: float
    blind: Any | None
    devices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A site or device that is not in the figures, and why. ``flaw`` is a key, as in ``geojson.BadShape``."""

    id: str
    flaw: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Fields:
    """Fields of view by device, as shapes in degrees, and those that can't be computed."""

    shapes: Mapping[str, Any]
    missing: Mapping[str, Uncomputable]


def fields(devices: Iterable[Device], buildings: Sequence[Any] = (), tick: Tick = untold) -> Fields:
    """The field of view of each device. ``buildings`` are polygons in degrees; ``tick`` is told of each device."""
    shapes: dict[str, Any] = {}
    absent: dict[str, Uncomputable] = {}
    by_plane: dict[tuple[float, float], list[Device]] = {}
    for device in devices:
        why = missing(device)
        if why is not None:
            absent[device.id] = why
            tick()
        elif device.longitude is not None and device.latitude is not None:
            by_plane.setdefault(middle_of(device.longitude, device.latitude), []).append(device)
    tree = shapely.STRtree(list(buildings))
    for middle, group in by_plane.items():
        flat = plane(middle)
        drawn = _draw(flat, group, tree, buildings, absent, tick)
        shapes |= zip(drawn, shapely.transform(np.array(list(drawn.values()), dtype=object), _back(flat)), strict=True)
    return Fields(shapes, absent)


def shapes(buildings: Iterable[Building]) -> list[Any]:
    """The ground of each building, in degrees. Imports let no flawed one pass; one that slipped in hides nothing."""
    found = []
    for building in buildings:
        try:
            found.append(geojson.read(building.polygon, geojson.AREAS))
        except geojson.BadShape:
            continue
    return found


def near(site: Site, devices: Iterable[Device], own: Collection[str]) -> list[Device]:
    """The devices whose field of view may touch a site, whatever their azimuth, and its ``own``."""
    west, south, east, north = 1.0, 1.0, -1.0, -1.0
    try:
        if site.polygon:
            west, south, east, north = shapely.bounds(geojson.read(site.polygon))
    except geojson.BadShape:
        pass
    found = []
    for device in devices:
        longitude, latitude = device.longitude, device.latitude
        reaches = False
        if longitude is not None and latitude is not None:
            high = (device.view_range or 0.0) / _METRES_A_DEGREE
            wide = high / max(0.01, math.cos(math.radians(latitude)))
            reaches = west - wide <= longitude <= east + wide and south - high <= latitude <= north + high
        if reaches or device.id in own:
            found.append(device)
    return found


def measure(sites: Iterable[Site], seen: Fields, tick: Tick = untold) -> tuple[list[Extent], list[Unmeasured]]:
    """How much of each site is seen, and the sites that can't be measured; ``tick`` is told of each site."""
    found: list[Extent] = []
    left: list[Unmeasured] = []
    ids = list(seen.shapes)
    shapes = np.array(list(seen.shapes.values()), dtype=object)
    tree = shapely.STRtree(shapes)
    for site in sites:
        tick()
        if not site.polygon:
            left.append(Unmeasured(site.id, "no_polygon"))
            continue
        try:
            place = geojson.read(site.polygon)
        except geojson.BadShape as bad:
            left.append(Unmeasured(site.id, bad.what, bad.where))
            continue
        near = tree.query(place, predicate="intersects")
        near.sort()
        flat = plane(middle_of(*shapely.get_coordinates(place.centroid)[0]))
        found.append(_measure(site, place, flat, [ids[one] for one in near], [shapes[one] for one in near]))
    return found, left


def _draw(
    flat: Plane,
    devices: Sequence[Device],
    tree: Any,
    buildings: Sequence[Any],
    absent: dict[str, Uncomputable],
    tick: Tick,
) -> dict[str, Any]:
    positions = np.array([(device.longitude, device.latitude) for device in devices], dtype=np.float64)
    points, norths = flat.points(positions), flat.north(positions)
    drawn = {}
    for device, position, point, north in zip(devices, positions, points, norths, strict=True):
        tick()
        near = _near(flat, tree, buildings, position, device.view_range or 0.0)
        standing = _off_the_wall(point, near)
        if standing is None:
            absent[device.id] = Uncomputable.INSIDE_BUILDING
            continue
        azimuth, angle = math.radians(device.azimuth or 0.0), math.radians(device.view_angle or 0.0)
        view = View((standing[0], standing[1]), azimuth + float(north), angle, device.view_range or 0.0)
        drawn[device.id] = visible(view, near)
    return drawn


def _near(flat: Plane, tree: Any, buildings: Sequence[Any], position: Floats, reach: float) -> list[Any]:
    """The buildings that may lie in reach, in metres."""
    if not len(tree):
        return []
    longitude, latitude = position
    high = (reach + 10) / _METRES_A_DEGREE
    wide = high / max(0.01, math.cos(math.radians(latitude)))
    box = shapely.box(longitude - wide, latitude - high, longitude + wide, latitude + high)
    return [flat.shape(buildings[one]) for one in sorted(tree.query(box))]


def _off_the_wall(point: Floats, near: Sequence[Any]) -> Floats | None:
    """Where a camera stands: just before the wall that it hangs on; None: deep inside a building."""
    spot = shapely.points(point)
    for building in near:
        if not building.intersects(spot):
            continue
        wall = shapely.boundary(building)
        if spot.distance(wall) > ON_THE_WALL:
            return None
        along = wall.project(spot)
        on_wall = shapely.get_coordinates(wall.interpolate(along))[0]
        # Straight out of the wall: the side of it that the building does not hold.
        ahead = shapely.get_coordinates(wall.interpolate(along + 0.01))[0] - on_wall
        out = np.array([ahead[1], -ahead[0]]) / max(1e-12, float(np.linalg.norm(ahead))) * _OFF_THE_WALL
        inward = building.intersects(shapely.points(on_wall + out))
        standing: Floats = on_wall - out if inward else on_wall + out
        return standing
    return point


def _measure(site: Site, place: Any, flat: Plane, ids: Sequence[str], shapes: Sequence[Any]) -> Extent:
    place = flat.shape(place)
    road = place.geom_type in geojson.LINES
    size_of = shapely.length if road else shapely.area
    once = twice = _only(shapely.GeometryCollection(), road=road)
    devices = []
    for id, shape in zip(ids, shapes, strict=True):
        part = _only(shapely.intersection(place, flat.shape(shape)), road=road)
        if size_of(part) < _SLIVER:
            continue
        devices.append(id)
        twice = shapely.union(twice, _only(shapely.intersection(once, part), road=road))
        once = shapely.union(once, part)
    size = float(size_of(place))
    blind = shapely.difference(place, once)
    parts = [part for part in shapely.get_parts(blind) if size_of(part) >= _SLIVER]
    merged = shapely.union_all(parts) if parts else None
    return Extent(
        site.id,
        road,
        size,
        float(size_of(once)) / size,
        float(size_of(twice)) / size,
        None if merged is None else flat.back(merged),
        tuple(devices),
    )


def _only(shape: Any, *, road: bool) -> Any:
    """A shape without the lines and points where others only touch: mixed shapes can't be laid over each other."""
    wanted = "LineString" if road else "Polygon"
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == wanted and not part.is_empty]
    return shapely.MultiLineString(parts) if road else shapely.MultiPolygon(parts)


def _back(flat: Plane) -> Any:
    return lambda points: shapely.get_coordinates(flat.back(shapely.multipoints(points)))

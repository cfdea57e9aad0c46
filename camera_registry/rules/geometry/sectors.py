"""This file draws the field of view of a camera: a sector about its azimuth, as far as it sees, without what buildings
hide."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from camera_registry.model.coverage import Uncomputable
from camera_registry.model.device import Device, Kind
from camera_registry.rules.geometry.projection import Floats

_STEP = math.radians(2)
"""The most that one side of a drawn arc spans."""


@dataclass(frozen=True, slots=True)
class View:
    """What a field of view is drawn from: position in metres, direction in radians clockwise from the plane's north,
    whole angle in radians, range in metres."""

    position: tuple[float, float]
    direction: float
    angle: float
    range: float


def missing(device: Device) -> Uncomputable | None:
    """Why no field of view can be drawn of a device; None: one can. Who sees all around needs no azimuth."""
    if device.kind is Kind.MOBILE_UNIT:
        return Uncomputable.MOBILE
    if device.longitude is None or device.latitude is None:
        return Uncomputable.NO_POSITION
    if not device.view_angle:
        return Uncomputable.NO_ANGLE
    if device.azimuth is None and device.view_angle < 360:
        return Uncomputable.NO_AZIMUTH
    return None if device.view_range else Uncomputable.NO_RANGE


def sector(view: View) -> Any:
    """The field of view in the open, as a polygon whose area is the sector's own, angle x range^2 / 2.

    A chord's triangle is smaller than its slice by sin(step) / step, so corners stand further out by the root of the
    inverse: the drawn edge is within range x step^2 / 12 of the arc (1 cm at 90 m).
    """
    count = max(2, math.ceil(view.angle / _STEP))
    step = view.angle / count
    radius = view.range * math.sqrt(step / math.sin(step))
    turns: Floats = view.direction - view.angle / 2 + step * np.arange(count + 1, dtype=np.float64)
    corners = _around(view.position, turns, radius)
    if view.angle >= 2 * math.pi - 1e-9:
        return shapely.polygons(np.vstack([corners[:-1], corners[:1]]))
    middle = np.array([view.position])
    return shapely.polygons(np.vstack([middle, corners, middle]))


def visible(view: View, buildings: Sequence[Any]) -> Any:
    """The field of view without what ``buildings`` (polygons in metres, the position in none of them) hide.

    Each wall throws a shadow: the wall itself and the rays behind it. What lies in no shadow is seen; a building's own
    ground lies in the shadow of the walls that face the camera. Buildings hide whatever their height.
    """
    seen = sector(view)
    near = [building for building in buildings if building.intersects(seen)]
    if not near:
        return seen
    shadows = [shadow for building in near for shadow in _shadows(view, building)]
    left = shapely.difference(seen, shapely.union_all(shadows))
    return _areas(left)


def _shadows(view: View, building: Any) -> list[Any]:
    """What the walls of a building hide from a position, as far as the view goes."""
    eye = np.array(view.position)
    found = []
    for ring in shapely.get_rings(building):
        corners = shapely.get_coordinates(ring)
        for one, other in itertools.pairwise(corners):
            found += [_shadow(eye, a, b, view.range) for a, b in _narrow(eye, one, other)]
    return [shadow for shadow in found if shadow is not None]


def _narrow(eye: Floats, one: Floats, other: Floats) -> list[tuple[Floats, Floats]]:
    """A wall in pieces that span a quarter turn at most, so that four corners make a shadow."""
    across = _cross(one - eye, other - eye)
    spans = abs(math.atan2(across, float(np.dot(one - eye, other - eye))))
    if spans <= math.pi / 2:
        return [(one, other)]
    # The foot of the perpendicular parts a wall of up to a half turn into two of up to a quarter.
    along = other - one
    foot = one + along * float(np.dot(eye - one, along)) / float(np.dot(along, along))
    return [(one, foot), (foot, other)]


def _shadow(eye: Floats, one: Floats, other: Floats, reach: float) -> Any | None:
    """The quadrangle behind a wall that spans a quarter turn at most: its far side lies beyond ``reach``."""
    near = min(float(np.linalg.norm(one - eye)), float(np.linalg.norm(other - eye)))
    if abs(_cross(one - eye, other - eye)) < 1e-9 or near < 1e-6:
        return None  # seen edge on, it hides nothing
    # The middle of the far side is nearer than its ends: by the cosine of half of a quarter turn.
    far = max(2 * reach, near) * 1.5
    ends = [eye + (corner - eye) * max(1.0, far / float(np.linalg.norm(corner - eye))) for corner in (one, other)]
    return shapely.polygons(np.array([one, ends[0], ends[1], other, one]))


def _around(middle: tuple[float, float], turns: Floats, radius: float) -> Floats:
    """Points about a middle, by clockwise turns from north."""
    return np.column_stack([middle[0] + radius * np.sin(turns), middle[1] + radius * np.cos(turns)])


def _cross(one: Floats, other: Floats) -> float:
    return float(one[0] * other[1] - one[1] * other[0])


def _areas(shape: Any) -> Any:
    """The polygons of a shape, without the lines and points that an overlay may leave."""
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    return shapely.MultiPolygon(parts) if len(parts) != 1 else parts[0]

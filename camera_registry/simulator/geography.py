"""Where things of the invented city stand: blocks, sites and cameras, in WGS-84 degrees and metres."""

from __future__ import annotations

import json
import math

from camera_registry.simulator import places

SITE_CAMERAS = 4
"""Cameras of one key site, one for each of its views."""
METRES_PER_DEGREE = 111_320.0
"""Of latitude; of longitude it is this times the cosine of the latitude."""


def block_middle(block: int) -> tuple[float, float]:
    """The middle of a block: blocks lie on a spiral of squares of 700 m around the city's middle."""
    angle, radius = block * 2.39996, 700.0 * math.sqrt(block + 0.5)  # the golden angle spreads them evenly
    return moved(places.CITY_POSITION, radius * math.cos(angle), radius * math.sin(angle))


def moved(position: tuple[float, float], east: float, north: float) -> tuple[float, float]:
    """The position so many metres further east and north, to about 10 cm."""
    longitude, latitude = position
    scale = METRES_PER_DEGREE * math.cos(math.radians(latitude))
    return round(longitude + east / scale, 6), round(latitude + north / METRES_PER_DEGREE, 6)


def site_middle(middle: tuple[float, float], number: int) -> tuple[float, float]:
    """Sites of a block stand in a row of squares of 150 m, five to a row."""
    return moved(middle, (number % 5 - 2) * 150.0, (number // 5 - 0.5) * 150.0)


def camera_position(middle: tuple[float, float], number: int) -> tuple[float, float]:
    """Each camera of a site stands 35 m behind its middle and looks across it."""
    towards = math.radians(azimuth(number))
    return moved(site_middle(middle, number // SITE_CAMERAS), -35 * math.sin(towards), -35 * math.cos(towards))


def azimuth(number: int) -> float:
    """The four cameras of a site look east, south, west and north, in degrees clockwise from north."""
    return float((90 + 90 * (number % SITE_CAMERAS)) % 360)


def square(middle: tuple[float, float], half: float = 30.0) -> str:
    """A square of twice ``half`` metres as a GeoJSON polygon."""
    corners = [
        moved(middle, east, north) for east, north in ((-half, -half), (half, -half), (half, half), (-half, half))
    ]
    return json.dumps({"type": "Polygon", "coordinates": [[*corners, corners[0]]]}, separators=(",", ":"))

"""This file turns coordinates of Chinese maps into WGS-84: GCJ-02 (Amap, Tencent, most maps) and BD-09 (Baidu).

GCJ-02 shifts WGS-84 by a function that its authors keep secret. What is used here is the formula that was found out by
others and published in many places since 2013 (first known as ``EvilTransform``; described in Wikipedia, "Restrictions
on geographic data in China", section GCJ-02); BD-09 is Baidu's shift of GCJ-02, from the same source. The true function
differs from the formula by up to about 2 m, so a converted position is good to about that.

The way back is solved by iteration until it moves by less than 1e-9 degrees (0.1 mm), so this file adds nothing to that
error. Outside of China neither datum is in use, and positions stay as they are. "China" is the rectangle that the
formula was published with: it holds parts of the neighbours, whose maps are in WGS-84 and must not be converted.
"""

from __future__ import annotations

import json
import math
from enum import StrEnum
from typing import Any

_AXIS = 6_378_245.0
"""Half of the large axis of Krasovsky's ellipsoid (1940), metres."""
_ECCENTRICITY = 0.006_693_421_622_965_943
"""Its eccentricity, squared."""
_BAIDU = math.pi * 3000 / 180
_ENOUGH = 1e-9
_TURNS = 30


class Datum(StrEnum):
    """Which coordinates a file holds."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"


def to_wgs84(longitude: float, latitude: float, datum: Datum) -> tuple[float, float]:
    """A position of a datum in WGS-84, degrees."""
    if datum is Datum.BD09 and _in_china(longitude, latitude):
        longitude, latitude = _bd09_to_gcj02(longitude, latitude)
    if datum is Datum.WGS84 or not _in_china(longitude, latitude):
        return longitude, latitude
    # A fixed point: the shift changes slowly from place to place.
    found = longitude, latitude
    for _ in range(_TURNS):
        shifted = wgs84_to_gcj02(*found)
        off = longitude - shifted[0], latitude - shifted[1]
        found = found[0] + off[0], found[1] + off[1]
        if max(abs(off[0]), abs(off[1])) < _ENOUGH:
            break
    return found


def shape_to_wgs84(geometry: str, datum: Datum) -> str:
    """A GeoJSON geometry, as text, of a datum in WGS-84."""

    def turned(part: list[Any]) -> list[Any]:
        if part and isinstance(part[0], list):
            return [turned(inner) for inner in part]
        return [round(value, 8) for value in to_wgs84(part[0], part[1], datum)]

    shape = json.loads(geometry)
    return json.dumps({**shape, "coordinates": turned(shape["coordinates"])}, separators=(",", ":"))


def wgs84_to_gcj02(longitude: float, latitude: float) -> tuple[float, float]:
    """A WGS-84 position in GCJ-02, degrees."""
    if not _in_china(longitude, latitude):
        return longitude, latitude
    east, north = _shift(longitude - 105.0, latitude - 35.0)
    angle = math.radians(latitude)
    magic = 1 - _ECCENTRICITY * math.sin(angle) ** 2
    north_radius = _AXIS * (1 - _ECCENTRICITY) / (magic * math.sqrt(magic))
    east_radius = _AXIS / math.sqrt(magic) * math.cos(angle)
    return longitude + math.degrees(east / east_radius), latitude + math.degrees(north / north_radius)


def gcj02_to_bd09(longitude: float, latitude: float) -> tuple[float, float]:
    """A GCJ-02 position in BD-09, degrees."""
    radius = math.hypot(longitude, latitude) + 0.00002 * math.sin(latitude * _BAIDU)
    angle = math.atan2(latitude, longitude) + 0.000003 * math.cos(longitude * _BAIDU)
    return radius * math.cos(angle) + 0.0065, radius * math.sin(angle) + 0.006


def _bd09_to_gcj02(longitude: float, latitude: float) -> tuple[float, float]:
    found = longitude - 0.0065, latitude - 0.006
    for _ in range(_TURNS):
        shifted = gcj02_to_bd09(*found)
        off = longitude - shifted[0], latitude - shifted[1]
        found = found[0] + off[0], found[1] + off[1]
        if max(abs(off[0]), abs(off[1])) < _ENOUGH:
            break
    return found


def _shift(x: float, y: float) -> tuple[float, float]:
    """Metres east and north, by degrees from 105 E 35 N."""
    root = math.sqrt(abs(x))
    wave = (20 * math.sin(6 * x * math.pi) + 20 * math.sin(2 * x * math.pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + wave
    north += (20 * math.sin(y * math.pi) + 40 * math.sin(y / 3 * math.pi)) * 2 / 3
    north += (160 * math.sin(y / 12 * math.pi) + 320 * math.sin(y * math.pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + wave
    east += (20 * math.sin(x * math.pi) + 40 * math.sin(x / 3 * math.pi)) * 2 / 3
    east += (150 * math.sin(x / 12 * math.pi) + 300 * math.sin(x / 30 * math.pi)) * 2 / 3
    return east, north


def _in_china(longitude: float, latitude: float) -> bool:
    return 72.004 <= longitude <= 137.8347 and 0.8293 <= latitude <= 55.8271

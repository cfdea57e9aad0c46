"""This file tells how high the sun stands, so that day and night need not be guessed from the clock."""

from __future__ import annotations

import math
from datetime import UTC, datetime

_EPOCH = datetime(2000, 1, 1, 12, tzinfo=UTC)


def elevation(at: datetime, latitude: float, longitude: float) -> float:
    """Degrees of the sun's centre above the horizon, without refraction; ``at`` has a time zone, degrees are WGS-84,
    north and east positive. Good to 0.02 degrees until 2050 (The Astronomical Almanac, section C, low precision)."""
    days = (at - _EPOCH).total_seconds() / 86400
    anomaly = math.radians((357.528 + 0.9856003 * days) % 360)
    mean = (280.460 + 0.9856474 * days) % 360
    ecliptic = math.radians(mean + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly))
    obliquity = math.radians(23.439 - 0.0000004 * days)
    declination = math.asin(math.sin(obliquity) * math.sin(ecliptic))
    ascension = math.atan2(math.cos(obliquity) * math.sin(ecliptic), math.cos(ecliptic))
    # Greenwich mean sidereal time, in degrees.
    sidereal = (280.46061837 + 360.98564736629 * days) % 360
    hour_angle = math.radians(sidereal + longitude) - ascension
    north = math.radians(latitude)
    height = math.sin(north) * math.sin(declination) + math.cos(north) * math.cos(declination) * math.cos(hour_angle)
    return math.degrees(math.asin(max(-1.0, min(1.0, height))))

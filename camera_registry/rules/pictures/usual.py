"""This file tells the light of a picture, and which pictures of a fleet are least like the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import TypeVar

from camera_registry.model.baseline import Regime, Spread
from camera_registry.model.picture import Measures

MONOCHROME = 3.5
"""Mean distance from grey, in units of CIE L*a*b*, below which a picture has no colours (infrared, black and white)."""
HIGH_SUN, LOW_SUN = 6.0, -6.0
"""Degrees of the sun's elevation: above the first it is day, below the other (civil twilight) night."""
_DAY, _NIGHT = (8, 17), (20, 5)
"""Hours of day and night at any season, where the sun's place is not known."""
_BRIGHT, _DIM = 90.0, 60.0
"""Mean level from which on it is day, and below which it is night, where not even the hour is known."""

K = TypeVar("K")

_TO_DEVIATION = 1.4826
_LEAST_SHARE = 0.04
"""A deviation is never taken for smaller than this share of the median, plus the measure's own grain below: a few
pictures of one morning are more alike than those of a month."""
_LEAST: Mapping[str, float] = {
    "mean": 6.0,
    "deviation": 2.0,
    "clipped": 0.01,
    "dark_channel": 4.0,
    "noise": 0.25,
    "grain": 0.25,
    "edge_width": 0.05,
    "edge_width_worst": 0.08,
    "reblur": 0.02,
    "edge_tiles": 0.04,
    "edge_strength": 8.0,
    "a": 1.5,
    "b": 1.5,
    "colourfulness": 1.5,
    "wave_prominence": 0.5,
    "empty": 0.05,
}
"""What is learned, and the least deviation of each that is believed."""
FEWEST = 3
"""Pictures from which on something is usual."""


def regime(look: Measures, hour: float | None = None, sun: float | None = None) -> Regime:
    """The regime of a picture by its measures, the sun's elevation in degrees, or else the local ``hour`` (0 to 24)."""
    if look["colourfulness"] < MONOCHROME:
        return Regime.INFRARED
    if sun is None and hour is None:
        day, night = look["mean"] >= _BRIGHT, look["mean"] < _DIM
        return Regime.DAY if day else Regime.NIGHT if night else Regime.DUSK
    return {True: Regime.DAY, False: Regime.NIGHT, None: Regime.DUSK}[by_day(hour, sun)]


def by_day(hour: float | None, sun: float | None) -> bool | None:
    """Whether it is day, by the sun's elevation in degrees, or else the local hour; False by night, None between."""
    if sun is not None:
        day, night = sun >= HIGH_SUN, sun < LOW_SUN
    else:
        assert hour is not None
        day, night = _DAY[0] <= hour < _DAY[1], hour >= _NIGHT[0] or hour < _NIGHT[1]
    return True if day else False if night else None


def learned(look: Measures) -> dict[str, float]:
    """What is learned of a picture, and nothing else."""
    return {name: round(look[name], 4) for name in _LEAST if name in look}


def outliers(fleet: Mapping[K, Measures], most: int = 50) -> list[tuple[K, str, float]]:
    """Of the first pictures of many cameras, those that are least like the rest: (camera, measure, deviations), the
    strangest first. For the sheet that a person looks at before the others are accepted in bulk."""
    looks = list(fleet.values())
    if len(looks) < FEWEST:
        return []
    values = {name: [look[name] for look in looks if name in look] for name in _LEAST}
    spreads = {name: _spread(known, _LEAST[name]) for name, known in values.items() if len(known) >= FEWEST}
    found = []
    for camera, look in fleet.items():
        # Not everything is measured of a view that is seen again.
        told = ((name, (look[name] - one.middle) / one.deviation) for name, one in spreads.items() if name in look)
        name, away = max(told, key=lambda one: abs(one[1]))
        found.append((camera, name, away))
    return sorted(found, key=lambda one: -abs(one[2]))[:most]


def _spread(values: Sequence[float], least: float) -> Spread:
    middle = median(values)
    deviation = _TO_DEVIATION * median(abs(value - middle) for value in values)
    return Spread(middle, max(deviation, least, _LEAST_SHARE * abs(middle)))

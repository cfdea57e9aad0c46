"""This file finds what creeps: dirt that takes weeks to dull a lens, which no picture shows against yesterday's.

Weather is told from dirt by four things. Fog, rain and snow take contrast away on some days, dirt on all: days that
are much less clear than others near them are left out, and of the rest the clear ones count. Snow that lies, a new wall
or another setting of the camera come in one step, dirt creeps. Leaves that fall and works that go on take texture away,
behind a film all of it is still there, only fainter. And the light of seasons changes less than ``LensPolicy.fall``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import combinations
from statistics import median
from typing import Protocol

from camera_registry.model.trend import Drift, LensPolicy, Trend

WINDOW = 42
"""Days that a trend is told of."""
FEWEST = 14
"""Days with a value among them, from which on a trend is told from chance."""
FIRST = 10
"""Days with a value after accepting or cleaning that say what is usual."""
LATE = 14
"""Days with a value, the newest, that say how it is now."""
_CLEAR = 0.8
"""Share of days that are less clear than the clear ones."""
_SURE = 0.999
_FAIR, _NEAR = 0.88, 5
"""Share of the contrast of the clearest day within so many days, below which a day had weather."""
_STILL_THERE = 0.9
"""Share of the small tiles that have kept their texture: of what has lost more, something has changed."""
_LEAST_PART = 5
"""Days before and after a step."""
_GOES_ON = 0.999
"""Confidence from which on what follows a step goes on creeping."""
_OF_THE_LOSS = 0.25
"""Share of all that was lost, which has crept away within the window: a wall that stands there is no dirt because the
winter comes."""
_FORESEEN = 365


class Day(Protocol):
    """What is looked at of a ``PictureDay``."""

    @property
    def day(self) -> date: ...

    @property
    def contrast(self) -> float: ...

    @property
    def clear(self) -> float: ...


def clear(values: Sequence[float]) -> float:
    """What days are like that are clearer than four in five: a week of fog in ten days leaves it as it is."""
    ordered = sorted(values)
    place = _CLEAR * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def trend(points: Sequence[tuple[date, float]]) -> Trend | None:
    """The trend of daily values, oldest first; None for fewer than ``FEWEST``.

    Slope: the median of the slopes of all pairs (Theil, Indagationes Mathematicae 12, 1950; Sen, JASA 63, 1968), which
    29 % of foul values do not bend. Certainty: Mann's test of rank correlation with time (Econometrica 13, 1945), with
    Kendall's correction for ties. A step is two medians (Taylor's change point, by least absolute deviations).
    """
    if len(points) < FEWEST:
        return None
    begin = points[0][0]
    at = [float((day - begin).days) for day, _ in points]
    values = [value for _, value in points]
    slope = median((values[b] - values[a]) / (at[b] - at[a]) for a, b in combinations(range(len(points)), 2))
    return Trend(slope, abs(_rises(values)), stepped=_is_a_step(at, values, slope))


def drift(days: Sequence[Day], usual: float | None, policy: LensPolicy, *, was_dirty: bool = False) -> Drift | None:
    """How contrast has changed from what was ``usual``; ``days`` are those since then, oldest first.

    None: there are too few days yet. ``was_dirty``: it was, the last time it was asked. It is until half of what makes
    a lens dirty is back: dirt that no longer grows is dirt.
    """
    if usual is None or usual <= 0 or not days:
        return None
    newest = days[-1].day
    window = _fair([one for one in days if (newest - one.day).days < WINDOW])
    found = trend([(one.day, one.contrast) for one in window])
    if found is None or median(one.clear for one in window[-LATE:]) < _STILL_THERE:
        return None
    creeps = found.a_day < 0 and found.sure >= _SURE and not found.stepped
    # What creeps has gone on since the clear days of late: they are told by what they would be now.
    since = found.a_day if creeps else 0.0
    late = [one.contrast + since * (newest - one.day).days for one in window[-LATE:]]
    level, a_day = clear(late) / usual, found.a_day / usual
    creeps = creeps and -a_day * WINDOW >= _OF_THE_LOSS * (1 - level)
    dirty = (creeps and level <= 1 - policy.fall) or (was_dirty and level <= 1 - policy.fall / 2)
    due = None
    if creeps:
        left = max(0.0, level - policy.limit) / -a_day
        due = newest + timedelta(days=math.ceil(left)) if left <= _FORESEEN else None
    return Drift(level, a_day, found.sure, dirty, due)


def _fair(days: Sequence[Day]) -> list[Day]:
    """The days without weather: none much clearer lies near them."""
    near = ([other.contrast for other in days if abs((other.day - one.day).days) <= _NEAR] for one in days)
    return [one for one, values in zip(days, near, strict=True) if one.contrast >= _FAIR * max(values)]


def _rises(values: Sequence[float]) -> float:
    """Mann's confidence that values rise from the first to the last; below 0: that they fall."""
    rising = sum((b > a) - (b < a) for a, b in combinations(values, 2))
    count = len(values)
    ties = Counter(values).values()
    variance = (count * (count - 1) * (2 * count + 5) - sum(n * (n - 1) * (2 * n + 5) for n in ties)) / 18
    away = max(0, abs(rising) - 1) / math.sqrt(variance) if variance else 0.0
    return math.copysign(math.erf(away / math.sqrt(2)), rising)


def _is_a_step(at: Sequence[float], values: Sequence[float], slope: float) -> bool:
    """Whether two levels say it better than a line does, and the later one does not go on in the same way."""
    off, place = _off_a_step(values)
    goes_on = math.copysign(1, slope) * _rises(values[place:])
    return off < _off_a_line(at, values, slope) and goes_on < _GOES_ON


def _off_a_line(at: Sequence[float], values: Sequence[float], slope: float) -> float:
    rest = [value - slope * day for day, value in zip(at, values, strict=True)]
    middle = median(rest)
    return sum(abs(one - middle) for one in rest)


def _off_a_step(values: Sequence[float]) -> tuple[float, int]:
    """How far values are from two levels, one after the other, where that fits best, and where the later one begins."""
    places = range(_LEAST_PART, len(values) - _LEAST_PART + 1)
    return min((_spread(values[:place]) + _spread(values[place:]), place) for place in places)


def _spread(values: Sequence[float]) -> float:
    middle = median(values)
    return sum(abs(value - middle) for value in values)

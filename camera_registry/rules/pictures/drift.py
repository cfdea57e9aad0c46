"""This file finds what creeps: dirt that takes weeks to dull a lens, which no picture shows against yesterday's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from itertools import combinations
from statistics import median

from camera_registry.model.baseline import Drift

_WEEK, _DAY = 7 * 86400.0, 86400.0
FEWEST = 6
"""Values from which on a trend is told from chance."""
MOST = 120
"""Values that are looked at: the newest. A daily median needs four months to fill them."""


def drift(series: Sequence[tuple[datetime, float]]) -> Drift | None:
    """The trend of a measure, oldest value first; None for fewer than six values.

    Slope: the median of the slopes of all pairs (Theil 1950, Sen, JASA 63, 1968), which a third of foul values does
    not bend. Its certainty: Mann's test of rank correlation with time (Mann, Econometrica 13, 1945), without ties.
    """
    told = series[-MOST:]
    if len(told) < FEWEST:
        return None
    begin = told[0][0]
    points = [((at - begin).total_seconds() / _WEEK, value) for at, value in told]
    pairs = [(a, b) for a, b in combinations(points, 2) if b[0] > a[0]]
    if not pairs:
        return None
    slope = median((b[1] - a[1]) / (b[0] - a[0]) for a, b in pairs)
    rising = sum((b[1] > a[1]) - (b[1] < a[1]) for a, b in pairs)
    count = len(points)
    variance = count * (count - 1) * (2 * count + 5) / 18
    away = max(0, abs(rising) - 1) / math.sqrt(variance)
    return Drift(slope, math.erf(away / math.sqrt(2)), (told[-1][0] - begin).total_seconds() / _DAY)

"""What is usual for a camera: the light it looks at, its measures in that light, how long a fault must be seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from camera_registry.model.health import Cause


class Regime(StrEnum):
    """The kinds of light in which a camera's pictures are alike. Infrared is without colours, at whatever hour."""

    DAY = "day"
    DUSK = "dusk"
    NIGHT = "night"
    INFRARED = "infrared"


@dataclass(frozen=True, slots=True)
class Spread:
    """Robust statistics of one measure: its median, and 1.4826 times the median distance from it (for a normal
    distribution, the standard deviation)."""

    middle: float
    deviation: float


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual for one camera in one regime, learned from ``pictures`` accepted ones."""

    regime: Regime
    pictures: int
    spreads: Mapping[str, Spread]


@dataclass(frozen=True, slots=True)
class Persistence:
    """How long a cause must be seen before it is believed: in ``pictures`` of the last ``of`` in which it was checked,
    the first and last of those at least ``seconds`` apart. It is over when ``recoveries`` in a row are free of it.

    The time is what matters: a false alarm is of the scene, and looking again at once finds it again.
    """

    pictures: int = 3
    of: int = 4
    seconds: float = 1800.0
    recoveries: int = 2


@dataclass(frozen=True, slots=True)
class Look:
    """What one picture said, without its measures. ``checked`` are the causes that it could tell about."""

    at: datetime
    faults: frozenset[Cause]
    checked: frozenset[Cause]


@dataclass(frozen=True, slots=True)
class Drift:
    """How a measure has changed over weeks. ``a_week`` is in the measure's own unit; ``sure`` is 0 to 1: the
    confidence (1 - p) that there is a trend at all."""

    a_week: float
    sure: float
    days: float

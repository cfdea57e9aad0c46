"""Areas of a city: the cameras of one have their weather in common, and nothing else."""

from __future__ import annotations

import zlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from camera_registry.rules.pictures.sun import elevation

BEGIN = datetime(2026, 3, 2)  # noqa: DTZ001 - a camera's local time has no zone
DAYS = 30
AREA = 30
"""Cameras of one area: an area of a city of 11,000 has some hundreds, so that what most of them show is told better
there than here."""
SKY: dict[str, tuple[float, float]] = {"dim": (0.7, 3), "bright": (0.5, 2)}
AIR: dict[str, tuple[float, float]] = {
    "rain": (0.2, 3),
    "wet_rain": (0.15, 5),
    "snow": (0.08, 4),
    "haze": (0.15, 8),
    "morning_fog": (0.12, 4),
    "flare_glare": (0.15, 0.4),
}
GROUND: dict[str, tuple[float, float]] = {"snow_cover": (0.04, 72)}
"""What clouds do to the light of a day, what is in the air, and what lies on the ground: spells a day, and hours that
one lasts on average."""
_CLEAR = 0.6
"""Share of days on which the sun shines."""
LASTS, _WHOLE, UNSEEN = timedelta(minutes=45), timedelta(hours=8), timedelta(hours=13)
"""How long a spell must last for anything to be believed by it; what goes through day and night; and the most time
between two looks."""
_BY_NOON, _FAR_OUT = (108, 124), 0.3
"""Degrees east where clocks go by the sun, and the share of areas that may lie farther east or west."""
_EARLIER = timedelta(minutes=10)
"""Deviation of when weather comes to one camera and to another."""
MOST = 0.75
"""Share of a spell, at which all that needs time has had some."""
_ZONE = timedelta(hours=8)
"""One time zone for a country that is five wide."""


@dataclass(frozen=True)
class Spell:
    """A condition that lasts. Its seed is its own: the same lorry, the same snow, in each picture."""

    kind: str
    begin: datetime
    end: datetime
    seed: int

    @property
    def lasts(self) -> timedelta:
        return self.end - self.begin


def spells(kinds: Mapping[str, tuple[float, float]], days: int, random: np.random.Generator) -> Iterator[Spell]:
    """As many of each kind as come in so many days, at any hour."""
    for kind, (a_day, hours) in kinds.items():
        for _ in range(random.poisson(a_day * days)):
            begin = BEGIN + timedelta(days=random.uniform(0, days))
            lasts = timedelta(hours=float(random.exponential(hours)))
            yield Spell(kind, begin, begin + lasts, int(random.integers(0, 2**31)))


def within(shown: Iterable[Spell], known: Sequence[datetime] = ()) -> list[datetime]:
    """As few times as there may be, beside those that are ``known``, of which one at least is well within each spell;
    and another at the end of one that goes through day and night."""
    parts = []
    for one in shown:
        parts.append((one.begin + MOST * one.lasts, one.begin + 0.25 * one.lasts))
        if one.lasts > _WHOLE:
            parts.append((one.begin + 0.97 * one.lasts, one.begin + 0.9 * one.lasts))
    times = sorted(known)
    for latest, first in sorted(parts):
        after = bisect_left(times, first)
        if after == len(times) or times[after] > latest:
            times.insert(after, latest)
    return times


class Area:
    """A part of a city: where it lies, its weather, and when all of its cameras are looked at."""

    def __init__(self, name: str, days: int = DAYS) -> None:
        random = np.random.default_rng(zlib.crc32(b"area" + name.encode()))
        self.name = name
        self._north = random.uniform(20, 46)
        self._east = random.uniform(76, 132) if random.random() < _FAR_OUT else random.uniform(*_BY_NOON)
        self.clear = random.random(days + 5) < _CLEAR
        self._begins = timedelta(hours=float(random.uniform(0, 10)))
        self.weather = tuple(spells({**SKY, **AIR, **GROUND}, days, random))

    @property
    def by_noon(self) -> bool:
        """Whether clocks there show about noon at noon, so that one need not know where a camera stands."""
        return _BY_NOON[0] <= self._east <= _BY_NOON[1]

    def sun(self, at: datetime) -> float:
        """Its elevation there, in degrees."""
        return elevation((at - _ZONE).replace(tzinfo=UTC), self._north, self._east)

    def looks(self, days: int = DAYS) -> list[datetime]:
        """Times well within all of its weather that lasts, and so many between them that hardly a night goes by."""
        end = BEGIN + timedelta(days=days)
        shown = (one for one in self.weather if one.kind not in SKY or self.sun(one.begin + MOST * one.lasts) > 0)
        times = within(one for one in shown if one.lasts >= LASTS and one.end < end)
        before = BEGIN + self._begins
        looks = [before]
        for at in [*times, end]:
            while at - before > UNSEEN:
                before += UNSEEN
                looks.append(before)
            if at < end:
                before = max(before, at)
                looks.append(at)
        return sorted(looks)

    def over(self, random: np.random.Generator) -> Iterator[Spell]:
        """The weather over one of its cameras: some minutes earlier or later than over others, and by its seed as
        thick or as deep as it happens to be there."""
        for one in self.weather:
            early, late = (_EARLIER * float(sigma) for sigma in random.normal(0, 1, 2))
            begin = one.begin + early
            yield Spell(one.kind, begin, max(begin, one.end + late), int(random.integers(0, 2**31)))

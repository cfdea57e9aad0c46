"""This file tells weather by how many cameras of an area show the same at once: a foul lens is one camera's own.

What weather makes is pooled over its causes (``WeatherPolicy.causes``): the same snow covers one view and dirties the
next. By day and by night it is told apart, as doubts are; pictures at dusk say nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush, heapreplace

from camera_registry.model.observation import Facts
from camera_registry.model.policy import WeatherPolicy
from camera_registry.model.roster import Run
from camera_registry.rules.places import way_up

FACT = "weather"
"""The fact that holds the weather above a camera at its newest picture: a start of the service goes on from there."""
EVERYWHERE = ""
"""The area of all cameras, above every tree."""

_MOST = 0.5
"""Share of an area's cameras that must have been judged in a light to tell of it."""
_STEP = timedelta(minutes=15)
"""How exactly it is told when weather was last shown: what each picture changed would be new facts of all of them."""

Camera = tuple[str, Run]
"""Who took a picture: the device, and the run that fetched it."""


@dataclass(frozen=True, slots=True)
class Spell:
    """Weather over an area in one light: ``since`` when so many cameras show it, and when they ``last`` did."""

    area: str
    by_day: bool
    since: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Newest:
    """What a camera's newest picture says of the weather. ``by_day`` as in ``usual.by_day``; ``shows``: something that
    weather makes, and that is not believed to be the camera's own."""

    area: str
    at: datetime
    by_day: bool | None
    shows: bool


@dataclass(frozen=True, slots=True)
class AreaWeather:
    """Weather over an area as people are told of it: ``showing`` of ``judged`` cameras show it in their newest picture,
    by day or by night as it showed last. Nothing that may be it is believed before ``until``; from ``season`` on it has
    lasted for so long that people should look."""

    area: str
    since: datetime
    showing: int
    judged: int
    until: datetime
    season: datetime


@dataclass(slots=True)
class _Count:
    """Of an area's cameras: how many are ``known``, at dusk too; by night and by day, in this order, of how many the
    newest picture was judged and how many show it."""

    known: int = 0
    judged: list[int] = field(default_factory=lambda: [0, 0])
    showing: list[int] = field(default_factory=lambda: [0, 0])


class Weather:
    """The newest pictures of all cameras, counted by area. It belongs to whoever judges them; a picture costs one step
    for each area above its camera."""

    def __init__(self) -> None:
        self._parents: Mapping[str, str] = {}
        self._ways: dict[str, tuple[str, ...]] = {}
        self._newest: dict[Camera, Newest] = {}
        self._counts: dict[str, _Count] = {}
        self._due: list[tuple[datetime, Camera]] = []
        """A heap: each of those cameras once, by a picture of it that is no newer than its newest."""
        self._latest: datetime | None = None
        self._spells: dict[tuple[str, bool], Spell] = {}

    def begin(
        self, parents: Mapping[str, str], newest: Iterable[tuple[Camera, Newest]], spells: Iterable[Spell]
    ) -> None:
        """Count anew: these pictures are all that is known, ``parents`` the area that each area lies in, and of spells
        of one area the latest holds."""
        self._parents, self._ways = parents, {}
        self._newest, self._counts, self._due = dict(newest), {}, []
        self._latest = max((one.at for one in self._newest.values()), default=None)
        self._spells = {}
        for spell in sorted(spells, key=lambda spell: spell.last):
            self._spells[spell.area, spell.by_day] = spell
        for camera, one in self._newest.items():
            self._count(one, 1)
            self._due.append((one.at, camera))
        heapify(self._due)

    def add(self, camera: Camera, newest: Newest, policy: WeatherPolicy) -> None:
        """Take this for the newest picture of a camera."""
        known = self._newest.get(camera)
        self._newest[camera] = newest
        if known is None:
            heappush(self._due, (newest.at, camera))
            self._count(newest, 1)
        elif (known.area, known.by_day, known.shows) != (newest.area, newest.by_day, newest.shows):
            self._count(known, -1)
            self._count(newest, 1)
        self._latest = newest.at if self._latest is None else max(self._latest, newest.at)
        self._forget(self._latest - timedelta(seconds=policy.late))
        self._look(newest, policy)

    def over(self, area: str, by_day: bool | None, at: datetime, policy: WeatherPolicy) -> Spell | None:
        """The weather that a camera of an area has: that of the smallest area above it that has enough cameras. None:
        it has none, or nobody can tell."""
        if by_day is None or not self._spells:
            return None
        for one in self._way(area):
            count = self._counts.get(one)
            if count is not None and count.known >= policy.cameras:
                spell = self._spells.get((one, by_day))
                return spell if spell is not None and _lasts(spell, at, policy) else None
        return None

    def above(self, area: str, at: datetime, policy: WeatherPolicy) -> list[Spell]:
        """The weather that an area and those above it have, by day and by night."""
        keys = ((one, by_day) for one in self._way(area) for by_day in (True, False)) if self._spells else ()
        spells = (self._spells.get(key) for key in keys)
        return [spell for spell in spells if spell is not None and _lasts(spell, at, policy)]

    def everything(self) -> tuple[Spell, ...]:
        """All weather that is known, over or not."""
        return tuple(self._spells.values())

    def told(self, at: datetime, policy: WeatherPolicy) -> list[AreaWeather]:
        """The weather that there is, each in the largest area that has it; the largest number of cameras first."""
        areas = {spell.area for spell in self._spells.values() if _lasts(spell, at, policy)}
        largest = [one for one in areas if areas.isdisjoint(self._way(one)[1:])]
        shown = (self.of(area, at, policy) for area in largest)
        return sorted((one for one in shown if one is not None), key=lambda one: (-one.showing, one.area))

    def of(self, area: str, at: datetime, policy: WeatherPolicy) -> AreaWeather | None:
        """The weather that an area has itself, by day and by night."""
        own = (self._spells.get((area, by_day)) for by_day in (True, False))
        spells = sorted((one for one in own if one and _lasts(one, at, policy)), key=lambda one: one.last)
        if not spells:
            return None
        count, by_day = self._counts.get(area, _Count()), spells[-1].by_day
        since = min(one.since for one in spells)
        return AreaWeather(
            area,
            since,
            count.showing[by_day],
            count.judged[by_day],
            spells[-1].last + timedelta(seconds=policy.clears),
            since + timedelta(seconds=policy.longest),
        )

    def shift(self, step: timedelta) -> None:
        """The clock was set by ``step``: tell all times by the new one."""
        self._newest = {camera: replace(one, at=one.at + step) for camera, one in self._newest.items()}
        self._due = [(at + step, camera) for at, camera in self._due]
        self._latest = self._latest and self._latest + step
        self._spells = {
            key: replace(spell, since=spell.since + step, last=spell.last + step) for key, spell in self._spells.items()
        }

    def _look(self, newest: Newest, policy: WeatherPolicy) -> None:
        """Note the weather that the areas above this picture's camera have by now."""
        if newest.by_day is None or not newest.shows:
            return
        for area in self._way(newest.area):
            count = self._counts[area]
            judged, showing = count.judged[newest.by_day], count.showing[newest.by_day]
            # The first pictures of a morning say little of all.
            if judged < max(policy.cameras, _MOST * count.known) or showing < max(
                policy.showing, policy.share * judged
            ):
                continue
            key = area, newest.by_day
            known = self._spells.get(key)
            if known is None or not _lasts(known, newest.at, policy):
                self._spells[key] = Spell(area, newest.by_day, newest.at, newest.at)
            elif newest.at - known.last >= _STEP:
                self._spells[key] = replace(known, last=newest.at)

    def _forget(self, before: datetime) -> None:
        """Count no camera any more whose newest picture is older than this."""
        while self._due and self._due[0][0] < before:
            camera = self._due[0][1]
            known = self._newest[camera]
            if known.at >= before:
                heapreplace(self._due, (known.at, camera))
                continue
            heappop(self._due)
            self._count(known, -1)
            del self._newest[camera]

    def _count(self, one: Newest, by: int) -> None:
        for area in self._way(one.area):
            count = self._counts.setdefault(area, _Count())
            count.known += by
            if one.by_day is not None:
                count.judged[one.by_day] += by
                count.showing[one.by_day] += by * one.shows

    def _way(self, area: str) -> tuple[str, ...]:
        known = self._ways.get(area)
        if known is None:
            known = self._ways[area] = (*way_up(area, self._parents), EVERYWHERE)
        return known


def as_json(spells: Iterable[Spell]) -> list[list[object]] | None:
    """Spells as they are kept with the facts of a picture; None for none."""
    return [[one.area, one.by_day, one.since.isoformat(), one.last.isoformat()] for one in spells] or None


def kept(facts: Facts) -> list[Spell]:
    """What is kept there."""
    told = facts.get(FACT)
    if not isinstance(told, list):
        return []
    return [
        Spell(area, by_day, datetime.fromisoformat(since), datetime.fromisoformat(last))
        for area, by_day, since, last in told
    ]


def _lasts(spell: Spell, at: datetime, policy: WeatherPolicy) -> bool:
    return (at - spell.last).total_seconds() < policy.clears

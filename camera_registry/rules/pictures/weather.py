"""This file tells weather by how many cameras of an area show the same at once: a foul lens is one camera's own.

What weather makes is pooled over its causes (``WeatherPolicy.causes``): the same snow covers one view and dirties the
next. By day and by night it is told apart, as doubts are; pictures at dusk say nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush, heapreplace

from camera_registry.model.policy import WeatherPolicy
from camera_registry.model.roster import Run
from camera_registry.rules.places import way_up

EVERYWHERE = ""
"""The area of all cameras, above every tree."""

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


@dataclass(slots=True)
class _Count:
    judged: int = 0
    showing: int = 0


class Weather:
    """The newest pictures of all cameras, counted by area. It belongs to whoever judges them; a picture costs one step
    for each area above its camera."""

    def __init__(self) -> None:
        self._parents: Mapping[str, str] = {}
        self._ways: dict[str, tuple[str, ...]] = {}
        self._newest: dict[Camera, Newest] = {}
        self._counts: dict[tuple[str, bool], _Count] = {}
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
        """The weather that a camera of an area has: that of the smallest area above it of which enough cameras were
        judged of late in this light. None: it has none, or nobody can tell."""
        if by_day is None or (told := self._telling(area, by_day, policy)) is None:
            return None
        spell = self._spells.get((told, by_day))
        return spell if spell is not None and _lasts(spell, at, policy) else None

    def counted(self, area: str, by_day: bool) -> tuple[int, int]:
        """How many cameras of an area showed it in their newest picture, and of how many."""
        count = self._counts.get((area, by_day), _Count())
        return count.showing, count.judged

    def spells(self, at: datetime, policy: WeatherPolicy) -> list[Spell]:
        """All the weather there is."""
        return [spell for spell in self._spells.values() if _lasts(spell, at, policy)]

    def shift(self, step: timedelta) -> None:
        """The clock was set by ``step``: tell all times by the new one."""
        self._newest = {camera: replace(one, at=one.at + step) for camera, one in self._newest.items()}
        self._due = [(at + step, camera) for at, camera in self._due]
        self._latest = self._latest and self._latest + step
        self._spells = {
            key: replace(spell, since=spell.since + step, last=spell.last + step) for key, spell in self._spells.items()
        }

    def _telling(self, area: str, by_day: bool, policy: WeatherPolicy) -> str | None:
        for one in self._way(area):
            count = self._counts.get((one, by_day))
            if count is not None and count.judged >= policy.cameras:
                return one
        return None

    def _look(self, newest: Newest, policy: WeatherPolicy) -> None:
        """Note the weather that this picture's area has by now."""
        if newest.by_day is None or (area := self._telling(newest.area, newest.by_day, policy)) is None:
            return
        key = area, newest.by_day
        count, known = self._counts[key], self._spells.get(key)
        if count.showing < max(policy.showing, policy.share * count.judged):
            return
        if known is None or not _lasts(known, newest.at, policy):
            self._spells[key] = Spell(area, newest.by_day, newest.at, newest.at)
        elif newest.at > known.last:
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
        if one.by_day is None:
            return
        for area in self._way(one.area):
            count = self._counts.setdefault((area, one.by_day), _Count())
            count.judged += by
            count.showing += by * one.shows

    def _way(self, area: str) -> tuple[str, ...]:
        known = self._ways.get(area)
        if known is None:
            known = self._ways[area] = (*way_up(area, self._parents), EVERYWHERE)
        return known


def _lasts(spell: Spell, at: datetime, policy: WeatherPolicy) -> bool:
    return (at - spell.last).total_seconds() < policy.clears

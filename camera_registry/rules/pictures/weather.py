"""This file tells weather by how many cameras of an area show the same at once: a foul lens is one camera's own.

What weather makes is pooled over its causes (``WeatherPolicy.causes``): the same snow covers one view and dirties the
next. By day and by night it is counted apart, as doubts are, and what is there by one of them is held to be there by
the other; pictures at dusk say nothing of it. Before so many show it that it is told, a few begin to at about the same
time: that may be weather that comes, and nothing is believed of them until it has come or has not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush, heapreplace
from math import ceil

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
_MOST_OF_ALL = 0.75
"""Share of an area's cameras that have weather, from which on people are told of the area as a whole."""
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


@dataclass(frozen=True, slots=True)
class Coming:
    """What may be weather that comes over an area: cameras of it that ``within`` the last so long ``began`` to show it,
    and when each did. Nothing of it is believed before ``until``, which is later where more begin to."""

    area: str
    began: Mapping[Camera, datetime]
    within: timedelta
    until: datetime


@dataclass(slots=True)
class _Count:
    """Of an area's cameras: how many are ``known``, how many of them were judged ``of_late``, at dusk too; by night and
    by day, in this order, how many of those there are, and how many show it."""

    known: int = 0
    of_late: int = 0
    judged: list[int] = field(default_factory=lambda: [0, 0])
    showing: list[int] = field(default_factory=lambda: [0, 0])
    begun: dict[Camera, datetime] = field(default_factory=dict)
    """When cameras began to show it, the earliest first; of late alone."""

    def enough(self, by_day: bool, policy: WeatherPolicy) -> int:
        """So many that begin are more than chance would have it."""
        return max(policy.together, ceil(policy.share_together * self.judged[by_day]))


class Weather:
    """The newest pictures of all cameras, counted by area. It belongs to whoever judges them; a picture costs one step
    for each area above its camera."""

    def __init__(self) -> None:
        self._parents: Mapping[str, str] = {}
        self._ways: dict[str, tuple[str, ...]] = {}
        self._newest: dict[Camera, Newest] = {}
        self._counts: dict[str, _Count] = {}
        self._due: list[tuple[datetime, Camera]] = []
        """A heap: each camera that was judged of late, by a picture of it that is no newer than its newest."""
        self._late: set[Camera] = set()
        """The others."""
        self._latest: datetime | None = None
        self._spells: dict[tuple[str, bool], Spell] = {}

    def begin(
        self, parents: Mapping[str, str], newest: Iterable[tuple[Camera, Newest]], spells: Iterable[Spell]
    ) -> None:
        """Count anew: these pictures are all that is known, ``parents`` the area that each area lies in, and of spells
        of one area the latest holds."""
        self._parents, self._ways = parents, {}
        self._newest, self._counts, self._late = dict(newest), {}, set()
        self._due = [(one.at, camera) for camera, one in self._newest.items()]
        heapify(self._due)
        self._latest = max((one.at for one in self._newest.values()), default=None)
        self._spells = {}
        for spell in sorted(spells, key=lambda spell: spell.last):
            self._spells[spell.area, spell.by_day] = spell
        for one in self._newest.values():
            self._know(one.area)
            self._count(one, 1)

    def add(self, camera: Camera, newest: Newest, policy: WeatherPolicy) -> None:
        """Take this for the newest picture of a camera, which stands where it stood."""
        known = self._newest.get(camera)
        self._newest[camera] = newest
        if known is None:
            self._know(newest.area)
        if known is None or camera in self._late:
            self._late.discard(camera)
            heappush(self._due, (newest.at, camera))
            self._count(newest, 1)
        elif (known.by_day, known.shows) != (newest.by_day, newest.shows):
            self._count(known, -1)
            self._count(newest, 1)
        if newest.shows and known is not None and not known.shows:
            self._note_begun(camera, newest)
        self._latest = newest.at if self._latest is None else max(self._latest, newest.at)
        self._leave_out(self._latest - timedelta(seconds=policy.late))
        if newest.shows and newest.by_day is not None:
            self._look(newest.area, newest.at, newest.by_day, policy)

    def over(self, area: str, by_day: bool | None, at: datetime, policy: WeatherPolicy) -> Spell | None:
        """The weather that a camera of an area has: that of the smallest area above it that has enough cameras. None:
        it has none, or nobody can tell."""
        if by_day is None:
            return None
        # Snow that lies by day lies in the night too, and it is there in the first pictures of a morning.
        return max(self.around(area, at, policy), key=lambda spell: spell.last, default=None)

    def may_be(self, area: str, by_day: bool | None, at: datetime, policy: WeatherPolicy) -> bool:
        """Whether what a camera of an area shows may be the weather: it is over it, or coming."""
        return self.over(area, by_day, at, policy) is not None or self._comes(area, by_day, at, policy) is not None

    def coming(self, area: str, by_day: bool | None, at: datetime, policy: WeatherPolicy) -> Coming | None:
        """The weather that may come over a camera of an area, for people; None: nothing waits for any."""
        telling = self._comes(area, by_day, at, policy)
        if telling is None or by_day is None or self.over(area, by_day, at, policy) is not None:
            return None
        count, within = self._counts[telling], timedelta(seconds=policy.comes)
        last = sorted(count.begun.values())[-count.enough(by_day, policy)]
        return Coming(telling, dict(count.begun), within, last + within)

    def around(self, area: str, at: datetime, policy: WeatherPolicy) -> list[Spell]:
        """The weather that a camera of an area has by day, and that by night."""
        telling = self._telling(area, policy) if self._spells else None
        return [] if telling is None else self._of(telling, at, policy)

    def of(self, area: str, at: datetime, policy: WeatherPolicy) -> AreaWeather | None:
        """The same for people."""
        spells = self.around(area, at, policy)
        return self._shown(spells[0].area, spells, policy) if spells else None

    def everything(self) -> tuple[Spell, ...]:
        """All weather that is known, over or not."""
        return tuple(self._spells.values())

    def told(self, at: datetime, policy: WeatherPolicy) -> list[AreaWeather]:
        """The weather that there is, in the largest areas of which it is over most cameras; what most of them show
        first."""
        if not any(_lasts(spell, at, policy) for spell in self._spells.values()):
            return []
        under: Counter[str] = Counter()
        spells: dict[str, list[Spell]] = {}
        for area, cameras in Counter(one.area for one in self._newest.values()).items():
            if around := self.around(area, at, policy):
                for above in self._way(area):
                    under[above] += cameras
                    spells.setdefault(above, []).extend(around)
        most = {area for area, cameras in under.items() if cameras >= _MOST_OF_ALL * self._counts[area].known}
        largest = [area for area in most if most.isdisjoint(self._way(area)[1:])]
        found = (self._shown(area, spells[area], policy) for area in largest)
        return sorted(found, key=lambda one: (-one.showing, one.area))

    def shift(self, step: timedelta) -> None:
        """The clock was set by ``step``: tell all times by the new one."""
        self._newest = {camera: replace(one, at=one.at + step) for camera, one in self._newest.items()}
        self._due = [(at + step, camera) for at, camera in self._due]
        for count in self._counts.values():
            count.begun = {camera: at + step for camera, at in count.begun.items()}
        self._latest = self._latest and self._latest + step
        self._spells = {
            key: replace(spell, since=spell.since + step, last=spell.last + step) for key, spell in self._spells.items()
        }

    def _telling(self, area: str, policy: WeatherPolicy) -> str | None:
        for one in self._way(area):
            count = self._counts.get(one)
            if count is not None and count.known >= policy.cameras:
                return one
        return None

    def _note_begun(self, camera: Camera, newest: Newest) -> None:
        for area in self._way(newest.area):
            begun = self._counts[area].begun
            begun.pop(camera, None)
            begun[camera] = newest.at

    def _comes(self, area: str, by_day: bool | None, at: datetime, policy: WeatherPolicy) -> str | None:
        """The area that tells of a camera's weather, if more cameras than chance would have it have begun to show it
        there of late."""
        telling = None if by_day is None else self._telling(area, policy)
        if telling is None or by_day is None:
            return None
        count, earliest = self._counts[telling], at - timedelta(seconds=policy.comes)
        for camera, began in tuple(count.begun.items()):
            if began >= earliest:
                break
            del count.begun[camera]
        return telling if len(count.begun) >= count.enough(by_day, policy) else None

    def _look(self, area: str, at: datetime, by_day: bool, policy: WeatherPolicy) -> None:
        """Note the weather that the cameras of an area have by now."""
        telling = self._telling(area, policy)
        if telling is None:
            return
        count = self._counts[telling]
        judged, showing = count.judged[by_day], count.showing[by_day]
        if showing < policy.showing or showing < policy.share * judged:
            return
        if judged < policy.cameras or judged < _MOST * count.of_late:
            # The first pictures of a morning say little of all.
            return
        known = self._spells.get((telling, by_day))
        if known is None or not _lasts(known, at, policy):
            self._spells[telling, by_day] = Spell(telling, by_day, at, at)
        elif at - known.last >= _STEP:
            self._spells[telling, by_day] = replace(known, last=at)

    def _of(self, area: str, at: datetime, policy: WeatherPolicy) -> list[Spell]:
        """What this area has itself."""
        spells = (self._spells.get((area, by_day)) for by_day in (True, False))
        return [spell for spell in spells if spell is not None and _lasts(spell, at, policy)]

    def _shown(self, area: str, spells: Sequence[Spell], policy: WeatherPolicy) -> AreaWeather:
        """This weather, as that of an area in which it is."""
        newest, since = max(spells, key=lambda one: one.last), min(one.since for one in spells)
        count = self._counts[area]
        return AreaWeather(
            area,
            since,
            count.showing[newest.by_day],
            count.judged[newest.by_day],
            newest.last + timedelta(seconds=policy.clears),
            since + timedelta(seconds=policy.longest),
        )

    def _leave_out(self, before: datetime) -> None:
        """Count no camera any more whose newest picture is older than this."""
        while self._due and self._due[0][0] < before:
            camera = self._due[0][1]
            known = self._newest[camera]
            if known.at >= before:
                heapreplace(self._due, (known.at, camera))
                continue
            heappop(self._due)
            self._late.add(camera)
            self._count(known, -1)

    def _know(self, area: str) -> None:
        for one in self._way(area):
            self._counts.setdefault(one, _Count()).known += 1

    def _count(self, one: Newest, by: int) -> None:
        for area in self._way(one.area):
            count = self._counts[area]
            count.of_late += by
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

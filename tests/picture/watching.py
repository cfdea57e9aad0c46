"""The cameras of an area, watched through a month: what is believed of each, among all of them."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from typing import Any

from camera_registry.model.baseline import Persistence, Trail
from camera_registry.model.health import Cause
from camera_registry.model.picture import JUDGED, Judgement
from camera_registry.model.policy import PicturePolicy
from camera_registry.rules.pictures import held, judge
from camera_registry.rules.pictures.persistence import follow
from camera_registry.rules.pictures.sight import sight
from camera_registry.rules.pictures.usual import by_day
from camera_registry.rules.pictures.watching import shows
from camera_registry.rules.pictures.weather import Newest, Weather
from tests.picture.city import BEGIN, UNSEEN
from tests.picture.measured import Measured
from tests.picture.month import PACE

MISSED = 10
"""Pictures before one that shows something surely for the first time, that are looked at too."""
HOUR = timedelta(hours=1)
RARELY = (UNSEEN + HOUR).total_seconds()
"""Seconds for which a picture counts here, where a camera is looked at rarely while nothing happens."""


@dataclass
class Found:
    """What a month of one camera gave: looks and those with a fault, by condition; incidents by cause, with the time
    they are said to have begun, what was there when they were believed, and how long that took."""

    name: str
    area: str
    pictures: int = 0
    looks: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    incidents: dict[str, str] = field(default_factory=dict)


class Watch:
    """One camera, watched: what its pictures show, in the order of time, and what they are enough to believe.

    It is looked at when its month says so, and as often as pictures come that count while something shows; where
    something begins to show surely, at some pictures before that too.
    """

    def __init__(self, measured: Measured, policy: PicturePolicy) -> None:
        self.believed: dict[Cause, tuple[datetime, datetime]] = {}
        """By cause, since when the first incident is said to be, and when that was said."""
        camera = measured.camera
        self.found = Found(camera.name, camera.area.name)
        self._measured, self._policy = measured, policy
        self._trails: dict[Cause, Trail] = {}
        self._by_weather: frozenset[Cause] = frozenset()
        """What its newest picture may show because of the weather over its area."""
        self._last: Mapping[str, Any] | None = None
        self._before: datetime | None = None
        self._end = BEGIN + timedelta(days=camera.days)
        self._ahead = sorted(set(camera.looks()))

    @property
    def next(self) -> datetime | None:
        """When it is looked at next; None: its month is over."""
        return self._ahead[0] if self._ahead else None

    def look(self, weather: Weather, *, asked: bool) -> Judgement | None:
        """Judge its next picture, among those of all; None: others have to be looked at before. ``asked``: all others
        were."""
        at = self._ahead.pop(0)
        known = self._last
        judgement = self._judged(at)
        self._by_weather = self._held(at, weather)
        begun = any(self._sure(judgement, cause) and cause not in self._trails for cause in JUDGED)
        if begun and self._before is not None and at - self._before > PACE:
            gap = min(MISSED, math.ceil((at - self._before) / PACE) - 1)
            self._ahead = [*(at - n * PACE for n in range(gap, 0, -1)), at, *self._ahead]
            self._before = at - PACE
            return None
        after = self._after(at, judgement)
        if not asked and any(self._is_new(cause, after) for cause in self._policy.weather.causes - self._by_weather):
            self._ahead.insert(0, at)
            self._last = known
            return None
        self._before = at
        self._follow(at, judgement, after, weather)
        soon = min(
            (at + PACE * max(1, math.ceil(pause / PACE.total_seconds())) for pause in self._pauses(at)), default=None
        )
        if soon is not None and soon < self._end and (not self._ahead or soon < self._ahead[0]):
            self._ahead.insert(0, soon)
        self._note(at, judgement)
        return judgement

    def ask(self, at: datetime) -> None:
        """Look at it a minute before a time, where its newest picture will be older: all of them come each PACE."""
        at -= timedelta(minutes=1)
        if (
            (self._before is None or at - self._before > PACE)
            and at < self._end
            and (self.next is None or self.next > at)
        ):
            self._ahead.insert(0, at)

    def save(self) -> None:
        self._measured.save()

    def _judged(self, at: datetime) -> Judgement:
        found = self._measured.of(at)
        camera = self._measured.camera
        between = held.between(found["imprint"], at, {}, self._last, {})
        self._last = held.keep(found["imprint"], at)
        times = self._measured.reference_times
        sun, *suns = (camera.sun(one) if camera.registered else None for one in (at, *times))
        view = sight({**found, "between": between}, [at], times, sun=sun, suns=suns)
        return judge(view, self._policy.limits)

    def _sure(self, judgement: Judgement, cause: Cause) -> bool:
        score = shows(judgement, cause)
        return score is not None and score > 0 and score >= self._need(cause).sure

    def _need(self, cause: Cause) -> Persistence:
        return self._policy.persistence_of(cause, weather=cause in self._by_weather)

    def _held(self, at: datetime, weather: Weather) -> frozenset[Cause]:
        """What may be the weather over its area."""
        policy = self._policy.weather
        held = weather.may_be(self.found.area, self._by_day(at), at, policy)
        return policy.causes if held else frozenset()

    def _by_day(self, at: datetime) -> bool | None:
        camera = self._measured.camera
        return by_day(at.hour + at.minute / 60, camera.sun(at) if camera.registered else None)

    def _pauses(self, at: datetime) -> Iterator[float]:
        """Seconds until a picture would tell more of what has shown in this light."""
        day = self._by_day(at)
        for cause, trail in self._trails.items():
            need = self._need(cause)
            if trail.since is None and trail.seen:
                yield need.apart
            if trail.since is None and any(doubt.by_day is day for doubt in trail.doubts):
                yield need.apart_in_doubt

    def _after(self, at: datetime, judgement: Judgement) -> dict[Cause, Trail]:
        """What is remembered after one more picture."""
        day, held = self._by_day(at), self._by_weather
        told = ((cause, self._trails.get(cause), shows(judgement, cause), self._need(cause)) for cause in JUDGED)
        trails = ((cause, follow(was, at, score, need, day, weather=cause in held)) for cause, was, score, need in told)
        return {cause: trail for cause, trail in trails if trail is not None}

    def _is_new(self, cause: Cause, after: Mapping[Cause, Trail]) -> bool:
        return cause in after and after[cause].since is not None and cause not in self.believed

    def _follow(self, at: datetime, judgement: Judgement, after: dict[Cause, Trail], weather: Weather) -> None:
        day, area, policy = self._by_day(at), self.found.area, self._policy.weather
        self._trails = after
        for cause, trail in after.items():
            if trail.since is not None and cause not in self.believed:
                self.believed[cause] = trail.since, at
                there = ", ".join(self._measured.camera.conditions(at))
                self.found.incidents[cause.value] = (
                    f"{trail.since:%d. %H:%M} {there} (score {shows(judgement, cause):.2f},"
                    f" after {(at - trail.since) / HOUR:.1f} h{', in weather' * bool(self._by_weather)})"
                )
        own = {cause for cause, trail in self._trails.items() if trail.since is not None}
        found = any(fault.cause in policy.causes and fault.cause not in own for fault in judgement.faults)
        weather.add((self.found.name, ("", "")), Newest(area, at, day, found), policy)

    def _note(self, at: datetime, judgement: Judgement) -> None:
        conditions = self._measured.camera.conditions(at)
        self.found.pictures += 1
        self.found.looks.update(conditions)
        self.found.faults.update(f"{name}: {fault.cause}" for name in conditions for fault in judgement.faults)


def together(watches: Sequence[Watch]) -> None:
    """Watch all of them to the end, in the order of time."""
    weather, asked = Weather(), BEGIN
    ahead = _ahead(watches)
    while ahead:
        at, n = heappop(ahead)
        judgement = watches[n].look(weather, asked=asked == at)
        if judgement is None and watches[n].next == at:
            # What is about to be told is told among newest pictures of all.
            asked = at
            for other in (*watches[:n], *watches[n + 1 :]):
                other.ask(at)
            ahead = _ahead(watches)
        elif (soon := watches[n].next) is not None:
            heappush(ahead, (soon, n))


def _ahead(watches: Sequence[Watch]) -> list[tuple[datetime, int]]:
    ahead = [(watch.next, n) for n, watch in enumerate(watches) if watch.next is not None]
    heapify(ahead)
    return ahead


def rarely(policy: PicturePolicy, *, alone: bool = False) -> PicturePolicy:
    """The same policy where pictures come as rarely as cameras are looked at here. ``alone``: no weather is told."""
    weather = policy.weather
    weather = replace(weather, late=max(weather.late, RARELY), showing=sys.maxsize if alone else weather.showing)
    return replace(policy, weather=weather)

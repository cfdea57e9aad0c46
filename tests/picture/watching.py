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

from camera_registry.model.baseline import Trail
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
        self._last: Mapping[str, Any] | None = None
        self._before: datetime | None = None
        self._end = BEGIN + timedelta(days=camera.days)
        self._ahead = sorted(set(camera.looks()))

    @property
    def next(self) -> datetime | None:
        """When it is looked at next; None: its month is over."""
        return self._ahead[0] if self._ahead else None

    def look(self, weather: Weather) -> Judgement | None:
        """Judge its next picture, among those of all; None: others have to be looked at before."""
        at = self._ahead.pop(0)
        judgement = self._judged(at)
        begun = any(self._sure(judgement, cause) and cause not in self._trails for cause in JUDGED)
        if begun and self._before is not None and at - self._before > PACE:
            gap = min(MISSED, math.ceil((at - self._before) / PACE) - 1)
            self._ahead = [*(at - n * PACE for n in range(gap, 0, -1)), at, *self._ahead]
            self._before = at - PACE
            return None
        self._before = at
        self._follow(at, judgement, weather)
        soon = min(
            (at + PACE * max(1, math.ceil(pause / PACE.total_seconds())) for pause in self._pauses(at)), default=None
        )
        if soon is not None and soon < self._end and (not self._ahead or soon < self._ahead[0]):
            self._ahead.insert(0, soon)
        self._note(at, judgement)
        return judgement

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
        return score is not None and score > 0 and score >= self._policy.persistence_of(cause).sure

    def _by_day(self, at: datetime) -> bool | None:
        camera = self._measured.camera
        return by_day(at.hour + at.minute / 60, camera.sun(at) if camera.registered else None)

    def _pauses(self, at: datetime) -> Iterator[float]:
        """Seconds until a picture would tell more of what has shown in this light."""
        day = self._by_day(at)
        for cause, trail in self._trails.items():
            need = self._policy.persistence_of(cause)
            if trail.since is None and trail.seen:
                yield need.apart
            if trail.since is None and any(doubt.by_day is day for doubt in trail.doubts):
                yield need.apart_in_doubt

    def _follow(self, at: datetime, judgement: Judgement, weather: Weather) -> None:
        day, area, policy = self._by_day(at), self.found.area, self._policy.weather
        by_weather = policy.causes if weather.over(area, day, at, policy) is not None else ()
        for cause in JUDGED:
            was, need = self._trails.get(cause), self._policy.persistence_of(cause)
            trail = follow(was, at, shows(judgement, cause), need, day, weather=cause in by_weather)
            if trail is None:
                self._trails.pop(cause, None)
                continue
            self._trails[cause] = trail
            if trail.since is not None and cause not in self.believed:
                self.believed[cause] = trail.since, at
                there = ", ".join(self._measured.camera.conditions(at))
                self.found.incidents[cause.value] = (
                    f"{trail.since:%d. %H:%M} {there} (after {(at - trail.since) / HOUR:.1f} h)"
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
    weather = Weather()
    ahead = [(watch.next, n) for n, watch in enumerate(watches) if watch.next is not None]
    heapify(ahead)
    while ahead:
        _, n = heappop(ahead)
        watches[n].look(weather)
        if (at := watches[n].next) is not None:
            heappush(ahead, (at, n))


def rarely(policy: PicturePolicy, *, alone: bool = False) -> PicturePolicy:
    """The same policy where pictures come as rarely as cameras are looked at here. ``alone``: no weather is told."""
    weather = policy.weather
    weather = replace(weather, late=max(weather.late, RARELY), showing=sys.maxsize if alone else weather.showing)
    return replace(policy, weather=weather)

"""How often a healthy camera is called faulty over time: `python -m tests.judge_month [--photographs FOLDER]`.

Healthy cameras are watched through a simulated month (tests/picture/month.py): weather that lasts as weather does, sun
and lamps, lorries that park, infrared all night. A picture each quarter of an hour would be 2,880 a camera, nearly all
of nothing new; so each camera is looked at when something happens, some 100 times. Where a look shows a fault, that
cause is followed through all pictures around it that count, with the persistence that policy asks for. Counted are
cameras with any incident, and the upper bound (95 %) of their share: one camera is one month, and incidents of one
camera are not independent. What a look can't find is an incident of an event whose middle looks healthy; --every looks
each so many minutes instead, to see how often that is.

With --keep FILE what is found of a camera is kept there (a line of JSON each), and cameras that are kept are not
watched again: --seconds ends a run, and the same command goes on.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from camera_registry.model.baseline import Trail
from camera_registry.model.health import Cause
from camera_registry.model.picture import JUDGED, Judgement
from camera_registry.model.policy import PicturePolicy
from camera_registry.rules.pictures import held, judge
from camera_registry.rules.pictures.persistence import follow
from camera_registry.rules.pictures.sight import sight
from camera_registry.rules.pictures.usual import by_day
from camera_registry.rules.pictures.watching import shows
from tests.judge_evaluation import scenes_of
from tests.picture import generated
from tests.picture.cases import Scene
from tests.picture.city import AREA, BEGIN, DAYS, Area
from tests.picture.measured import Measured
from tests.picture.month import PACE, Watched, views

SURE = 0.95
MISSED = 10
"""Pictures before one that shows something surely for the first time, that are looked at too."""
HOUR = timedelta(hours=1)
FLEET = 11_000
GENERATED = 0.3
"""Share of the cameras that look at generated scenes, where there are others."""


class Watch:
    """One camera, watched: what its pictures show, in the order of time, and what they are enough to believe.

    It is looked at when the caller says so, and as often as pictures come while something shows surely; where that
    begins, at all pictures since the last look too.
    """

    def __init__(self, measured: Measured, policy: PicturePolicy) -> None:
        self._measured = measured
        self._policy = policy
        self._trails: dict[Cause, Trail] = {}
        self._last: Mapping[str, Any] | None = None
        self.believed: dict[Cause, tuple[datetime, datetime]] = {}
        """By cause, since when the first incident is said to be, and when that was said."""

    def through(self, times: Sequence[datetime], end: datetime) -> Iterator[tuple[datetime, Judgement]]:
        """Judge at these times, and between them where it is needed."""
        before: datetime | None = None
        ahead = sorted(set(times))
        while ahead:
            at = ahead.pop(0)
            judgement = self._look(at)
            begun = any(self._sure(judgement, cause) and cause not in self._trails for cause in JUDGED)
            if begun and before is not None and at - before > PACE:
                gap = min(MISSED, math.ceil((at - before) / PACE) - 1)
                missed = [at - n * PACE for n in range(gap, 0, -1)]
                ahead = [*missed, at, *ahead]
                before = at - PACE
                continue
            yield at, judgement
            self._follow(at, judgement)
            before = at
            pauses = [*self._pauses(at)]
            if pauses:
                soon = at + PACE * max(1, math.ceil(min(pauses) / PACE.total_seconds()))
                if soon < end and (not ahead or soon < ahead[0]):
                    ahead.insert(0, soon)

    def _pauses(self, at: datetime) -> Iterator[float]:
        """Seconds until a picture would tell more of what has shown in this light."""
        by_day = self._by_day(at)
        for cause, trail in self._trails.items():
            need = self._policy.persistence_of(cause)
            if trail.since is None and trail.seen:
                yield need.apart
            if trail.since is None and any(doubt.by_day is by_day for doubt in trail.doubts):
                yield need.apart_in_doubt

    def _by_day(self, at: datetime) -> bool | None:
        camera = self._measured.camera
        return by_day(at.hour + at.minute / 60, camera.sun(at) if camera.registered else None)

    def _look(self, at: datetime) -> Judgement:
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

    def _follow(self, at: datetime, judgement: Judgement) -> None:
        day = self._by_day(at)
        for cause in JUDGED:
            was = self._trails.get(cause)
            trail = follow(was, at, shows(judgement, cause), self._policy.persistence_of(cause), day)
            if trail is None:
                self._trails.pop(cause, None)
                continue
            self._trails[cause] = trail
            if trail.since is not None and cause not in self.believed:
                self.believed[cause] = trail.since, at


@dataclass(frozen=True)
class Found:
    """What a month of one camera gave: looks and those with a fault, by condition; incidents by cause, with the time
    they are said to have begun, what was there when they were believed, and how long that took."""

    name: str
    pictures: int
    looks: Mapping[str, int]
    faults: Mapping[str, int]
    incidents: Mapping[str, str]


def watch(view: Scene, area: Area, days: int, folder: Path | None) -> Found:
    camera = Watched(view, days, area=area)
    measured = Measured(camera, folder)
    watching = Watch(measured, PicturePolicy())
    looks: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    pictures = 0
    end = BEGIN + timedelta(days=days)
    for at, judgement in watching.through(camera.looks(), end):
        conditions = camera.conditions(at)
        looks.update(conditions)
        faults.update(f"{name}: {fault.cause}" for name in conditions for fault in judgement.faults)
        pictures += 1
    measured.save()
    incidents = {
        cause.value: f"{since:%d. %H:%M} {', '.join(camera.conditions(at))} (after {(at - since) / HOUR:.1f} h)"
        for cause, (since, at) in watching.believed.items()
    }
    return Found(view.name, pictures, looks, faults, incidents)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cameras", type=int, default=40, help="how many (%(default)s)")
    parser.add_argument("--days", type=int, default=DAYS, help="that each is watched (%(default)s)")
    parser.add_argument("--every", type=float, default=240, help="minutes from look to look, where nothing happens")
    parser.add_argument("--pictures", type=Path, help="folder with manifest.jsonl, as for tests.judge_evaluation")
    parser.add_argument("--photographs", type=Path, help="folder of photographs, of which cameras see parts")
    parser.add_argument("--keep", type=Path, help="file of what was found of each camera, to go on from")
    parser.add_argument("--measured", type=Path, help="folder of what was measured, so that rules can be tried again")
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin no camera after so many")
    parser.add_argument("--only", default="", help="cameras whose name has this in it")
    args = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    began = time.monotonic()
    known: dict[str, Found] = {}
    if args.keep is not None and args.keep.exists():
        known = {found.name: found for found in map(_read, args.keep.read_text(encoding="utf-8").splitlines())}
    for view in cameras(args.cameras, args.pictures, args.photographs):
        if args.only not in view.name or view.name in known:
            continue
        if time.monotonic() - began > args.seconds:
            break
        found = known[view.name] = watch(view, args.days, args.every, args.measured)
        print(*told(found), sep="\n", flush=True)
        if args.keep is not None:
            with args.keep.open("a", encoding="utf-8") as file:
                file.write(json.dumps(vars(found)) + "\n")
    print(*summary([*known.values()], args.days), sep="\n")
    return 0


def cameras(count: int, pictures: Path | None, photographs: Path | None) -> Iterator[Scene]:
    """Cameras that see parts of photographs and of generated scenes, each source in its turn."""
    scenes = [] if pictures is None else [*scenes_of(pictures, tuned=False)]
    if photographs is not None:
        files = sorted(path for path in photographs.iterdir() if path.suffix in (".jpg", ".png", ".webp"))
        scenes += [Scene(path.stem, (np.asarray(cv2.imread(str(path)), dtype=np.uint8),)) for path in files]
    made = round(count * GENERATED) if scenes else count
    kinds = (generated.street, generated.room, generated.street, generated.street, generated.wall)
    drawn = (next(views(kinds[n % len(kinds)](300 + n), 1)) for n in range(made))
    if not scenes:
        return drawn
    parts = [views(scene, math.ceil((count - made) / len(scenes))) for scene in scenes]
    photographed = [one for turn in zip(*parts, strict=True) for one in turn][: count - made]
    return chain.from_iterable(_mixed(photographed, drawn))


def _mixed(photographed: Sequence[Scene], drawn: Iterator[Scene]) -> Iterator[list[Scene]]:
    """Seven of the ones, three of the others, so that any beginning of the row is a sample of all."""
    ahead = 0.0
    for one in photographed:
        ahead += GENERATED / (1 - GENERATED)
        others = [next(drawn, None) for _ in range(int(ahead))]
        ahead -= int(ahead)
        yield [one, *(other for other in others if other is not None)]
    yield [*drawn]


def _read(line: str) -> Found:
    return Found(**json.loads(line))


def told(found: Found) -> Iterator[str]:
    marked = sum(found.faults.values())
    incidents = "; ".join(f"{cause} from {when}" for cause, when in found.incidents.items()) or "nothing"
    yield f"{found.name:<40}{found.pictures:>6} pictures,{marked:>4} faults; believed: {incidents}"


def summary(found: Sequence[Found], days: int) -> Iterator[str]:
    looks: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    incidents: Counter[str] = Counter()
    for one in found:
        looks.update(one.looks)
        faults.update(one.faults)
        incidents.update(str(cause) for cause in one.incidents)
    yield f"{'condition':<20}{'looks':>8}{'faults':>8}"
    for condition, count in looks.most_common():
        causes = {name.partition(": ")[2]: n for name, n in faults.items() if name.partition(": ")[0] == condition}
        spoken = ", ".join(f"{cause} {n}" for cause, n in sorted(causes.items(), key=lambda pair: -pair[1]))
        yield f"{condition:<20}{count:>8}{sum(causes.values()):>8}  {spoken}"
    concerned = sum(bool(one.incidents) for one in found)
    most = _share(concerned, len(found)) * DAYS / days
    yield f"{len(found)} cameras of {days} days, {sum(one.pictures for one in found)} pictures"
    yield f"incidents: {sum(incidents.values())} {dict(incidents)}, of {concerned} cameras"
    yield f"at most {100 * most:.2f} % of camera-months (95 %): {FLEET * most:.0f} of {FLEET} cameras a month"


def _share(count: int, of: int) -> float:
    """The largest share of which so few among ``of`` come with a probability of 5 % (Clopper, Pearson 1934)."""
    if count >= of:
        return 1.0
    return _bisect(lambda p: sum(math.comb(of, n) * p**n * (1 - p) ** (of - n) for n in range(count + 1)))


def _bisect(falling: Callable[[float], float]) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 1 - SURE else (low, middle)
    return low


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

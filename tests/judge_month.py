"""How often a healthy camera is called faulty over time: `python -m tests.judge_month [--photographs FOLDER]`.

Healthy cameras are watched through a simulated month (tests/picture/month.py): weather that lasts as weather does,
sun and lamps, lorries that park, infrared all night. A picture each quarter of an hour would be 2,880 a camera,
nearly all of nothing new; so each camera is looked at when something happens, some 150 times. Where a look shows a
fault, that cause is followed through all pictures around it that count, with the persistence that policy asks for.
Counted are cameras with any incident, and the upper bound (95 %) of their share: one camera is one month, and
incidents of one camera are not independent. What a look can't find is an incident of an event whose middle looks
healthy; --every looks each so many minutes instead, to see how often that is.

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
from probes.picture.child import Decoder
from probes.picture.examination import Examiner
from tests.judge_evaluation import scenes_of
from tests.picture import generated
from tests.picture.cases import Scene
from tests.picture.month import BEGIN, DAYS, PACE, Watched, views

SURE = 0.95
FLEET = 11_000
GENERATED = 0.3
"""Share of the cameras that look at generated scenes, where there are others."""


class Watch:
    """One camera, watched: each picture is judged once."""

    def __init__(self, camera: Watched) -> None:
        self._camera = camera
        self._examiner = Examiner(Decoder())
        references = camera.references()
        self._known, self._times = [jpeg for jpeg, _ in references], [at for _, at in references]
        self._policy = PicturePolicy()
        self._said: dict[datetime, Judgement] = {}
        self._last: Mapping[str, Any] | None = None

    @property
    def pictures(self) -> int:
        return len(self._said)

    def look(self, at: datetime) -> Judgement:
        if at in self._said:
            return self._said[at]
        camera = self._camera
        found = self._examiner.examine([camera.picture(at)], self._known, [at], self._times, camera.osd)
        between = held.between(found["imprint"], at, {}, self._last, {})  # type: ignore[arg-type]
        self._last = held.keep(found["imprint"], at)  # type: ignore[arg-type]
        sun = camera.sun(at) if camera.registered else None
        view = sight({**found, "between": between}, [at], self._times, sun=sun)
        judgement = self._said[at] = judge(view, self._policy.limits)
        return judgement

    def believed(self, cause: Cause, at: datetime) -> datetime | None:
        """When a cause that shows at a time begins to be believed, by the pictures around it that count."""
        need = self._policy.persistence_of(cause)
        step = PACE * max(1, math.ceil(need.apart / PACE.total_seconds()))
        before = math.ceil(need.seconds / step.total_seconds()) + 1
        trail: Trail | None = None
        for n in range(-before, need.of + 1):
            when = at + n * step
            if not BEGIN <= when < BEGIN + timedelta(days=self._camera.days):
                continue
            judgement = self.look(when)
            shows = _shows(judgement, cause)
            trail = follow(trail, when, shows, need)
            if trail is not None and trail.since is not None:
                return trail.since
            if trail is None and n > 0:
                return None
        return None


def _shows(judgement: Judgement, cause: Cause) -> bool | None:
    if any(fault.cause is cause for fault in judgement.faults):
        return True
    return False if cause in judgement.checked else None


@dataclass(frozen=True)
class Found:
    """What a month of one camera gave: looks and those with a fault, by condition; incidents by cause, with the time
    and conditions of the look that led to them."""

    name: str
    pictures: int
    looks: Mapping[str, int]
    faults: Mapping[str, int]
    incidents: Mapping[str, str]


def watch(view: Scene, days: int, every: float | None) -> Found:
    camera = Watched(view, days)
    watching = Watch(camera)
    looks: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    incidents: dict[str, str] = {}
    followed = set()
    times = camera.looks() if every is None else _paced(days, every)
    for at in sorted(times):
        judgement = watching.look(at)
        conditions = camera.conditions(at)
        looks.update(conditions)
        for cause in JUDGED:
            if not _shows(judgement, cause):
                continue
            faults.update(f"{condition}: {cause}" for condition in conditions)
            # The same fault in the same weather of the same day has been followed.
            key = cause, conditions, at.date()
            if key in followed or cause in incidents:
                continue
            followed.add(key)
            since = watching.believed(cause, at)
            if since is not None:
                incidents[cause] = f"{since:%d. %H:%M} {', '.join(conditions)}"
    return Found(view.name, watching.pictures, looks, faults, incidents)


def _paced(days: int, minutes: float) -> Iterator[datetime]:
    return (BEGIN + timedelta(minutes=minutes * n) for n in range(round(days * 24 * 60 / minutes)))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cameras", type=int, default=40, help="how many (%(default)s)")
    parser.add_argument("--days", type=int, default=DAYS, help="that each is watched (%(default)s)")
    parser.add_argument("--every", type=float, help="minutes from look to look, in place of when something happens")
    parser.add_argument("--pictures", type=Path, help="folder with manifest.jsonl, as for tests.judge_evaluation")
    parser.add_argument("--photographs", type=Path, help="folder of photographs, of which cameras see parts")
    parser.add_argument("--keep", type=Path, help="file of what was found of each camera, to go on from")
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
        found = known[view.name] = watch(view, args.days, args.every)
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

"""How often healthy cameras are called faulty over time: `python -m tests.judge_month [--photographs FOLDER]`.

The healthy cameras of a city are watched through a simulated month (tests/picture/{city,month}.py), area by area:
weather that lasts as weather does and is common to an area, sun and lamps, lorries that park, infrared all night. A
picture each quarter of an hour would be 2,880 a camera, nearly all of nothing new; so each camera is looked at when
something happens, some 115 times. Where a look shows a fault, it is looked at as often as pictures come that count
(tests/picture/watching.py), and what is enough to believe follows the rules and the policy of today. Counted are
cameras with any incident, and areas with one, and the upper bounds (95 %) of their shares: one camera is one month,
incidents of one camera are not independent, nor are cameras of one area. What a look can't find is an incident of an
event of which three quarters look healthy.

All cameras of an area are first looked at one by one, and what is measured is kept in a folder (--measured; without
it, until the end); then they are watched together. --seconds ends a run, and the same command goes on. With --keep
FILE what is found is kept (a line of JSON each), and areas that are kept are not watched again.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, count, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from camera_registry.model.policy import PicturePolicy
from tests.judge_evaluation import scenes_of
from tests.picture import generated
from tests.picture.camera import Coded
from tests.picture.cases import Scene
from tests.picture.city import AREA, DAYS, Area
from tests.picture.measured import Measured
from tests.picture.month import Watched, views
from tests.picture.watching import Found, Watch, rarely, together

SURE = 0.95
FLEET = 11_000
_PHOTOGRAPHS = (".jpg", ".jpeg", ".png", ".webp")
_LARGEST = 2560
"""Pixels of the longer side of a photograph, beyond which a part of it shows no more."""
GENERATED = 0.3
"""Share of the cameras that look at generated scenes, where there are others."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cameras", type=int, default=40, help="how many (%(default)s)")
    parser.add_argument("--days", type=int, default=DAYS, help="that each is watched (%(default)s)")
    parser.add_argument("--pictures", type=Path, help="folder with manifest.jsonl, as for tests.judge_evaluation")
    parser.add_argument("--photographs", type=Path, help="folder of photographs, of which cameras see parts")
    parser.add_argument("--keep", type=Path, help="file of what was found of each camera, to go on from")
    parser.add_argument("--measured", type=Path, help="folder of what was measured, so that rules can be tried again")
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin no camera after so many")
    parser.add_argument("--part", type=int, nargs=2, default=(0, 1), help="of how many areas to watch which: N OF")
    parser.add_argument("--seed", type=int, default=300, help="of the first scene that is drawn (%(default)s)")
    parser.add_argument("--alone", action="store_true", help="believe what shows whatever others of the area show")
    args = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    until = time.monotonic() + args.seconds
    policy = rarely(PicturePolicy(), alone=args.alone)
    known: list[Found] = []
    if args.keep is not None and args.keep.exists():
        known = [Found(**json.loads(line)) for line in args.keep.read_text(encoding="utf-8").splitlines()]
    done = {found.area for found in known}
    seen = cameras(args.cameras, args.pictures, args.photographs, args.seed)
    with TemporaryDirectory() as folder:
        for number in count():
            views, name = [*islice(seen, AREA)], f"area-{number:02}"
            if not views or time.monotonic() > until:
                break
            if name in done or number % args.part[1] != args.part[0]:
                continue
            area = Area(name, args.days)
            ahead = [Watched(view, args.days, area=area) for view in views]
            watches = watch(ahead, args.measured or Path(folder), policy, until)
            if len(watches) < len(ahead):
                break
            found = [watch.found for watch in watches]
            known += found
            print(*chain.from_iterable(map(told, found)), sep="\n", flush=True)
            if args.keep is not None:
                with args.keep.open("a", encoding="utf-8") as file:
                    file.writelines(json.dumps(vars(one)) + "\n" for one in found)
    print(*summary(known, args.days), sep="\n")
    return 0


def watch(ahead: Sequence[Watched], folder: Path, policy: PicturePolicy, until: float) -> list[Watch]:
    """The cameras of an area through the month, each by itself and then together; fewer of them where time is over."""
    folder.mkdir(parents=True, exist_ok=True)
    for camera in ahead:
        if not Measured(camera, folder).times:
            if time.monotonic() > until:
                return []
            alone = Watch(Measured(camera, folder), policy)
            together([alone])
            alone.save()
            camera.forget()
    watches = [Watch(Measured(camera, folder), policy) for camera in ahead]
    together(watches)
    for one in watches:
        one.save()
    return watches


def cameras(number: int, pictures: Path | None, photographs: Path | None, seed: int = 300) -> Iterator[Scene]:
    """Cameras that see parts of photographs and of generated scenes, each source in its turn. ``seed``: that of the
    first scene that is drawn."""
    scenes = [] if pictures is None else [*scenes_of(pictures, tuned=False)]
    files = [] if photographs is None else sorted(path for path in photographs.iterdir() if path.suffix in _PHOTOGRAPHS)
    scenes += [Scene(path.stem, (_photograph(path),)) for path in files]
    made = round(number * GENERATED) if scenes else number
    kinds = (generated.street, generated.room, generated.street, generated.street, generated.wall)
    drawn = (next(views(kinds[n % len(kinds)](seed + n), 1)) for n in range(made))
    if not scenes:
        return drawn
    parts = [views(scene, math.ceil((number - made) / len(scenes))) for scene in scenes]
    photographed = chain.from_iterable(zip(*parts, strict=True))
    return _mixed(islice(photographed, number - made), drawn)


def _photograph(path: Path) -> Coded:
    picture = np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR), dtype=np.uint8)
    shrunk = min(1.0, _LARGEST / max(picture.shape[:2]))
    return np.asarray(cv2.resize(picture, None, fx=shrunk, fy=shrunk, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _mixed(photographed: Iterator[Scene], drawn: Iterator[Scene]) -> Iterator[Scene]:
    """Seven of the ones, three of the others, so that any beginning of the row is a sample of all."""
    ahead = 0.0
    for one in photographed:
        yield one
        ahead += GENERATED / (1 - GENERATED)
        yield from islice(drawn, int(ahead))
        ahead -= int(ahead)
    yield from drawn


def told(found: Found) -> Iterator[str]:
    marked = sum(found.faults.values())
    incidents = "; ".join(f"{cause} from {when}" for cause, when in found.incidents.items()) or "nothing"
    yield f"{found.area} {found.name:<40}{found.pictures:>6} pictures,{marked:>4} faults; believed: {incidents}"


def summary(found: Sequence[Found], days: int) -> Iterator[str]:
    looks: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    incidents: Counter[str] = Counter()
    for one in found:
        looks.update(one.looks)
        faults.update(one.faults)
        incidents.update(str(cause) for cause in one.incidents)
    yield f"{'condition':<20}{'looks':>8}{'faults':>8}"
    for condition, looked in looks.most_common():
        causes = {name.partition(": ")[2]: n for name, n in faults.items() if name.partition(": ")[0] == condition}
        spoken = ", ".join(f"{cause} {n}" for cause, n in sorted(causes.items(), key=lambda pair: -pair[1]))
        yield f"{condition:<20}{looked:>8}{sum(causes.values()):>8}  {spoken}"
    concerned = sum(bool(one.incidents) for one in found)
    most = _share(concerned, len(found)) * DAYS / days
    areas = {one.area for one in found}
    touched = {one.area for one in found if one.incidents}
    yield f"{len(found)} cameras of {days} days, {sum(one.pictures for one in found)} pictures"
    yield f"incidents: {sum(incidents.values())} {dict(incidents)}, of {concerned} cameras"
    yield f"areas: {len(touched)} of {len(areas)}, at most {100 * _share(len(touched), len(areas)):.0f} % (95 %)"
    yield f"at most {100 * most:.2f} % of camera-months (95 %): {FLEET * most:.0f} of {FLEET} cameras a month"


def _share(few: int, of: int) -> float:
    """The largest share of which so ``few`` among ``of`` come with a probability of 5 % (Clopper, Pearson 1934)."""
    if few >= of:
        return 1.0
    return _bisect(lambda p: sum(math.comb(of, n) * p**n * (1 - p) ** (of - n) for n in range(few + 1)))


def _bisect(falling: Callable[[float], float]) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 1 - SURE else (low, middle)
    return low


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""How often a healthy camera is called faulty over time: `python -m tests.judge_month [--days N] [--pictures FOLDER]`.

Healthy cameras are watched for simulated days, one picture after the other, through weather that lasts as weather does:
a shower for an hour, fog for a morning, snow on the ground for days, the sun in the lens at the same time each day, a
lorry for half an hour, lamps or infrared all night. Each picture is judged against four references (day, another day,
dusk, night), and what is judged goes through the persistence that policy asks for. Counted are the incidents that this
would open, and the upper bound (95 %) of their rate per camera-month: incidents of one camera are not independent, so
cameras with any are bounded too.
"""

from __future__ import annotations

import argparse
import math
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from camera_registry.model.baseline import Trail
from camera_registry.model.health import Cause
from camera_registry.model.picture import JUDGED
from camera_registry.model.policy import PicturePolicy
from camera_registry.rules.pictures import held, judge
from camera_registry.rules.pictures.persistence import follow
from camera_registry.rules.pictures.sight import sight
from probes.picture.child import Decoder
from probes.picture.examination import Examiner
from tests.judge_evaluation import scenes_of
from tests.picture import generated, otherwise, weather
from tests.picture.camera import Camera, Light, light_of
from tests.picture.cases import Scene

BEGIN = datetime(2026, 3, 2)  # noqa: DTZ001 - a camera's local time has no zone
SURE = 0.95
MONTH = 30.0
WIDTH = 960
BY_DAY = {**weather.CONDITIONS, **otherwise.CONDITIONS}
NIGHTS = ("night", "infrared", "sodium_night", "infrared_insects")
SPELLS: dict[str, tuple[float, float]] = {
    "rain": (0.25, 3),
    "wet_rain": (0.2, 5),
    "snow": (0.1, 4),
    "snow_cover": (0.06, 72),
    "haze": (0.2, 8),
    "morning_fog": (0.15, 4),
    "passer": (1.5, 0.6),
    "crowd": (1.0, 1.5),
    "dim": (1.0, 3),
    "bright": (0.7, 2),
    "long_shadows": (0.5, 2),
}
"""Weather and what stands in the way: spells a day, and hours that one lasts on average."""


@dataclass(frozen=True)
class Spell:
    """A condition that lasts. Its seed is its own: the same lorry, the same snow, in each picture."""

    kind: str
    begin: datetime
    end: datetime
    seed: int


class Watched:
    """One healthy camera: its scene, its light at any time, and its pictures."""

    def __init__(self, scene: Scene, days: int) -> None:
        self.name = scene.name
        self._random = random = np.random.default_rng(zlib.crc32(b"month" + scene.name.encode()))
        self._lights = [_light(picture) for picture in scene.pictures]
        noise = random.uniform(0.5, 1.5)
        self._camera = Camera(read=0.0012 * noise, shot=0.00025 * noise**2, quality=int(random.integers(60, 92)))
        self._night = NIGHTS[int(random.integers(0, len(NIGHTS)))]
        self._glare = random.uniform(7.5, 16.5) if random.random() < 0.3 else None
        self._seed = int(random.integers(0, 2**31))
        self._spells = sorted(self._weather(days), key=lambda spell: spell.begin)

    def _weather(self, days: int) -> Iterator[Spell]:
        for kind, (a_day, hours) in SPELLS.items():
            for _ in range(self._random.poisson(a_day * days)):
                begin = BEGIN + timedelta(days=self._random.uniform(0, days))
                lasts = timedelta(hours=float(self._random.exponential(hours)))
                yield Spell(kind, begin, begin + lasts, int(self._random.integers(0, 2**31)))

    def references(self) -> list[tuple[bytes, datetime]]:
        """Accepted on the days before: by day twice, at dusk, at night."""
        times = [BEGIN - timedelta(days=n + 1) + timedelta(hours=h) for n, h in enumerate((12, 9.5, 18.6, 23))]
        return [(self.picture(at, fair=True), at) for at in times]

    def picture(self, at: datetime, *, fair: bool = False) -> bytes:
        """What it shows at a time; ``fair``: without weather."""
        light = self._lights[int(self._random.integers(0, len(self._lights)))]
        camera, noise = self._camera, 1.0
        hour = at.hour + at.minute / 60
        light = light * np.float32(_sun(hour))
        for spell in () if fair else self._spells:
            if spell.begin <= at < spell.end and (6 <= hour < 19 or spell.kind == "snow_cover"):
                light = BY_DAY[spell.kind](light, np.random.default_rng(spell.seed))
        if not fair and self._glare is not None and abs(hour - self._glare) < 0.4:
            light = BY_DAY["glare"](light, np.random.default_rng(self._seed))
        if not 6 <= hour < 19:
            light = BY_DAY[self._night](light / np.float32(_sun(hour)), np.random.default_rng(self._seed))
            noise = 3.0
            camera = replace(camera, mono=self._night.startswith("infrared"))
        x, y = self._random.normal(0, 0.7, 2)
        shaken = cv2.warpAffine(
            light, np.array(((1, 0, x), (0, 1, y)), np.float64), light.shape[1::-1], borderMode=cv2.BORDER_REFLECT
        )
        gain = float(self._random.uniform(0.85, 1.15))
        return camera.take(np.asarray(shaken, dtype=np.float32), at, self._random, gain, noise)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--days", type=int, default=7, help="days that each camera is watched (%(default)s)")
    parser.add_argument("--minutes", type=float, default=60, help="from one picture to the next (%(default)s)")
    parser.add_argument("--scenes", type=int, default=8, help="generated scenes (%(default)s)")
    parser.add_argument("--processes", type=int, default=1, help="that share the cameras (%(default)s)")
    parser.add_argument("--pictures", type=Path, help="folder with manifest.jsonl, as for tests.judge_evaluation")
    args = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    kinds = (generated.street, generated.room, generated.street, generated.wall)
    scenes = [kinds[n % len(kinds)](300 + n) for n in range(args.scenes)]
    if args.pictures is not None:
        scenes += scenes_of(args.pictures, tuned=False)
    pictures = alarms = concerned = 0
    incidents: Counter[Cause] = Counter()
    for name, seen, alarmed, opened in _watched(scenes, args.days, args.minutes, args.processes):
        pictures, alarms, concerned = pictures + seen, alarms + alarmed, concerned + bool(opened)
        incidents.update(opened)
        told = ", ".join(f"{cause} on {at:%d. %H:%M}" for cause, at in opened.items()) or "nothing"
        print(f"{name:<28}{seen:>6} pictures,{alarmed:>4} with a fault; believed: {told}", flush=True)
    months = len(scenes) * args.days / MONTH
    count = sum(incidents.values())
    print(f"{len(scenes)} cameras, {months:.1f} camera-months, {pictures} pictures, {alarms} with a fault")
    print(f"incidents: {count} ({dict(incidents)}), at most {_at_most(count) / months:.2f} a camera-month (95 %)")
    print(
        f"cameras with any: {concerned} of {len(scenes)}, at most {100 * _share(concerned, len(scenes)):.1f} % (95 %)"
    )
    return 0


def _watched(
    scenes: Sequence[Scene], days: int, minutes: float, processes: int
) -> Iterator[tuple[str, int, int, dict[Cause, datetime]]]:
    """Of each camera its name and what ``_watch`` says of it, in the order of the scenes."""
    if processes == 1:
        yield from (_watch(scene, days, minutes) for scene in scenes)
        return
    # Each begins anew: a fork would share the one standard error that the decoder listens to.
    with ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=cv2.setNumThreads, initargs=(1,)
    ) as pool:
        yield from pool.map(_watch, scenes, repeat(days), repeat(minutes))


def _watch(scene: Scene, days: int, minutes: float) -> tuple[str, int, int, dict[Cause, datetime]]:
    """The camera's name, its pictures, those in which a fault is seen, and the causes that become believed, each with
    the first time."""
    camera, examiner = Watched(scene, days), Examiner(Decoder())
    references = camera.references()
    known, times = [jpeg for jpeg, _ in references], [at for _, at in references]
    policy = PicturePolicy()
    trails: dict[Cause, Trail | None] = {}
    believed: dict[Cause, datetime] = {}
    at, seen, alarmed = BEGIN, 0, 0
    last: Mapping[str, object] | None = None
    while at < BEGIN + timedelta(days=days):
        found = examiner.examine([camera.picture(at)], known, [at], times, None)
        between = held.between(found["imprint"], at, {}, last, {})
        last = held.keep(found["imprint"], at)
        judgement = judge(sight({**found, "between": between}, [at], times), policy.limits)
        faults = {fault.cause for fault in judgement.faults}
        seen, alarmed = seen + 1, alarmed + bool(faults)
        for cause in JUDGED:
            shows = cause in faults if cause in faults or cause in judgement.checked else None
            trail = trails[cause] = follow(trails.get(cause), at, shows, policy.persistence_of(cause))
            if trail is not None and trail.since is not None:
                believed.setdefault(cause, trail.since)
        at += timedelta(minutes=minutes)
    return scene.name, seen, alarmed, believed


def _sun(hour: float) -> float:
    """Light against that of noon, by day."""
    return max(0.35, math.sin(math.pi * (hour - 5) / 15)) if 5 < hour < 20 else 0.35


def _light(picture: np.ndarray) -> Light:
    height, width = picture.shape[:2]
    if width > WIDTH:
        picture = cv2.resize(picture, (WIDTH, round(height * WIDTH / width)), interpolation=cv2.INTER_AREA)
    return light_of(np.asarray(picture, dtype=np.uint8))


def _at_most(count: int) -> float:
    """The largest mean of a Poisson law that gives so few events with a probability of 5 % (Garwood 1936)."""
    return _bisect(lambda mean: sum(math.exp(-mean) * mean**n / math.factorial(n) for n in range(count + 1)), 200.0)


def _share(count: int, of: int) -> float:
    """The largest share of which so few among ``of`` come with a probability of 5 % (Clopper, Pearson 1934)."""
    if count >= of:
        return 1.0
    return _bisect(lambda p: sum(math.comb(of, n) * p**n * (1 - p) ** (of - n) for n in range(count + 1)), 1.0)


def _bisect(falling: Callable[[float], float], high: float) -> float:
    low = 0.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 1 - SURE else (low, middle)
    return low


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

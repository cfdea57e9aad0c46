"""A healthy camera through a month: sun and lamps, weather that lasts, what stands in the way, and the pictures of it.

Everything is seeded by the camera's name, and a picture by its time too: the same moment looks the same again.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache, cached_property, lru_cache

import cv2
import numpy as np

from probes.picture.burnt_in import Osd
from tests.picture import faults, ground, otherwise, weather
from tests.picture.camera import Camera, Coded, Light, levels_of, light_of
from tests.picture.cases import Scene
from tests.picture.city import AIR, BEGIN, DAYS, GROUND, LASTS, MOST, SKY, Area, Spell, spells, within

PACE = timedelta(minutes=15)
"""From one picture to the next."""
WIDTH, NARROWEST = 640, 512
"""Pixels: of a picture (what is larger is judged at this size), and the least of a photograph that makes one."""
THINGS: dict[str, tuple[float, float]] = {
    "passer": (0.8, 0.6),
    "lorry": (0.2, 6),
    "crowd": (0.5, 1.5),
}
SHADOWS: dict[str, tuple[float, float]] = {
    "long_shadows": (0.4, 2),
    "shadow": (0.3, 2),
}
"""What stands in the way and what falls on a scene, of each camera its own: spells a day, and hours that one lasts on
average."""
LIGHTS = (*SHADOWS, *SKY)
"""What is there by day alone."""
_STAND = (*THINGS, *GROUND)
_LAW = {**weather.CONDITIONS, **otherwise.CONDITIONS, "lorry": weather.passer}
_INDOORS, _BARE = "room-", "wall-"
"""Beginnings of the names of generated scenes: it neither rains nor snows in a room, and before a wall near by there is
no ground for snow to lie on, and too little air for a fog."""
_FAR = ("haze", "morning_fog")
_FALLS = ("rain", "wet_rain", "snow")
_LAMPS, _INFRARED = ("night", "sodium_night"), ("infrared", "infrared_insects")
_LAMPS_ON, _SWITCHES = 0.0, -3.0
"""Degrees of the sun: street lamps go on, and cameras turn to infrared."""
_GREY = 0.18
"""Mean light that an exposure aims at, against where the sensor clips."""
_NOISIEST = 4.0


def views(scene: Scene, count: int) -> Iterator[Scene]:
    """So many cameras that look at a scene: each at another part of it, from nearer or farther, at 16:9 or 4:3."""
    random = np.random.default_rng(zlib.crc32(b"views" + scene.name.encode()))
    height, width = scene.pictures[0].shape[:2]
    for n in range(count):
        ratio = 0.75 if random.random() < 0.25 else 0.5625
        widest = min(width, round(height / ratio))
        wide = round(widest * random.uniform(min(1.0, max(0.35, NARROWEST / widest)), 1.0))
        high = round(wide * ratio)
        x, y = int(random.integers(0, width - wide + 1)), int(random.integers(0, height - high + 1))
        step = -1 if random.random() < 0.5 else 1
        pictures = tuple(_sized(one[y : y + high, x : x + wide][:, ::step]) for one in scene.pictures)
        yield Scene(f"{scene.name}/{n}", pictures, scene.condition)


class _Quick(Camera):
    """A camera whose noise is made of the rows of a sheet of noise, never twice in the same order, and whose curve is
    looked up: a month is many pictures."""

    def expose(self, light: Light, random: np.random.Generator, gain: float = 1.0, noise: float = 1.0) -> Light:
        seen = np.clip(light * np.float32(gain), 0, 4)
        variance = np.float32(self.read**2) + np.float32(self.shot) * np.minimum(seen, 1)
        x = int(random.integers(0, _SPARE))
        rows = random.permutation(seen.shape[0] + _SPARE)[: seen.shape[0]]
        sheet = _sheet(seen.shape)[rows, x : x + seen.shape[1]]
        seen += np.sqrt(variance) * sheet * np.float32(noise * random.choice((-1, 1)))
        levels = _CURVE[(np.clip(seen, 0, 1) * (len(_CURVE) - 1)).astype(np.uint16)]
        if self.mono:
            levels = np.repeat(cv2.cvtColor(levels, cv2.COLOR_BGR2GRAY)[:, :, None], 3, axis=2)
        return np.asarray(levels, dtype=np.float32)


_SPARE = 64
_CURVE = levels_of(np.linspace(0, 1, 16384, dtype=np.float32))


@cache
def _sheet(shape: tuple[int, ...]) -> Light:
    large = shape[0] + _SPARE, shape[1] + _SPARE, shape[2]
    return np.random.default_rng(1).standard_normal(large, dtype=np.float32)


@dataclass(frozen=True)
class Broken:
    """What a camera has from some time on: the fault of a cause, of one ``kind`` (see ``faults``), at a severity of 0
    to 1. The same drops, the same tape in each picture."""

    cause: str
    kind: str
    severity: float
    since: datetime


class Watched:
    """One camera of an ``area`` (without: of one of its own): where it stands, how it takes pictures, what happens
    before it in ``days``; healthy, but for what is ``broken``."""

    def __init__(self, view: Scene, days: int = DAYS, broken: Broken | None = None, area: Area | None = None) -> None:
        self.name, self.days, self.broken = view.name, days, broken
        self.area = area or Area(view.name, days)
        self._random = random = np.random.default_rng(zlib.crc32(b"month" + view.name.encode()))
        self.registered = random.random() < 0.6 or not self.area.by_noon
        noise, soft = random.uniform(0.5, 1.5), random.uniform(0.3, 0.9)
        self.camera = _Quick(
            read=0.0012 * noise,
            shot=0.00025 * noise**2,
            quality=int(random.integers(55, 92)),
            clock=random.random() < 0.8,
            clock_height=random.uniform(0.04, 0.06),
            clock_corner=((0.03, 0.04), (0.03, 0.9), (0.45, 0.04))[int(random.integers(0, 3))],
            font=(cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX)[int(random.integers(3))],
        )
        self._view, self._soft = view, soft
        self._exposure = float(random.choice((0.3, 0.5, 0.8), p=(0.1, 0.3, 0.6)))
        self._sway, self._bends = random.uniform(0.2, 1.0), random.uniform(0, 1.5)
        self._night = (*_LAMPS, *_INFRARED)[int(random.integers(0, 4))]
        self._road = random.random() < 0.3
        self._glare = random.uniform(7.5, 17) if random.random() < 0.3 else None
        self._seed = int(random.integers(0, 2**31))
        self._clear = self.area.clear
        self.spells = tuple(sorted(self._weather(), key=lambda spell: spell.begin))
        self._dark = lru_cache(4)(self._lit_by_night)

    @cached_property
    def _lights(self) -> Sequence[Light]:
        soft = (cv2.GaussianBlur(light_of(picture), (0, 0), self._soft) for picture in self._view.pictures)
        return [np.asarray(light, dtype=np.float32) for light in soft]

    @cached_property
    def _skies(self) -> Sequence[Light]:
        closed = self.name.startswith((_INDOORS, _BARE))
        return [np.zeros((*one.shape[:2], 1), np.float32) if closed else ground.sky(one) for one in self._lights]

    def forget(self) -> None:
        """Let go of what takes much memory, and can be drawn again."""
        for drawn in ("_lights", "_skies"):
            self.__dict__.pop(drawn, None)
        self._dark.cache_clear()

    @property
    def osd(self) -> Osd | None:
        """Its clock, where the register knows of it."""
        if not self.camera.clock or self._seed % 2:
            return None
        x, y, wide, high = self.camera.box(self._view.pictures[0].shape)
        return Osd((x, y, wide, high), "YYYY-MM-DD HH:MM:SS")

    @property
    def offset(self) -> timedelta:
        """How long after a look at its area begins it is looked at itself: all are, within one round."""
        return PACE * (self._seed % 240 / 240)

    def sun(self, at: datetime) -> float:
        """Its elevation in degrees."""
        return self.area.sun(at)

    def _weather(self) -> Iterator[Spell]:
        own = spells({**THINGS, **SHADOWS}, self.days, self._random)
        yield from (spell for spell in (*own, *self.area.over(self._random)) if self._has(spell.kind))

    def _has(self, kind: str) -> bool:
        """Whether there is weather of this kind where it stands."""
        indoors, bare = self.name.startswith(_INDOORS), self.name.startswith(_BARE)
        if kind == "snow_cover":
            return not (indoors or bare)
        return not (indoors and kind in AIR) and not (bare and kind in _FAR)

    def reference_times(self) -> list[datetime]:
        """When accepted pictures were taken: a day, a dusk, a night, and for half of the cameras another day."""
        hours = (12.0, 18.6, 23.0) if self._seed % 4 < 2 else (12.0, 18.6, 23.0, 9.5)
        return [BEGIN - timedelta(days=n + 1) + timedelta(hours=hour) for n, hour in enumerate(hours)]

    def references(self) -> list[tuple[bytes, datetime]]:
        """What people have accepted in the days before. Cars stand in them as they stand in pictures."""
        accepted = []
        for at in self.reference_times():
            random = self._at(at)
            stands = (Spell("passer", at, at, int(random.integers(0, 2**31))),) if random.random() < 0.4 else ()
            accepted.append((self._take(at, stands, random, fair=True), at))
        return accepted

    def looks(self) -> list[datetime]:
        """When something happens that lasts: when all cameras of the area are looked at, well within what happens here
        alone, each third day at dawn or dusk, and an hour without a gap."""
        random = np.random.default_rng(self._seed)
        end = BEGIN + timedelta(days=self.days)
        own = [
            spell
            for spell in self.spells
            if spell.kind in {**THINGS, **SHADOWS}
            and spell.lasts >= LASTS
            and spell.end < end
            and not (spell.kind in SHADOWS and self.sun(spell.begin + MOST * spell.lasts) < _LAMPS_ON)
        ]
        times = within(own, [at + self.offset for at in self.area.looks(self.days)])
        for day in range(0, self.days, 3):
            low = [t for t in _every(BEGIN + timedelta(days=day), 24 * 60 // 20, 20) if -8 < self.sun(t) < 8]
            if low:
                times.append(low[int(random.integers(0, len(low)))])
        return sorted([*times, *_every(BEGIN + timedelta(hours=random.uniform(0, 24 * self.days - 3)), 4, 15)])

    def picture(self, at: datetime) -> bytes:
        """What it shows at a time."""
        return self._take(at, self._now(at), self._at(at), fair=False)

    def conditions(self, at: datetime) -> tuple[str, ...]:
        """What may look like a fault at a time, beginning with the light."""
        sun = self.sun(at)
        light = "day" if sun > 8 else "low sun" if sun > 0 else "dusk" if sun > _SWITCHES else self._night
        mirror = ("glare",) if self._shines(at, sun) else ()
        lit = sun > _LAMPS_ON
        return (light, *mirror, *dict.fromkeys(s.kind for s in self._now(at) if lit or s.kind not in LIGHTS))

    def _now(self, at: datetime) -> tuple[Spell, ...]:
        here = [spell for spell in self.spells if spell.begin <= at < spell.end]
        # The air is one thing at a time, and so is the sky: the laws of each are of its whole state.
        states = [next((spell for spell in here if spell.kind in one), None) for one in (LIGHTS, AIR)]
        return (*(spell for spell in here if spell.kind in _STAND), *(spell for spell in states if spell is not None))

    def _shines(self, at: datetime, sun: float) -> bool:
        hour = at.hour + at.minute / 60
        clear = bool(self._clear[(at - BEGIN).days])
        return self._glare is not None and abs(hour - self._glare) < 0.4 and sun > 0 and clear

    def _at(self, at: datetime) -> np.random.Generator:
        return np.random.default_rng((self._seed, round((at - BEGIN).total_seconds()) + 10**7))

    def _take(self, at: datetime, spells: Sequence[Spell], random: np.random.Generator, *, fair: bool) -> bytes:
        sun = self.sun(at)
        dark = sun < _SWITCHES
        which = int(random.integers(0, len(self._lights)))
        things = tuple(spell for spell in spells if spell.kind in _STAND)
        day = np.float32(_by_day(sun))
        if dark:
            light = self._dark(which, things)
            if self._night == "infrared_insects":
                light = _LAW[self._night](self._standing(which, things), random)
            if self._road and self._night in _LAMPS and random.random() < 0.6:
                light = weather.cars(light, random)
        else:
            light = self._standing(which, things) * day
            for spell in spells:
                if spell.kind in LIGHTS and sun > _LAMPS_ON:
                    lit = _LAW[spell.kind](light, np.random.default_rng(spell.seed))
                    sky = self._skies[which] if spell.kind in SHADOWS else np.float32(0)
                    light = lit + sky * (light - lit)
            if not fair and 0 < sun < 8 and self._clear[(at - BEGIN).days]:
                light = _LAW["sunset"](light, random)
            if sun < _LAMPS_ON and self._night in _LAMPS:
                light = light + self._dark(which, things)
        for spell in spells:
            if spell.kind in AIR and (not dark or spell.kind != "flare_glare"):
                # Air is lit by what lights the scene, and no more; no drop falls twice.
                bright = np.float32(min(1.0, max(0.02, float(light[::8, ::8].mean()) / _GREY)))
                drops = random if spell.kind in _FALLS else np.random.default_rng(spell.seed)
                light = _LAW[spell.kind](light / bright, drops) * bright
        if not fair and self._shines(at, sun):
            light = _LAW["glare"](light, np.random.default_rng(self._seed))
        if (fault := self._fault(at, faults.LENS)) is not None:
            light = fault(light)
        return self._expose(light, at, random, dark=dark)

    def _fault(self, at: datetime, kinds: Mapping[str, Mapping[str, faults.Fault]]) -> Callable[[Light], Light] | None:
        """What is broken at a time, if it is one of these."""
        broken = self.broken
        if broken is None or at < broken.since or broken.cause not in kinds:
            return None
        fault = kinds[broken.cause][broken.kind]
        return lambda light: fault(light, broken.severity, np.random.default_rng(self._seed))

    def _standing(self, which: int, things: tuple[Spell, ...]) -> Light:
        light = self._lights[which]
        for thing in things:
            random = np.random.default_rng(thing.seed)
            if thing.kind == "snow_cover":
                light = ground.snow_lies(light, random, self._skies[which])
            else:
                light = _LAW[thing.kind](light, random)
        return light

    def _lit_by_night(self, which: int, things: tuple[Spell, ...]) -> Light:
        return _LAW[self._night](self._standing(which, things), np.random.default_rng(self._seed))

    def _expose(self, light: Light, at: datetime, random: np.random.Generator, *, dark: bool) -> bytes:
        warm = np.sin(2 * np.pi * (at.hour + at.minute / 60 - 9) / 24)
        x, y = random.normal((self._bends * warm, 0), self._sway)
        moved = cv2.warpAffine(
            light, np.array(((1, 0, x), (0, 1, y)), np.float64), light.shape[1::-1], borderMode=cv2.BORDER_REFLECT
        )
        mean = max(float(moved[::8, ::8].mean()), 1e-4)
        auto = min(8.0, max(0.5, (_GREY / mean) ** self._exposure))
        noise = min(_NOISIEST, (3.0 if dark else 1.0) * max(1.0, auto) ** 0.5)
        camera = replace(self.camera, mono=True) if dark and self._night in _INFRARED else self.camera
        gain = auto * random.uniform(0.9, 1.1)
        levels = camera.expose(np.asarray(moved, dtype=np.float32), random, gain, noise)
        fault = self._fault(at, faults.SENSOR)
        return camera.code(camera.burn_in(levels if fault is None else fault(levels), at))


def _every(begin: datetime, count: int, minutes: int) -> list[datetime]:
    return [begin + timedelta(minutes=minutes * n) for n in range(count)]


def _by_day(sun: float) -> float:
    """Light against that of a high sun. In twilight it falls to a hundredth."""
    if sun > 0:
        return float(0.2 + 0.8 * min(1.0, np.sin(np.radians(sun)) / np.sin(np.radians(40))))
    return float(0.2 * 10 ** (sun / 4))


def _sized(picture: Coded) -> Coded:
    height, width = picture.shape[:2]
    if width <= WIDTH:
        return np.ascontiguousarray(picture)
    size = (WIDTH, round(height * WIDTH / width))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)

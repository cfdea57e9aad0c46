"""Labelled cases of one scene: each fault at each severity, every healthy condition, and references of the view."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import cv2
import numpy as np

from tests.picture import faults, weather, wire
from tests.picture.camera import Camera, Case, Coded, Light, light_of

SEVERITIES = {"mild": 0.0, "moderate": 0.5, "severe": 1.0}
NOON = datetime(2026, 6, 10, 12, 0, 5)  # noqa: DTZ001 - a camera's local time has no zone
_AT_NIGHT = {"night", "headlights", "infrared"}


@dataclass(frozen=True)
class Scene:
    """What one camera sees: real or generated pictures, oldest first; the last are what is to be judged."""

    name: str
    pictures: tuple[Coded, ...]
    condition: str = "day"


def cases(scene: Scene, *, per_fault: int = 1) -> Iterator[Case]:
    """Every case of this scene; the same ones each time."""
    yield from _Maker(scene, per_fault).all()


class _Maker:
    def __init__(self, scene: Scene, per_fault: int) -> None:
        self._scene = scene
        self._per_fault = per_fault
        self._random = np.random.default_rng(zlib.crc32(scene.name.encode()))
        random = self._random
        self._lights = [light_of(_sized(picture)) for picture in scene.pictures]
        noise = random.uniform(0.5, 1.5)
        self._camera = Camera(
            read=0.0012 * noise,
            shot=0.00025 * noise**2,
            quality=int(random.integers(65, 93)),
            clock=random.random() < 0.75,
            clock_corner=((0.03, 0.04), (0.03, 0.9), (0.45, 0.04))[int(random.integers(0, 3))],
        )
        self._at = NOON
        kept = self._lights[:-1] or self._lights
        self._references = tuple(
            self._camera.take(self._nudged(kept[n % len(kept)]), self._reference_at(n), random, gain)
            for n, gain in enumerate((1.0, 0.8, 1.2))
        )

    def all(self) -> Iterator[Case]:
        yield from self._lens()
        yield from self._sensor()
        yield from self._wire()
        yield from self._time()
        yield from self._healthy()

    def _reference_at(self, n: int) -> datetime:
        return NOON - timedelta(days=3 + 2 * n, minutes=37 * n, seconds=11)

    def _nudged(self, light: Light) -> Light:
        x, y = self._random.uniform(-1, 1, 2)
        matrix = np.array(((1, 0, x), (0, 1, y)), np.float64)
        return np.asarray(
            cv2.warpAffine(light, matrix, light.shape[1::-1], borderMode=cv2.BORDER_REFLECT), dtype=np.float32
        )

    def _light(self) -> Light:
        return self._nudged(self._lights[-1])

    def _case(
        self,
        cause: str,
        kind: str,
        severity: str,
        frames: Sequence[bytes],
        at: Sequence[datetime] = (),
        camera: Camera | None = None,
    ) -> Case:
        camera = camera or self._camera
        box = camera.box(self._lights[0].shape)
        osd: dict[str, object] = {"box": list(box), "format": "YYYY-MM-DD HH:MM:SS"}
        return Case(
            id=f"{self._scene.name}/{cause or 'healthy'}/{kind}/{severity}",
            scene=self._scene.name,
            cause=cause,
            severity=severity,
            condition=kind,
            frames=tuple(frames),
            captured_at=tuple(at) or (self._at,),
            references=self._references,
            reference_at=tuple(self._reference_at(n) for n in range(len(self._references))),
            osd=osd if camera.clock else None,
        )

    def _lens(self) -> Iterator[Case]:
        for cause, kinds in faults.LENS.items():
            for severity, strength in SEVERITIES.items():
                for kind in self._some(kinds):
                    light = kinds[kind](self._light(), strength, self._random)
                    # A camera with too little light turns its gain up, and its noise with it.
                    noise = 3.0 if cause == "dark" else 1.0
                    gain = self._random.uniform(0.85, 1.15)
                    frame = self._camera.take(light, self._at, self._random, gain, noise)
                    yield self._case(cause, kind, severity, [frame])

    def _some(self, kinds: dict[str, faults.Fault]) -> list[str]:
        names = sorted(kinds)
        self._random.shuffle(names)
        return names[: self._per_fault]

    def _sensor(self) -> Iterator[Case]:
        for cause, kinds in faults.SENSOR.items():
            for severity, strength in SEVERITIES.items():
                for kind in self._some(kinds):
                    levels = self._camera.expose(self._light(), self._random)
                    frame = self._camera.code(
                        self._camera.burn_in(kinds[kind](levels, strength, self._random), self._at)
                    )
                    yield self._case(cause, kind, severity, [frame])

    def _wire(self) -> Iterator[Case]:
        for severity, strength in SEVERITIES.items():
            kind = ("damaged_jpeg", "grey_rest", "smeared_h264", "cut")[int(self._random.integers(0, 4))]
            frame = self._camera.take(self._light(), self._at, self._random)
            if kind == "damaged_jpeg":
                frame = wire.damaged_jpeg(frame, strength, self._random)
            elif kind == "cut":
                frame = frame[: round(len(frame) * (0.8 - 0.5 * strength))]
            else:
                spoilt = wire.grey_rest if kind == "grey_rest" else wire.smeared_h264
                levels = self._camera.burn_in(self._camera.expose(self._light(), self._random), self._at)
                frame = self._camera.code(spoilt(levels, strength, self._random))
            yield self._case("corrupt", kind, severity, [frame])
        kind = wire.SIGNALS[int(self._random.integers(0, len(wire.SIGNALS)))]
        card = wire.no_signal(self._lights[0].shape, kind, self._random)
        yield self._case("no_signal", kind, "severe", [self._camera.code(self._camera.burn_in(card, self._at))])

    def _time(self) -> Iterator[Case]:
        """Sequences: frozen, stopped and wrong clocks, and healthy ones with nothing but noise and a running clock."""
        camera, random = self._camera, self._random
        at = [self._at + timedelta(seconds=s) for s in (0, 2, 4, 6)]
        light = self._light()
        held = camera.expose(light, random)
        yield self._case("frozen", "held", "severe", [camera.code(camera.burn_in(held, self._at))] * len(at), at)
        yield self._case("frozen", "clock_runs", "moderate", [camera.code(camera.burn_in(held, t)) for t in at], at)
        yield self._case("", "static", "", [camera.take(light, t, random) for t in at], at)
        coarse = replace(camera, quality=40)
        yield self._case("", "static_jpeg_40", "", [coarse.take(light, t, random) for t in at], at)
        if camera.clock:
            stopped = self._at - timedelta(minutes=int(random.integers(3, 600)))
            yield self._case("osd_clock", "stopped", "severe", [camera.take(light, stopped, random) for _ in at], at)
            for severity, wrong in (
                ("moderate", timedelta(minutes=int(random.integers(4, 50)))),
                ("severe", timedelta(days=int(random.integers(1, 900)), hours=int(random.integers(1, 12)))),
            ):
                shown = self._at + wrong * random.choice((-1, 1))
                yield self._case("osd_clock", "wrong", severity, [camera.take(light, shown, random)])

    def _healthy(self) -> Iterator[Case]:
        camera, random = self._camera, self._random
        for n, light in enumerate(self._lights):
            frame = camera.take(self._nudged(light), self._at, random, random.uniform(0.7, 1.4))
            yield self._case("", self._scene.condition, f"{n}", [frame])
            if n >= 2:
                break
        for kind, change in weather.CONDITIONS.items():
            grey = kind in ("infrared", "grey_day")
            at = self._at.replace(hour=23) if kind in _AT_NIGHT else self._at
            at = at.replace(hour=19) if kind == "sunset" else at
            taken_by = replace(camera, mono=grey)
            noise = 3.0 if kind in _AT_NIGHT else 1.0
            frame = taken_by.take(change(self._light(), random), at, random, noise=noise)
            yield self._case("", kind, "", [frame], [at], taken_by)
        for quality in (40, 20):
            coarse = replace(camera, quality=quality)
            yield self._case("", f"jpeg_{quality}", "", [coarse.take(self._light(), self._at, random)], (), coarse)
        small = replace(camera, size=(352, 288), clock=False)
        yield self._case("", "sub_stream", "", [small.take(self._light(), self._at, random)], (), small)


def _sized(picture: Coded, width: int = 960) -> Coded:
    """The picture no wider than this: cases are many."""
    height, given = picture.shape[:2]
    if given <= width:
        return picture
    size = (width, round(height * width / given))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)

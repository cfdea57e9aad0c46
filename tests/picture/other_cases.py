"""Cases of one scene by the laws of ``otherwise``: other faults, weather, sizes and fonts; moves show new parts.

The camera sees a window of the picture, so that turning it brings into view what was outside.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import cv2
import numpy as np

from tests.picture import otherwise
from tests.picture.camera import Camera, Case, Light, levels_of, light_of
from tests.picture.cases import NOON, SEVERITIES, Scene

SIZES = ((1280, 720), (704, 576), (640, 480), (1920, 1080), (960, 540))
_DOTS = {
    "0": "0e11131519110e", "1": "040c040404040e", "2": "0e11010204081f", "3": "1f02040201110e", "4": "02060a121f0202",
    "5": "1f101e0101110e", "6": "0608101e11110e", "7": "1f010204080808", "8": "0e11110e11110e", "9": "0e11110f01020c",
    "-": "0000001f000000", ":": "000c0c000c0c00", "/": "00010204081000", " ": "00000000000000",
}  # fmt: skip
"""Letters of 5 x 7 dots, rows as hexadecimal numbers."""
WINDOW = 0.78
"""Share of the picture's sides that the camera sees."""


@dataclass(frozen=True)
class DotCamera(Camera):
    """A camera that writes with a character generator: letters of 5 x 7 dots, with an outline or without."""

    dot: int = 3
    outline: bool = True

    def box(self, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        x, y = round(self.clock_corner[0] * shape[1]), round(self.clock_corner[1] * shape[0])
        return x, y, (19 * 6 + 1) * self.dot, 9 * self.dot

    def burn_in(self, levels: Light, shown: datetime) -> Light:
        if not self.clock:
            return levels
        x, y, wide, high = self.box(levels.shape)
        ink = np.zeros((high, wide), np.uint8)
        for n, letter in enumerate(shown.strftime("%Y-%m-%d %H:%M:%S")):
            for row, bits in enumerate(bytes.fromhex(_DOTS[letter])):
                for column in range(5):
                    if bits >> (4 - column) & 1:
                        top, left = (row + 1) * self.dot, (n * 6 + column + 1) * self.dot
                        ink[top : top + self.dot, left : left + self.dot] = 255
        marked = levels.copy()
        part = marked[y : y + high, x : x + wide]
        ink = ink[: part.shape[0], : part.shape[1]]
        if self.outline:
            part[cv2.dilate(ink, np.ones((3, 3), np.uint8)) > 0] = 15
        part[ink > 0] = 240
        return marked


def cases(scene: Scene) -> Iterator[Case]:
    """Every case of this scene by the other laws; the same ones each time."""
    yield from _Maker(scene).all()


class _Maker:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._random = random = np.random.default_rng(zlib.crc32(b"other" + scene.name.encode()))
        height, width = scene.pictures[0].shape[:2]
        # A camera's picture is not sharper than its sensor: nothing is enlarged by more than a little.
        fitting = [size for size in SIZES if size[0] <= 1.15 * WINDOW * width and size[1] <= 1.3 * height]
        self._size = fitting[int(random.integers(0, len(fitting)))] if fitting else (352, 288)
        self._lights = [light_of(picture) for picture in scene.pictures]
        height = self._size[1]
        self._camera = DotCamera(
            read=0.001 * random.uniform(0.5, 2),
            shot=0.0003 * random.uniform(0.3, 2),
            quality=int(random.integers(55, 92)),
            clock=random.random() < 0.8 and self._size[0] >= 500,
            clock_corner=((0.02, 0.03), (0.02, 0.92), (0.5, 0.03))[int(random.integers(0, 3))],
            dot=max(2, round(height / 270)),
            outline=random.random() < 0.7,
            mono=bool(np.abs(np.ptp(scene.pictures[0].astype(int), axis=2)).max() < 6),
        )
        kept = self._lights[:-1] or self._lights
        self._reference_at = [NOON - timedelta(days=2 + 3 * n, minutes=53 * n, seconds=17 * n) for n in range(3)]
        self._references = tuple(
            self._camera.take(self._seen(kept[n % len(kept)]), at, random, gain)
            for n, (at, gain) in enumerate(zip(self._reference_at, (0.9, 1.15, 0.75), strict=True))
        )

    def _seen(self, light: Light, x: float = 0.0, y: float = 0.0, turn: float = 0.0, zoom: float = 1.0) -> Light:
        """The window, shifted by shares of itself, turned (degrees) and zoomed, at the camera's size."""
        height, width = light.shape[:2]
        wide, high = self._size
        jitter = self._random.uniform(-0.0012, 0.0012, 2)
        fit = min(width * WINDOW / wide, height * WINDOW / high)
        centre = width / 2 + (x + jitter[0]) * wide * fit, height / 2 + (y + jitter[1]) * high * fit
        matrix = cv2.getRotationMatrix2D(centre, turn, zoom / fit)
        matrix[:, 2] += (wide / 2 - centre[0], high / 2 - centre[1])
        way = cv2.INTER_AREA if fit > 1 else cv2.INTER_CUBIC
        seen = cv2.warpAffine(light, matrix, self._size, flags=way, borderMode=cv2.BORDER_REFLECT)
        return np.asarray(np.clip(seen, 0, None), dtype=np.float32)

    def _light(self) -> Light:
        return self._seen(self._lights[-1])

    def _case(
        self,
        cause: str,
        kind: str,
        severity: str,
        frames: list[bytes],
        at: list[datetime] | None = None,
        camera: Camera | None = None,
    ) -> Case:
        camera = camera or self._camera
        return Case(
            id=f"other/{self._scene.name}/{cause or 'healthy'}/{kind}/{severity}",
            scene=self._scene.name,
            cause=cause,
            severity=severity,
            condition=kind,
            frames=tuple(frames),
            captured_at=tuple(at or [NOON]),
            references=self._references,
            reference_at=tuple(self._reference_at),
            osd={"box": list(camera.box((self._size[1], self._size[0]))), "format": "YYYY-MM-DD HH:MM:SS"}
            if camera.clock
            else None,
        )

    def all(self) -> Iterator[Case]:
        camera, random = self._camera, self._random
        for cause, kinds in otherwise.LENS.items():
            if cause == "colour_cast" and camera.mono:
                continue
            for severity, strength in SEVERITIES.items():
                kind = sorted(kinds)[int(random.integers(0, len(kinds)))]
                light = kinds[kind](self._light(), strength, random)
                frame = camera.take(light, NOON, random, random.uniform(0.85, 1.15), 3.0 if cause == "dark" else 1.0)
                yield self._case(cause, kind, severity, [frame])
        for cause, kinds in otherwise.SENSOR.items():
            for severity, strength in SEVERITIES.items():
                kind = sorted(kinds)[int(random.integers(0, len(kinds)))]
                levels = kinds[kind](camera.expose(self._light(), random), strength, random)
                yield self._case(cause, kind, severity, [camera.code(camera.burn_in(levels, NOON))])
        yield from self._wire()
        yield from self._moved()
        yield from self._time()
        yield from self._healthy()

    def _wire(self) -> Iterator[Case]:
        camera, random = self._camera, self._random
        for severity, strength in SEVERITIES.items():
            kind = sorted(otherwise.WIRE)[int(random.integers(0, len(otherwise.WIRE)))]
            levels = otherwise.WIRE[kind](camera.burn_in(camera.expose(self._light(), random), NOON), strength, random)
            yield self._case("corrupt", kind, severity, [camera.code(levels)])
        kind = otherwise.CARDS[int(random.integers(0, len(otherwise.CARDS)))]
        card = otherwise.card((self._size[1], self._size[0]), kind, random)
        yield self._case("no_signal", kind, "severe", [camera.code(camera.burn_in(card, NOON))])

    def _moved(self) -> Iterator[Case]:
        camera, random = self._camera, self._random
        for severity, strength in SEVERITIES.items():
            kind = ("shifted", "turned", "zoomed")[int(random.integers(0, 3))]
            way, sign = random.uniform(0, 2 * np.pi), random.choice((-1, 1))
            reach = 0.06 * 5**strength
            move = {
                "shifted": {"x": reach * np.cos(way), "y": reach * np.sin(way)},
                "turned": {"turn": 4.0 * 6**strength * sign},
                "zoomed": {"zoom": (1.12 * 1.5**strength) ** sign},
            }[kind]
            light = self._seen(self._lights[-1], **move)
            yield self._case("moved", kind, severity, [camera.take(light, NOON, random)])

    def _time(self) -> Iterator[Case]:
        camera, random = self._camera, self._random
        at = [NOON + timedelta(seconds=s) for s in (0, 5, 10)]
        light = self._light()
        held = camera.expose(light, random)
        yield self._case("frozen", "held", "severe", [camera.code(camera.burn_in(held, at[0]))] * 3, at)
        yield self._case("frozen", "clock_runs", "moderate", [camera.code(camera.burn_in(held, t)) for t in at], at)
        yield self._case("", "static", "", [camera.take(light, t, random) for t in at], at)
        smooth = [camera.take(light, t, random, noise=0.25) for t in at]
        yield self._case("", "static_smooth", "", smooth, at)
        if camera.clock:
            stopped = NOON - timedelta(minutes=int(random.integers(3, 600)))
            yield self._case("osd_clock", "stopped", "severe", [camera.take(light, stopped, random) for _ in at], at)
            for severity, wrong in (
                ("moderate", timedelta(minutes=int(random.integers(4, 50)))),
                ("severe", timedelta(days=int(random.integers(1, 900)), hours=int(random.integers(1, 12)))),
            ):
                yield self._case(
                    "osd_clock", "wrong", severity, [camera.take(light, NOON + wrong * random.choice((-1, 1)), random)]
                )

    def _healthy(self) -> Iterator[Case]:
        camera, random = self._camera, self._random
        for n, light in enumerate(self._lights[:4]):
            yield self._case(
                "",
                self._scene.condition,
                f"{n}",
                [camera.take(self._seen(light), NOON, random, random.uniform(0.6, 1.5))],
            )
        for kind, change in otherwise.CONDITIONS.items():
            at = NOON.replace(hour=otherwise.AT_NIGHT.get(kind, 12))
            taken_by = replace(camera, mono=camera.mono or kind == "infrared_insects")
            frame = taken_by.take(change(self._light(), random), at, random, noise=otherwise.NOISE.get(kind, 1.0))
            yield self._case("", kind, "", [frame], [at], taken_by)
        coarse = replace(camera, quality=15)
        yield self._case("", "jpeg_15", "", [coarse.take(self._light(), NOON, random)], None, coarse)
        for kind, size in (
            ("sub_stream_cif", (352, 288)),
            ("sub_stream_360", (640, 360)),
            ("sub_stream_qvga", (320, 240)),
        ):
            if size[0] >= self._size[0]:
                continue
            small = replace(camera, size=size, clock=False)
            yield self._case("", kind, "", [small.take(self._light(), NOON, random)], None, small)
        whiter = np.asarray(self._light() * random.uniform(0.92, 1.08, 3), dtype=np.float32)
        yield self._case("", "white_balance", "", [camera.take(whiter, NOON, random)])
        sharpened = levels_of(self._light())
        sharpened = np.clip(sharpened * 1.8 - cv2.GaussianBlur(sharpened, (0, 0), 1.2) * 0.8, 0, 255)
        yield self._case("", "sharpening", "", [camera.take(light_of(sharpened.astype(np.uint8)), NOON, random)])

"""Healthy conditions that look like faults: a judge that fires on one of these cries wolf every night. Linear light."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from tests.picture.camera import Light

Random = np.random.Generator
Condition = Callable[[Light, Random], Light]


def _glow(shape: tuple[int, ...], x: float, y: float, radius: float) -> Light:
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    away = np.hypot(columns - x * shape[1], rows - y * shape[0]) / (radius * shape[1])
    return np.asarray(1 / (1 + away**2) ** 1.5, dtype=np.float32)


def night(light: Light, random: Random) -> Light:
    """Street lamps: little light, warm, and bright points with a glow."""
    lit = light * np.float32(random.uniform(0.02, 0.06))
    for _ in range(int(random.integers(2, 6))):
        x, y = random.uniform(0, 1), random.uniform(0.1, 0.7)
        lamp = _glow(light.shape, x, y, random.uniform(0.06, 0.15))[:, :, None]
        warm = np.array((0.45, 0.8, 1.0), np.float32)
        lit = lit + light * lamp * warm * np.float32(random.uniform(0.3, 0.8))
        lit = lit + _glow(light.shape, x, y, 0.006)[:, :, None] * warm * 2
    return np.asarray(lit, dtype=np.float32)


def headlights(light: Light, random: Random) -> Light:
    """Night, and cars that come towards the camera."""
    return cars(night(light, random), random)


def cars(lit: Light, random: Random) -> Light:
    """The lamps of cars that come towards the camera, in a scene as it is lit already."""
    for _ in range(int(random.integers(1, 4))):
        x, y = random.uniform(0.1, 0.9), random.uniform(0.5, 0.85)
        for side in (-0.025, 0.025):
            lit = lit + _glow(lit.shape, x + side, y, random.uniform(0.012, 0.03))[:, :, None] * np.float32(4)
    return np.asarray(lit, dtype=np.float32)


def infrared(light: Light, random: Random) -> Light:
    """The camera's own lamp: grey, bright in the middle and near, dark at the edges and far away."""
    grey = light @ np.array((0.2, 0.3, 0.5), np.float32)
    lamp = _glow(light.shape, random.uniform(0.4, 0.6), random.uniform(0.5, 0.75), random.uniform(0.35, 0.6))
    return np.repeat((grey**0.8 * lamp * np.float32(random.uniform(0.6, 1.1)))[:, :, None], 3, axis=2)


def rain(light: Light, random: Random) -> Light:
    """Streaks, and a little haze."""
    height, width = light.shape[:2]
    streaks = (random.random((height, width)) > 0.9965).astype(np.float32)
    length = max(5, round(0.025 * height))
    kernel = np.zeros((length, length), np.float32)
    cv2.line(kernel, (length // 2 - 1, 0), (length // 2 + 1, length - 1), 1.0)
    streaks = cv2.filter2D(streaks, -1, kernel)
    veiled = light * np.float32(0.75) + np.float32(0.06)
    return np.asarray(veiled + np.clip(streaks, 0, 1)[:, :, None] * np.float32(0.18), dtype=np.float32)


def snow(light: Light, random: Random) -> Light:
    """Flakes, near ones large and soft."""
    height, width = light.shape[:2]
    fallen = light * np.float32(0.8) + np.float32(0.08)
    for size, count in ((0.0015, 350), (0.004, 60)):
        flakes = np.zeros((height, width), np.float32)
        for x, y in random.random((count, 2)):
            cv2.circle(flakes, (int(x * width), int(y * height)), max(1, round(size * width)), 1.0, -1)
        flakes = cv2.GaussianBlur(flakes, (0, 0), size * width * 0.5 + 0.3)[:, :, None]
        fallen = fallen * (1 - flakes * 0.7) + flakes * 0.7 * 0.8
    return np.asarray(fallen, dtype=np.float32)


def glare(light: Light, random: Random) -> Light:
    """The sun or its mirror image in the picture, for some minutes."""
    x, y = random.uniform(0.1, 0.9), random.uniform(0.0, 0.4)
    sun = _glow(light.shape, x, y, random.uniform(0.08, 0.16))[:, :, None]
    return np.asarray(light + sun * np.float32(random.uniform(1.5, 4)) + np.float32(0.02), dtype=np.float32)


def sunset(light: Light, random: Random) -> Light:
    """Low, warm light."""
    return np.asarray(light * np.array((0.55, 0.75, 1.0), np.float32) * random.uniform(0.5, 0.9), dtype=np.float32)


def haze(light: Light, random: Random) -> Light:
    """Thin mist: far things are pale, near ones clear."""
    far = np.linspace(1.0, 0.1, light.shape[0], dtype=np.float32)[:, None, None]
    through = np.exp(-far * np.float32(random.uniform(0.3, 0.7)))
    return np.asarray(light * through + np.float32(0.5) * (1 - through), dtype=np.float32)


def grey_day(light: Light, random: Random) -> Light:
    """A camera set to black and white."""
    return np.repeat((light @ np.array((0.11, 0.59, 0.30), np.float32))[:, :, None], 3, axis=2)


def dim(light: Light, random: Random) -> Light:
    """Less light: a cloud."""
    return light * np.float32(random.uniform(0.4, 0.6))


def bright(light: Light, random: Random) -> Light:
    """More light: the sun comes out."""
    return light * np.float32(random.uniform(1.5, 2.2))


def shadow(light: Light, random: Random) -> Light:
    """A building's shadow lies over a part of the picture."""
    height, width = light.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    edge = random.uniform(0.3, 0.7) * width + random.uniform(-0.5, 0.5) * y
    shade = 0.3 + 0.7 * np.clip((x - edge) / (0.01 * width), 0, 1)
    return np.asarray(light * shade[:, :, None], dtype=np.float32)


def vibration(light: Light, random: Random) -> Light:
    """The mast moves by a few pixels."""
    x, y = random.uniform(-3, 3, 2) * light.shape[1] / 640
    matrix = np.array(((1, 0, x), (0, 1, y)), np.float64)
    return np.asarray(
        cv2.warpAffine(light, matrix, light.shape[1::-1], borderMode=cv2.BORDER_REFLECT), dtype=np.float32
    )


def passer(light: Light, random: Random) -> Light:
    """A van stands in a part of the picture: a sharp thing with edges of its own."""
    height, width = light.shape[:2]
    seen = light.copy()
    w, h = round(random.uniform(0.15, 0.28) * width), round(random.uniform(0.2, 0.4) * height)
    x, y = int(random.integers(0, width - w)), int(random.integers(height // 3, height - h))
    seen[y : y + h, x : x + w] = random.uniform(0.05, 0.6, 3)
    for _ in range(14):
        corner = x + int(random.integers(0, w)), y + int(random.integers(0, h))
        end = min(x + w, corner[0] + w // 4), min(y + h, corner[1] + h // 5)
        cv2.rectangle(seen, corner, end, tuple(float(v) for v in random.uniform(0.02, 0.7, 3)), -1)
    return seen


CONDITIONS: dict[str, Condition] = {
    "night": night,
    "headlights": headlights,
    "infrared": infrared,
    "rain": rain,
    "snow": snow,
    "glare": glare,
    "sunset": sunset,
    "haze": haze,
    "grey_day": grey_day,
    "dim": dim,
    "bright": bright,
    "shadow": shadow,
    "vibration": vibration,
    "passer": passer,
}

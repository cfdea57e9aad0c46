"""Pictures as cameras make them: a scene, then the sensor's noise, then JPEG. All are seeded. Those that take long to
draw are drawn once, and can't be written on."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 1920, 1080
Scene = NDArray[np.float64]


@cache
def street() -> Scene:
    """Day: sky above, houses and road with edges below."""
    random = np.random.default_rng(7)
    scene = np.full((HEIGHT, WIDTH, 3), 105.0)
    scene[: HEIGHT // 3] = np.linspace((235, 200, 180), (215, 205, 200), HEIGHT // 3)[:, None, :]
    for _ in range(120):
        x, y = int(random.integers(0, WIDTH)), int(random.integers(HEIGHT // 3, HEIGHT))
        corner = (x + int(random.integers(20, 200)), y + int(random.integers(20, 160)))
        cv2.rectangle(scene, (x, y), corner, tuple(float(v) for v in random.integers(30, 220, 3)), thickness=-1)
    scene.setflags(write=False)
    return scene


@cache
def night() -> Scene:
    """A road at night: most of it at the sensor's floor, a few lamps with their light on the ground."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    scene = np.full((HEIGHT, WIDTH, 3), 3.0)
    for x in (300, 950, 1600):
        distance = np.hypot((columns - x) / 1.6, rows - 700)
        scene += np.clip(240 - distance, 0, None)[:, :, None] * np.array((0.4, 0.7, 0.8))
    scene.setflags(write=False)
    return scene


def wall() -> Scene:
    """A textureless wall, a little brighter towards the window."""
    shade = np.linspace(138, 152, WIDTH)[None, :] + np.linspace(-4, 4, HEIGHT)[:, None]
    return np.repeat(shade[:, :, None], 3, axis=2)


def plain(blue: float, green: float, red: float) -> Scene:
    """One colour everywhere, as an encoder without a video signal makes it."""
    return np.full((HEIGHT, WIDTH, 3), (blue, green, red), dtype=np.float64)


def bars(*colours: tuple[int, int, int]) -> Scene:
    """A test card of upright bars."""
    scene = plain(0, 0, 0)
    for number, colour in enumerate(colours):
        scene[:, number * WIDTH // len(colours) : (number + 1) * WIDTH // len(colours)] = colour
    return scene


def grey_bars() -> Scene:
    return bars(*((level, level, level) for level in range(20, 236, 30)))


def lettered(scene: Scene, text: str) -> Scene:
    """The scene with a sentence burnt in."""
    marked = scene.astype(np.uint8)
    cv2.putText(marked, text, (WIDTH // 3, HEIGHT // 2), cv2.FONT_HERSHEY_SIMPLEX, 3, (235, 235, 235), 6)
    return marked.astype(np.float64)


def seen(scene: Scene, noise: float = 2.5) -> Scene:
    """The scene as a sensor gives it, with noise of this deviation in levels."""
    return scene + np.random.default_rng(11).normal(0, noise, scene.shape)


def jpeg(scene: Scene, quality: int = 80, width: int = WIDTH) -> bytes:
    picture = np.clip(scene, 0, 255).astype(np.uint8)
    if width != WIDTH:
        picture = cv2.resize(picture, (width, HEIGHT * width // WIDTH), interpolation=cv2.INTER_AREA)
    written, coded = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, quality))
    assert written
    return coded.tobytes()

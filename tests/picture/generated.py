"""Scenes made of nothing but numbers, for tests and for calibration where no other pictures are at hand."""

from __future__ import annotations

import cv2
import numpy as np

from tests.picture.camera import Coded
from tests.picture.cases import Scene

WIDTH, HEIGHT = 960, 540


def street(seed: int) -> Scene:
    """Houses with windows, a road with lines and kerbs, trees, sky; textures like those of walls and leaves."""
    random = np.random.default_rng(seed)
    picture = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    horizon = int(random.uniform(0.25, 0.45) * HEIGHT)
    picture[:horizon] = np.linspace((225, 190, 165), (215, 210, 205), horizon)[:, None, :]
    picture[horizon:] = random.uniform(70, 120)
    x = 0
    while x < WIDTH:
        width, top = int(random.integers(70, 200)), int(random.uniform(0.05, 0.9) * horizon)
        bottom = horizon + int(random.uniform(0.1, 0.35) * HEIGHT)
        wall = random.uniform(60, 190) + random.uniform(-25, 25, 3)
        picture[top:bottom, x : x + width] = wall
        step = int(random.integers(22, 40))
        for row in range(top + 10, bottom - 14, step):
            for column in range(x + 8, min(x + width, WIDTH) - 12, step):
                shade = tuple(float(v) for v in wall * random.uniform(0.2, 0.7))
                cv2.rectangle(picture, (column, row), (column + step // 2, row + step // 2), shade, -1)
        x += width + int(random.integers(0, 30))
    vanishing = int(random.uniform(0.3, 0.7) * WIDTH)
    for end in np.linspace(-0.4, 1.4, 7):
        cv2.line(picture, (vanishing, horizon + 20), (int(end * WIDTH), HEIGHT), (210.0, 215.0, 220.0), 3)
    for _ in range(int(random.integers(3, 9))):
        centre = int(random.integers(0, WIDTH)), int(random.integers(horizon, HEIGHT))
        _leaves(picture, centre, int(random.integers(20, 70)), random)
    for _ in range(int(random.integers(2, 7))):
        corner = int(random.integers(0, WIDTH)), int(random.uniform(0.6, 0.9) * HEIGHT)
        size = int(random.integers(40, 90))
        colour = tuple(float(v) for v in random.uniform(20, 230, 3))
        cv2.rectangle(picture, corner, (corner[0] + 2 * size, corner[1] + size), colour, -1)
        cv2.rectangle(picture, corner, (corner[0] + 2 * size, corner[1] + size // 3), (50.0, 40.0, 30.0), -1)
    return Scene(f"street-{seed}", (_textured(picture, random, 7.0),))


def room(seed: int) -> Scene:
    """A hall with little texture: walls, a door, a few things."""
    random = np.random.default_rng(1000 + seed)
    picture = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    picture[:] = random.uniform(120, 190) + random.uniform(-12, 12, 3)
    floor = int(random.uniform(0.55, 0.7) * HEIGHT)
    picture[floor:] = random.uniform(60, 120) + random.uniform(-15, 15, 3)
    picture *= np.linspace(0.8, 1.1, WIDTH, dtype=np.float32)[None, :, None]
    for _ in range(14):
        corner = int(random.integers(0, WIDTH - 60)), int(random.integers(40, HEIGHT - 60))
        wide, high = (int(v) for v in random.integers(25, 130, 2))
        colour = tuple(float(v) for v in random.uniform(20, 230, 3))
        cv2.rectangle(picture, corner, (corner[0] + wide, corner[1] + high), colour, -1)
        cv2.rectangle(picture, corner, (corner[0] + wide, corner[1] + high), (30.0, 30.0, 30.0), 2)
    for x in range(0, WIDTH, 64):
        cv2.line(picture, (x, floor), (int((x - WIDTH / 2) * 2 + WIDTH / 2), HEIGHT), (50.0, 50.0, 50.0), 1)
    return Scene(f"room-{seed}", (_textured(picture, random, 2.0),), "low_texture")


def wall(seed: int) -> Scene:
    """Hardly anything: a wall, a sky or an empty road; light that falls off, one line, a little texture."""
    random = np.random.default_rng(2000 + seed)
    picture = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    picture[:] = random.uniform(70, 200) + random.uniform(-20, 20, 3)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    away = np.hypot(x / WIDTH - random.uniform(0, 1), y / HEIGHT - random.uniform(0, 1))
    picture *= (1.15 - random.uniform(0.1, 0.4) * away)[:, :, None]
    if seed % 2:
        level = int(random.uniform(0.5, 0.9) * HEIGHT)
        cv2.line(picture, (0, level), (WIDTH, level + int(random.integers(-60, 60))), (60.0, 60.0, 60.0), 3)
    return Scene(f"wall-{seed}", (_textured(picture, random, 0.6),), "low_texture")


def _leaves(picture: np.ndarray, centre: tuple[int, int], size: int, random: np.random.Generator) -> None:
    for x, y in random.normal(0, size / 2, (260, 2)):
        shade = random.uniform(0.4, 1.5)
        at = int(centre[0] + x), int(centre[1] + y)
        cv2.circle(picture, at, int(random.integers(1, 4)), (30 * shade, 90 * shade, 50 * shade), -1)


def _textured(picture: np.ndarray, random: np.random.Generator, strength: float) -> Coded:
    """The picture with a texture of its own, softened as a lens would."""
    grain = cv2.GaussianBlur(random.normal(0, 1, picture.shape[:2]).astype(np.float32), (0, 0), 0.8)
    patches = cv2.GaussianBlur(random.normal(0, 1, picture.shape[:2]).astype(np.float32), (0, 0), 6)
    shaded = picture + strength * (2 * grain + 10 * patches)[:, :, None] * (0.3 + picture / 255)
    return np.clip(cv2.GaussianBlur(shaded, (0, 0), 0.7), 0, 255).astype(np.uint8)

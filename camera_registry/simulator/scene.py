"""Draws what simulated cameras see: invented streets with moving cars, by day, at night and in infrared, and the same
through a fault. There are no people in these pictures.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""Height x width x 3, blue-green-red, as OpenCV has it."""

VARIANTS = 6
"""Different scenes; device number n sees scene n modulo this."""
NIGHT = 4
INFRARED = 5


class Look(StrEnum):
    """How the camera sees its scene."""

    NORMAL = "normal"
    BLACK = "black"
    COVERED = "covered"
    BLURRED = "blurred"
    MOVED = "moved"
    NO_SIGNAL = "no_signal"


_TURNED = 0.22, 0.06
"""By which share of width and height a scene is displaced where the camera was turned."""


def draw(variant: int, look: Look, width: int, height: int, turn: float) -> Picture:
    """The scene without any text burnt in. ``turn`` from 0 to 1 is how far the cars have come on their round."""
    if look is Look.NO_SIGNAL:
        # What a recorder shows for an input without a signal: one flat colour.
        return _flat(width, height, (160, 40, 10))
    if look is Look.BLACK:
        return _flat(width, height, (6, 6, 6))
    if look is Look.COVERED:
        return _covered(width, height)
    picture = _street(variant % VARIANTS, width, height).copy()
    _cars(picture, variant % VARIANTS, turn)
    if look is Look.BLURRED:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), width / 60), np.uint8)
    if look is Look.MOVED:
        way = np.array([[1, 0, -_TURNED[0] * width], [0, 1, -_TURNED[1] * height]])
        shifted = cv2.warpAffine(picture, way, (width, height), borderMode=cv2.BORDER_REFLECT)
        picture = np.asarray(shifted, np.uint8)
    return picture


def noisy(picture: Picture, look: Look, seed: int) -> Picture:
    """The picture with the noise of a sensor; what never came from a sensor has none."""
    if look is Look.NO_SIGNAL:
        return picture
    rng = np.random.default_rng(seed)
    noise = rng.normal(0.0, 1.2 if look is Look.BLACK else 2.5, picture.shape[:2])
    # In whole numbers, as far below as the sum would be cut off to: a third of the work, and the same bytes.
    whole = np.floor(noise).astype(np.int16)
    return np.asarray(cv2.add(picture, cv2.merge([whole] * 3), dtype=cv2.CV_8U), np.uint8)


def _bytes(light: NDArray[np.floating]) -> Picture:
    clipped: Picture = np.clip(light, 0, 255).astype(np.uint8)
    return clipped


def _flat(width: int, height: int, colour: tuple[int, int, int]) -> Picture:
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = colour
    return picture


@cache
def _covered(width: int, height: int) -> Picture:
    """Something stands right before the lens: a dim, soft gradient without any edge."""
    down, across = np.mgrid[0:height, 0:width]
    light = 62 + 26 * np.sin(across / width * 2.1 + 0.4) + 14 * np.cos(down / height * 1.7)
    return _bytes(light[:, :, None] * np.array([0.72, 0.86, 1.0]))


@cache
def _street(variant: int, width: int, height: int) -> Picture:
    """The still part of a scene: sky, houses with windows, a road with its markings, ground with grain."""
    rng = np.random.default_rng(100 + variant)
    horizon = int(height * (0.30 + 0.03 * variant))
    picture = np.empty((height, width, 3), np.uint8)
    sky = np.linspace(235, 190, horizon)[:, None, None] * np.array([1.0, 0.93, 0.86])
    picture[:horizon] = _bytes(sky)
    grain = rng.normal(0, 9, (height - horizon, width, 1)) + np.linspace(120, 95, height - horizon)[:, None, None]
    picture[horizon:] = _bytes(grain * np.array([0.98, 1.0, 1.02]))
    left = 0
    while left < width:
        wide = int(rng.integers(width // 12, width // 5))
        _house(picture, rng, left, left + wide, horizon, int(rng.integers(horizon // 3, horizon)))
        left += wide + int(rng.integers(0, width // 20))
    _road(picture, horizon)
    _trees(picture, rng, horizon)
    if variant == NIGHT:
        return _bytes(picture * 0.33 + np.array([14, 8, 4]))
    if variant == INFRARED:
        grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
        return np.asarray(cv2.cvtColor(_bytes(grey * 0.62 + 12), cv2.COLOR_GRAY2BGR), np.uint8)
    return picture


def _house(picture: Picture, rng: np.random.Generator, left: int, right: int, ground: int, tall: int) -> None:
    wall = tuple(int(value) for value in rng.integers(90, 200, 3))
    top = max(0, ground - tall)
    cv2.rectangle(picture, (left, top), (right, ground + 6), wall, -1)
    step = max(6, (right - left) // 6)
    for x in range(left + step // 2, right - step // 2, step):
        for y in range(top + step // 2, ground - step // 2, step):
            glass = int(rng.integers(30, 90))
            cv2.rectangle(picture, (x, y), (x + step // 2, y + step // 2), (glass + 20, glass + 8, glass), -1)


def _road(picture: Picture, horizon: int) -> None:
    height, width = picture.shape[:2]
    edges = np.array(
        [[width * 0.40, horizon + 6], [width * 0.62, horizon + 6], [width * 1.02, height], [width * 0.02, height]],
        np.int32,
    )
    shade = picture.copy()
    cv2.fillPoly(shade, [edges], (72, 70, 68))
    picture[:] = cv2.addWeighted(shade, 0.8, picture, 0.2, 0)
    for lane in (0.35, 0.66):
        far, near = width * (0.40 + 0.22 * lane), width * (0.02 + 1.0 * lane)
        for part in np.arange(0.05, 1.0, 0.14):
            begin, end = _along(far, near, part, horizon, height), _along(far, near, part + 0.07, horizon, height)
            cv2.line(picture, begin, end, (225, 228, 230), max(1, int(4 * part)))


def _along(far: float, near: float, part: float, horizon: int, height: int) -> tuple[int, int]:
    return int(far + (near - far) * part), int(horizon + 6 + (height - horizon) * part)


def _trees(picture: Picture, rng: np.random.Generator, horizon: int) -> None:
    height, width = picture.shape[:2]
    for _ in range(70):
        x = int(rng.choice((rng.uniform(0, 0.13), rng.uniform(0.88, 1.0))) * width)
        y = int(horizon + rng.uniform(-0.1, 0.25) * height)
        green = int(rng.integers(60, 130))
        cv2.circle(picture, (x, y), int(rng.integers(2, max(3, width // 45))), (green // 2, green, green // 2 + 10), -1)


def _cars(picture: Picture, variant: int, turn: float) -> None:
    """Three cars, nearer and larger as they come; with their headlights on at night."""
    height, width = picture.shape[:2]
    horizon = int(height * (0.30 + 0.03 * variant))
    for car, paint in enumerate(((40, 40, 190), (200, 196, 190), (150, 90, 30))):
        part = (turn + car * 0.37 + variant * 0.11) % 1.0
        lane = (0.2, 0.5, 0.82)[car]
        far, near = width * (0.40 + 0.22 * lane), width * (0.02 + 1.0 * lane)
        x, y = _along(far, near, part, horizon, height)
        size = max(3, int(width * (0.015 + 0.075 * part)))
        colour = (sum(paint) // 3,) * 3 if variant == INFRARED else paint
        cv2.rectangle(picture, (x - size, y - size), (x + size, y), colour, -1)
        cv2.rectangle(picture, (x - size * 2 // 3, y - size), (x + size * 2 // 3, y - size * 3 // 5), (60, 50, 45), -1)
        light = (255, 255, 255) if variant in (NIGHT, INFRARED) else (210, 230, 235)
        for side in (-1, 1):
            cv2.circle(picture, (x + side * size * 3 // 4, y - size // 3), max(1, size // 6), light, -1)

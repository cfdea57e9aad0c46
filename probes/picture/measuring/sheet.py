"""This file prepares a picture for measuring: one size for all, luminance, and where text is burnt in.

Measures work on a *sheet*: the picture at most 640 pixels wide. What can be told at that size is what a person at a
wall of screens would see, and a sub-stream can be compared with a main stream.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]
Values: TypeAlias = NDArray[np.floating[Any] | np.integer[Any]]
Box = tuple[float, float, float, float]
"""Left, top, width and height as shares of the picture."""

WIDTH = 640
HALF, SMALL = (320, 180), (160, 90)
TILES = (16, 9)
"""Columns and rows of a tile map. A tile is 40 x 40 pixels of a 16:9 sheet."""
SPOTS = (32, 18)
"""Columns and rows of small tiles."""

_BAND = 0.15
"""Cameras burn text into the upper and lower parts of the picture: shares of its height."""
_STROKE = 9
"""Strokes of burnt-in letters are thinner than this many pixels of a sheet."""
_STANDS_OUT = 60
"""Levels by which a stroke stands out of what surrounds it."""
_FEW = 1024
"""Pixels of a plane up to which OpenCV's averaging takes less time than a product of matrices."""
_BUSY = 12
"""Levels by which a pixel must differ from its surroundings, so that coding can't have flattened its noise."""
_COUNTED = 255
"""The most that a byte counts to."""
_WHITE = 185
"""Letters are at least this bright: cameras write in white, with a dark outline where the scene is bright."""


@dataclass(frozen=True)
class Still:
    """What is compared between frames of one view: luminance, and where no text is burnt in."""

    grey: Picture
    clear: Mask

    @cached_property
    def busy(self) -> Mask:
        """Pixels in texture, not clipped: those in which a live sensor's noise shows, however the picture was coded."""
        away = cv2.absdiff(self.grey, cv2.blur(self.grey, (7, 7)))
        return np.asarray((away > _BUSY) & (self.grey > 8) & (self.grey < 247))


@dataclass(frozen=True)
class Sheet:
    """A picture ready for measuring.

    ``small`` is the picture at 160 x 90, ``halved`` at 320 x 180, ``half`` its luminance at that size. ``grid`` is the
    edge of a coding block of the JPEG in pixels of ``decoded``, 0 where the scale has hidden it. ``clear`` is where no
    text is burnt in. ``damaged`` is what the decoder grumbled about, empty for a whole file.
    """

    colour: Picture
    halved: Picture
    small: Picture
    grey: Picture
    luma: Plane
    half: Plane
    clear: Mask
    decoded: Picture
    grid: int = 8
    damaged: str = ""

    @cached_property
    def means(self) -> Plane:
        """The mean level of each tile."""
        return tiles(self.spot_means)

    @cached_property
    def spot_means(self) -> Plane:
        """The mean level of each small tile."""
        # The half has the same means with fewer pixels; but a small picture's was not made smaller.
        made_smaller = min(self.luma.shape[0] / HALF[1], self.luma.shape[1] / HALF[0]) >= 1
        return tiles(self.half if made_smaller else self.luma, SPOTS)

    @cached_property
    def profiles(self) -> Plane:
        """The mean level over the height, in 90 steps, of each third of the width: 90 x 3."""
        thirds = np.array_split(self.grey, 3, axis=1)
        means = [cv2.reduce(third, 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F) for third in thirds]
        return np.asarray(cv2.resize(cv2.hconcat(means), (3, 90)), dtype=np.float32)

    @cached_property
    def clear_spots(self) -> Plane:
        """The share of each small tile that is free of text."""
        return tiles(self.clear, SPOTS)

    @cached_property
    def clear_bytes(self) -> Picture:
        return self.clear.view(np.uint8)

    @cached_property
    def still(self) -> Still:
        return Still(self.grey, self.clear)

    @cached_property
    def columns(self) -> Picture:
        """The columns of ``decoded``, one a row."""
        return np.asarray(cv2.transpose(self.decoded), dtype=np.uint8)

    @property
    def shape(self) -> tuple[int, int]:
        return self.luma.shape[0], self.luma.shape[1]


def prepare(picture: Picture, scale: int = 1, boxes: tuple[Box, ...] = (), damaged: str = "") -> Sheet:
    """The sheet of a decoded picture (blue-green-red). ``scale``: how many times the decoder has reduced it.

    ``boxes`` are where the register knows text to stand; other text is found by its looks.
    """
    colour = _sized(picture)
    grey = np.asarray(cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    grid = 8 // scale if scale <= 2 else 0
    luma = grey.astype(np.float32)
    half = np.asarray(cv2.resize(luma, HALF, interpolation=cv2.INTER_AREA), dtype=np.float32)
    # In two steps of a half, for which there is a fast way.
    halved = np.asarray(cv2.resize(colour, HALF, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    small = np.asarray(cv2.resize(halved, SMALL, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    decoded = grey if picture is colour else np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    return Sheet(colour, halved, small, grey, luma, half, ~_text(grey, boxes), decoded, grid, damaged)


def still(picture: Picture, boxes: tuple[Box, ...] = ()) -> Still:
    """The same of a decoded picture (blue-green-red). ``boxes`` as for ``prepare``."""
    grey = np.asarray(cv2.cvtColor(_sized(picture), cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    return Still(grey, ~_text(grey, boxes))


def _sized(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    if width <= WIDTH:
        return picture
    size = (WIDTH, max(1, round(height * WIDTH / width)))
    # Averaging takes six times as long and gains nothing while no pixel is passed over.
    way = cv2.INTER_AREA if width > 1.6 * WIDTH else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=way), dtype=np.uint8)


def tiles(plane: Values | Mask, size: tuple[int, int] = TILES) -> Plane:
    """The mean of each tile, of ``size`` columns and rows; of a mask the share that is true."""
    (columns, rows), (height, width) = size, plane.shape[:2]
    if plane.dtype == np.bool_:
        if height % rows or height > _COUNTED * rows:
            return tiles(plane.astype(np.float32), size)
        # Counted in bytes, of which there are four times fewer to be read.
        counts = np.add.reduce(plane.view(np.uint8).reshape(rows, -1, width), axis=1, dtype=np.uint8)
        return np.asarray(counts.astype(np.float32) @ _parts(width, columns).T * (rows / height), dtype=np.float32)
    if plane.dtype == np.float32 and plane.ndim == 2 and plane.size > _FEW:
        # Small matrices take half the time of OpenCV's averaging, or less where borders of tiles lie within pixels.
        if height % rows:
            lines = _parts(height, rows) @ plane
        else:
            lines = (_parts(height // rows, 1) @ plane.reshape(rows, -1, width))[:, 0]
        return np.asarray(lines @ _parts(width, columns).T)
    return np.asarray(cv2.resize(np.asarray(plane), size, interpolation=cv2.INTER_AREA), dtype=np.float32)


@lru_cache(maxsize=64)
def _parts(length: int, parts: int) -> Plane:
    """What share each pixel of a line has in the mean of each part."""
    borders, at = np.linspace(0, length, parts + 1), np.arange(length)
    inside = np.minimum(at + 1, borders[1:, None]) - np.maximum(at, borders[:-1, None])
    return np.asarray(np.clip(inside, 0, 1) * (parts / length), dtype=np.float32)


def percentiles(values: Values, *percents: float) -> list[float]:
    """As numpy's, on a straight line between two values; but numpy's own takes five times as long for a few tiles."""
    ordered = values.flatten()
    ordered.sort()
    last = len(ordered) - 1
    found = []
    for percent in percents:
        place = last * percent / 100
        below = int(place)
        low: float = ordered.item(below)
        found.append(low + (ordered.item(min(below + 1, last)) - low) * (place - below))
    return found


def percentile(values: Values, percent: float) -> float:
    """One of ``percentiles``."""
    return percentiles(values, percent)[0]


def median(values: Values) -> float:
    """As numpy's, seven times as fast for a few tiles."""
    return percentiles(values, 50)[0]


def rows(mask: Mask) -> tuple[str, ...]:
    """A tile map for people: row by row, "1" for a tile that is concerned."""
    columns = mask.shape[1]
    told = (mask + np.uint8(ord("0"))).tobytes().decode("ascii")
    return tuple(told[begin : begin + columns] for begin in range(0, len(told), columns))


def parts(gone: Mask, told: Mask, name: str) -> dict[str, float]:
    """The largest connected part of these tiles, as a share of those told, and how many parts there are."""
    if not gone.any():
        return {f"{name}patch": 0.0, f"{name}parts": 0.0}
    count, labels = cv2.connectedComponents(gone.view(np.uint8), connectivity=4)
    sizes = np.bincount(labels.ravel(), minlength=count)[1:]
    return {
        f"{name}patch": float(sizes.max() / np.count_nonzero(told)),
        f"{name}parts": float(len(sizes)),
    }


def share(mask: Mask) -> float:
    return float(np.count_nonzero(mask)) / max(1, mask.size)


def _marks(words: Picture) -> list[list[int]]:
    """Left, top, width, height and area of what hangs together."""
    left, top, wide, high = cv2.boundingRect(words)
    if not wide:
        return []
    # Closed as they are they lie so far apart that two bytes number them all, in half the time.
    part = words[top : top + high, left : left + wide]
    count, _, found, _ = cv2.connectedComponentsWithStats(part, ltype=cv2.CV_16U)
    return [[left + x, top + y, *size] for x, y, *size in found[1:count].tolist()]


def _text(grey: Picture, boxes: tuple[Box, ...]) -> Mask:
    """Where letters are burnt in: thin bright strokes in rows, near the upper and lower border; and the known boxes."""
    height, width = grey.shape
    found = np.zeros((height, width), np.bool_)
    band = max(1, round(height * _BAND))
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (_STROKE, _STROKE))
    joined = cv2.getStructuringElement(cv2.MORPH_RECT, (17, 7))
    for top in (0, height - band):
        part = grey[top : top + band]
        strokes = (cv2.morphologyEx(part, cv2.MORPH_TOPHAT, kernel) > _STANDS_OUT) & (part > _WHITE)
        words = cv2.morphologyEx(strokes.view(np.uint8), cv2.MORPH_CLOSE, joined)
        for left, above, wide, high, area in _marks(np.asarray(words, dtype=np.uint8)):
            if wide >= 3 * high and wide >= 0.05 * width and area >= 0.35 * wide * high:
                edge = 5
                found[
                    max(0, top + above - edge) : top + above + high + edge, max(0, left - edge) : left + wide + edge
                ] = True
    for x, y, wide_share, high_share in boxes:
        left, above = round((x - 0.01) * width), round((y - 0.01) * height)
        right, below = round((x + wide_share + 0.01) * width), round((y + high_share + 0.01) * height)
        found[max(0, above) : max(0, below), max(0, left) : max(0, right)] = True
    return found

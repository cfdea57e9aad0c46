"""This file measures sharpness and noise. Both stay away from burnt-in text, which is sharp whatever the lens does."""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from probes.picture.measuring.sheet import (
    SPOTS,
    TILES,
    Mask,
    Picture,
    Plane,
    Sheet,
    median,
    percentile,
    percentiles,
    share,
    tiles,
)

REBLUR = 1.0
"""Deviation in pixels of the blur that edges are compared under (Zhuo and Sim 2011)."""
SOBEL = 0.75
"""Width in pixels that the gradient's own filter gives to a step; it is part of every width measured here."""
LEAST_EDGES = 60
"""Edge pixels from which on a percentile of them says something."""
MOST_EDGES = 3000
_SLAB, _SEAM = 24, 2
"""Rows of a slab of the picture that edges are looked for in, and those at its borders that belong to another."""
WIDEST = 8.0
"""Widths in pixels beyond which the ratio of gradients can't tell one from the other."""
_AGAIN, _SMOOTH = cv2.getGaussianKernel(7, REBLUR, cv2.CV_32F), cv2.getGaussianKernel(5, 1.0, cv2.CV_32F)
"""Gauss kernels; OpenCV's filter with one of them takes three quarters of its own blur's time."""
_EIGHTH = np.float32(np.tan(np.pi / 8))
"""Slope of an eighth of a half turn."""
_EVERY = 4
"""One row of so many is enough for a structure function."""
_SLICE, _GLANCED = (8, 24), 0.002
"""Rows of a slice of the picture, and of how many; share of specks in them, below which nobody asks where they are:
half of what a picture has with so many hot pixels in 70 % of its tiles that they are a fault, a sixth of that of
others."""
_CLEAR, _VARIES, _PLACES = 0.951, 60.0, 12
"""Share of a small tile that must be free of text; levels squared by which light must vary over three pixels; and in
how many small tiles of 576."""


def noise_tiles(luma: Plane | Picture, size: tuple[int, int] = TILES) -> Plane:
    """Deviation of the noise of each tile in levels: Immerkaer, CVIU 64(2), 1996 ("fast noise variance estimation").

    Structure is taken for noise where there is any, so look at the lowest tiles.
    """
    # The second derivative along both ways, (1, -2, 1) each, is his mask.
    filtered = np.asarray(cv2.Sobel(luma, cv2.CV_32F, 2, 2), dtype=np.float32)
    return np.asarray(tiles(np.abs(filtered, out=filtered), size) * (np.sqrt(np.pi / 2) / 6), dtype=np.float32)


def noise(sheet: Sheet) -> dict[str, float]:
    """``noise``: deviation in levels where the picture is smoothest (lowest tenth of the tiles that are neither black
    nor clipped), ``grain`` the same, median over all tiles, ``silent`` the share of tiles without any.
    ``speckle``: share of pixels that differ by more than 40 levels from the median of their 3 x 3, 30th percentile of
    the tiles: what is lost on the wire is lost everywhere, what stands out in a scene stands somewhere. ``hot``: the
    same of pixels that stand out in blue or red far more than in luminance. ``colour_noise``:
    deviation of blue less red, at half the size: a scene's texture is hardly ever in its colours.
    ``even``: noise of the small tiles that have least (5th percentile) against that of a quarter of them. A sensor's is
    much the same everywhere, texture that looks like it is not. 0 to 1."""
    by_spot, spots = noise_tiles(sheet.grey, SPOTS), sheet.spot_means
    lit = by_spot[(sheet.clear_spots > _CLEAR) & (spots > 10) & (spots < 245)]
    by_tile, means = tiles(by_spot), sheet.means
    told = (means > 10) & (means < 245)
    lowest = percentile(by_tile[told], 10) if np.count_nonzero(told) >= 8 else 0.0
    blue, _, red = cv2.split(sheet.halved)
    coloured = noise_tiles(np.asarray(cv2.subtract(blue, red, dtype=cv2.CV_32F), dtype=np.float32))
    least, quarter = percentiles(lit, 5, 25) if lowest and lit.size else (0.0, 0.0)
    lonely, hot = _specks(sheet)
    return {
        "noise": lowest,
        "speckle": lonely,
        "hot": hot,
        "grain": median(by_tile),
        "silent": share(by_tile < 0.05),
        "colour_noise": percentile(coloured[told], 10) if lowest else 0.0,
        "even": least / max(quarter, 0.05),
    }


def _specks(sheet: Sheet) -> tuple[float, float]:
    """``speckle`` and ``hot``."""
    planes = sheet.grey, sheet.colour, sheet.clear_bytes
    if len(sheet.grey) >= 4 * _SLICE[1]:
        # What is everywhere is in slices of the picture too, and hardly any picture has it.
        seen = [np.ascontiguousarray(_sliced(plane)).reshape(-1, *plane.shape[1:]) for plane in planes]
        found = [_sliced(specks, _SLICE[0])[:, 1:-1] for specks in _lonely(*seen)]
        if max(map(np.count_nonzero, found)) < _GLANCED * found[0].size:
            return 0.0, 0.0
    lonely, hot = (_everywhere(specks) for specks in _lonely(*planes))
    return lonely, hot


def _sliced(plane: NDArray[np.uint8], every: int = _SLICE[1]) -> NDArray[np.uint8]:
    """The first rows of each ``every`` rows."""
    whole = plane[: len(plane) // every * every]
    return whole.reshape(-1, every, *plane.shape[1:])[:, : _SLICE[0]]


def _lonely(grey: Picture, colour: Picture, clear: Picture) -> tuple[Picture, Picture]:
    """Pixels outside text that stand out of those around them: 1 and not 0 in luminance, in blue or red alone."""
    brightest = cv2.max(cv2.extractChannel(colour, 0), cv2.extractChannel(colour, 2))
    hot = cv2.subtract(brightest, cv2.medianBlur(brightest, 3))
    away = cv2.absdiff(grey, cv2.medianBlur(grey, 3))
    coloured_alone = cv2.threshold(cv2.subtract(hot, cv2.add(away, away)), 20, 1, cv2.THRESH_BINARY)[1]
    lonely = cv2.threshold(away, 40, 1, cv2.THRESH_BINARY)[1]
    lonely, coloured_alone = (cv2.bitwise_and(specks, clear) for specks in (lonely, coloured_alone))
    return np.asarray(lonely, dtype=np.uint8), np.asarray(coloured_alone, dtype=np.uint8)


def _everywhere(found: Picture) -> float:
    """Share of pixels that are 1 and not 0, in 255ths, 30th percentile of the tiles."""
    # Where most tiles can't have a single one nobody need look.
    if cv2.countNonZero(found) < 0.7 * TILES[0] * TILES[1] - 1:
        return 0.0
    return percentile(np.rint(255 * tiles(found.view(np.bool_))), 30) / 255


def edges(sheet: Sheet, noise_level: float) -> dict[str, float]:
    """Widths of edges in pixels of the sheet, as the deviation of the Gaussian that would make them.

    At an edge the gradient shrinks by a known factor when the picture is blurred again, whatever the edge's contrast
    (Zhuo, Sim, Pattern Recognition 44(9), 2011): width = 1 / sqrt(ratio^2 - 1). ``edge_width`` is the 20th percentile,
    for a picture that is sharp somewhere is in focus. ``edge_width_worst`` is the same of that direction (of four)
    in which edges are widest, as shake leaves edges along its own direction sharp. ``edges``: how many pixels;
    ``edge_tiles``: share of the tiles with any. ``edge_strength``: gradient that a hundredth of the picture exceeds.
    """
    grey, clear = _slabs(sheet.grey), _slabs(sheet.clear)
    across, down = cv2.spatialGradient(grey)
    again = cv2.sepFilter2D(grey, cv2.CV_32F, _AGAIN, _AGAIN)
    across_again, down_again = cv2.Sobel(again, cv2.CV_32F, 1, 0), cv2.Sobel(again, cv2.CV_32F, 0, 1)
    coarse = np.abs(across_again[::4, ::4]) + np.abs(down_again[::4, ::4])
    strongest = percentile(coarse, 99) / 1.2
    limit = max(20.0, 0.3 * strongest, 14.0 * noise_level)
    found = (cv2.Canny(across, down, limit * 0.6, limit, L2gradient=True) > 0) & clear
    for row in range(0, len(found), _SLAB):
        found[max(0, row - _SEAM) : row + _SEAM] = False
    band = max(2, sheet.shape[0] // 50)
    found[-band:] = found[:, :band] = found[:, -band:] = False
    at = np.flatnonzero(found)
    count = round(len(at) * sheet.clear.size / max(1, clear.size - _SEAM * 2 * clear.size // _SLAB))
    if count < LEAST_EDGES:
        none = {"edge_width": 0.0, "edge_width_worst": 0.0, "edge_tiles": 0.0}
        return none | {"edges": float(count), "edge_strength": strongest}
    by_tile = _edge_shares(found, at)
    at = at[:: len(at) // MOST_EDGES + 1]
    right, below = across.ravel()[at].astype(np.float32), down.ravel()[at].astype(np.float32)
    again_squared = across_again.ravel()[at] ** 2 + down_again.ravel()[at] ** 2
    ratio_squared = (right**2 + below**2) / np.maximum(again_squared, 1e-6)
    width = np.minimum(REBLUR / np.sqrt(np.maximum(ratio_squared - 1, 1e-4)), WIDEST)
    return {
        "edges": float(count),
        "edge_tiles": share(by_tile > 0.004),
        "edge_width": percentile(width, 20),
        "edge_width_worst": _widest(width, right, below),
        "edge_strength": strongest,
    }


def _edge_shares(found: Mask, at: NDArray[np.intp]) -> Plane:
    """What share of each tile are edges; ``at``: where they are found, of all pixels in a row."""
    height, width = found.shape
    if width % TILES[0]:
        return tiles(found)
    # Few are found, so they are counted first, row by row in each column of tiles: rows of tiles begin within a row.
    counts = np.bincount(at // (width // TILES[0]), minlength=height * TILES[0])
    return np.asarray(tiles(counts.reshape(height, TILES[0]).astype(np.float32)) * (TILES[0] / width))


def _widest(width: Plane, right: Plane, below: Plane) -> float:
    """The 20th percentile of the widths in that of four directions in which it is the most; ``right``, ``below``:
    gradient. 0 where no direction has enough edges."""
    upright, level = np.abs(right), np.abs(below)
    # An eighth of a half turn to each side of an axis; the rest lies about a diagonal.
    along, across = level <= _EIGHTH * upright, upright <= _EIGHTH * level
    rising = ~(along | across)
    falling = rising & (right * below < 0)
    rising ^= falling
    found = (width[of] for of in (along, across, rising, falling))
    return max((percentile(of, 20) for of in found if of.size >= LEAST_EDGES // 2), default=0.0)


_Pixels = TypeVar("_Pixels", bound=np.generic)


def _slabs(plane: NDArray[_Pixels]) -> NDArray[_Pixels]:
    """Every second slab of rows: half of the picture tells as much of its edges as all of it."""
    height = len(plane) // (2 * _SLAB) * 2 * _SLAB
    if height < 4 * _SLAB:
        return plane
    parts = plane[:height].reshape(-1, 2 * _SLAB, plane.shape[1])[:, :_SLAB]
    return np.ascontiguousarray(parts.reshape(-1, plane.shape[1]))


def keen(sheet: Sheet, noise_level: float) -> float:
    """How sharp the picture is where it is sharpest, in the direction in which that is least so: 0.11 (a wide Gaussian
    blur) over 0.2 (in focus) to 1 (fine texture); 0 where too little varies to tell.

    The structure function of light: its mean square difference over one pixel against that over three, less the
    noise's, tile by tile (90th percentile). Behind a lens out of focus light changes linearly over such ways, whatever
    it shows, so it goes with their square: a ninth. One thing in focus is enough to show that the lens is; soft
    shadows and all that lies before or behind it say nothing. Shake spares its own direction alone.
    """
    clear = tiles(sheet.clear[::_EVERY], SPOTS) > _CLEAR
    here, around = sheet.grey[::_EVERY], cv2.copyMakeBorder(sheet.grey, 0, 3, 3, 3, cv2.BORDER_REPLICATE)
    least = 1.0
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        varies = []
        for way in (1, 3):
            there = around[down * way :: _EVERY, 3 + right * way :][: here.shape[0], : here.shape[1]]
            apart = cv2.absdiff(here, there)
            varies.append(tiles(cv2.multiply(apart, apart, dtype=cv2.CV_32F), SPOTS) - 2 * noise_level**2)
        told = clear & (varies[1] > _VARIES)
        if np.count_nonzero(told) < _PLACES:
            return 0.0
        least = min(least, percentile(varies[0][told] / varies[1][told], 90))
    return max(least, 0.0)


def reblur(sheet: Sheet) -> float:
    """How little another blur changes it: 0 (sharp) to 1 (nothing left to blur). Crete et al., SPIE 6492 (2007).

    Of its two directions the worse one counts. Looked at by tile and of the tiles with structure the sharpest
    quarter is taken, so that a wall is not called blurred.
    """
    worst = 0.0
    # Every fifth line tells as much as all of them.
    upright = np.asarray(cv2.transpose(np.ascontiguousarray(sheet.grey[:, ::5])), dtype=np.uint8)
    for lines, size in ((upright, TILES[::-1]), (sheet.grey[::5], TILES)):
        luma, again = lines.astype(np.float32), cv2.boxFilter(lines, cv2.CV_32F, (9, 1))
        before, after = (cv2.absdiff(one[:, 1:], one[:, :-1]) for one in (luma, again))
        varied, gone = tiles(np.asarray(before), size), tiles(np.maximum(before - after, 0), size)
        textured = varied > max(1.0, percentile(varied, 60))
        if np.count_nonzero(textured) >= 6:
            kept = 1 - gone[textured] / varied[textured]
            worst = max(worst, percentile(kept, 25))
    return worst


def bands(luma: Plane, size: tuple[int, int] = TILES) -> tuple[Plane, Plane, Plane]:
    """Mean square of fine, middle and coarse structure of each tile (about 1, 2 and 4 pixels), levels squared."""
    found = []
    for _ in range(3):
        left = np.asarray(cv2.sepFilter2D(luma, -1, _SMOOTH, _SMOOTH), dtype=np.float32)
        cv2.subtract(luma, left, dst=left)
        found.append(tiles(np.asarray(cv2.multiply(left, left, dst=left), dtype=np.float32), size))
        luma = np.asarray(cv2.pyrDown(luma), dtype=np.float32)
    return found[0], found[1], found[2]


def soft_borders(sheet: Sheet) -> dict[str, float]:
    """Steps of light that have no edge: the outline of a thing too near to be in focus. Shares of the picture.

    ``soft``: where the light changes by more than 25 levels over a sixteenth of the width, and no pixel of the
    neighbourhood has an edge that explains it. ``empty``: share of tiles without any structure but noise.
    """
    coarse = cv2.GaussianBlur(cv2.resize(sheet.half, (80, 45), interpolation=cv2.INTER_AREA), (5, 5), 1.2)
    step = cv2.magnitude(cv2.Sobel(coarse, cv2.CV_32F, 1, 0, scale=0.5), cv2.Sobel(coarse, cv2.CV_32F, 0, 1, scale=0.5))
    fine = cv2.magnitude(
        cv2.Sobel(sheet.half, cv2.CV_32F, 1, 0, scale=0.25), cv2.Sobel(sheet.half, cv2.CV_32F, 0, 1, scale=0.25)
    )
    sharpest = cv2.resize(cv2.dilate(fine, np.ones((9, 9), np.uint8)), (80, 45), interpolation=cv2.INTER_NEAREST)
    left = cv2.subtract(sheet.half, cv2.GaussianBlur(sheet.half, (9, 9), 2.5))
    texture = np.sqrt(tiles(cv2.multiply(left, left)))
    return {
        "soft": float(np.count_nonzero((step > 25) & (sharpest < 0.55 * step))) / step.size,
        "empty": float(np.count_nonzero(texture < 1.2)) / texture.size,
    }


BAND_NOISE = (0.761, 0.0377, 0.0068)
"""Share of the variance of white noise that falls into each of the bands above."""

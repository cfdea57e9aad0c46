"""This file measures light and colour: how bright, how much of the scale is used, how far from grey."""

from __future__ import annotations

import math

import cv2
import numpy as np

from probes.picture.measuring.sheet import Picture, Plane, Sheet, median, percentile, percentiles, share, tiles

CLIPPED_FROM = 250
"""A level from which on the sensor (or the curve behind it) has nothing more to say."""
_PATCH_SHAPE = np.ones((7, 7), np.uint8)
"""Edge of the patch of the dark channel, in pixels of a picture 160 wide (He et al. 2009 take 15 of 600)."""
_POWERS = np.stack((np.arange(256.0), np.arange(256.0) ** 2))
"""Each level, and its square."""
_REACHED = np.array((0.75, 0.95, 0.99))
_LUMA = np.array((0.114, 0.587, 0.299), np.float32)
_LOG_LIGHT = (2.2 * np.log((np.arange(256) + 2) / 255)).astype(np.float32)
"""Natural logarithm of the light that a level stands for, near enough to sRGB; 2 levels keep black from infinity."""
_TOLD = 300
"""Pixels of 3,600 that are neither dark nor clipped, below which nothing is said of their colours."""


def light(sheet: Sheet) -> dict[str, float]:
    """Levels 0 to 255 outside burnt-in text: mean, percentiles, deviation; share of clipped pixels 0 to 1.

    ``bright_tiles`` is the share of tiles whose mean is clipped; ``coarse_range`` how far the 20th and 80th percentiles
    of the tiles' means lie apart. ``dark_channel`` is the 10th percentile of the dark channel (He, Sun, Tang, CVPR
    2009: the darkest channel in a patch; near 0 in clear air, high in fog).
    """
    counts = cv2.calcHist([sheet.grey], [0], sheet.clear_bytes, [256], [0, 256]).ravel().astype(np.float64)
    total = max(1.0, float(counts.sum()))
    mean, square = (_POWERS @ counts / total).tolist()
    most = np.searchsorted(np.cumsum(counts) / total, _REACHED).tolist()
    means = sheet.means
    blue, green, red = cv2.split(sheet.small)
    darkest = np.asarray(cv2.erode(cv2.min(cv2.min(blue, green), red), _PATCH_SHAPE), dtype=np.uint8)
    low, high = percentiles(means, 20, 80)
    return {
        "p75": float(most[0]),
        "p95": float(most[1]),
        "p99": float(most[2]),
        "mean": mean,
        "deviation": math.sqrt(max(square - mean * mean, 0.0)),
        "clipped": float(counts[CLIPPED_FROM:].sum()) / total,
        "bright_tiles": share(means > CLIPPED_FROM - 5),
        "coarse_range": high - low,
        "dark_channel": percentile(darkest.astype(np.float32), 10),  # bytes are sorted slowly
    }


def colour(sheet: Sheet) -> dict[str, float]:
    """Colour of the picture as a whole, in the units of CIE L*a*b*.

    ``chroma`` is the distance of the mean colour (``a``, ``b``) from grey, ``colourfulness`` the mean distance of a
    pixel from grey (0: infrared, monochrome).
    """
    lightness, *chromas = cv2.split(cv2.cvtColor(_tiny(sheet), cv2.COLOR_BGR2Lab))
    told = (lightness > 20) & (lightness < 247)
    if np.count_nonzero(told) > 500:
        chromas = [chroma[told] for chroma in chromas]
    ab = np.stack(chromas).reshape(2, -1).astype(np.float32) - 128
    a, b = (ab.sum(axis=1) / ab.shape[1]).tolist()
    return {
        "a": a,
        "b": b,
        "chroma": math.hypot(a, b),
        # In doubles, in which no sum of these is rounded: it would be by where in memory they lie.
        "colourfulness": float(np.sqrt(ab[0] ** 2 + ab[1] ** 2).sum(dtype=np.float64)) / ab.shape[1],
    }


def _tiny(sheet: Sheet) -> Picture:
    return np.asarray(cv2.resize(sheet.small, (80, 45), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def shift(sheet: Sheet) -> float:
    """How far all colours have shifted. A cast multiplies each channel by one factor (von Kries), so in log ratios of
    linear light (blue and red to green) it moves everything by the same vector, white and black things too. Along the
    median of all: how far the brightest tenth has moved (its median), or the tenth that has moved least, whichever is
    less. Leaves shine white, and what stands among them is grey; behind a cast nothing is. 0 where too little can be
    told."""
    channels = _tiny(sheet).reshape(-1, 3).T.copy()
    luma = _LUMA @ channels
    told = (luma > 20) & (channels.max(axis=0) < 248)
    if np.count_nonzero(told) < _TOLD:
        return 0.0
    logs = cv2.LUT(channels, _LOG_LIGHT)
    at = np.flatnonzero(told)
    ratios = (logs[::2] - logs[1]).take(at, axis=1)
    middle = np.array((median(ratios[0]), median(ratios[1])), np.float32)
    along = (middle / max(math.hypot(*middle.tolist()), 1e-6)) @ ratios
    luma = luma.take(at)
    return min(median(along[luma >= percentile(luma, 90)]), percentile(along, 10))


def channel_tiles(sheet: Sheet) -> Plane:
    """Log ratios blue to green and red to green of each tile (9 x 16 x 2); what is too dark or clipped is NaN."""
    means = tiles(sheet.small.astype(np.float32))
    blue, green, red = cv2.split(np.log(means + 4))
    ratios = np.dstack((blue - green, red - green))
    blue, green, red = cv2.split(means)
    ratios[(cv2.max(cv2.max(blue, green), red) >= 245) | ((blue + green + red) / 3 <= 14)] = np.nan
    return ratios


def changes(ours: Plane, theirs: Plane) -> dict[str, float]:
    """What ``comparison.compare`` tells of light, of the mean levels of ours against theirs."""
    a, b = theirs.ravel(), ours.ravel()
    a_off, b_off = a - a.sum() / a.size, b - b.sum() / b.size
    a_square, b_square, both = (
        float(np.dot(one, other)) for one, other in ((a_off, a_off), (b_off, b_off), (a_off, b_off))
    )
    low, middle, high = percentiles((b + 2) / (a + 2), 20, 50, 80)
    return {
        "gain": middle,
        "gain_low": low,
        "gain_high": high,
        "contrast": both / (a_square + 1e-6),
        "contrast_fit": both / (math.sqrt(a_square * b_square) + 1e-6),
        "spread": math.sqrt(b_square / b.size) / max(math.sqrt(a_square / a.size), 1.0),
    }

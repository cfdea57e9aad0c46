"""This file tells which tiles of a picture have turned white: snow lies there, or the sun shines."""

from __future__ import annotations

import cv2
import numpy as np

from probes.picture.measuring.sheet import Mask, Plane, percentile, percentiles, share

_BRIGHT, _AMONG_THE_BRIGHTEST, _COLOURLESS = 100.0, 0.7, 0.15
"""Level of what is white, against the brightest of the view too; log ratio of its channels."""
_MOST = 0.5
"""Share of the tiles that may have turned white."""
_EVENLY_LIT, _SOME_TILES = 0.01, 4
"""Range of most levels inside of what has turned white, as a share of them, below which it is no snow; the fewest tiles
that tell."""
_VARIED, _BELOW_CLIPPING = 0.08, 236.0
"""Range of most levels that the view had there, as a share of them, and level, of what a thing has come to hide."""
_AROUND = np.ones((3, 3), np.uint8)


def whitened(white: Mask, means: Plane, known_means: Plane) -> tuple[Mask, float]:
    """Of the tiles that have turned ``white`` those that tell of snow or sun: none where too many have, nor where no
    ground could be lit so evenly, for that is a thing. And the share of the picture that such things take, without
    their borders, where the view was not even and no light clips. ``known``: of the reference.
    """
    white = white.copy()
    plate = 0.0
    if share(white) > _MOST:
        # Snow leaves walls and trunks; a white bag leaves nothing.
        white &= False
    for part in _inner_parts(white):
        if _range(means[part]) < _EVENLY_LIT:
            if means[part].mean() < _BELOW_CLIPPING and _range(known_means[part]) > _VARIED:
                plate += share(part)
            # Ground slopes, and so does the light on it; on what is right before the lens it is even.
            white &= cv2.dilate(part.astype(np.uint8), _AROUND) == 0
    return white, plate


def _range(levels: Plane) -> float:
    """How far most of them lie apart, as a share of their median."""
    low, middle, high = percentiles(levels, 15, 50, 85)
    return (high - low) / max(middle, 1.0)


def _inner_parts(mask: Mask) -> list[Mask]:
    """The connected parts of a mask without their border, those of some tiles."""
    inner = cv2.erode(mask.astype(np.uint8), _AROUND, borderType=cv2.BORDER_CONSTANT, borderValue=1)
    count, labels = cv2.connectedComponents(inner, connectivity=4)
    parts = (labels == n for n in range(1, count))
    return [part for part in parts if np.count_nonzero(part) >= _SOME_TILES]


def white(means: Plane, channels: Plane, known_means: Plane, gain: float) -> Mask:
    """Tiles among the brightest, of those that the view was known to have too, and without a colour. ``channels`` as in
    ``light.channel_tiles``; ``gain``: median ratio of ``means`` to those of the reference."""
    brightest = max(percentile(means, 95), min(1.0, gain) * percentile(known_means, 95))
    bright = means > max(_BRIGHT, _AMONG_THE_BRIGHTEST * brightest)
    # What is too dark or clipped for its colour to be told, NaN, is no coloured one.
    return np.asarray(bright & ~(np.abs(channels).max(axis=2) > _COLOURLESS)) if bright.any() else bright

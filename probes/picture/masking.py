"""This file keeps from a picture what nobody may see: painted over for people, filled inconspicuously for measuring.

Outlines are polygons in shares of the picture. What is filled in is told by the surroundings alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from probes.picture.measures import Picture
from probes.picture.measuring import sharpness
from probes.picture.measuring.sheet import tiles

Mask = NDArray[np.bool_]
Outline = Sequence[Sequence[float]]

PAINT = (96, 96, 96)
"""Blue, green, red of what is painted over."""
_MARGIN = 0.01
"""How much wider than the mask is not measured, as a share of the width: coding carries traces over the outline."""
_GRID = (64, 36)
_REACH = 5.0
"""Deviation of the Gauss by which the surroundings are carried inwards, in fields of the grid."""


def within(outlines: Sequence[Outline], width: int, height: int, margin: int = 0) -> Mask:
    """The pixels inside any of these outlines, and ``margin`` more around them. Half pixels are inside."""
    found = np.zeros((height, width), np.uint8)
    size = np.array((width, height), np.float64)
    for outline in outlines:
        corners = np.asarray(outline, np.float64) * size
        # Each outline by itself: where two lie over each other, filling both at once would cut a hole.
        cv2.fillPoly(found, [np.rint(corners).astype(np.int32)], 1)
    if margin and outlines:
        found = np.asarray(cv2.dilate(found, np.ones((2 * margin + 1, 2 * margin + 1), np.uint8)), np.uint8)
    return found.astype(np.bool_)


def blind(outlines: Sequence[Outline], width: int, height: int) -> Mask:
    """What is not measured: the pixels inside any of these outlines, and so near that coding carries traces there."""
    return within(outlines, width, height, max(2, round(_MARGIN * width)))


def share(outlines: Sequence[Outline]) -> float:
    """The share of the picture that these outlines cover together."""
    return float(np.count_nonzero(within(outlines, 320, 180))) / (320 * 180) if outlines else 0.0


def paint(picture: Picture, outlines: Sequence[Outline]) -> Picture:
    """The picture without a trace of what is inside the outlines."""
    if not outlines:
        return picture
    height, width = picture.shape[:2]
    painted = picture.copy()
    painted[within(outlines, width, height)] = PAINT
    return painted


def fill(picture: Picture, outlines: Sequence[Outline]) -> tuple[Picture, Mask]:
    """The picture with the light of the surroundings, and their noise, inside the outlines, so that the mask itself is
    no fault; and where that is (all of it, where nothing else is left).

    A normalized convolution (Knutsson and Westin, CVPR 1993) on a coarse grid, with what is masked weighing nothing.
    """
    height, width = picture.shape[:2]
    hidden = blind(outlines, width, height)
    if hidden.all():
        return np.full_like(picture, PAINT), hidden
    known = (~hidden).astype(np.float32)
    coarse = cv2.resize(np.dstack((picture * known[:, :, None], known)), _GRID, interpolation=cv2.INTER_AREA)
    near = cv2.GaussianBlur(coarse, (0, 0), _REACH)
    # What lies too far inside to be reached has the light of the whole.
    near = near + 1e-4 * coarse.mean(axis=(0, 1))
    light = np.asarray(near[:, :, :3] / np.maximum(near[:, :, 3:], 1e-9), np.float32)
    # One or two levels of noise, or a drawn card's none: what is smoothest of the rest tells.
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.float32)
    rest = tiles(known) > 0.95
    levels = sharpness.noise_tiles(grey)[rest]
    noise = float(np.percentile(levels, 10)) if levels.size else 0.0
    grain = np.random.default_rng(0).normal(0.0, noise, (height, width, 1))
    filled = cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR) + grain
    result = picture.copy()
    result[hidden] = np.clip(np.rint(filled), 0, 255).astype(np.uint8)[hidden]
    return result, hidden

"""This file finds how far a camera has moved between two pictures: by phase correlation, else by matched features."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from probes.picture.measuring.sheet import Mask, Plane

_SIZE, _COARSE = (320, 180), (160, 90)
_FEATURES = 350
_BETTER = 0.01
"""By how much more both must agree after a shift than without, for it to be believed. No correlation is above 1."""
_LEAST_MATCHES = 14
"""Matched features that agree on one movement, below which it may be chance."""


@cache
def _window() -> Plane:
    return np.asarray(cv2.createHanningWindow(_COARSE, cv2.CV_32F), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Registration:
    """A movement of the view. ``matrix`` maps a point of the reference to this picture, in pixels of the sheet.

    ``displacement`` is the mean way of the picture's corners and centre, as a share of its width; ``agreement`` the
    correlation (-1 to 1) of both pictures' structure after it; ``before`` the same without any movement.
    """

    matrix: NDArray[np.float64]
    displacement: float
    agreement: float
    before: float
    matches: int = 0


def structure(half: Plane) -> Plane:
    """Where the edges are, whatever the light: gradients divided by what is usual around them, at 320 x 180."""
    small = cv2.GaussianBlur(half, (5, 5), 0.8)
    strength = cv2.magnitude(cv2.Sobel(small, cv2.CV_32F, 1, 0), cv2.Sobel(small, cv2.CV_32F, 0, 1))
    usual = cv2.blur(strength, (41, 41)) + 6
    return np.asarray(cv2.GaussianBlur(np.minimum(strength / usual, 4), (5, 5), 1.0), dtype=np.float32)


def register(
    ours: Plane, theirs: Plane, our_edges: Plane, their_edges: Plane, still: float, *, features: bool
) -> Registration:
    """Find the movement from ``theirs`` to ``ours``, luminance at 320 x 180. ``still``: correlation of both pictures'
    edges as they are. ``features``: whether to look for turns and zooms too, where a shift does not tell."""
    unmoved = Registration(np.array(((1.0, 0, 0), (0, 1, 0))), 0.0, still, still)
    if still >= 1 - _BETTER:
        return unmoved
    a, b = (cv2.resize(edges, _COARSE, interpolation=cv2.INTER_AREA) for edges in (their_edges, our_edges))
    (x, y), _ = cv2.phaseCorrelate(a - a.mean(), b - b.mean(), _window())
    x, y = 2 * x, 2 * y
    best = unmoved
    if np.hypot(x, y) > 0.25:
        shift = np.array(((1.0, 0, x), (0, 1, y)))
        shifted = _agreement(shift, our_edges, their_edges)
        if shifted > still + _BETTER:
            best = _registration(shift, shifted, still, 0)
    if features and best.agreement < 0.45:
        found = _by_features(ours, theirs)
        if found is not None:
            matrix, matches = found
            moved = _agreement(matrix, our_edges, their_edges)
            if moved > best.agreement + 0.03:
                best = _registration(matrix, moved, still, matches)
    return best


def _correlation(a: Plane, b: Plane, where: Mask) -> float:
    """Pearson's correlation of two planes."""
    x, y = a[where], b[where]
    x, y = x - x.mean(), y - y.mean()
    return float(np.dot(x, y) / (np.sqrt(float(np.dot(x, x)) * float(np.dot(y, y))) + 1e-9))


def _agreement(small: NDArray[np.float64], our_edges: Plane, their_edges: Plane) -> float:
    moved = cv2.warpAffine(their_edges, small, _SIZE, borderValue=-1.0)
    seen = moved >= 0
    if np.count_nonzero(seen) < 0.25 * seen.size:
        return 0.0
    return _correlation(our_edges, np.asarray(moved, dtype=np.float32), seen)


def _registration(small: NDArray[np.float64], agreement: float, before: float, matches: int) -> Registration:
    width, height = _SIZE
    points = np.array(((0, 0), (width, 0), (0, height), (width, height), (width / 2, height / 2)), np.float64)
    way = points @ small[:, :2].T + small[:, 2] - points
    return Registration(small, float(np.hypot(way[:, 0], way[:, 1]).mean()) / width, agreement, before, matches)


def _by_features(ours: Plane, theirs: Plane) -> tuple[NDArray[np.float64], int] | None:
    """A turn, zoom and shift that many features agree on (ORB, Rublee et al. 2011; RANSAC)."""
    detector = cv2.ORB.create(_FEATURES, fastThreshold=12)
    views = [cv2.createCLAHE(3.0, (4, 4)).apply(half.astype(np.uint8)) for half in (theirs, ours)]
    (theirs_at, theirs_like), (ours_at, ours_like) = (detector.detectAndCompute(view, None) for view in views)
    if min(len(theirs_at), len(ours_at)) < _LEAST_MATCHES:
        return None
    matches = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(theirs_like, ours_like)
    if len(matches) < _LEAST_MATCHES:
        return None
    source = np.array([theirs_at[m.queryIdx].pt for m in matches], np.float32)
    target = np.array([ours_at[m.trainIdx].pt for m in matches], np.float32)
    cv2.setRNGSeed(1)
    matrix, agreed = cv2.estimateAffinePartial2D(source, target, ransacReprojThreshold=3.0, maxIters=400)
    if np.count_nonzero(agreed) < _LEAST_MATCHES:
        return None
    return np.asarray(matrix, dtype=np.float64), int(np.count_nonzero(agreed))

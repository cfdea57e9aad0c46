"""Where the ground of a view is, and its sky: snow lies on the one, and no tree casts its shadow on the other."""

from __future__ import annotations

import cv2
import numpy as np

from tests.picture.camera import Light
from tests.picture.faults import _cover_with, _field

_SMALL = 160
"""Pixels of width in which a sky is looked for."""
_SMOOTH = 0.02
"""Change of light from one small pixel to the next, against the mean, that clouds make at most."""
_LEAST_SKY = 0.03
_ALBEDO = 0.85
"""Share of the light that lying snow throws back (Wiscombe and Warren 1980: 0.7 old to 0.9 new)."""

_LIT = 0.9
"""Light on the ground: what makes 0.18 of a scene that throws back a fifth."""


def sky(light: Light) -> Light:
    """1 where the sky is: what is smooth, and hangs together with the upper border; height x width x 1."""
    height, width = light.shape[:2]
    size = (_SMALL, round(_SMALL * height / width))
    grey = cv2.resize(light.mean(axis=2), size, interpolation=cv2.INTER_AREA)
    steep = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)) / 8
    smooth = (cv2.GaussianBlur(steep, (0, 0), 1.0) < _SMOOTH * max(float(grey.mean()), 1e-4)).astype(np.uint8)
    _, parts = cv2.connectedComponents(smooth, connectivity=4)
    above = np.isin(parts, np.unique(parts[0][smooth[0] > 0])) & (smooth > 0)
    if above.mean() < _LEAST_SKY:
        above[:] = False
    large = cv2.resize(above.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large[:, :, None], dtype=np.float32)


def snow_lies(light: Light, random: np.random.Generator, open_sky: Light) -> Light:
    """Snow on the ground and on ledges: it hides what lies flat, wholly where it is deep and not where it has been
    driven away or blown off; walls, trunks and the sky stay as they are. Shadows fall on it as on what it hides."""
    height, width = light.shape[:2]
    grey = light.mean(axis=2)
    horizon = random.uniform(0.25, 0.5)
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    ground = np.clip((y - horizon) / 0.08, 0, 1)
    blur = 0.006 * width
    upright = cv2.GaussianBlur(np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0)), (0, 0), blur)
    flat = np.clip(1.4 - upright / (1.5 * float(upright.mean()) + 1e-6), 0, 1)
    depth = np.clip(8 * (_field(light.shape, 0.15, random) - random.uniform(0.0, 0.6)), 0, 1)
    ledge = np.clip(cv2.Sobel(cv2.GaussianBlur(grey, (0, 0), 1.2), cv2.CV_32F, 0, 1), 0, None)
    ledge = cv2.dilate(ledge, np.ones((max(2, height // 120), 1), np.uint8))
    caps = np.clip(ledge / (4 * float(ledge.mean()) + 1e-6) - 1, 0, 0.8)
    lies = np.maximum(ground * flat * depth, caps) * (1 - open_sky[:, :, 0])
    lit = cv2.GaussianBlur(grey, (0, 0), 0.04 * width)
    shade = np.clip(lit / (float(np.percentile(lit, 80)) + 1e-6), 0.45, 1.0)[:, :, None]
    grains = 1 + 0.02 * random.standard_normal((height, width, 1), dtype=np.float32)
    snow = _ALBEDO * _LIT * shade * grains * np.array((1.03, 1.0, 0.98), np.float32)
    return _cover_with(light, np.asarray(lies, dtype=np.float32), np.asarray(snow, dtype=np.float32))

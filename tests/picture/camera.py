"""A camera in software: light falls on a sensor, the clock is burnt in, JPEG comes last. Everything is seeded.

Faults of the lens and of light are applied in linear light, before the sensor; noise is the sensor's (Foi et al. 2008:
variance grows with the light, plus a floor); the clock comes after the noise and before the coding, as in a camera.
Healthy pictures pass through the same noise and JPEG law as faulty ones, so that no fault is told by its coding.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import cv2
import numpy as np
from numpy.typing import NDArray

Light = NDArray[np.float32]
"""Linear light, height x width x 3 (blue, green, red), 0 to 1 where the sensor clips at normal gain."""
Coded = NDArray[np.uint8]

CLOCK = "%Y-%m-%d %H:%M:%S"

_LEVELS = np.arange(256, dtype=np.float32) / 255
_TO_LINEAR = np.where(_LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4).astype(np.float32)


def light_of(picture: Coded) -> Light:
    """The linear light that a picture in sRGB stands for (IEC 61966-2-1)."""
    return _TO_LINEAR[picture]


def levels_of(light: Light) -> Light:
    """Levels 0 to 255 in sRGB, clipped as a sensor clips."""
    clipped = np.clip(light, 0, 1)
    curve = np.where(clipped <= 0.0031308, clipped * 12.92, 1.055 * clipped ** (1 / 2.4) - 0.055)
    return np.asarray(curve * 255, dtype=np.float32)


@dataclass(frozen=True)
class Camera:
    """How one camera takes pictures. ``read`` and ``shot`` are noise in linear light; ``clock`` is where it stands."""

    read: float = 0.0015
    shot: float = 0.0004
    quality: int = 80
    clock: bool = True
    mono: bool = False
    clock_height: float = 0.045
    clock_corner: tuple[float, float] = (0.03, 0.04)
    font: int = cv2.FONT_HERSHEY_SIMPLEX
    size: tuple[int, int] | None = None

    def box(self, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        """Where the clock stands: x, y, width, height in pixels."""
        scale, thickness, width, height = self._font(shape)
        del scale, thickness
        x, y = round(self.clock_corner[0] * shape[1]), round(self.clock_corner[1] * shape[0])
        return x, y, width, height

    def _font(self, shape: tuple[int, ...]) -> tuple[float, int, int, int]:
        scale = max(0.3, shape[0] * self.clock_height / 30)
        thickness = max(1, round(scale * 1.6))
        (width, height), baseline = cv2.getTextSize("0000-00-00 00:00:00", self.font, scale, thickness)
        return scale, thickness, width + 2 * thickness, height + baseline

    def expose(self, light: Light, random: np.random.Generator, gain: float = 1.0, noise: float = 1.0) -> Light:
        """Levels 0 to 255 of the sensor. ``gain`` below 1 is less light; ``noise`` multiplies the deviation."""
        seen = np.clip(light * gain, 0, 4)
        deviation = noise * np.sqrt(self.read**2 + self.shot * np.clip(seen, 0, 1))
        drawn = random.standard_normal(seen.shape, dtype=np.float32)
        levels = levels_of(np.asarray(seen + drawn * deviation, dtype=np.float32))
        if self.mono:
            levels = np.repeat(cv2.cvtColor(levels, cv2.COLOR_BGR2GRAY)[:, :, None], 3, axis=2)
        return levels

    def burn_in(self, levels: Light, shown: datetime) -> Light:
        """The levels with the clock in white on a dark outline."""
        if not self.clock:
            return levels
        x, y, _, height = self.box(levels.shape)
        scale, thickness, _, _ = self._font(levels.shape)
        at = (x + thickness, y + height - max(2, round(height * 0.25)))
        ink = np.zeros(levels.shape[:2], np.uint8)
        text = shown.strftime(CLOCK)
        cv2.putText(ink, text, at, self.font, scale, 255, thickness, cv2.LINE_AA)
        outline = cv2.dilate(ink, np.ones((3, 3), np.uint8))
        left, top, wide, high = cv2.boundingRect(outline)
        part = np.s_[top : top + high, left : left + wide]
        marked = levels.copy()
        for level, strokes in ((10.0, outline[part]), (250.0, ink[part])):
            share = (strokes.astype(np.float32) / 255)[:, :, None]
            marked[part] = marked[part] * (1 - share) + level * share
        return marked

    def code(self, levels: Light) -> bytes:
        """The JPEG that leaves the camera."""
        picture = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
        if self.size is not None:
            picture = np.asarray(cv2.resize(picture, self.size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        written, coded = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, self.quality))
        assert written
        return coded.tobytes()

    def take(
        self, light: Light, shown: datetime, random: np.random.Generator, gain: float = 1.0, noise: float = 1.0
    ) -> bytes:
        """One picture, whole way."""
        return self.code(self.burn_in(self.expose(light, random, gain, noise), shown))


@dataclass(frozen=True)
class Case:
    """One labelled question to the judge. ``cause`` is empty for a healthy picture."""

    id: str
    scene: str
    cause: str
    severity: str
    condition: str
    frames: tuple[bytes, ...]
    captured_at: tuple[datetime, ...]
    references: tuple[bytes, ...] = ()
    reference_at: tuple[datetime, ...] = ()
    osd: dict[str, object] | None = field(default=None)

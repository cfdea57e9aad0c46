"""Faults of graded severity, each as physics makes it. Severity runs from 0 (barely) over 0.5 (moderate) to 1 (severe).

Those of lens and light take and give linear light; those of the sensor and the wire take and give levels 0 to 255.
Lengths are shares of the picture's width, so that a sub-stream suffers like the main one.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.picture.camera import Light

Random = np.random.Generator
Fault = Callable[[Light, float, Random], Light]


def _between(low: float, high: float, severity: float) -> float:
    return float(low * (high / low) ** severity)


def _filtered(light: Light, kernel: NDArray[np.float32]) -> Light:
    return np.asarray(cv2.filter2D(light, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT), dtype=np.float32)


def _disk(radius: float) -> NDArray[np.float32]:
    edge = int(np.ceil(radius)) + 1
    y, x = np.mgrid[-edge : edge + 1, -edge : edge + 1]
    return np.clip(radius + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)


def _field(shape: tuple[int, ...], coarse: float, random: Random) -> Light:
    """Smooth random values 0 to 1 that change over ``coarse`` of the width."""
    step = max(2, round(1 / coarse))
    small = random.random((max(2, round(step * shape[0] / shape[1])) + 1, step + 1), dtype=np.float32)
    wide = cv2.resize(small, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    low, high = float(wide.min()), float(wide.max())
    return np.asarray((wide - low) / max(high - low, 1e-6), dtype=np.float32)


def defocus(light: Light, severity: float, random: Random) -> Light:
    """The lens is out of focus: a disk."""
    return _filtered(light, _disk(_between(0.0025, 0.012, severity) * light.shape[1]))


def shake(light: Light, severity: float, random: Random) -> Light:
    """The mount swings while the shutter is open: a line."""
    length = max(3, round(_between(0.010, 0.045, severity) * light.shape[1]))
    kernel = np.zeros((length, length), np.float32)
    angle = random.uniform(0, np.pi)
    reach = (length - 1) / 2
    ends = [(round(reach + s * reach * np.cos(angle)), round(reach + s * reach * np.sin(angle))) for s in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return _filtered(light, kernel)


def condensation(light: Light, severity: float, random: Random) -> Light:
    """Mist on the dome: a wide blur, and scattered light over everything."""
    blurred = cv2.GaussianBlur(light, (0, 0), _between(0.004, 0.015, severity) * light.shape[1])
    veil = 0.15 + 0.2 * severity
    return np.asarray(blurred * (1 - veil) + veil * light.mean(), dtype=np.float32)


def _cover_with(light: Light, mask: Light, colour: Light) -> Light:
    return np.asarray(light * (1 - mask[:, :, None]) + colour * mask[:, :, None], dtype=np.float32)


def thing(light: Light, severity: float, random: Random) -> Light:
    """A thing before the lens, out of focus because it is near, from one side of the picture inwards."""
    height, width = light.shape[:2]
    share = 0.22 + 0.65 * severity
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = random.uniform(0, 2 * np.pi)
    depth = (x / width - 0.5) * np.cos(angle) + (y / height - 0.5) * np.sin(angle)
    depth = depth + 0.12 * (_field(light.shape, 0.25, random) - 0.5)
    edge = float(np.quantile(depth, share))
    mask = cv2.GaussianBlur((depth < edge).astype(np.float32), (0, 0), random.uniform(0.004, 0.02) * width)
    shade = random.uniform(0.01, 0.35) * (0.8 + 0.4 * _field(light.shape, 0.5, random))
    colour = shade[:, :, None] * random.uniform(0.7, 1.3, 3)
    return _cover_with(light, mask, colour.astype(np.float32))


def spray(light: Light, severity: float, random: Random) -> Light:
    """Paint on the glass: blots with soft edges, and what is seen between them is misted."""
    height, width = light.shape[:2]
    mask = np.zeros((height, width), np.float32)
    while mask.mean() < 0.25 + 0.55 * severity:
        centre = int(random.integers(0, width)), int(random.integers(0, height))
        cv2.circle(mask, centre, int(random.uniform(0.04, 0.16) * width), 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.012 * width)
    colour = np.asarray(random.uniform(0.02, 0.5, 3), dtype=np.float32)
    return _cover_with(light, mask * 0.97, np.broadcast_to(colour, light.shape))


def tape(light: Light, severity: float, random: Random) -> Light:
    """A strip of tape across the glass; the wider the worse."""
    height, width = light.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = random.uniform(0, np.pi)
    away = np.abs((x - width * random.uniform(0.4, 0.6)) * np.cos(angle) + (y - height / 2) * np.sin(angle))
    mask = (away < np.quantile(away, 0.28 + 0.5 * severity)).astype(np.float32)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.008 * width)
    colour = np.asarray(random.uniform(0.05, 0.4, 3), dtype=np.float32)
    return _cover_with(light, mask * 0.98, np.broadcast_to(colour, light.shape))


def more_light(light: Light, severity: float, random: Random) -> Light:
    """The iris stays open: far too much light everywhere."""
    return light * np.float32(_between(5, 40, severity))


def less_light(light: Light, severity: float, random: Random) -> Light:
    """The iris stays shut by day."""
    return light * np.float32(1 / _between(12, 150, severity))


def fog(light: Light, severity: float, random: Random) -> Light:
    """Scattering over depth (Koschmieder): the top of the picture is far, the bottom near."""
    height = light.shape[0]
    far = np.linspace(1.0, 0.45, height, dtype=np.float32)[:, None]
    depth = far * (0.8 + 0.4 * _field(light.shape, 0.3, random))
    through = np.exp(-depth * _between(1.2, 4.0, severity))[:, :, None]
    air = np.float32(random.uniform(0.35, 0.75))
    return np.asarray(light * through + air * (1 - through), dtype=np.float32)


def tint(light: Light, severity: float, random: Random) -> Light:
    """One or two colour channels lose their gain."""
    strong = _between(1.7, 4.0, severity)
    gains = np.ones(3, np.float32)
    weak = random.choice(3, int(random.integers(1, 3)), replace=False)
    gains[weak] = 1 / strong
    gains *= 1 / np.sqrt(gains.mean())
    return np.asarray(light * gains, dtype=np.float32)


def stuck_filter(light: Light, severity: float, random: Random) -> Light:
    """The infrared filter stays open by day: infrared falls on all channels, most on red and blue."""
    infrared = cv2.GaussianBlur(light.mean(axis=2), (0, 0), 1)[:, :, None]
    share = 0.35 + 0.5 * severity
    return np.asarray(light * (1 - share * 0.7) + infrared * np.array((0.85, 0.35, 1.1)) * share, dtype=np.float32)


def move(light: Light, severity: float, random: Random) -> Light:
    """The camera was turned, tilted, or zoomed; what comes into view is the mirrored rest of the scene."""
    height, width = light.shape[:2]
    kind = random.integers(0, 3)
    angle, zoom, x, y = 0.0, 1.0, 0.0, 0.0
    if kind == 0:
        reach, turn = _between(0.06, 0.40, severity), random.uniform(0, 2 * np.pi)
        x, y = reach * width * np.cos(turn), reach * height * np.sin(turn)
    elif kind == 1:
        angle = _between(4, 25, severity) * random.choice((-1, 1))
    else:
        zoom = _between(1.12, 1.8, severity)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, zoom)
    matrix[:, 2] += (x, y)
    return np.asarray(cv2.warpAffine(light, matrix, (width, height), borderMode=cv2.BORDER_REFLECT), dtype=np.float32)


def drops(light: Light, severity: float, random: Random) -> Light:
    """Water drops on the dome: each shows the scene turned over, small, bright above."""
    height, width = light.shape[:2]
    turned = cv2.GaussianBlur(np.ascontiguousarray(light[::-1, ::-1]), (0, 0), 0.012 * width)
    mask = np.zeros((height, width), np.float32)
    while mask.mean() < 0.12 + 0.30 * severity:
        centre = int(random.integers(0, width)), int(random.integers(0, height))
        radius = random.uniform(0.012, 0.055) * width
        cv2.ellipse(mask, centre, (int(radius), int(radius * random.uniform(0.8, 1.4))), 0, 0, 360, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.004 * width)
    return _cover_with(light, mask, np.asarray(turned, dtype=np.float32))


def dirt(light: Light, severity: float, random: Random) -> Light:
    """Dust and splashes on the dome, far out of focus: they take light away and scatter some."""
    height, width = light.shape[:2]
    mask = np.zeros((height, width), np.float32)
    while mask.mean() < 0.18 + 0.35 * severity:
        centre = int(random.integers(0, width)), int(random.integers(0, height))
        cv2.circle(mask, centre, int(random.uniform(0.01, 0.06) * width), float(random.uniform(0.6, 1.0)), -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.010 * width) * np.float32(0.6 + 0.35 * severity)
    misted = cv2.GaussianBlur(light, (0, 0), 0.008 * width) * 0.3 + 0.12 * light.mean()
    return _cover_with(light, mask, np.asarray(misted, dtype=np.float32))


def web(light: Light, severity: float, random: Random) -> Light:
    """A spider's web before an infrared lamp: bright threads out of focus, and a veil around them."""
    height, width = light.shape[:2]
    mask = np.zeros((height, width), np.float32)
    hub = random.uniform(0.2, 0.8, 2) * (width, height)
    for turn in np.linspace(0, 2 * np.pi, 14)[:-1]:
        end = hub + 1.2 * width * np.array((np.cos(turn), np.sin(turn)))
        cv2.line(mask, (int(hub[0]), int(hub[1])), (int(end[0]), int(end[1])), 1.0, max(2, round(0.006 * width)))
    for radius in np.arange(0.06, 0.9, 0.09 - 0.04 * severity):
        cv2.circle(mask, (int(hub[0]), int(hub[1])), int(radius * width), 1.0, max(2, round(0.005 * width)))
    mask = cv2.GaussianBlur(mask, (0, 0), 0.007 * width)
    mask = np.clip(mask * (0.8 + 0.7 * severity), 0, 0.92)
    return _cover_with(light, mask, np.full(light.shape, 0.55 + 0.3 * severity, np.float32))


def grain(levels: Light, severity: float, random: Random) -> Light:
    """A failing sensor or amplifier: noise far above any night's."""
    return np.asarray(
        levels + random.normal(0, _between(16, 60, severity), levels.shape).astype(np.float32), dtype=np.float32
    )


def speckle(levels: Light, severity: float, random: Random) -> Light:
    """Snow on an analogue line: single pixels lost to white and black."""
    lost = random.random(levels.shape[:2])
    share = _between(0.02, 0.2, severity)
    snowed = levels.copy()
    snowed[lost < share / 2] = 255
    snowed[lost > 1 - share / 2] = 0
    return snowed


def hum(levels: Light, severity: float, random: Random) -> Light:
    """Interference: a wave across the picture, level or slanting."""
    height, width = levels.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    waves = _between(6, 60, random.random())
    slant = random.choice((0.0, 0.0, 1.0, 0.3, 1.6))
    phase = 2 * np.pi * waves * (y / height + slant * x / width) + random.uniform(0, 6)
    return np.asarray(levels + (_between(9, 45, severity) * np.sin(phase))[:, :, None], dtype=np.float32)


def rolling(levels: Light, severity: float, random: Random) -> Light:
    """Mains light or a loose line: dark bands that roll through the picture."""
    height = levels.shape[0]
    y = np.arange(height, dtype=np.float32) / height
    bands = int(random.integers(2, 6))
    depth = 0.25 + 0.55 * severity
    wave = 1 - depth * (0.5 + 0.5 * np.tanh(4 * np.sin(2 * np.pi * bands * y + random.uniform(0, 6))))
    return np.asarray(levels * wave[:, None, None], dtype=np.float32)


def lost_lines(levels: Light, severity: float, random: Random) -> Light:
    """Lines of the sensor that are dead or torn."""
    height = levels.shape[0]
    torn = levels.copy()
    for row in random.choice(height, max(4, round(height * _between(0.02, 0.12, severity))), replace=False):
        thick = max(1, round(height / 400))
        torn[row : row + thick] = random.choice((0.0, 255.0, 128.0))
    return torn


LENS: dict[str, dict[str, Fault]] = {
    "blurred": {"defocus": defocus, "shake": shake, "condensation": condensation},
    "covered": {"thing": thing, "spray": spray, "tape": tape},
    "overexposed": {"more_light": more_light},
    "dark": {"less_light": less_light},
    "low_contrast": {"fog": fog},
    "colour_cast": {"tint": tint, "stuck_filter": stuck_filter},
    "moved": {"move": move},
    "dirty": {"drops": drops, "dirt": dirt, "web": web},
}
SENSOR: dict[str, dict[str, Fault]] = {
    "noisy": {"grain": grain, "speckle": speckle},
    "striped": {"hum": hum, "rolling": rolling, "lost_lines": lost_lines},
}

"""Faults as they are met: one thing happens to a camera, and several causes are right.

Each is made from its optics, in linear light, and none of the judge's limits was set by them. What is on the glass or
near it is far out of focus: a camera that sees to the horizon draws it with the disk of its aperture, so everything
here is drawn and then blurred by a disk. Lengths are shares of the picture's width; severity as in ``faults``.
"""

from __future__ import annotations

import cv2
import numpy as np

from tests.picture.camera import Light
from tests.picture.faults import Fault, _between, _disk, _field, _filtered

Random = np.random.Generator


def _light(plane: np.ndarray) -> Light:
    return np.asarray(plane, dtype=np.float32)


def _grid(light: Light) -> tuple[Light, Light]:
    """x and y of each pixel, in pixels."""
    height, width = light.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return x, y


def _near(plane: Light, share: float) -> Light:
    """What a plane near the lens looks like: out of focus by a disk of ``share`` of the width."""
    return _filtered(plane, _disk(max(1.0, share * plane.shape[1])))


def _before(light: Light, mask: Light, shown: Light | np.ndarray) -> Light:
    mask = np.clip(mask, 0, 1)
    mask = mask[:, :, None] if mask.ndim == 2 else mask
    return _light(light * (1 - mask) + shown * mask)


def _bent(light: Light, height: Light, strength: float) -> Light:
    """The scene through a sheet of this relief (0 to 1): rays are turned by its slope (thin prism)."""
    x, y = _grid(light)
    slope = strength * light.shape[1]
    across = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=0.125)
    down = cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=0.125)
    return _light(
        cv2.remap(light, x + slope * across, y + slope * down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    )


def bubble_wrap(light: Light, severity: float, random: Random) -> Light:
    """Bubble wrap tied over the housing: each bubble is a lens, and shows the sky's light once, on the same side."""
    x, y = _grid(light)
    pitch = random.uniform(0.07, 0.12) * light.shape[1]
    row = np.floor(y / (0.866 * pitch))
    dx = (x + (row % 2) * pitch / 2) % pitch - pitch / 2
    dy = y - (row + 0.5) * 0.866 * pitch
    away = np.hypot(dx, dy) / (0.45 * pitch)
    dome = np.sqrt(np.clip(1 - away**2, 0, 1)).astype(np.float32)
    dome = _near(dome, 0.006)
    bent = _near(_bent(light, dome, _between(0.05, 0.5, severity)), _between(0.002, 0.012, severity))
    spark = np.exp(-(((dx + 0.15 * pitch) ** 2 + (dy + 0.2 * pitch) ** 2) / (0.05 * pitch) ** 2)).astype(np.float32)
    rim = np.exp(-(((away - 1) / 0.12) ** 2)).astype(np.float32)
    shine = _near(spark * 1.5 + rim * 0.4, 0.007)[:, :, None] * light.max() * _between(0.1, 0.5, severity)
    return _light(bent * (1 - 0.25 * severity) + shine + 0.1 * severity * light.mean())


def bag(light: Light, severity: float, random: Random) -> Light:
    """A translucent bag: it scatters most of the light, and its creases shine and bend what comes straight through."""
    height, width = light.shape[:2]
    creases = np.zeros((height, width), np.float32)
    for _ in range(14):
        x, y = random.uniform(0, width), random.uniform(0, height)
        turn, long = random.uniform(0, np.pi), random.uniform(0.2, 0.8) * width
        end = int(x + long * np.cos(turn)), int(y + long * np.sin(turn))
        cv2.line(creases, (int(x), int(y)), end, float(random.uniform(0.3, 1)), max(2, width // 90))
    relief = _near(creases, 0.01)
    straight = _bent(light, relief, 0.15) * (1 - _between(0.35, 0.95, severity))
    scattered = cv2.GaussianBlur(light, (0, 0), 0.05 * width) * _between(0.3, 0.8, severity)
    return _light(straight + scattered + relief[:, :, None] * 0.35 * light.mean())


def web_lit(light: Light, severity: float, random: Random) -> Light:
    """A web before the infrared lamp: threads a hand's breadth away get a thousand times the scene's light, and what
    they scatter lies as a veil over the side of the picture where they hang. ``light`` is the night by that lamp."""
    height, width = light.shape[:2]
    threads = np.zeros((height, width), np.float32)
    hub = random.uniform(0.0, 1.0, 2) * (width, height)
    ends = [
        hub + width * np.array((np.cos(a), np.sin(a))) for a in random.uniform(0, 2 * np.pi, 6 + round(8 * severity))
    ]
    for end in ends:
        sag = (hub + end) / 2 + random.normal(0, 0.05 * width, 2)
        t = np.linspace(0, 1, 40)[:, None]
        curve = (1 - t) ** 2 * hub + 2 * t * (1 - t) * sag + t**2 * end
        cv2.polylines(threads, [np.rint(curve).astype(np.int32)], False, 1.0, max(1, round(0.0025 * width)))
    for _ in range(round(10 + 40 * severity)):
        one, other = (ends[int(n)] for n in random.integers(0, len(ends), 2))
        reach = random.uniform(0.1, 0.6)
        a, b = hub + (one - hub) * reach, hub + (other - hub) * reach
        cv2.line(threads, (int(a[0]), int(a[1])), (int(b[0]), int(b[1])), 0.7, max(1, round(0.002 * width)))
    drawn = _near(threads, random.uniform(0.006, 0.015)) * _between(1.2, 6, severity)
    veil = cv2.GaussianBlur(threads, (0, 0), 0.12 * width) * _between(0.8, 4, severity)
    scattered = cv2.GaussianBlur(light, (0, 0), 0.006 * width)
    share = np.clip(drawn + veil, 0, 0.9)
    return _light(_before(light, share, scattered) + ((drawn + veil) * 0.35)[:, :, None])


def lens_drops(light: Light, severity: float, random: Random) -> Light:
    """Drops on the glass, far out of focus: disks that run into each other, in each the scene upside down and wide."""
    height, width = light.shape[:2]
    wide = cv2.resize(np.ascontiguousarray(light[::-1, ::-1]), (24, 14), interpolation=cv2.INTER_AREA)
    wet, covered = light.copy(), 0.0
    while covered < 0.10 + 0.45 * severity:
        radius = max(4, int(random.uniform(0.012, 0.06) * width))
        x, y = int(random.integers(-radius, width)), int(random.integers(-radius, height))
        squeezed = random.uniform(0.8, 1.0)
        b, a = np.mgrid[0 : 2 * radius, 0 : 2 * radius].astype(np.float32) / radius - 1
        shape = np.clip((1 - np.hypot(a / squeezed, b)) / 0.35, 0, 1)
        inside = cv2.resize(wide, (2 * radius, 2 * radius), interpolation=cv2.INTER_LINEAR) * (
            1.1 - 0.35 * np.hypot(a, b)[:, :, None]
        )
        top, left = max(0, y), max(0, x)
        part = wet[top : y + 2 * radius, left : x + 2 * radius]
        cut = np.s_[top - y : top - y + part.shape[0], left - x : left - x + part.shape[1]]
        part[:] = _before(part, shape[cut] * 0.95, inside[cut])
        covered += float(shape.sum()) / (width * height)
    return _light(wet)


def defocus_by_depth(light: Light, severity: float, random: Random) -> Light:
    """A focus ring that slipped: the disk grows with the distance in dioptres; one end may be sharp still."""
    height, width = light.shape[:2]
    depth = np.linspace(0.05, 1, height, dtype=np.float32)[:, None] + 0.15 * (_field(light.shape, 0.2, random) - 0.5)
    focused = 1.6 if random.random() < 0.5 else -0.6
    radius = np.abs(depth - focused) * _between(0.0035, 0.014, severity) * width
    steps = np.linspace(float(radius.min()), float(radius.max()), 6)
    layers = [_filtered(light, _disk(max(0.6, step))) for step in steps]
    place = (radius - steps[0]) / (steps[1] - steps[0] + 1e-6)
    seen = np.zeros_like(light)
    for n, layer in enumerate(layers):
        seen += layer * np.clip(1 - np.abs(place - n), 0, 1)[:, :, None]
    return _light(seen)


def mist_from_rim(light: Light, severity: float, random: Random) -> Light:
    """Condensation inside the dome: it begins at the cold rim, scatters forward, and leaves the middle for last."""
    x, y = _grid(light)
    height, width = light.shape[:2]
    away = np.hypot((x / width - 0.5) * 2, (y / height - 0.5) * 2) / 1.41 + 0.25 * (
        _field(light.shape, 0.15, random) - 0.5
    )
    mist = np.clip((away - (0.75 - 0.75 * severity)) / 0.25, 0, 1)
    scattered = _near(light, 0.010) * 0.5 + cv2.GaussianBlur(light, (0, 0), 0.08 * width) * 0.5
    return _before(light, _light(mist * (0.75 + 0.2 * severity)), scattered)


def torn_cover(light: Light, severity: float, random: Random) -> Light:
    """A sheet that is half torn off and hangs from one side with a ragged edge, lit from behind by the day."""
    x, y = _grid(light)
    height, width = light.shape[:2]
    ragged = 0.12 * (_field(light.shape, 0.08, random) - 0.5) + 0.2 * (_field(light.shape, 0.5, random) - 0.5)
    depth = (x / width if random.random() < 0.5 else y / height) + ragged
    if random.random() < 0.5:
        depth = depth.max() - depth
    mask = _near((depth < np.quantile(depth, 0.22 + 0.6 * severity)).astype(np.float32), 0.012)
    folds = 0.6 + 0.5 * _field(light.shape, 0.12, random)
    shade = folds[:, :, None] * random.uniform(0.05, 0.5) * random.uniform(0.7, 1.3, 3)
    return _before(light, mask, shade)


def paint(light: Light, severity: float, random: Random) -> Light:
    """One puff of a spray can: opaque in the middle, a mist of droplets around, all of it far out of focus."""
    x, y = _grid(light)
    height, width = light.shape[:2]
    away = np.hypot(x - random.uniform(0.3, 0.7) * width, y - random.uniform(0.3, 0.7) * height) / width
    dense = np.exp(-((away / (0.18 + 0.35 * severity)) ** 2))
    droplets = (random.random((height // 4, width // 4)) < 0.3).astype(np.float32)
    coarse = cv2.resize(droplets, (width, height), interpolation=cv2.INTER_NEAREST)
    mask = _near(_light(np.clip(dense * 1.6 - 0.6 + dense * coarse * 1.2, 0, 1)), 0.010)
    return _before(light, mask, random.uniform(0.01, 0.5, 3).astype(np.float32))


def scratched(light: Light, severity: float, random: Random) -> Light:
    """A dome scratched by years of wiping: each scratch scatters across its direction, and lamps get a veil."""
    width = light.shape[1]
    length = max(7, round(_between(0.015, 0.08, severity) * width)) | 1
    kernel = np.zeros((length, length), np.float32)
    middle = length // 2
    main = random.uniform(0, np.pi)
    for turn in main + random.normal(0, 0.3, 12):
        reach = middle * random.uniform(0.4, 1)
        end = int(middle + reach * np.cos(turn)), int(middle + reach * np.sin(turn))
        begin = 2 * middle - end[0], 2 * middle - end[1]
        cv2.line(kernel, begin, end, float(random.uniform(0.4, 1)))
    share = 0.3 + 0.5 * severity
    veil = cv2.GaussianBlur(light, (0, 0), 0.1 * width)
    return _light(light * (1 - share) + _filtered(light, kernel) * share * 0.7 + veil * share * 0.3)


def frost(light: Light, severity: float, random: Random) -> Light:
    """Ice on the glass: crystals that grow from the rim, each facet bending the scene its own way, and white."""
    height, width = light.shape[:2]
    x, y = _grid(light)
    seeds = random.random((160, 2)).astype(np.float32) * (width, height)
    small = np.stack(np.meshgrid(np.arange(0, width, 8), np.arange(0, height, 8)), -1).astype(np.float32)
    nearest = np.argmin(((small[:, :, None] - seeds) ** 2).sum(-1), axis=2).astype(np.uint8)
    facet = cv2.resize(nearest, (width, height), interpolation=cv2.INTER_NEAREST)
    turned = random.normal(0, _between(0.02, 0.08, severity) * width, (160, 2)).astype(np.float32)
    bent = cv2.remap(light, x + turned[facet, 0], y + turned[facet, 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    white = random.uniform(0.6, 1.2, 160).astype(np.float32)[facet]
    ice = _near(_light(bent * 0.5 + 0.5 * white[:, :, None] * light.mean() * 1.3), 0.008)
    rim = np.minimum(np.minimum(x, width - x) / width, np.minimum(y, height - y) / height)
    rim = rim + 0.2 * (_field(light.shape, 0.1, random) - 0.5)
    return _before(light, _light(np.clip((0.12 + 0.45 * severity - rim) / 0.08, 0, 1) * 0.95), ice)


def nest(light: Light, severity: float, random: Random) -> Light:
    """A wasps' nest in a corner of the hood, out of focus, dark, with cells of its own."""
    x, y = _grid(light)
    height, width = light.shape[:2]
    corner = random.integers(0, 2, 2) * (width, height)
    away = np.hypot(x - corner[0], y - corner[1]) + 0.15 * width * (_field(light.shape, 0.12, random) - 0.5)
    mask = _near((away < np.quantile(away, 0.2 + 0.5 * severity)).astype(np.float32), 0.009)
    cells = 0.4 + 0.7 * _near(_field(light.shape, 0.02, random), 0.004)
    return _before(light, mask, (cells * random.uniform(0.05, 0.2))[:, :, None] * np.array((0.7, 0.9, 1.1)))


def half_filter(light: Light, severity: float, random: Random) -> Light:
    """The infrared filter has come off on one side: half of the picture is pink, and focused elsewhere."""
    x, y = _grid(light)
    height, width = light.shape[:2]
    turn = random.uniform(-0.6, 0.6)
    away = (x / width - random.uniform(0.2, 0.6)) * np.cos(turn) + (y / height - 0.5) * np.sin(turn)
    open_side = np.clip(away / 0.06 + 0.5, 0, 1) * (0.45 + 0.55 * severity)
    infrared = light.mean(axis=2)[:, :, None] * np.array((0.9, 0.4, 1.2)) * 0.8
    return _before(light, _light(open_side), _near(_light(light * 0.5 + infrared * 0.6), 0.002))


LENS: dict[str, tuple[Fault, frozenset[str]]] = {
    "bubble_wrap": (bubble_wrap, frozenset({"covered", "blurred", "dirty", "low_contrast"})),
    "bag": (bag, frozenset({"covered", "blurred", "dirty", "low_contrast"})),
    "lens_drops": (lens_drops, frozenset({"dirty", "covered", "blurred"})),
    "defocus_by_depth": (defocus_by_depth, frozenset({"blurred"})),
    "mist_from_rim": (mist_from_rim, frozenset({"blurred", "covered", "dirty", "low_contrast"})),
    "torn_cover": (torn_cover, frozenset({"covered"})),
    "paint": (paint, frozenset({"covered", "dirty", "colour_cast"})),
    "scratched": (scratched, frozenset({"blurred", "dirty", "low_contrast"})),
    "frost": (frost, frozenset({"covered", "dirty", "blurred", "low_contrast"})),
    "nest": (nest, frozenset({"covered"})),
    "half_filter": (half_filter, frozenset({"colour_cast", "covered"})),
}
"""What happens to the lens by day: the law, and the causes that are right."""
AT_NIGHT: dict[str, tuple[Fault, frozenset[str]]] = {
    "web_lit": (web_lit, frozenset({"dirty", "covered", "blurred", "low_contrast", "overexposed"})),
    "nest_at_night": (nest, frozenset({"covered"})),
    "night_drops": (lens_drops, frozenset({"dirty", "covered", "blurred"})),
    "night_defocus": (defocus_by_depth, frozenset({"blurred"})),
}
"""The same under the camera's own infrared lamp."""

"""Faults by plain arithmetic on the levels of a picture, as anybody would make them to try a judge: without optics.

Each law takes a picture, a strength of 0 to 1 and a source of chance. ``cases`` are those of one scene, with healthy
pictures beside them.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta

import cv2
import numpy as np

from tests.picture.camera import Case, Coded
from tests.picture.cases import NOON, SEVERITIES, Scene

Random = np.random.Generator
Law = Callable[[Coded, float, Random], Coded]
_WIDTH, _SEEN = 1120, 0.15
"""Pixels of a picture; the share at each border that the camera does not see, until it is moved."""


def levels(values: np.ndarray[tuple[int, ...], np.dtype[np.floating]]) -> Coded:
    return np.clip(values, 0, 255).astype(np.uint8)


def between(gentle: float, severe: float, strength: float) -> float:
    return gentle + (severe - gentle) * strength


def pale(picture: Coded, strength: float, random: Random) -> Coded:
    """An amplifier that has lost gain: no brighter than the scene, as fog is."""
    left = between(0.35, 0.05, strength)
    return levels((picture - picture.mean()) * left + random.uniform(0.5, 1.1) * picture.mean())


def drifts(picture: Coded, strength: float, random: Random) -> Coded:
    """Fog in drifts: as light and dark as ever from place to place, and every edge faint."""
    down = np.linspace(0, np.pi, picture.shape[0])[:, None, None]
    return levels(picture * between(0.3, 0.15, strength) + 50 + 90 * np.sin(down))


def bands(picture: Coded, strength: float, random: Random) -> Coded:
    down = np.linspace(0, 2 * np.pi * random.uniform(5, 30), picture.shape[0])[:, None, None]
    return levels(picture + between(6, 30, strength) * np.sin(down + random.uniform(0, 6)))


def torn(picture: Coded, strength: float, random: Random) -> Coded:
    spoilt = picture.copy()
    for row in random.integers(0, len(picture) - 2, round(between(8, 40, strength))):
        spoilt[row : row + 2] = random.integers(0, 256, 3)
    return spoilt


def filled(picture: Coded, strength: float, random: Random) -> Coded:
    """The lower part grey, from any row."""
    spoilt = picture.copy()
    spoilt[round(len(picture) * (1 - between(0.12, 0.6, strength))) :] = 128
    return spoilt


def smeared(picture: Coded, strength: float, random: Random) -> Coded:
    spoilt = picture.copy()
    row = round(len(picture) * (1 - between(0.15, 0.6, strength)))
    spoilt[row:] = spoilt[row]
    return spoilt


def mosaic(picture: Coded, strength: float, random: Random) -> Coded:
    block = round(between(14, 44, strength))
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (width // block, height // block), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), dtype=np.uint8)


def misplaced(picture: Coded, strength: float, random: Random) -> Coded:
    """Runs of macroblocks that stand where others should."""
    spoilt, (height, width) = picture.copy(), picture.shape[:2]
    for _ in range(round(between(20, 150, strength))):
        run = int(random.integers(2, 9)) * 16
        top, other = random.integers(0, height // 16, 2) * 16
        left, from_left = random.integers(0, (width - run) // 16, 2) * 16
        part = picture[other : other + 16, from_left : from_left + run]
        spoilt[top : top + len(part), left : left + run] = part[: height - top]
    return spoilt


def bright(picture: Coded, strength: float, random: Random) -> Coded:
    return levels(picture * between(1.7, 3.2, strength) + 20)


def washed_out(picture: Coded, strength: float, random: Random) -> Coded:
    """Much light everywhere, most of it just below where a level is called clipped."""
    return levels(np.minimum(picture * between(1.9, 2.6, strength) + 60.0, 244))


def dark(picture: Coded, strength: float, random: Random) -> Coded:
    return levels(picture * between(0.3, 0.06, strength))


def cast(picture: Coded, strength: float, random: Random) -> Coded:
    gains, one = np.ones(3), int(random.integers(0, 3))
    gains[one], gains[(one + 1) % 3] = 1 + between(0.2, 0.8, strength), 1 - between(0.15, 0.5, strength)
    return levels(picture * gains)


def grain(picture: Coded, strength: float, random: Random) -> Coded:
    return levels(picture + random.normal(0, between(10, 45, strength), picture.shape))


def pepper(picture: Coded, strength: float, random: Random) -> Coded:
    spoilt, chance = picture.copy(), random.random(picture.shape[:2])
    share = between(0.01, 0.1, strength)
    spoilt[chance < share], spoilt[chance > 1 - share] = 0, 255
    return spoilt


def soft(picture: Coded, strength: float, random: Random) -> Coded:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), between(2.5, 9, strength)), dtype=np.uint8)


def shaken(picture: Coded, strength: float, random: Random) -> Coded:
    length = 2 * round(between(5, 18, strength)) + 1
    line = np.zeros((length, length), np.float32)
    line[length // 2] = 1 / length
    turned = cv2.warpAffine(line, cv2.getRotationMatrix2D((length / 2,) * 2, random.uniform(0, 180), 1), line.shape)
    return np.asarray(cv2.filter2D(picture, -1, turned / turned.sum()), dtype=np.uint8)


def plate(picture: Coded, strength: float, random: Random) -> Coded:
    """A plate before the lens, evenly lit."""
    return laid(picture, int(random.choice((8, 60, 128, 215))), between(0.2, 0.7, strength), random)


def laid(picture: Coded, level: int, share: float, random: Random) -> Coded:
    """A plate of one level over so much of the picture."""
    spoilt, side = picture.copy(), share**0.5
    height, width = (round(length * side) for length in picture.shape[:2])
    top, left = (int(random.integers(0, max(1, a - b))) for a, b in zip(picture.shape, (height, width), strict=False))
    spoilt[top : top + height, left : left + width] = level
    return spoilt


def blot(picture: Coded, strength: float, random: Random) -> Coded:
    """Mud: brown or black, in one piece, with soft borders."""
    height, width = picture.shape[:2]
    mask, at = np.zeros((height, width), np.float32), random.uniform(0.2, 0.8, 2)
    while mask.mean() < between(0.15, 0.6, strength):
        axes = round(width * random.uniform(0.05, 0.15)), round(height * random.uniform(0.05, 0.2))
        cv2.ellipse(mask, (round(width * at[0]), round(height * at[1])), axes, random.uniform(0, 180), 0, 360, 1, -1)
        at = np.clip(at + random.normal(0, 0.12, 2), 0, 1)
    mask = cv2.GaussianBlur(mask, (0, 0), width * 0.01)[:, :, None]
    mud = np.array(((15, 15, 15), (60, 80, 95), (40, 50, 60))[int(random.integers(0, 3))], np.float32)
    return levels(picture * (1 - mask) + (mud + random.normal(0, 4, picture.shape)) * mask)


def nothing(picture: Coded, strength: float, random: Random) -> Coded:
    card = np.zeros_like(picture)
    card[:] = ((0, 0, 0), (128, 128, 128), (200, 40, 20))[int(random.integers(0, 3))]
    if random.random() < 0.5:
        cv2.putText(card, "NO SIGNAL", (card.shape[1] // 3, card.shape[0] // 2), 0, 2, (255, 255, 255), 3)
    return card


LAWS: dict[str, tuple[str, Law]] = {
    "pale": ("low_contrast", pale),
    "drifts": ("low_contrast", drifts),
    "bands": ("striped", bands),
    "torn": ("striped", torn),
    "filled": ("corrupt", filled),
    "smeared": ("corrupt", smeared),
    "mosaic": ("corrupt", mosaic),
    "misplaced": ("corrupt", misplaced),
    "bright": ("overexposed", bright),
    "washed_out": ("overexposed", washed_out),
    "dark": ("dark", dark),
    "cast": ("colour_cast", cast),
    "grain": ("noisy", grain),
    "pepper": ("noisy", pepper),
    "soft": ("blurred", soft),
    "shaken": ("blurred", shaken),
    "plate": ("covered", plate),
    "blot": ("covered", blot),
    "nothing": ("no_signal", nothing),
}


def cases(scene: Scene) -> Iterator[Case]:
    """Every case of this scene; the same ones each time."""
    random = np.random.default_rng(zlib.crc32(b"plain" + scene.name.encode()))
    whole = scene.pictures[0]
    size = _WIDTH, round(len(whole) * _WIDTH / whole.shape[1])
    whole = np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    at = tuple(NOON - timedelta(days=n + 1, hours=n - 1) for n in range(3))
    references = tuple(_coded(_taken(_view(whole), random), random) for _ in at)

    def case(kind: str, cause: str, severity: str, picture: Coded) -> Case:
        id = f"{scene.name}/plain-{kind}-{severity}"
        return Case(id, scene.name, cause, severity, kind, (_coded(picture, random),), (NOON,), references, at)

    for kind, (cause, law) in LAWS.items():
        for severity, strength in SEVERITIES.items():
            yield case(kind, cause, severity, law(_taken(_view(whole), random), strength, random))
    for severity, strength in SEVERITIES.items():
        aside, turn, nearer = between(0.04, 0.15, strength), between(3, 12, strength), between(1.08, 1.4, strength)
        for kind, view in (
            ("shift", _view(whole, aside)),
            ("turn", _view(whole, 0, turn)),
            ("zoom", _view(whole, 0, 0, nearer)),
        ):
            yield case(kind, "moved", severity, _taken(view, random))
    for gain in (0.75, 1.0, 1.25):
        yield case(f"gain {gain:g}", "", "", _taken(_view(whole), random, gain))


def _view(whole: Coded, aside: float = 0, turn: float = 0, nearer: float = 1) -> Coded:
    """What the camera sees, moved by so much of the width, turned by so many degrees, or zoomed in."""
    height, width = whole.shape[:2]
    way = cv2.getRotationMatrix2D((width / 2, height / 2), turn, nearer)
    way[0, 2] += aside * width
    seen = cv2.warpAffine(whole, way, (width, height), borderMode=cv2.BORDER_REFLECT)
    rows, columns = (slice(round(side * _SEEN), round(side * (1 - _SEEN))) for side in (height, width))
    return np.asarray(seen[rows, columns], dtype=np.uint8)


def _taken(view: Coded, random: Random, gain: float | None = None) -> Coded:
    """A picture of it: a little brighter or darker, with noise, and shaken by less than a pixel."""
    seen = view * (random.uniform(0.92, 1.08) if gain is None else gain) + random.normal(0, 2, view.shape)
    (x, y), (height, width) = random.uniform(-0.7, 0.7, 2), view.shape[:2]
    shaken = cv2.warpAffine(levels(seen), np.array(((1, 0, x), (0, 1, y)), np.float32), (width, height), borderMode=2)
    return np.asarray(shaken, dtype=np.uint8)


def _coded(picture: Coded, random: Random) -> bytes:
    return cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, int(random.integers(70, 92))))[1].tobytes()

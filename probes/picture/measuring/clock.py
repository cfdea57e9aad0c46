"""This file reads the clock that a camera burns into its picture, with digits learned from the camera's own pictures.

The register says where the clock stands and how it is written; references say, by their time of capture, which digits
they show. So each camera teaches its own font; the fonts that OpenCV can write are there for digits not yet seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from probes.picture.measuring.sheet import Picture, Plane

_CODES = (("YYYY", "%Y"), ("MM", "%m"), ("DD", "%d"), ("HH", "%H"), ("mm", "%M"), ("SS", "%S"))
_GLYPH = (12, 18)
_HEIGHT = 48
_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_PLAIN, cv2.FONT_HERSHEY_COMPLEX)
_DOTS = (
    *("0e11131519110e", "040c040404040e", "0e11010204081f", "1f02040201110e", "02060a121f0202"),
    *("1f101e0101110e", "0608101e11110e", "1f010204080808", "0e11110e11110e", "0e11110f01020c"),
)
"""Digits of 5 x 7 dots as character generators have them (Hitachi HD44780), rows from top to bottom."""
_ALIKE = 0.62
"""Correlation with a digit below which a mark is not taken for it."""
_OWN = 0.80
"""Correlation of a mark with its digit in the camera's own font; it is nearly 1 in a good picture."""
_KNOWN_AGAIN = 0.4
"""Share of the digits that must be as expected, for others to tell anything."""
_NEAR = range(-60, 61, 5)
"""Seconds by which a clock that is held to be right may be off."""
_PRIOR = 0.08
"""How much less like its digit a mark may be where that digit is expected."""
_EVEN = 0.05
"""Ink in letters less ink between them, as a share of full ink, from which on they stand at even steps."""
_APART = 0.04
"""The best digit must be this much more like the mark than the next one."""


def code(layout: str) -> str:
    """The layout of a register (YYYY-MM-DD HH:MM:SS) as a format for strftime. MM after HH are minutes."""
    head, hours, tail = layout.partition("HH")
    written = head + hours + tail.replace("MM", "mm", 1)
    for name, directive in _CODES:
        written = written.replace(name, directive)
    return written


def read(
    newest: Sequence[tuple[Picture, datetime]], known: Sequence[tuple[Picture, datetime]], layout: str
) -> dict[str, float] | None:
    """What the clock of ``newest`` (cut-outs of frames, oldest first, with their times) says.

    ``known`` are cut-outs whose clock was right. ``seconds_off``: shown minus true, in seconds, of the last frame;
    ``sure``: 0 to 1, how clearly its worst digit was read; ``stopped``: 1 if frames of different times show one time;
    ``others``: how many digits are clearly other ones of the camera's own font than at any second within a minute of
    the true time.
    None where no marks stand where digits should.
    """
    written = code(layout)
    shown = [(glyphs(cut, at.strftime(written)), at) for cut, at in newest]
    marks, at = shown[-1]
    if marks is None:
        return None
    found = {"sure": 0.0}
    earlier, then = shown[0]
    if len(shown) > 1 and earlier is not None and at.strftime(written) != then.strftime(written):
        alike = min(_correlation(a, b) for a, b in zip(earlier, marks, strict=True))
        found["stopped"] = float(alike > 0.93)
    learned = _learned(known, written)
    found |= _unlike(marks, learned, at, written)
    text, sure = _spell(marks, learned, _digits(at.strftime(written)))
    try:
        # A clock has no zone; both are the camera's local time.
        told = datetime.strptime(_filled(at.strftime(written), text), written)  # noqa: DTZ007
    except ValueError:
        return found
    found["seconds_off"] = (told - at.replace(tzinfo=None, microsecond=0)).total_seconds()
    found["sure"] = sure
    return found


def glyphs(cut: Picture, text: str) -> list[Plane] | None:
    """The digits of a clock, each 12 x 18 and of mean 0 and length 1; None unless as many marks stand there as ``text``
    has letters, one by one or, where they touch, at even steps."""
    if min(cut.shape) < 6:
        return None
    scale = _HEIGHT / cut.shape[0]
    big = np.asarray(cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    flat = np.asarray(cv2.morphologyEx(big, cv2.MORPH_TOPHAT, np.ones((13, 13), np.uint8)), dtype=np.uint8)
    for plane in (flat, _relative(big), big):
        brightest = float(np.percentile(plane, 98))
        for share in (0.75, 0.65, 0.85, 0.55, 0.92, 0.8):
            level = brightest * share
            found = _marks(plane, level, text) if level >= 20 else None
            if found is not None:
                return found
    best = max((_steps(plane, text) for plane in (flat, _relative(big))), key=lambda found: found.worth)
    return _at_even_steps(best, text) if best.worth >= _EVEN else None


@dataclass(frozen=True, slots=True)
class _Steps:
    """Where letters of one width stand: the first begins at ``left``; ``worth``: ink in them less ink between them."""

    ink: Plane
    left: float
    wide: float
    worth: float


def _steps(plane: Picture, text: str) -> _Steps:
    """The letters of a font in which all are equally wide, as those of character generators are: step and beginning
    leave the least ink between letters and in the blanks."""
    ink = np.asarray(np.clip(plane / max(float(np.percentile(plane, 98)), 30.0), 0, 1), dtype=np.float32)
    column = np.concatenate(((0.0,), np.cumsum(ink.mean(axis=0))))
    width, count = ink.shape[1], len(text)
    steps = np.linspace(0.82, 1.04, 34) * width / count
    begins = np.arange(-3, round(0.12 * width))
    step, begin = (plane[..., None] for plane in np.meshgrid(steps, begins, indexing="ij"))
    fits = begin[..., 0] + step[..., 0] * count <= width + 0.3 * step[..., 0]
    cells = begin + step * np.arange(count)
    written = np.array([letter.isdigit() for letter in text])
    blank = np.array([letter.isspace() for letter in text])
    inside = _ink_of(column, cells + 0.15 * step, cells + 0.85 * step)
    between = _ink_of(column, cells - 0.07 * step, cells + 0.07 * step)
    worth = inside[..., written].mean(axis=-1) - 1.2 * between.mean(axis=-1)
    if blank.any():
        worth = worth - inside[..., blank].mean(axis=-1)
    worth = np.where(fits, worth, -np.inf)
    at = np.unravel_index(int(np.argmax(worth)), worth.shape)
    return _Steps(ink, float(begins[at[1]]), float(steps[at[0]]), float(worth[at]))


def _at_even_steps(found_at: _Steps, text: str) -> list[Plane] | None:
    """The digits that stand there."""
    ink, left, wide = found_at.ink, found_at.left, found_at.wide
    rows = ink[:, max(0, round(left)) : round(left + wide * len(text))].mean(axis=1)
    tall = np.flatnonzero(rows > 0.25 * float(np.percentile(rows, 90)))
    top, bottom = int(tall[0]), int(tall[-1]) + 1
    if bottom - top < 0.3 * _HEIGHT:
        return None
    found = []
    for n, letter in enumerate(text):
        if letter.isdigit():
            cell = ink[top:bottom, max(0, round(left + wide * n)) : round(left + wide * (n + 1))]
            lit = np.flatnonzero(cell.max(axis=0) > 0.5) if cell.size else np.zeros(0, int)
            if not len(lit):
                return None
            found.append(_normal(np.ascontiguousarray(cell[:, lit[0] : lit[-1] + 1]) * 255))
    return found


def _ink_of(column: NDArray[np.floating[Any]], begin: NDArray[Any], end: NDArray[Any]) -> NDArray[Any]:
    """Mean ink from ``begin`` to ``end``; ``column`` is the running sum over the columns."""
    first, last = (np.clip(np.rint(place).astype(int), 0, len(column) - 1) for place in (begin, end))
    return np.asarray((column[last] - column[first]) / np.maximum(last - first, 1))


def _relative(cut: Picture) -> Picture:
    """Brightness between the darkest and the brightest pixel around, 0 to 255: a white letter within its dark outline
    stands out even before a bright sky."""
    around = np.ones((15, 15), np.uint8)
    darkest, brightest = cv2.erode(cut, around).astype(np.float32), cv2.dilate(cut, around).astype(np.float32)
    reach = brightest - darkest
    scaled = (cut - darkest) / np.maximum(reach, 1) * 255
    return np.asarray(np.where(reach > 60, scaled, 0), dtype=np.uint8)


def _marks(flat: Picture, level: float, text: str) -> list[Plane] | None:
    ink = (flat > level).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=4)
    middle, whole = ink.shape[0] / 2, range(1, count)
    tall = [
        stats[n]
        for n in whole
        # What reaches the border is the scene, kept apart from the letters by their dark outline.
        if stats[n][1] > 0 and stats[n][1] + stats[n][3] < ink.shape[0]
        if stats[n][0] > 0 and stats[n][0] + stats[n][2] < ink.shape[1]
        if stats[n][3] >= 3 and stats[n][4] >= 12 and abs(stats[n][1] + stats[n][3] / 2 - middle) < 0.3 * _HEIGHT
    ]
    if not tall:
        return None
    # Parts of one letter (a colon) stand above each other.
    tall.sort(key=lambda part: int(part[0]))
    letters: list[list[int]] = []
    for left, top, wide, high, _ in (tuple(int(v) for v in part) for part in tall):
        if letters and left < letters[-1][2] - 1:
            last = letters[-1]
            last[1], last[2], last[3] = min(last[1], top), max(last[2], left + wide), max(last[3], top + high)
        else:
            letters.append([left, top, left + wide, top + high])
    wanted = [letter for letter in text if not letter.isspace()]
    if len(letters) != len(wanted):
        return None
    found = []
    for (left, top, right, bottom), letter in zip(letters, wanted, strict=True):
        if letter.isdigit():
            if bottom - top < 0.3 * _HEIGHT:
                return None
            found.append(_normal(flat[top:bottom, left:right].astype(np.float32)))
    return found


def _normal(mark: Plane) -> Plane:
    """The mark at the size of a glyph; a narrow one (a 1) is set in the middle, not stretched."""
    height, width = mark.shape
    if width < 0.45 * height:
        pad = round((0.6 * height - width) / 2)
        mark = np.asarray(cv2.copyMakeBorder(mark, 0, 0, pad, pad, cv2.BORDER_CONSTANT), dtype=np.float32)
    glyph = cv2.GaussianBlur(cv2.resize(mark, _GLYPH, interpolation=cv2.INTER_AREA), (3, 3), 0)
    glyph = glyph - glyph.mean()
    return np.asarray(glyph / (float(np.linalg.norm(glyph)) + 1e-6), dtype=np.float32)


def _correlation(a: Plane, b: Plane) -> float:
    return float(np.dot(a.ravel(), b.ravel()))


def _learned(known: Sequence[tuple[Picture, datetime]], written: str) -> dict[str, list[Plane]]:
    """The digits seen in ``known``, in the camera's own font."""
    alphabet: dict[str, list[Plane]] = {}
    for cut, at in known:
        text = at.strftime(written)
        marks = glyphs(cut, text)
        digits = _digits(text)
        if marks is not None and _misleads(marks, digits):
            continue
        near = [_digits((at + timedelta(seconds=away)).strftime(written)) for away in _NEAR]
        for mark, *could in zip(marks or [], *near, strict=False):
            # A clock that is right may be some seconds off: what it showed then is sure only where all agree.
            if len(set(could)) == 1:
                alphabet.setdefault(could[0], []).append(mark)
    return alphabet


def _misleads(marks: list[Plane], digits: list[str]) -> bool:
    """Whether a picture that was accepted shows, clearly, another time than that of its capture: its clock was wrong
    then, and would teach to call a right one wrong. The last two digits may be a second's delay."""
    text, sure = _spell(marks, {}, digits)
    return sure >= 0.5 and list(text)[:-2] != digits[:-2]


def _digits(text: str) -> list[str]:
    return [letter for letter in text if letter.isdigit()]


def _spell(marks: list[Plane], learned: dict[str, list[Plane]], expected: list[str]) -> tuple[str, float]:
    """The digits, and how clear the least clear of them is (0.5 at the limits of likeness).

    Most clocks are right: a mark is what it should be unless another digit is clearly more like it. A mark that is
    like none of the digits learned is one of the others.
    """
    text, sure = "", 1.0
    for mark, should in zip(marks, expected, strict=True):
        likeness = _likeness(mark, learned)
        own = max(likeness.values(), default=0.0) >= _OWN
        if not own:
            likeness = _likeness(mark, {digit: shapes for digit, shapes in _printed().items() if digit not in learned})
        if not likeness:
            return text.ljust(len(marks), "0"), 0.0
        likeness[should] = likeness.get(should, -1.0) + _PRIOR
        (second, _), (best, digit) = sorted([(-1.0, ""), *((value, digit) for digit, value in likeness.items())])[-2:]
        text += digit
        clear = min(1.0, 0.5 * (best - second) / _APART, 0.5 + 2 * (best - _ALIKE))
        if learned and not own:
            # By exclusion, so the printed fonts need not be much like this one.
            clear = 0.5 if digit == should or len(likeness) == 1 else min(clear, 0.5)
        sure = min(sure, max(0.0, clear))
    return text, sure


def _unlike(marks: list[Plane], learned: dict[str, list[Plane]], at: datetime, written: str) -> dict[str, float]:
    """``others``, where most of the digits are well known: a picture in which those are not clear tells nothing."""
    texts = {(at + timedelta(seconds=away)).strftime(written) for away in range(-60, 61)}
    columns = zip(*([letter for letter in text if letter.isdigit()] for text in texts), strict=True)
    right = others = 0
    for mark, column in zip(marks, columns, strict=True):
        likeness = _likeness(mark, learned)
        should = set(column)
        fits = max((value for digit, value in likeness.items() if digit in should), default=0.0)
        right += fits >= _OWN
        best = max(likeness.values(), default=0.0)
        others += should <= learned.keys() and fits < _OWN < best - _PRIOR
    return {"others": float(others)} if right >= _KNOWN_AGAIN * len(marks) else {}


def _likeness(mark: Plane, alphabet: Mapping[str, Sequence[Plane]]) -> dict[str, float]:
    return {digit: max(_correlation(mark, shape) for shape in shapes) for digit, shapes in alphabet.items()}


def _filled(pattern: str, digits: str) -> str:
    """The pattern with its digits replaced."""
    rest = iter(digits)
    return "".join(next(rest) if letter.isdigit() else letter for letter in pattern)


@cache
def _printed() -> dict[str, tuple[Plane, ...]]:
    """Digits in the fonts at hand, seen as a camera's are: small, smoothed, cut out."""
    found: dict[str, list[Plane]] = {}
    text = "0 1 2 3 4 5 6 7 8 9"
    for font in _FONTS:
        for thickness in (1, 2):
            cut = np.zeros((28, 460), np.uint8)
            scale = 1.6 if font == cv2.FONT_HERSHEY_PLAIN else 0.75
            cv2.putText(cut, text, (4, 22), font, scale, 250, thickness, cv2.LINE_AA)
            for digit, mark in zip(text.replace(" ", ""), glyphs(cut, text) or [], strict=False):
                found.setdefault(digit, []).append(mark)
    for value, rows in enumerate(_DOTS):
        dots = np.array([[row >> (4 - column) & 1 for column in range(5)] for row in bytes.fromhex(rows)], np.float32)
        lit = np.flatnonzero(dots.max(axis=0))
        shape = cv2.resize(dots[:, lit[0] : lit[-1] + 1] * 255, None, fx=5, fy=5, interpolation=cv2.INTER_NEAREST)
        found.setdefault(str(value), []).append(_normal(np.asarray(shape, dtype=np.float32)))
    return {digit: tuple(shapes) for digit, shapes in found.items()}

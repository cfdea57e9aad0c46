"""This file finds the digits of a line of burnt-in text, and says how much each is like the digits of a font.

A camera writes every time in one font at one place, so the pictures of one camera are looked at together: where a
letter stands is a matter of all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from unicodedata import east_asian_width

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from probes.picture.measuring.sheet import Picture, Plane

HEIGHT = 48
"""Height in pixels that a line is brought to."""
GLYPH = (12, 18)
"""Columns and rows of a digit."""
_REACH = 1
"""Pixels of a digit by which it may stand elsewhere than it should."""
_SHAPE = np.ones((13, 13), np.uint8)
"""Strokes are thinner than this."""
_AROUND = 31
"""Columns over which the scene behind a letter is looked at."""
_WHITER = 45.0
"""Levels by which letters must be brighter than the scene, for that to tell them from it."""
_LONG = 60
"""Times its height that a line may be wide."""
_FAINT = 20.0
"""Levels by which the strokes stand out at least."""
_SOME = 3
"""Lines by which places are told from each other."""
_EVEN = 0.05
"""Ink in letters less ink between them, as a share of full ink, from which on they stand at even steps."""
_PLAIN, _SURELY = 0.45, 0.85
"""Mean likeness to the digits of the likest font, from which on letters may stand, and surely do, where they were
looked for."""
_LIKELY = 0.7
"""The same, below which other places are looked at too."""
_KINDS = "-/.: "
"""Letters between digits; Latin ones are as wide as digits, Chinese ones twice as wide."""
_RATIOS = np.array([(a, b, b, b, c) for a in (0.5, 0.65, 1.0) for b in (0.3, 0.4, 0.5, 0.65) for c in (0.4, 0.55, 0.9)])
"""How wide they are in fonts in which not all letters are equally wide."""
_LOOSELY, _LOOSE = (0.5, 0.9), np.array([(1.0, 1.0, 1.0, 1.0, 1.0), (0.6, 0.45, 0.45, 0.45, 0.5)])
"""The least and the most of its box's width that a line takes whose box was drawn by hand, and some of the ratios."""
_DOTS = (
    *("0e11131519110e", "040c040404040e", "0e11010204081f", "1f02040201110e", "02060a121f0202"),
    *("1f101e0101110e", "0608101e11110e", "1f010204080808", "0e11110e11110e", "0e11110f01020c"),
)
"""Digits of 5 x 7 dots as character generators have them (Hitachi HD44780), rows from top to bottom."""
_ARCS = {
    0: ((50, 70, 45, 70, 0, 360),),
    2: ((48, 40, 41, 39, 175, 385),),
    3: ((46, 36, 38, 35, 190, 440), (46, 103, 43, 36, 280, 530)),
    5: ((46, 94, 44, 45, 210, 500),),
    6: ((50, 94, 41, 45, 0, 360), (62, 78, 53, 76, 172, 292)),
    8: ((50, 36, 36, 35, 0, 360), (50, 104, 43, 35, 0, 360)),
    9: ((50, 46, 41, 45, 0, 360), (38, 62, 53, 76, -8, 112)),
}
_LINES = {
    1: ((18, 26), (52, 2), (52, 140)),
    2: ((86, 56), (8, 138), (94, 138)),
    3: ((34, 68), (52, 68)),
    4: ((68, 140), (68, 3), (5, 96), (97, 96)),
    5: ((84, 3), (20, 3), (13, 66)),
    7: ((5, 3), (92, 3), (36, 140)),
}
"""Digits without serifs, 100 wide and 140 high: arcs (middle, radii, degrees from and to), and lines through points."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where the digits of a line stand: their middles, and how wide and high each is; in pixels of a plane."""

    middles: tuple[float, ...]
    top: float
    wide: float
    high: float


@dataclass(frozen=True, slots=True)
class Found:
    """Letters that were found: the ink of each cut-out, all ``width`` pixels wide, where digits stand in them, and if
    they are ``dark``."""

    lines: list[Plane]
    places: Places
    width: int
    dark: bool


Marks = NDArray[np.float32]
"""Digits as they may stand: digits x shifts x pixels, each of mean 0 and length 1."""


def find(cuts: Sequence[Picture], text: str, alike: int) -> Found | None:
    """The ink of each cut-out, all at one size, and where the digits of ``text`` stand in the first ``alike`` of them;
    None where no letters do. Letters are bright, or else dark; they fill the box, or else stand somewhere in it."""
    sized = width(cuts[0])
    if sized > _LONG * HEIGHT:
        return None
    inks: dict[bool, list[Plane]] = {}
    best: tuple[Found | None, float] = None, 0.0
    for look, dark in ((look, dark) for look in (_places, _within) for dark in (False, True)):
        if best[1] >= _LIKELY:
            break
        if dark not in inks:
            inks[dark] = [line(cut, sized, dark=dark) for cut in cuts]
        places, worth = look(inks[dark][:alike], text)
        if places is not None and worth > best[1]:
            best = Found(inks[dark], places, sized, dark), worth
    return best[0] if best[1] >= _PLAIN else None


def width(cut: Picture) -> int:
    """How wide a line is, once it is ``HEIGHT`` high."""
    return max(HEIGHT, round(float(cut.shape[1] * HEIGHT / cut.shape[0])))


def line(cut: Picture, width: int, *, dark: bool) -> Plane:
    """The ink of a cut-out, at this width."""
    sized = np.asarray(cv2.resize(cut, (width, HEIGHT), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    return _ink(255 - sized if dark else sized)


def _within(lines: Sequence[Plane], text: str) -> tuple[Places | None, float]:
    """The same in a box that was drawn about a line by hand."""
    column = _summed(np.asarray(np.mean(lines, axis=0), dtype=np.float32))
    width = lines[0].shape[1]
    begin, whole = _steps(column, text, _LOOSE, np.linspace(*_LOOSELY, 12) * width, np.arange(0, width // 2, 6))[1][:2]
    first = max(0, round(begin - 0.03 * whole))
    part = slice(first, round(begin + 1.03 * whole))
    best, worth = _places([line[:, part] for line in lines], text)
    return best and replace(best, middles=tuple(middle + first for middle in best.middles)), worth


def _places(lines: Sequence[Plane], text: str) -> tuple[Places | None, float]:
    """Where the digits of ``text`` stand in all of these lines, and how much they are like digits there."""
    mean, most = np.asarray(np.mean(lines, axis=0), dtype=np.float32), np.max(lines, axis=0)
    found = _likest(lines, _in_steps(mean, most, text, np.ones((1, len(_KINDS)))))
    if found[1] >= _SURELY:
        return found
    apart = [one for line in lines if (one := _one_by_one(line, text)) is not None]
    return max(found, _likest(lines, [*apart, *_in_steps(mean, most, text, _RATIOS)]), key=lambda one: one[1])


def _likest(lines: Sequence[Plane], found: Sequence[Places]) -> tuple[Places | None, float]:
    """Those of these places at which the digits are most like digits, and how much they are."""
    softened = [_soft(line) for line in lines[:_SOME]]
    worth = [_plainness(softened, at) for at in found]
    return max(zip(found, worth, strict=True), key=lambda one: one[1], default=(None, 0.0))


def marks(line: Plane, at: Places) -> Marks:
    """The digits that stand there, each at every shift that it may have."""
    return _at(_soft(line), at)


def _soft(line: Plane) -> Plane:
    return np.asarray(cv2.GaussianBlur(line, (0, 0), 1.2), dtype=np.float32)


def _at(soft: Plane, at: Places) -> Marks:
    columns, rows = GLYPH[0] + 2 * _REACH, GLYPH[1] + 2 * _REACH
    across = (np.arange(columns) - (columns - 1) / 2) * (at.wide / GLYPH[0])
    down = at.top + (np.arange(rows) - _REACH + 0.5) * (at.high / GLYPH[1]) - 0.5
    x = (np.array(at.middles)[:, None, None] + across[None, None, :]).astype(np.float32).repeat(rows, axis=1)
    y = np.broadcast_to(down.astype(np.float32)[None, :, None], x.shape)
    shape = (-1, columns)
    seen = cv2.remap(
        soft,
        x.reshape(shape),
        y.reshape(shape),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    ).reshape(x.shape)
    shifts = range(2 * _REACH + 1)
    parts = [seen[:, b : b + GLYPH[1], a : a + GLYPH[0]].reshape(len(seen), -1) for b in shifts for a in shifts]
    return _normal(np.stack(parts, axis=1))


def likeness(of: Marks, shapes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Correlation of each digit with each shape (shapes x pixels), where it stands best: digits x shapes."""
    digits, shifts, pixels = of.shape
    return np.asarray((of.reshape(-1, pixels) @ shapes.T).reshape(digits, shifts, -1).max(axis=1), dtype=np.float32)


def middle(of: Marks) -> NDArray[np.float32]:
    """The digits as they should stand: digits x pixels."""
    return np.asarray(of[:, of.shape[1] // 2])


@cache
def fonts() -> NDArray[np.float32]:
    """Digits in the fonts at hand, seen as a camera's are: fonts x 10 x pixels."""
    found: list[list[Picture]] = [[_lettered(str(digit), thickness) for digit in range(10)] for thickness in (3, 7)]
    found += [[_drawn(digit, thickness) for digit in range(10)] for thickness in (9, 18, 27)]
    dots = []
    for digit in _DOTS:
        lit = [[row >> (4 - column) & 1 for column in range(5)] for row in bytes.fromhex(digit)]
        cells = cv2.resize(np.array(lit, np.uint8) * 255, None, fx=12, fy=12, interpolation=cv2.INTER_NEAREST)
        dots.append(np.asarray(cells, dtype=np.uint8))
    found.append(dots)
    return np.stack([_printed(digits) for digits in found])


def _lettered(digit: str, thickness: int) -> Picture:
    cell = np.zeros((120, 120), np.uint8)
    cv2.putText(cell, digit, (20, 100), cv2.FONT_HERSHEY_SIMPLEX, 2.4, 255, thickness)
    return cell


def _drawn(digit: int, thickness: int) -> Picture:
    cell = np.zeros((200, 160), np.uint8)
    for x, y, wide, high, begin, end in _ARCS.get(digit, ()):
        cv2.ellipse(cell, (x + 30, y + 30), (wide, high), 0, begin, end, 255, thickness)
    cv2.polylines(cell, [np.array(_LINES.get(digit, ()), np.int32).reshape(-1, 2) + 30], False, 255, thickness)
    return cell


def _printed(digits: Sequence[Any]) -> NDArray[np.float32]:
    ink = np.max(digits, axis=0)
    rows, columns = np.flatnonzero(ink.max(axis=1)), np.flatnonzero(ink.max(axis=0))
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    shapes = []
    for digit in digits:
        glyph = cv2.resize(digit[part].astype(np.float32), GLYPH, interpolation=cv2.INTER_AREA)
        shapes.append(cv2.GaussianBlur(glyph, (0, 0), 0.7).ravel())
    return _normal(np.stack(shapes))


def _normal(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    off = vectors - vectors.mean(axis=-1, keepdims=True)
    off /= np.sqrt(np.einsum("...i,...i->...", off, off))[..., None] + np.float32(1e-6)
    return np.asarray(off, dtype=np.float32)


def _ink(line: Picture) -> Plane:
    thin = np.asarray(cv2.morphologyEx(line, cv2.MORPH_TOPHAT, _SHAPE), dtype=np.uint8)
    strong = max(_level(thin, 0.98), _FAINT)
    white = _level(line, 0.90, thin > 0.6 * strong)
    # What lies between letters with a dark outline is thin too, and as bright as the scene above and below them.
    scene = cv2.blur(line[[0, 1, -2, -1]].mean(axis=0, dtype=np.float32)[None], (_AROUND, 1))
    above = np.maximum(white - scene, 1.0)
    bright = np.where(above > _WHITER, (line - scene) / above, 1.0)
    return np.asarray(np.clip(np.minimum(thin * np.float32(1 / strong), bright), 0, 1), dtype=np.float32)


def _level(of: Picture, share: float, where: NDArray[np.bool_] | None = None) -> float:
    """The level that this share of the pixels does not pass; 255 where there are none."""
    counts = cv2.calcHist([of], [0], None if where is None else where.view(np.uint8), [256], (0, 256)).cumsum()
    return min(255.0, float(np.searchsorted(counts, max(1.0, share * counts[-1]))))


def _plainness(softened: Sequence[Plane], at: Places) -> float:
    """Mean likeness of the digits to those of the likest font."""
    shapes = fonts()
    every = np.concatenate([_at(soft, at) for soft in softened])
    alike = likeness(every, shapes.reshape(-1, shapes.shape[-1])).reshape(len(every), len(shapes), 10)
    return float(alike.max(axis=2).mean(axis=0).max())


def _in_steps(mean: Plane, most: Plane, text: str, ratios: NDArray[np.float64]) -> list[Places]:
    """The digits of a font in which all digits are equally wide: beginning and width leave the least ink between
    letters and in the blanks; how high they are is tried. ``ratios``: how wide other letters may be, against digits
    (see ``_KINDS``). ``mean`` and ``most`` of the ink of all lines."""
    column, width = _summed(mean), mean.shape[1]
    few = len(ratios) > 1
    wholes = np.linspace(0.84, 1.04, 16 if few else 45) * width
    worth, (begin, whole, which) = _steps(column, text, ratios, wholes, np.arange(-3, 0.12 * width, 3 if few else 1))
    if worth < _EVEN:
        return []
    if few:
        return _in_steps(mean, most, text, ratios[which][None])
    each = _widths(text, ratios)[0]
    wide = whole / float(each.sum())
    starts = (begin + wide * (np.cumsum(each) - each))[[letter.isdigit() for letter in text]]
    at_cells = np.clip(np.rint(starts[:, None] + np.arange(round(wide))).astype(int), 0, width - 1)
    rows = mean[:, at_cells.ravel()].mean(axis=1)
    darkest, brightest = np.percentile(rows, (5, 90))
    found = []
    for share in (0.25, 0.4, 0.55):
        tall = np.flatnonzero(rows > darkest + share * (brightest - darkest))
        if not len(tall):
            continue  # what is the same from top to bottom is a fence
        top, high = float(tall[0]), float(tall[-1] - tall[0] + 1)
        # A digit is as wide as the widest of its kind; a one is narrower.
        ink = most[int(top) : int(top + high)].max(axis=0)[at_cells]
        lit = np.flatnonzero(np.percentile(ink, 70, axis=0) > 0.4)
        if high >= 0.3 * HEIGHT and len(lit):
            across = float(lit[-1] - lit[0] + 1)
            found.append(Places(tuple((starts + lit[0] + (across - 1) / 2).tolist()), top, across, high))
    return found


def _steps(
    column: NDArray[np.float32],
    text: str,
    ratios: NDArray[np.float64],
    wholes: NDArray[np.float64],
    begins: NDArray[np.float64],
) -> tuple[float, tuple[float, float, int]]:
    """How much more ink there is in letters than between them and in blanks, at best; and where the line begins then,
    how long it is, and by which of the ratios."""
    digit = np.array([letter.isdigit() for letter in text])
    blank = np.array([letter.isspace() for letter in text])
    each = _widths(text, ratios)
    ends = np.cumsum(each, axis=1)
    step = wholes[None, :, None] / ends[:, None, -1:]
    cells, wide = step * (ends - each)[:, None, :], step * each[:, None, :]
    asked = digit | blank
    inside = _ink_of(column, begins, (cells + 0.15 * wide)[..., asked], (cells + 0.85 * wide)[..., asked])
    between = _ink_of(column, begins, cells - 0.07 * step, cells + 0.07 * step)
    worth = inside[:, :, digit[asked]].mean(axis=2) - 1.2 * between.mean(axis=2)
    if blank.any():
        worth = worth - inside[:, :, blank[asked]].mean(axis=2)
    worth = np.where(begins + wholes[None, :, None] <= len(column) - 1 + 0.3 * step, worth, -np.inf)
    which, long, place = np.unravel_index(int(np.argmax(worth)), worth.shape)
    return float(worth[which, long, place]), (float(begins[place]), float(wholes[long]), int(which))


def _widths(text: str, ratios: NDArray[np.float64]) -> NDArray[np.float64]:
    """How wide each letter is against a digit, by each of the ratios."""
    each = np.concatenate((np.ones((len(ratios), 1)), ratios), axis=1)
    each = each[:, [1 + _KINDS.find(letter) for letter in text]]
    each[:, [east_asian_width(letter) == "W" for letter in text]] = 2.0
    return each


def _summed(mean: Plane) -> NDArray[np.float32]:
    """The running sum of the ink over the columns."""
    return np.concatenate(((0.0,), np.cumsum(mean.mean(axis=0)))).astype(np.float32)


def _ink_of(
    column: NDArray[np.float32], begins: NDArray[Any], first: NDArray[np.float64], last: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Mean ink from ``first`` to ``last`` (kinds of letters x lengths of a line x letters), for each of the places at
    which the line may begin, which are even; ``column`` is the running sum over the columns."""
    one, other = (np.floor(place + begins[0] + 0.5).astype(np.intp) for place in (first, last))
    span = int(begins[-1] - begins[0]) + 1
    before, behind = max(0, -int(one.min())), max(0, int(other.max()) + span - len(column))
    # Letters of one size stand in a row for all beginnings, which is copied at once.
    at = np.clip(np.arange(-before, len(column) + behind), 0, len(column) - 1)
    rows = (column[at], at.astype(np.float32))
    ink, place = (
        np.ascontiguousarray(sliding_window_view(row, span)[:, :: int(begins[1] - begins[0])]) for row in rows
    )
    one, other = one + before, other + before
    found, wide = ink[other], place[other]
    found -= ink[one]
    wide -= place[one]
    return np.asarray(np.divide(found, np.maximum(wide, 1, out=wide), out=found))


def _one_by_one(line: Plane, text: str) -> Places | None:
    """The digits of a line in which every letter stands apart from the next."""
    for level in (0.6, 0.5, 0.7, 0.4, 0.8):
        boxes = _boxes(line > level, text)
        if boxes is not None:
            wide = float(np.percentile(boxes[:, 1] - boxes[:, 0], 80))
            top, bottom = float(np.median(boxes[:, 2])), float(np.median(boxes[:, 3]))
            return Places(tuple(((boxes[:, 0] + boxes[:, 1] - 1) / 2).tolist()), top, wide, bottom - top)
    return None


def _boxes(ink: NDArray[np.bool_], text: str) -> NDArray[np.float64] | None:
    """Left, right, top and bottom of the digits; None unless there are as many marks as letters."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=4)
    high, wide = ink.shape
    tall = [
        (left, above, across, down)
        for left, above, across, down, area in stats[1:count].tolist()
        # What reaches the border is the scene, kept apart from the letters by their dark outline.
        if above > 0 and above + down < high and left > 0 and left + across < wide
        if down >= 3 and area >= 12 and abs(above + down / 2 - high / 2) < 0.3 * HEIGHT
    ]
    # Parts of one letter (a colon) stand above each other.
    letters: list[list[int]] = []
    for left, above, across, down in sorted(tall):
        if letters and left < letters[-1][1] - 1:
            last = letters[-1]
            last[1], last[2], last[3] = max(last[1], left + across), min(last[2], above), max(last[3], above + down)
        else:
            letters.append([left, left + across, above, above + down])
    wanted = [letter for letter in text if not letter.isspace()]
    if len(letters) != len(wanted):
        return None
    digits = np.array([box for box, letter in zip(letters, wanted, strict=True) if letter.isdigit()], np.float64)
    return digits if (digits[:, 3] - digits[:, 2]).min() >= 0.3 * HEIGHT else None

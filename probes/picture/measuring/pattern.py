"""This file measures what electronics put into a picture: waves, torn lines, broken blocks, smears, plain areas."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from probes.picture.measuring.sheet import Mask, Picture, Plane, Sheet, share

_WAVES = (320, 180)
"""Size at which waves are looked for: up to 90 from top to bottom."""
_SLOWEST = 7
"""Waves over the picture below which a scene itself looks like a wave."""
_STANDS_OUT = 6.0
"""Prominence below which nobody takes a wave for a fault, nor asks where it is or for another."""
_PLACES = (8, 6)
_FLOOR = 30.0
"""Strength of the spectrum that the coding of a plain picture leaves."""
_OFF_THE_WAVE = (-7, -6, -5, -4, 4, 5, 6, 7)
"""Waves over the picture by which others in a wave's direction are slower and faster."""
_ONE_LEVEL = 2
"""Levels that a decoder's filling has at most."""
_FEWER = 3
"""One column of so many is enough to hold rows against each other."""
_HARD = 14
"""Levels by which both sides of a broken block differ, more than within them."""
_ZERO_GREEN, _OFF = (135, 77), 12
"""Levels of green that zero Y, Cb and Cr are decoded to; levels by which coding it once more may change them."""
_MOST, _PARTS, _EACH = 0.55, 8, 0.30
"""Share of a line that must differ from both its neighbours; parts of a line, and the share of each of them."""
_LEAST_CHANGE = 1.0
"""Levels from one row to the next but one, below which coding alone may have made them."""
_HARDLY = 0.004
"""Share of hard steps on the grid below which nobody asks how many there are off it."""


@cache
def _window() -> tuple[Plane, float]:
    """A window of the size at which waves are looked for, and its sum."""
    window = np.outer(np.hanning(_WAVES[1]), np.hanning(_WAVES[0])).astype(np.float32)
    return window, float(window.sum())


def waves(half: Plane) -> dict[str, float]:
    """The strongest plane wave in the picture, whatever its direction.

    ``wave`` is its amplitude in levels, ``wave_prominence`` how many times it stands out of its neighbourhood in the
    spectrum: interference is one frequency over the whole picture, a fence or a tiled wall is spread by perspective.
    ``wave_spread`` (0 to 1): its amplitude where it is weak (20th percentile of the places) against where it is strong
    (80th); a fence stands somewhere, a wave is everywhere; 0 where it hardly stands out. ``lattice`` (0 to 1): the
    strongest wave in another direction, against it: bricks and bubbles have two.
    """
    window, weight = _window()
    flat = cv2.multiply(cv2.subtract(half, cv2.blur(half, (31, 31))), window)
    spectrum = _strengths(np.asarray(flat, dtype=np.float32))
    middle = spectrum.shape[0] // 2
    wide, near = (cv2.boxFilter(spectrum, -1, (size, size), normalize=False) for size in (15, 5))
    around = np.asarray(cv2.subtract(wide, near), dtype=np.float32) / 200
    judged = spectrum.copy()
    judged[middle - _SLOWEST + 1 : middle + _SLOWEST, :_SLOWEST] = 0
    at = np.unravel_index(int(np.argmax(judged / (around + _FLOOR))), judged.shape)
    peak = float(judged[at])
    row, column = int(at[0]) - middle, int(at[1])
    nearby = max(float(around[at]), _along(spectrum, row, column))
    prominence = peak / (nearby + _FLOOR)
    found = {"wave": 2 * peak / weight, "wave_prominence": prominence}
    stands_out = prominence >= _STANDS_OUT
    found["lattice"] = _others(judged, row, column) / peak if stands_out else 0.0
    found["wave_spread"] = _spread(np.asarray(flat, dtype=np.float32), row, column) if stands_out else 0.0
    return found


def _strengths(plane: Plane) -> Plane:
    """The absolute values of numpy's ``rfft2`` of a plane of even sides, in half the time; the slowest wave in the
    middle row."""
    height, width = plane.shape
    # In OpenCV's packed form real and imaginary parts lie side by side, and in its first and last column, whose own
    # transforms are symmetric, one upon the other.
    packed = np.asarray(cv2.dft(plane), dtype=np.float32)
    pairs = np.ascontiguousarray(packed[:, 1:-1]).view(np.complex64)
    found = np.empty((height, width // 2 + 1), np.float32)
    # The slowest, first in the packed form, goes to the middle.
    half = height // 2
    np.abs(pairs[:half], out=found[half:, 1:-1])
    np.abs(pairs[half:], out=found[:half, 1:-1])
    for column in (0, -1):
        ends = packed[:, column]
        upper = np.abs(np.concatenate((ends[:1], ends[1:-1:2] + 1j * ends[2::2], ends[-1:])))
        found[half:, column], found[:half, column] = upper[:-1], upper[:0:-1]
    return found


def _spread(flat: Plane, row: int, column: int) -> float:
    """How even the wave is over the picture: the picture is turned back by the wave, and what stays is averaged."""
    height, width = flat.shape
    turn = np.exp(-2j * np.pi * row * np.arange(height) / height)[:, None] * np.exp(
        -2j * np.pi * column * np.arange(width) / width
    )
    parts = [
        cv2.resize((flat * part).astype(np.float32), _PLACES, interpolation=cv2.INTER_AREA)
        for part in (turn.real, turn.imag)
    ]
    strength = (np.hypot(*parts) / cv2.resize(_window()[0], _PLACES, interpolation=cv2.INTER_AREA))[1:-1, 1:-1]
    weak, strong = np.percentile(strength, (20, 80))
    return float(weak / max(strong, 1e-3))


def _others(judged: Plane, row: int, column: int) -> float:
    """The strongest wave that lies off the line through the origin and this one, as its harmonics do not."""
    middle = judged.shape[0] // 2
    rows, columns = np.ogrid[-middle : judged.shape[0] - middle, 0 : judged.shape[1]]
    length = float(np.hypot(row, column))
    return float(judged[np.abs(rows * column - columns * row) > 0.35 * length * np.hypot(rows, columns)].max())


def _along(spectrum: Plane, row: int, column: int) -> float:
    """Mean of the spectrum slower and faster than a wave, in its direction: a straight edge has all of them."""
    middle, length = spectrum.shape[0] // 2, float(np.hypot(row, column))
    seen = []
    for off in _OFF_THE_WAVE:
        away = 1 + off / length
        place = (
            max(0, min(round(row * away) + middle, len(spectrum) - 1)),
            min(round(column * away), spectrum.shape[1] - 1),
        )
        seen.append(float(spectrum[place]))
    return sum(seen) / len(seen)


def lines(grey: Picture) -> dict[str, float]:
    """``torn_rows``, ``torn_columns``: share of lines that differ from both neighbours (two pixels away) along most of
    their length, and in each eighth of it but one, by more than 10 levels. A scene has ledges and the crests of waves,
    but they end somewhere, or turn."""
    found = {}
    upright = np.asarray(cv2.transpose(grey), dtype=np.uint8)
    # One column of these for each line; sums down a column are the cheap ones.
    for name, plane in (("torn_rows", upright[::2]), ("torn_columns", grey[::2])):
        before, line, after = plane[:, :-4], plane[:, 2:-2], plane[:, 4:]
        torn = np.zeros(line.shape[1], np.bool_)
        # All the same way: noise goes up and down.
        for out in (cv2.subtract(line, cv2.max(before, after)), cv2.subtract(cv2.min(before, after), line)):
            far = np.asarray(cv2.threshold(out, 10, 255, cv2.THRESH_BINARY)[1], dtype=np.uint8)
            most = np.flatnonzero(cv2.reduce(far, 0, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel() > _MOST * 255)
            if most.size:
                torn[most[_throughout(far[:, most].T > 0)]] = True
        found[name] = float(np.count_nonzero(torn)) / max(1, torn.size)
    return found


def _throughout(far: Mask) -> Mask:
    """Which of the lines are far off in each of their parts but one, in which the scene may be as they are."""
    length = far.shape[1] // _PARTS
    parts = far[:, : length * _PARTS].reshape(-1, _PARTS, length).mean(axis=2)
    return np.asarray(np.count_nonzero(parts > _EACH, axis=1) >= _PARTS - 1)


def combed(sheet: Sheet) -> float:
    """How much more a row differs from the next one than from the one after that: light changes little by little, so
    that it is less than 1, or 1 where there is nothing but noise; more where every second row belongs elsewhere, as
    when the fields of two pictures are woven into one. Of a part of the columns."""
    columns = sheet.columns[::6]
    next_, after = (
        cv2.norm(columns[:, 2:], others, cv2.NORM_L1) / others.size for others in (columns[:, 1:-1], columns[:, :-2])
    )
    return next_ / max(after, _LEAST_CHANGE)


def unwritten(small: Picture) -> float:
    """Share of the picture in the colour of zero Y, Cb and Cr: what a decoder's memory holds where no slice of a frame
    was ever written. That is a pure green, of 135 levels by ITU-R BT.601 and of 77 by BT.709; no leaf is without any
    blue and red. Places of one pixel of a ``small`` picture don't count. 0 to 1."""
    blue, green, red = (np.asarray(channel) for channel in cv2.split(small))
    found = (blue <= _OFF) & (red <= _OFF)
    if not found.any():
        return 0.0
    found &= np.logical_or.reduce([(green >= level - _OFF) & (green <= level + _OFF) for level in _ZERO_GREEN])
    return float(np.count_nonzero(cv2.erode(found.view(np.uint8), np.ones((3, 3), np.uint8)))) / found.size


def blocks(sheet: Sheet) -> dict[str, float]:
    """Broken macroblocks: hard edges that lie on the coding grid more often than anywhere else.

    ``broken``: share of the block borders with a step of more than 14 levels along a whole block, less the share of
    such steps off the grid (an edge of the scene does not know the grid). ``repeated``: share of rows that repeat the
    row above. ``plain_rows``: share of the height
    of the longest run of rows that are one level from border to border, as a decoder fills in what it did not get, if
    it begins or ends sharply; ``plain_all`` that of all such rows, ``levelled`` that of rows of one level that is not
    clipped. ``dragged``: share of the longest run of rows that repeat each other and vary along their length.
    ``breaks``: rows that differ from the one above along most of the width, in each eighth of it but one, far more
    than the rows around do; ``breaks_on_grid``: those between macroblocks, which need not be so throughout.
    """
    decoded = sheet.decoded
    height, width = decoded.shape
    grid = sheet.grid
    found = {"broken": 0.0, "plain_rows": 0.0, "plain_all": 0.0, "repeated": 0.0}
    found |= {"levelled": 0.0, "dragged": 0.0, "breaks": 0.0, "breaks_on_grid": 0.0}
    if height < 64 or width < 64:
        return found
    if grid >= 4:
        found["broken"] = max(_off_grid(decoded, grid), _off_grid(sheet.columns, grid))
    columns = sheet.columns[::_FEWER]
    down, dragged = _dragged(columns)
    begin, end = _longest(dragged)
    found["dragged"] = (end - begin) / height
    found |= _breaks(columns, down, grid)
    found["repeated"] = float(np.count_nonzero(down < 0.5)) / height
    reach, brightest, plain = _plain(columns)
    found["levelled"] = share((reach <= 2) & (brightest < 240))
    begin, end = _longest(plain)
    # A decoder's filling begins and ends within a row; a thing before the lens has a soft border. Coding may ring about
    # what is of one level throughout, as no sky is, for a block.
    one_level = (
        end > begin and int(brightest[begin:end].max()) - int((brightest - reach)[begin:end].min()) <= _ONE_LEVEL
    )
    around = grid if one_level else 0
    borders = [
        np.percentile(
            cv2.absdiff(columns[:, min(row + way, height - 1)], columns[:, max(row - 1 - around + way, 0)]), 90
        )
        for row, way in ((begin, 0), (end, around))
        if 0 < row < height
    ]
    hard = not borders or max(borders) > _HARD
    found["plain_rows"] = (end - begin) / height if hard else 0.0
    found["plain_all"] = float(np.count_nonzero(plain)) / height
    return found


def _dragged(columns: Picture) -> tuple[NDArray[np.float32], Mask]:
    """Mean difference of each row but the first from the one above; and where rows repeat it that are not plain."""
    down = _means(cv2.absdiff(columns[:, 1:], columns[:, :-1]))
    along = _means(cv2.absdiff(columns[1:], columns[:-1]))[1:]
    return down, np.asarray((down < 0.6) & (along > 1.5))


def _means(columns: cv2.typing.MatLike) -> NDArray[np.float32]:
    """The mean of each row."""
    return np.asarray(cv2.reduce(columns, 0, cv2.REDUCE_AVG, dtype=cv2.CV_32F), dtype=np.float32).ravel()


def _plain(columns: Picture) -> tuple[Picture, Picture, Mask]:
    """Of each row how far its levels reach, and its brightest; and whether it is one level that is not clipped."""
    darkest, brightest = columns.min(axis=0), columns.max(axis=0)
    reach = brightest - darkest
    return reach, brightest, np.asarray((reach <= 5) & (darkest > 20) & (brightest < 235))


def filled(sheet: Sheet, *, dragged: bool) -> Mask:
    """The rows of the longest run of plain ones; ``dragged``: of ones that repeat each other and are not plain."""
    columns = sheet.columns[::_FEWER]
    begin, end = _longest(_dragged(columns)[1] if dragged else _plain(columns)[2])
    found = np.zeros(columns.shape[1], np.bool_)
    found[begin : end + dragged] = True
    return found


def broken(sheet: Sheet) -> tuple[Mask, Mask]:
    """Where both sides of a border between coding blocks differ hard along a whole block: of the borders that lie
    across the picture, and of the upright ones; each a plane of the whole picture, one value a border."""
    upright = np.ascontiguousarray(_hard(sheet.columns, sheet.grid, 0).T)
    return _hard(sheet.decoded, sheet.grid, 0), upright


def _breaks(columns: Picture, down: NDArray[np.float32], grid: int) -> dict[str, float]:
    """Breaks between rows. ``down``: mean difference of each row from the one above."""
    around = np.maximum(np.maximum(down[:-6], down[1:-5]), np.maximum(down[5:-1], down[6:]))
    rows = np.flatnonzero((down[3:-3] > 2.2 * around + 4) & (down[3:-3] >= np.maximum(down[2:-4], down[4:-2]))) + 3
    found = on_grid = 0
    for row in rows.tolist():
        apart = cv2.absdiff(columns[:, row + 1], columns[:, row]).ravel() > 8
        if np.count_nonzero(apart) > 0.5 * apart.size:
            # Slices may begin within a row; lines are torn from border to border, which shelves and roofs are not.
            begins = grid > 0 and (row + 1) % (2 * grid) == 0
            found += begins or bool(_throughout(apart[None]).all())
            on_grid += begins
    return {"breaks": float(found), "breaks_on_grid": float(on_grid)}


def _off_grid(plane: Picture, grid: int) -> float:
    """Share of hard steps between rows on the grid, less that of the other phases looked at."""
    shares = []
    for phase in (0, grid // 2, 1):
        shares.append(share(_hard(plane, grid, phase)))
        if shares[0] < _HARDLY:
            return shares[0]
    return max(0.0, shares[0] - max(shares[1:]))


def _hard(plane: Picture, grid: int, phase: int) -> Mask:
    """Whether there is a hard step along the whole of each block's width, above every second row of blocks."""
    columns = plane.shape[1] // grid * grid
    rows = [plane[grid + phase + n : plane.shape[0] - 2 : 2 * grid, :columns].astype(np.int16) for n in (-2, -1, 0, 1)]
    count = min(len(row) for row in rows)
    before, last, first, after = (row[:count] for row in rows)
    step = first - last
    step *= 3
    step += before
    step -= after
    return _whole(step > 2 * _HARD, grid) | _whole(step < -2 * _HARD, grid)


def _whole(far: Mask, grid: int) -> Mask:
    """Which blocks of a row, 4 or 8 bytes each, are true all along: looked at as one number each."""
    number = {4: np.uint32, 8: np.uint64}[grid]
    return np.asarray(far.view(number) == np.ones(grid, np.uint8).view(number))


def _longest(run: NDArray[np.bool_]) -> tuple[int, int]:
    """Begin and end of the longest run of true values."""
    if not run.any():
        return 0, 0
    edges = np.flatnonzero(np.diff(np.concatenate(((False,), run, (False,)))))
    longest = int(np.argmax(edges[1::2] - edges[::2]))
    return int(edges[2 * longest]), int(edges[2 * longest + 1])

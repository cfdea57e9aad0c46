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
_LOOKED_AT = 3.5
"""Prominence below which nobody asks where a wave is."""
_STANDS_OUT = 6.0
"""Prominence below which nobody takes a wave for a fault, nor asks for another."""
_PLACES = (8, 6)
_FLOOR = 30.0
"""Strength of the spectrum that the coding of a plain picture leaves."""
_PERIODS = 5
"""Periods over the height from which on a wave is a ripple."""
_ONE_LEVEL = 2
"""Levels that a decoder's filling has at most."""
_HARD = 14
"""Levels by which both sides of a broken block differ, more than within them."""
_FAINT = 0.12
"""Amplitude of a sine in the logarithm of light, below which it may be anything's."""
_ZERO_GREEN, _OFF = (135, 77), 12
"""Levels of green that zero Y, Cb and Cr are decoded to; levels by which coding it once more may change them."""
_MOST, _PARTS, _EACH = 0.55, 8, 0.30
"""Share of a line that must differ from both its neighbours; parts of a line, and the share of each of them."""
_LEAST_CHANGE = 1.0
"""Levels from one row to the next but one, below which coding alone may have made them."""
_HARDLY = 0.004
"""Share of hard steps on the grid below which nobody asks how many there are off it."""


@cache
def _window() -> Plane:
    return np.outer(np.hanning(_WAVES[1]), np.hanning(_WAVES[0])).astype(np.float32)


def waves(half: Plane) -> dict[str, float]:
    """The strongest plane wave in the picture, whatever its direction.

    ``wave`` is its amplitude in levels, ``wave_prominence`` how many times it stands out of its neighbourhood in the
    spectrum: interference is one frequency over the whole picture, a fence or a tiled wall is spread by perspective.
    ``wave_spread`` (0 to 1): its amplitude where it is weak (20th percentile of the places) against where it is strong
    (80th); a fence stands somewhere, a wave is everywhere. ``lattice`` (0 to 1): the strongest wave in another
    direction, against it: bricks and bubbles have two.
    """
    window = _window()
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
    found = {"wave": 2 * peak / float(window.sum()), "wave_prominence": prominence}
    if prominence < _LOOKED_AT:
        return found | {"wave_spread": 0.0, "lattice": 0.0}
    return found | {
        "wave_spread": _spread(np.asarray(flat, dtype=np.float32), row, column),
        "lattice": _others(judged, row, column) / peak if prominence >= _STANDS_OUT else 0.0,
    }


def _strengths(plane: Plane) -> Plane:
    """The absolute values of numpy's ``rfft2`` of a plane of even sides, in half the time; the slowest wave in the
    middle row."""
    height, width = plane.shape
    # In OpenCV's packed form real and imaginary parts lie side by side, and in its first and last column, whose own
    # transforms are symmetric, one upon the other.
    packed = np.asarray(cv2.dft(plane), dtype=np.float32)
    squares = packed[:, 1:-1] ** 2
    found = np.empty((height, width // 2 + 1), np.float32)
    np.sqrt(squares[:, ::2] + squares[:, 1::2], out=found[:, 1:-1])
    for column in (0, -1):
        ends = packed[:, column]
        upper = np.concatenate((np.abs(ends[:1]), np.hypot(ends[1:-1:2], ends[2::2]), np.abs(ends[-1:])))
        found[:, column] = np.concatenate((upper, upper[-2:0:-1]))
    return np.concatenate((found[height // 2 :], found[: height // 2]))


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
    strength = (np.hypot(*parts) / cv2.resize(_window(), _PLACES, interpolation=cv2.INTER_AREA))[1:-1, 1:-1]
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
    away = np.array((-7, -6, -5, -4, 4, 5, 6, 7)) / length + 1
    rows = np.clip(np.rint(row * away).astype(int) + middle, 0, spectrum.shape[0] - 1)
    columns = np.clip(np.rint(column * away).astype(int), 0, spectrum.shape[1] - 1)
    return float(spectrum[rows, columns].mean())


def lines(grey: Picture) -> dict[str, float]:
    """``torn_rows``, ``torn_columns``: share of lines that differ from both neighbours (two pixels away) along most of
    their length, and in each eighth of it but one, by more than 10 levels. A scene has ledges and the crests of waves,
    but they end somewhere, or turn."""
    found = {}
    for name, plane in (("torn_rows", np.ascontiguousarray(grey[:, ::2])), ("torn_columns", cv2.transpose(grey[::2]))):
        above, line, below = plane[:-4], plane[2:-2], plane[4:]
        torn = np.zeros(line.shape[0], np.bool_)
        # All the same way: noise goes up and down.
        for out in (cv2.subtract(line, cv2.max(above, below)), cv2.subtract(cv2.min(above, below), line)):
            far = cv2.threshold(out, 10, 255, cv2.THRESH_BINARY)[1]
            most = np.flatnonzero(cv2.reduce(far, 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel() > _MOST * 255)
            if most.size:
                torn[most[_throughout(far[most] > 0)]] = True
        found[name] = float(np.count_nonzero(torn)) / max(1, line.shape[0])
    return found


def _throughout(far: Mask) -> Mask:
    """Which of the lines are far off in each of their parts but one, in which the scene may be as they are."""
    length = far.shape[1] // _PARTS
    parts = far[:, : length * _PARTS].reshape(-1, _PARTS, length).mean(axis=2)
    return np.asarray(np.count_nonzero(parts > _EACH, axis=1) >= _PARTS - 1)


def combed(decoded: Picture) -> float:
    """How much more a row differs from the next one than from the one after that: light changes little by little, so
    that it is less than 1, or 1 where there is nothing but noise; more where every second row belongs elsewhere, as
    when the fields of two pictures are woven into one. Of a part of the columns."""
    lines = np.ascontiguousarray(decoded[:, ::6])
    next_, after = (cv2.norm(lines[2:], others, cv2.NORM_L1) / others.size for others in (lines[1:-1], lines[:-2]))
    return next_ / max(after, _LEAST_CHANGE)


def unwritten(small: Picture) -> float:
    """Share of the picture in the colour of zero Y, Cb and Cr: what a decoder's memory holds where no slice of a frame
    was ever written. That is a pure green, of 135 levels by ITU-R BT.601 and of 77 by BT.709; no leaf is without any
    blue and red. Places of one pixel of a ``small`` picture don't count. 0 to 1."""
    found = np.zeros(small.shape[:2], np.uint8)
    for green in _ZERO_GREEN:
        found |= cv2.inRange(small, (0, green - _OFF, 0), (_OFF, green + _OFF, _OFF)).astype(np.uint8)
    return float(np.count_nonzero(cv2.erode(found, np.ones((3, 3), np.uint8)))) / found.size


def bands_of(profiles: Plane) -> float:
    """How strongly profiles over the picture's height (one a column) swing at least twice: the root of the mean square
    after the slow part (a cubic) is taken out, in their own unit, of the one that does so least."""
    slow = _slow(len(profiles))
    fast = profiles - slow @ (slow.T @ profiles)
    return float(np.sqrt((fast * fast).sum(axis=0).min() / len(profiles)))


def ripple(profiles: Plane, own: Plane) -> tuple[float, float]:
    """The strongest even wave of 5 or more periods that profiles (one a column) have in common, after the slow part and
    what is in proportion to the scene's ``own`` (which another contrast makes stronger or weaker): the root of its mean
    square, in their own unit, and its share of all that varies in them as fast, times how evenly they have it."""
    slow, window = _slow(len(profiles)), _bell(len(profiles))
    fast, scene = ((one - slow @ (slow.T @ one)) * window for one in (profiles, own))
    fast -= scene * ((fast * scene).sum(axis=0) / np.maximum((scene * scene).sum(axis=0), 1e-6))
    spectrum = np.fft.rfft(fast, axis=0)
    common = np.abs(spectrum.mean(axis=1)) ** 2
    place = int(np.argmax(common[_PERIODS:-1])) + _PERIODS
    wave = float(common[place - 1 : place + 2].sum())
    rest = float((np.abs(spectrum[_PERIODS - 1 :]) ** 2).mean(axis=1).sum())
    strengths = np.abs(spectrum[place])
    everywhere = float(strengths.min() / max(strengths.mean(), 1e-9))
    return float(np.sqrt(2 * wave / (len(profiles) * (window**2).sum()))), everywhere * wave / max(rest, 1e-9)


@cache
def _bell(length: int) -> Plane:
    return np.hanning(length).astype(np.float32)[:, None]


@cache
def _slow(length: int) -> Plane:
    """An orthonormal base of the cubics over a profile."""
    base, _ = np.linalg.qr(np.vander(np.linspace(-1, 1, length), 4))
    return np.asarray(base, dtype=np.float32)


def hum(profiles: Plane) -> float:
    """Hum of the mains on a line, or a lamp's flicker under a rolling shutter: ``sine`` of the logarithm of the levels
    over the height of each third of the width (``profiles``). Scenes lie in rows too, but hardly in even ones, from
    border to border."""
    return sine(np.log(profiles + 8))


def sine(profiles: Plane) -> float:
    """How much of what varies along profiles (one a column, logarithms of light) is one sine of 2 to 8 periods, the
    same in all of them.

    After the straight line in each, the sine's share of the variance (least of the columns), times how well they agree
    on its phase and strength: 0 to 1; 0 where it is weaker than an eighth.
    """
    straight, sines = _sines(len(profiles))
    left = profiles - straight @ (straight.T @ profiles)
    found = (sines @ left).reshape(-1, 2, left.shape[1])
    shares = (found**2).sum(axis=1) / (1e-4 + (left**2).sum(axis=0))
    common = np.hypot(*found.mean(axis=2).T)
    agreed = common / np.maximum(np.hypot(found[:, 0], found[:, 1]).mean(axis=1), 1e-6)
    strong = common * np.sqrt(2 / len(left)) >= _FAINT
    return float((shares.min(axis=1) * agreed * strong).max())


@cache
def _sines(length: int) -> tuple[Plane, Plane]:
    """Orthonormal bases: of the straight lines over a profile; of the sines of each frequency, without those lines, two
    rows each."""
    at = (np.arange(length) + 0.5) / length
    straight, _ = np.linalg.qr(np.stack((np.ones(length), at), axis=1))
    bases = []
    for periods in np.arange(2, 8.1, 0.25):
        pair = np.stack((np.sin(2 * np.pi * periods * at), np.cos(2 * np.pi * periods * at)), axis=1)
        bases.append(np.linalg.qr(pair - straight @ (straight.T @ pair))[0])
    return straight.astype(np.float32), np.ascontiguousarray(np.concatenate(bases, axis=1).T, np.float32)


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
        found["broken"] = max(
            _off_grid(decoded, grid), _off_grid(np.asarray(cv2.transpose(decoded), dtype=np.uint8), grid)
        )
    half = np.ascontiguousarray(decoded[:, ::3])
    down, dragged = _dragged(half)
    begin, end = _longest(dragged)
    found["dragged"] = (end - begin) / height
    found |= _breaks(half, down, grid)
    found["repeated"] = float(np.count_nonzero(down < 0.5)) / height
    reach, brightest, plain = _plain(half)
    found["levelled"] = share((reach <= 2) & (brightest < 240))
    begin, end = _longest(plain)
    # A decoder's filling begins and ends within a row; a thing before the lens has a soft border. Coding may ring about
    # what is of one level throughout, as no sky is, for a block.
    one_level = (
        end > begin and int(brightest[begin:end].max()) - int((brightest - reach)[begin:end].min()) <= _ONE_LEVEL
    )
    around = grid if one_level else 0
    borders = [
        np.percentile(cv2.absdiff(half[min(row + way, height - 1)], half[max(row - 1 - around + way, 0)]), 90)
        for row, way in ((begin, 0), (end, around))
        if 0 < row < height
    ]
    hard = not borders or max(borders) > _HARD
    found["plain_rows"] = (end - begin) / height if hard else 0.0
    found["plain_all"] = float(np.count_nonzero(plain)) / height
    return found


def _dragged(lines: Picture) -> tuple[NDArray[np.float32], Mask]:
    """Mean difference of each row but the first from the one above; and where rows repeat it that are not plain."""
    down = cv2.reduce(cv2.absdiff(lines[1:], lines[:-1]), 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel()
    along = cv2.reduce(cv2.absdiff(lines[:, 1:], lines[:, :-1]), 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel()[1:]
    return np.asarray(down, dtype=np.float32), np.asarray((down < 0.6) & (along > 1.5))


def _plain(lines: Picture) -> tuple[Picture, Picture, Mask]:
    """Of each row how far its levels reach, and its brightest; and whether it is one level that is not clipped."""
    darkest, brightest = lines.min(axis=1), lines.max(axis=1)
    reach = brightest - darkest
    return reach, brightest, np.asarray((reach <= 5) & (darkest > 20) & (brightest < 235))


def filled(decoded: Picture, *, dragged: bool) -> Mask:
    """The rows of the longest run of plain ones; ``dragged``: of ones that repeat each other and are not plain."""
    lines = np.ascontiguousarray(decoded[:, ::3])
    begin, end = _longest(_dragged(lines)[1] if dragged else _plain(lines)[2])
    found = np.zeros(decoded.shape[0], np.bool_)
    found[begin : end + dragged] = True
    return found


def broken(decoded: Picture, grid: int) -> tuple[Mask, Mask]:
    """Where both sides of a border between coding blocks differ hard along a whole block: of the borders that lie
    across the picture, and of the upright ones; each a plane of the whole picture, one value a border."""
    upright = _hard(np.asarray(cv2.transpose(decoded), dtype=np.uint8), grid, 0).T
    return _hard(decoded, grid, 0), np.ascontiguousarray(upright)


def _breaks(lines: Picture, down: NDArray[np.float32], grid: int) -> dict[str, float]:
    """Breaks between rows. ``down``: mean difference of each row from the one above."""
    around = np.maximum(np.maximum(down[:-6], down[1:-5]), np.maximum(down[5:-1], down[6:]))
    rows = np.flatnonzero((down[3:-3] > 2.2 * around + 4) & (down[3:-3] >= np.maximum(down[2:-4], down[4:-2]))) + 3
    found = on_grid = 0
    for row in rows.tolist():
        apart = cv2.absdiff(lines[row + 1], lines[row]) > 8
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
    step = (first - last) * 3 + before - after
    return _whole(step > 2 * _HARD, grid) | _whole(step < -2 * _HARD, grid)


def _whole(far: Mask, grid: int) -> Mask:
    """Which blocks of a row, 4 or 8 bytes each, are true all along: looked at as one number each."""
    number = {4: np.uint32, 8: np.uint64}[grid]
    return np.asarray(far.view(number) == np.ones(grid, np.uint8).view(number))


def _longest(run: NDArray[np.bool_]) -> tuple[int, int]:
    """Begin and end of the longest run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate(((0,), run.astype(np.int8), (0,)))))
    if len(edges) == 0:
        return 0, 0
    longest = int(np.argmax(edges[1::2] - edges[::2]))
    return int(edges[2 * longest]), int(edges[2 * longest + 1])

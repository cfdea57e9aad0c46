"""This file takes an imprint of a picture: so little that it can be kept of every camera, and enough to know whether
the next picture is the same exposure, sent once more."""

from __future__ import annotations

import base64
import zlib
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from probes.picture.measuring.sheet import TILES, Mask, Picture, Still

_FEWEST = 12
"""Busy pixels below which a tile tells nothing."""
_UNTOLD = 0


def imprint(still: Still) -> dict[str, object]:
    """``tiles``: of each tile, row by row, one byte that follows from every level of its busy pixels
    (``Still.busy``), in base64; 0 where a tile has too few of them, holds burnt-in text, or lies at the upper or
    lower border, where cameras write. ``told``: share of the picture that the other tiles' busy pixels are.

    A sensor's noise changes some pixel of every tile. A held exposure is coded block by block as before, whatever a
    clock in another block shows. By chance one tile in 255 is alike.
    """
    grey, clear = still.grey, still.clear
    told = still.busy & clear
    levels = grey * told
    rows, columns = _borders(grey.shape[0], TILES[1]), _borders(grey.shape[1], TILES[0])
    lines = [*pairwise(rows)][1:-1]
    pixels = _counts(told, lines, columns)
    tells = pixels >= _FEWEST
    if not clear[rows[1] : rows[-2]].all():
        tells &= _counts(~clear, lines, columns) == 0
    codes = np.array([_codes(levels[top:bottom], columns) for top, bottom in lines], np.uint8)
    found = np.zeros((TILES[1], TILES[0]), np.uint8)
    found[1:-1] = codes * tells
    return {
        "tiles": base64.b64encode(found.tobytes()).decode("ascii"),
        "told": round(int(pixels[tells].sum()) / grey.size, 5),
    }


def _counts(mask: Mask, lines: list[tuple[int, int]], columns: list[int]) -> NDArray[np.int64]:
    """How many pixels of each tile are true."""
    enough = np.uint8 if lines[0][1] - lines[0][0] < 255 else np.uint16
    down = [np.add.reduce(mask[top:bottom].view(np.uint8), axis=0, dtype=enough) for top, bottom in lines]
    return np.add.reduceat(np.array(down), columns[:-1], axis=1, dtype=np.int64)


def _codes(line: Picture, columns: list[int]) -> list[int]:
    """The byte that follows from the levels of each tile of a line of them."""
    width = columns[1]
    if line.shape[1] == width * TILES[0]:
        # All of one width, they are copied in half the time together.
        every = line.reshape(-1, TILES[0], width).swapaxes(0, 1).tobytes()
        size = len(line) * width
        coded = [every[begin : begin + size] for begin in range(0, len(every), size)]
    else:
        coded = [line[:, left:right].tobytes() for left, right in pairwise(columns)]
    return [1 + zlib.crc32(one) % 255 for one in coded]


@cache
def _borders(length: int, parts: int) -> list[int]:
    borders: list[int] = np.linspace(0, length, parts + 1).astype(int).tolist()
    return borders

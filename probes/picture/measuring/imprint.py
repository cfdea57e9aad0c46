"""This file takes an imprint of a picture: so little that it can be kept of every camera, and enough to know whether
the next picture is the same exposure, sent once more."""

from __future__ import annotations

import base64
import zlib
from functools import cache
from itertools import pairwise

import numpy as np

from probes.picture.measuring.sequence import busy
from probes.picture.measuring.sheet import TILES, Mask, Picture

_FEWEST = 12
"""Busy pixels below which a tile tells nothing."""
_UNTOLD = 0


def imprint(grey: Picture, clear: Mask) -> dict[str, object]:
    """``tiles``: of each tile, row by row, one byte that follows from every level of its busy pixels
    (``sequence.busy``), in base64; 0 where a tile has too few of them, holds burnt-in text, or lies at the upper or
    lower border, where cameras write. ``told``: share of the picture that the other tiles' busy pixels are.

    A sensor's noise changes some pixel of every tile. A held exposure is coded block by block as before, whatever a
    clock in another block shows. By chance one tile in 255 is alike.
    """
    told = busy(grey) & clear
    levels = grey * told
    rows, columns = _borders(grey.shape[0], TILES[1]), _borders(grey.shape[1], TILES[0])
    found = bytearray(TILES[0] * TILES[1])
    count = 0
    for row, (top, bottom) in list(enumerate(pairwise(rows)))[1:-1]:
        untexted = clear[top:bottom].all()
        down = np.add.reduce(told[top:bottom].view(np.uint8), axis=0, dtype=np.uint16)
        pixels = np.add.reduceat(down, columns[:-1], dtype=np.int64).tolist()
        for column, (left, right) in enumerate(pairwise(columns)):
            if pixels[column] < _FEWEST or not (untexted or clear[top:bottom, left:right].all()):
                continue
            count += pixels[column]
            found[row * TILES[0] + column] = 1 + zlib.crc32(levels[top:bottom, left:right].tobytes()) % 255
    return {"tiles": base64.b64encode(found).decode("ascii"), "told": round(count / grey.size, 5)}


@cache
def _borders(length: int, parts: int) -> list[int]:
    borders: list[int] = np.linspace(0, length, parts + 1).astype(int).tolist()
    return borders

"""This file says where in a picture light is clipped and coding is broken, tile by tile, for people to see."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from probes.picture.measuring import pattern
from probes.picture.measuring.light import CLIPPED_FROM
from probes.picture.measuring.sheet import Sheet, rows, tiles

_CLIPPED, _BROKEN, _LINES = 0.05, 0.01, 0.03
"""Measures of the whole picture below which nobody asks where: share clipped, share of broken blocks, share of rows
that are plain or dragged."""
_MOST, _SOME = 0.5, 0.08
"""Shares of a tile: of clipped pixels, of rows of a filling, and of broken borders, from which on it is concerned."""


def where(sheet: Sheet, look: Mapping[str, float]) -> dict[str, tuple[str, ...]]:
    """``clipped`` and ``broken`` tiles, by rows of "0" and "1"; none of a name where ``look``, the measures of the same
    sheet, has nothing of the kind. Broken are tiles with hard steps on the coding grid, and those in the runs of rows
    that a decoder has filled in."""
    found: dict[str, tuple[str, ...]] = {}
    if look["clipped"] >= _CLIPPED:
        found["clipped"] = rows(tiles(sheet.grey >= CLIPPED_FROM) > _MOST)
    if look["broken"] >= _BROKEN or max(look["plain_rows"], look["dragged"]) >= _LINES:
        filled = pattern.filled(sheet, dragged=look["dragged"] >= look["plain_rows"])
        lines = np.repeat(filled[:, None], 16, axis=1)
        concerned = tiles(lines) > _MOST
        if sheet.grid >= 4:
            clear = tiles(sheet.clear) > 1 - _SOME
            for borders in pattern.broken(sheet):
                concerned |= clear & (tiles(borders) > _SOME)
        found["broken"] = rows(concerned)
    return found

"""This file takes all measures of one sheet together."""

from __future__ import annotations

from probes.picture import measures
from probes.picture.measuring import light, pattern, profiles, sharpness
from probes.picture.measuring.sheet import Sheet

_FEW = 0.02
"""Share of blocks below which their colours can't make a card."""


def look(sheet: Sheet) -> dict[str, float]:
    """Every measure of one picture by its name; see the functions that they come from."""
    found = asked(sheet)
    return found | contours(sheet, found["noise"]) | {"shift": light.shift(sheet)}


def asked(sheet: Sheet) -> dict[str, float]:
    """Those that every judgement asks for, with references or without."""
    return {
        **light.light(sheet),
        **light.colour(sheet),
        **sharpness.noise(sheet),
        **pattern.waves(sheet.half),
        **pattern.lines(sheet.grey),
        **pattern.blocks(sheet),
        "combed": pattern.combed(sheet),
        "hum": profiles.hum(sheet.profiles),
        "unwritten": pattern.unwritten(sheet.small),
        "damaged": float(bool(sheet.damaged)),
    }


def contours(sheet: Sheet, noise: float) -> dict[str, float]:
    """Those of edges, and of what has none: how sharp a picture is by itself, and how much it shows. A view that is
    seen again, as sharp as it was, answers both."""
    return {
        **sharpness.edges(sheet, noise),
        **sharpness.soft_borders(sheet),
        "reblur": sharpness.reblur(sheet),
        # A block of one colour is one of one luminance: where there are hardly any, colours need not be looked at.
        "flat_share": measures.flat_share(sheet.colour) if measures.flat_blocks(sheet.grey) > _FEW else 0.0,
    }

"""This file takes all measures of one sheet together."""

from __future__ import annotations

from probes.picture import measures
from probes.picture.measuring import light, pattern, sharpness
from probes.picture.measuring.sheet import Sheet


def look(sheet: Sheet) -> dict[str, float]:
    """Every measure of one picture by its name; see the functions that they come from."""
    noise = sharpness.noise(sheet)
    return {
        **light.light(sheet),
        **light.colour(sheet),
        **noise,
        **sharpness.edges(sheet, noise["noise"]),
        **sharpness.soft_borders(sheet),
        **pattern.waves(sheet.half),
        **pattern.lines(sheet.grey),
        **pattern.blocks(sheet),
        "reblur": sharpness.reblur(sheet),
        "flat_share": measures.flat_share(sheet.colour),
        "dominant_share": measures.dominant_share(sheet.colour),
        "damaged": float(bool(sheet.damaged)),
    }

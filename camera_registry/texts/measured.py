"""This file tells the numbers that the picture judge found in words. Rules write them down by the names of their
measures ("hidden 0.31, lost 0.12"), and so does the API; people read what each is, and its unit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import exp

_ONE = r"(\w+) (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)"
_SAID = re.compile(rf"{_ONE}(?:, {_ONE})*")


def measured(entries: Mapping[str, str], said: str) -> str | None:
    """The same in the words of a catalogue; None where this is no list of measures that it knows. One that it does not
    know, of another version, stays as it is."""
    if _SAID.fullmatch(said) is None:
        return None
    found = re.findall(_ONE, said)
    if not any(f"measure.{name}" in entries for name, _ in found):
        return None
    return entries["measured.and"].join(
        entries[key].format_map(_units(entries, float(number))) if (key := f"measure.{name}") in entries else one
        for name, number in found
        for one in (f"{name} {number}",)
    )


def _units(entries: Mapping[str, str], value: float) -> dict[str, str]:
    """A number as each text may want it: plainly, as a share, as a likeness (below none is none), as a factor (of its
    logarithm), or as yes or no."""
    return {
        "value": f"{value:g}",
        "share": _share(entries, value),
        "likeness": _share(entries, max(0.0, value)),
        "factor": f"{exp(min(value, 9.0)):.2f}",
        "truth": entries["listed.yes" if value >= 0.5 else "listed.no"],
    }


def _share(entries: Mapping[str, str], value: float) -> str:
    return entries["measured.share"].format(n=f"{100 * value:.2g}" if abs(value) < 1 else f"{100 * value:.0f}")

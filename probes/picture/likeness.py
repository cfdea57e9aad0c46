"""This file says which accepted pictures still have to be asked about a picture, by what has changed from those that
were."""

from __future__ import annotations

from collections.abc import Mapping

from probes.picture.measuring.comparison import Change

NEEDED, ALIKE = 2, 0.5
"""So many references are enough, if one of them looks this much alike (``agreement``) and nothing of it is missing."""
_SURELY = 0.7
"""Agreement from which on one reference is enough, if nothing else has changed from it either."""
_SAME_LIGHT = 0.97
"""Correlation of the coarse light of a picture and a reference of the same hour and weather."""
_CHANGES = {
    "hidden": 0.02,
    "lost": 0.04,
    "dulled": 0.03,
    "patchy_dark": 0.03,
    "foreign": 0.08,
    "cast": 0.10,
    "bands": 0.06,
}
"""What may have changed at most for that, as in ``comparison.compare``: less than half of any limit."""
_SEEN_AGAIN = {"agreement": 0.7, "still_agreement": 0.4, "textured": 0.2, "local": 0.65, "middle_sharpness": 0.9}
"""What a view has at least, as in ``comparison.compare``, that is seen where it was and as sharp as it was: well above
what any judge takes for that."""
_MISSING = {"hidden": 0.08, "lost": 0.11}
"""Half of what makes a fault of what is missing: from here on it is asked whether it was there for a time only."""


def agreement(change: Change | None) -> float:
    """How alike a reference looks, -1 to 1; -1 too where it was not compared."""
    return -1.0 if change is None else change.measures["agreement"]


def told_by(change: Change | None) -> bool:
    """Whether no other reference needs to be asked: this one looks alike, and nothing of it is missing."""
    return agreement(change) > ALIKE and not misses(change)


def misses(change: Change | None) -> bool:
    """Whether so much of a reference is missing that it must be asked why."""
    return change is not None and any(change.measures.get(name, 0.0) >= least for name, least in _MISSING.items())


def unchanged(change: Mapping[str, float]) -> bool:
    """Whether a picture is so like a reference that the others would not make another thing of it."""
    return (
        change["agreement"] > _SURELY
        and change["contrast_fit"] > _SAME_LIGHT
        and 0.8 < change["gain"] < 1.25
        and change.get("textured", 0.0) > 0.2
        and change.get("middle_sharpness", 0.0) > 0.9
        and all(change.get(name, 1.0) < most for name, most in _CHANGES.items())
    )


def as_sharp(change: Mapping[str, float]) -> bool:
    """Whether a reference shows the same view, where it is now and no sharper: nobody asks then how sharp the picture
    is by itself, nor whether it shows anything."""
    return all(change.get(name, 0.0) > least for name, least in _SEEN_AGAIN.items())

"""This file holds how a site was covered against the availability that is required of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from camera_registry.rules.coverage.period import Totals


class Kept(StrEnum):
    """Whether a site was covered for as much of a period as is required of it."""

    MET = "met"
    MISSED = "missed"
    UNKNOWN = "unknown"
    """Nothing is known of its views, or planned work went on all the time."""
    NOT_REQUIRED = "not_required"
    """No share is registered for it."""


@dataclass(frozen=True, slots=True)
class Demand:
    """``share`` from 0 to 1 is what is required. ``too_long``: for how much longer than that allows views were
    uncovered, added up over them; 0 unless it was missed."""

    kept: Kept
    share: float | None
    too_long: timedelta = timedelta()


def demand(totals: Totals, share: float | None) -> Demand:
    """How a site did over a period: by the formula of its coverage, which counts neither planned work nor what is not
    known (domain: coverage of a site)."""
    if share is None:
        return Demand(Kept.NOT_REQUIRED, None)
    if totals.ratio is None:
        return Demand(Kept.UNKNOWN, share)
    # Rounded to whole microseconds, so that 1 - 0.9 is a tenth.
    too_long = totals.uncovered - (totals.covered + totals.uncovered) * (1 - share)
    return Demand(Kept.MISSED, share, too_long) if too_long > timedelta() else Demand(Kept.MET, share)

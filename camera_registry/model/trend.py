"""Trends of pictures: what those of one day were like against what was accepted, and what creeps over weeks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from camera_registry.model.baseline import Regime

MEASURES = ("contrast", "sharpness", "clear")
"""What is followed over days, each as a share of what the accepted picture shows (1: as accepted).

contrast: structure of the clearest quarter of the view against its own brightness, which is what a film of dirt takes
away (and fog, rain and haze too). sharpness: middle against coarse structure, which blur takes away and the air does
not. clear: share of the small tiles whose texture is neither dulled nor lost beyond what moves by itself."""


class Untold(StrEnum):
    """Why there is no trend of a view. None is neither good nor bad."""

    NOT_ACCEPTED = "not_accepted"
    NOT_COMPARED = "not_compared"
    TOO_FEW_DAYS = "too_few_days"
    SILENT = "silent"


@dataclass(frozen=True)
class LensPolicy:
    """When what creeps is dirt. Shares are of what was usual in the first days after the view was last accepted or the
    lens cleaned."""

    fall: float = 0.25
    """Loss of contrast on the clear days from which on a lens is dirty, where it crept."""
    limit: float = 0.5
    """Contrast at which a view is of no use: there the judge of single pictures calls it covered or veiled."""


@dataclass(frozen=True, slots=True)
class PictureDay:
    """What the pictures of a channel in one light were like on one local ``day``: the medians of MEASURES over the
    ``pictures`` that counted. ``begins`` is when the view was last accepted or the lens cleaned; ``usual`` the contrast
    on the clear days of the first ones after it, None until that is known."""

    device: str
    channel: str
    regime: Regime
    day: date
    begins: date
    pictures: int
    contrast: float
    sharpness: float
    clear: float
    usual: float | None = None


@dataclass(frozen=True, slots=True)
class Trend:
    """How steadily values have changed over days: ``a_day`` in their own unit; ``sure`` is 0 to 1: the confidence
    (1 - p) that they fall or rise at all; ``stepped``: one step says it better than a line does."""

    a_day: float
    sure: float
    stepped: bool


@dataclass(frozen=True, slots=True)
class Drift:
    """How the contrast of a view has changed, as shares of what was usual. ``level`` is that of the clear days of late,
    ``a_day`` the change in a day, ``sure`` how sure that is (0 to 1). ``dirty``: it has crept down far enough.
    ``due`` is the day on which the limit is expected; None: not within a year, or it does not creep down."""

    level: float
    a_day: float
    sure: float
    dirty: bool
    due: date | None = None

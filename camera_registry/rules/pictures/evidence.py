"""This file is what every judge of a picture looks at, and the three things that one can say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

from camera_registry.model.health import Cause
from camera_registry.model.picture import Compared, Limits, Measures, PictureFault, Sight, Unjudged
from camera_registry.rules.pictures.usual import HIGH_SUN, LOW_SUN, MONOCHROME, by_day

LEAST = 0.5
"""The score at the limit."""
ALIKE = 0.45, 2.2
"""Brightness against a reference's, between which both are lit alike: from noon to dusk it falls by half."""

_FEW_EDGES = 0.22
"""Share of a reference's tiles with edges, below which a van that stood there may be most of it."""
SPARSE = 0.25
"""Share of tiles that have structure in the reference and can be told, below which a van that stood there may be most
of it."""
MOSTLY_EMPTY = 0.6
"""Share of tiles without structure, from which on a view can't be known again, a cast can't be told from paint, and
rows of smooth light are alike by themselves."""
_MORE_ALIKE = 0.08
"""By how much more a picture may be like a reference in other light than like those of its own."""
FAINTLY_KNOWN = 0.3
"""Correlation of the edges where they were, from which on a view has not moved."""
_SOFTER, _ADDS, _SAME_LIGHT, _FAITHFUL = 0.75, 0.6, 0.6, 0.95
"""Ratio of middle to coarse structure, and structure of the clearest quarter of the tiles, against the reference's:
below the first edges are soft, above the other some are there all the same; and correlation of the coarse light, of
much the same and of the same light."""


@dataclass(frozen=True, slots=True)
class Good:
    """Checked, and nothing found: ``score`` says by how much."""

    score: float = 0.0


Verdict: TypeAlias = "PictureFault | Good | Unjudged"
GOOD = Good()


@dataclass(frozen=True)
class Evidence:
    """The newest frame's measures, what is known of its time, and the reference that it resembles most."""

    sight: Sight
    limits: Limits
    look: Measures
    compared: tuple[Compared, ...]
    likest: Compared | None

    @cached_property
    def hour(self) -> float | None:
        at = self.sight.frames[-1].at
        return None if at is None else at.hour + at.minute / 60

    @property
    def timed(self) -> bool:
        """Whether anything is known of the time of day."""
        return self.sight.sun is not None or self.hour is not None

    @cached_property
    def by_day(self) -> bool:
        if self.sight.sun is not None:
            return self.sight.sun >= HIGH_SUN
        hour = self.hour
        return hour is not None and self.limits.day[0] <= hour < self.limits.day[1]

    @cached_property
    def by_night(self) -> bool:
        if self.sight.sun is not None:
            return self.sight.sun < LOW_SUN
        hour, (begins, ends) = self.hour, self.limits.night
        return hour is not None and (hour >= begins or hour < ends)

    @property
    def change(self) -> Measures:
        """What changed from the likest reference; empty without one."""
        return {} if self.likest is None or self.likest.change is None else self.likest.change

    @cached_property
    def bare(self) -> bool:
        """Whether a reference shows so little that a van may be most of it. What by day is a bare wall is one by night,
        though its noise may pass for structure then."""
        known = (c.reference.measures for c in self.sight.references if c is self.likest or self.in_daylight(c))
        return any(look is not None and look.get("edge_tiles", 1.0) < _FEW_EDGES for look in known)

    @property
    def sparse(self) -> bool:
        """Whether what can be told of the view is so little that a van may be most of it."""
        return self.bare or self.change.get("textured", 1.0) < SPARSE

    @cached_property
    def still(self) -> float:
        """How much of any reference's edges is seen where it was, as a correlation."""
        return max((c.change["still_agreement"] for c in self.compared if c.change), default=0.0)

    @cached_property
    def on_the_glass(self) -> bool:
        """Whether the edges are soft and not the view's, while its light comes from where it did: a camera that has
        moved is in focus and sees other light; bubbles, drops and threads on the glass are not, and do not."""
        change = self.change
        if (
            self.bare
            or "middle_sharpness" not in change
            or self.still >= FAINTLY_KNOWN
            or change["local"] >= FAINTLY_KNOWN
        ):
            return False
        soft = change["middle_sharpness"] < _SOFTER and change["contrast_fit"] > _SAME_LIGHT
        return (soft or change["contrast_fit"] > _FAITHFUL) and change["structure_high"] > _ADDS

    def tiles(self, name: str) -> Sequence[str]:
        """Where in the picture this has changed from the likest reference."""
        return () if self.likest is None else self.likest.tiles.get(name, ())

    def least_change(self, name: str) -> float:
        """The smallest change by this measure from any reference: one reference that looks alike is enough."""
        return min((abs(c.change[name]) for c in self.compared if c.change and name in c.change), default=0.0)

    def most_of_references(self, name: str) -> float:
        """The largest value that any reference has of this measure, compared or not."""
        return max((c.reference.measures[name] for c in self.sight.references if c.reference.measures), default=0.0)

    @cached_property
    def risen(self) -> float:
        """Levels by which the dark channel is above that of every reference. One in infrared has none: its three
        channels are one, so it tells nothing of colours."""
        known = [c.reference.measures for c in self.sight.references if c.reference.measures]
        if self.look["colourfulness"] >= MONOCHROME:
            known = [look for look in known if look["colourfulness"] >= MONOCHROME] or known
        return self.look["dark_channel"] - max((look["dark_channel"] for look in known), default=0.0)

    def restless(self, name: str) -> float:
        """This change between two references: of the scene, not of the camera."""
        return 0.0 if self.sight.restless is None else self.sight.restless.get(name, 0.0)

    @property
    def resized(self) -> bool:
        """Whether the picture has another resolution than the likest reference."""
        known = None if self.likest is None else self.likest.reference.measures
        return known is not None and not 0.8 < self.look["width"] / known["width"] < 1.25

    def in_daylight(self, one: Compared) -> bool | None:
        """Whether a reference was taken by day; False by night, when lamps show other things than the sun does; None
        where that can't be told, or between."""
        known = one.reference
        if known.at is None and known.sun is None:
            return None
        return by_day(None if known.at is None else known.at.hour + known.at.minute / 60, known.sun)

    def same_hours(self) -> tuple[Compared, ...]:
        """References from within three hours of this time of day; all of them if no time is known."""
        hour = self.hour
        if hour is None:
            return self.compared
        return tuple(c for c in self.compared if c.reference.at is None or apart(hour, c.reference.at.hour) <= 3)


def gather(sight: Sight, look: Measures, limits: Limits) -> Evidence:
    compared = tuple(c for c in sight.references if c.change is not None and c.reference.measures is not None)
    of = Evidence(sight, limits, look, compared, None)
    # Which of them are of a light like this one: by day, or by night.
    by_sun = [(c, of.in_daylight(c)) for c in compared]
    same = tuple(c for c, lit in by_sun if lit is of.by_day)
    if of.by_day:
        compared = same or tuple(c for c, lit in by_sun if lit is not False) or compared
    elif of.by_night and same and _known(same) >= min(FAINTLY_KNOWN, _known(compared) - _MORE_ALIKE):
        # Where one by day knows the view better, those by night are filled by noise.
        compared = same
    return replace(of, likest=likest(compared))


def _known(compared: Iterable[Compared]) -> float:
    return max((c.change["still_agreement"] for c in compared if c.change), default=0.0)


def likest(compared: Iterable[Compared]) -> Compared | None:
    """The reference that a picture resembles most, of those in such light if there are any: lamps show other things
    than the sun does."""
    known = [c for c in compared if c.change is not None]
    alike = [c for c in known if ALIKE[0] < (c.change or {}).get("gain", 1.0) < ALIKE[1]]
    return max(alike or known, key=lambda c: (c.change or {}).get("agreement", -1.0), default=None)


def apart(hour: float, other: float) -> float:
    """Hours between two times of day."""
    away = abs(hour - other)
    return min(away, 24 - away)


def score(value: float, pair: tuple[float, float]) -> float:
    """0.5 at the limit, 1 where it is beyond doubt, on a straight line; either direction. Never below 0."""
    limit, beyond = pair
    return min(1.0, max(0.0, LEAST + LEAST * (value - limit) / (beyond - limit)))


def verdict(cause: Cause, scores: Iterable[float], evidence: Measures, tiles: Sequence[str] = ()) -> Verdict:
    """A fault if the strongest of the reasons for it reaches the limit."""
    strongest = max(scores, default=0.0)
    if strongest < LEAST:
        return Good(round(strongest, 3))
    shown = {name: round(value, 4) for name, value in evidence.items()}
    return PictureFault(cause, round(strongest, 3), shown, tiles)


def pick(measures: Measures, *names: str) -> dict[str, float]:
    """These numbers, as evidence."""
    return {name: measures[name] for name in names if name in measures}

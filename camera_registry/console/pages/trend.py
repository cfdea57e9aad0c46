"""Draws what pictures were like over weeks: small charts of attributes alone, as the content policy wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from camera_registry.console.trends import Line, Mark, spans
from camera_registry.model.trend import MEASURES, LensPolicy

_WIDE, _HIGH = 320.0, 60.0
_TOP, _LEAST = 1.2, 0.4
"""What is drawn of the shares; what lies beyond stands at the edge."""
_FEWEST_DAYS = 14


@dataclass(frozen=True, slots=True)
class Curve:
    """One measure. ``paths`` are points of polylines, ``dots`` days that stand alone; ``usual`` and ``limit`` heights
    of lines that are drawn across, where they are known."""

    measure: str
    newest: float
    paths: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]
    usual: float | None
    limit: float | None


@dataclass(frozen=True, slots=True)
class Drawn:
    """A line with its charts; ``marks`` with where they stand."""

    line: Line
    first: date
    last: date
    curves: tuple[Curve, ...]
    marks: tuple[tuple[float, Mark], ...]


def draw(lines: Sequence[Line], policy: LensPolicy) -> Sequence[Drawn]:
    """The charts of every line that has days."""
    return [_drawn(line, policy) for line in lines if line.days]


def _drawn(line: Line, policy: LensPolicy) -> Drawn:
    first, last = line.days[0].day, line.days[-1].day
    days = max(_FEWEST_DAYS, (last - first).days)

    def x(day: date) -> float:
        return round(4 + (_WIDE - 8) * (day - first).days / days, 1)

    marks = tuple((x(one.day), one) for one in line.marks if first <= one.day <= last)
    usual = line.days[-1].usual
    curves = []
    for name in MEASURES:
        points = [[(x(one.day), _y(getattr(one, name))) for one in some] for some in spans(line)]
        paths = tuple(" ".join(f"{a},{b}" for a, b in some) for some in points if len(some) > 1)
        known = usual is not None and name == "contrast"
        curves.append(
            Curve(
                name,
                getattr(line.days[-1], name),
                paths,
                tuple(some[0] for some in points if len(some) == 1),
                _y(usual) if known and usual is not None else None,
                _y(usual * policy.limit) if known and usual is not None else None,
            )
        )
    return Drawn(line, first, last, tuple(curves), marks)


def _y(value: float) -> float:
    share = (min(_TOP, max(_LEAST, value)) - _LEAST) / (_TOP - _LEAST)
    return round(2 + (_HIGH - 4) * (1 - share), 1)

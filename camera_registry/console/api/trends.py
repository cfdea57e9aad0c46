"""What the pictures of a device were like over weeks, as numbers."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel

from camera_registry.console import trends
from camera_registry.console.api.answers import Copied, Listed
from camera_registry.console.api.route import get
from camera_registry.console.found import on_board
from camera_registry.console.routing import AnyRoute, Asked, Nothing
from camera_registry.console.trends import Line, MarkKind
from camera_registry.model.baseline import Regime
from camera_registry.model.trend import Untold
from camera_registry.rules.access import Action


class DayAnswer(Copied):
    """The medians of one local day over the ``pictures`` that counted, each as a share of what the accepted picture
    shows. ``begins``: when the view was last accepted or the lens cleaned. ``usual``: the contrast of the first clear
    days after it."""

    day: date
    begins: date
    pictures: int
    contrast: float
    sharpness: float
    clear: float
    usual: float | None


class MarkAnswer(Copied):
    """What somebody did on a day."""

    day: date
    kind: MarkKind


class DriftAnswer(Copied):
    """How contrast has crept: ``level`` is what is left on clear days and ``a_day`` the change in a day, both as shares
    of what was usual; ``sure`` (0 to 1) that it changes at all. ``due``: when it is expected to be of no use."""

    level: float
    a_day: float
    sure: float
    dirty: bool
    due: date | None


class TrendAnswer(BaseModel):
    """One channel in one light. ``untold`` says why there is no ``drift``."""

    channel: str
    light: Regime
    drift: DriftAnswer | None
    untold: Untold | None
    marks: list[MarkAnswer]
    days: list[DayAnswer]

    @classmethod
    def of(cls, line: Line) -> TrendAnswer:
        return cls(
            channel=line.channel,
            light=line.light,
            drift=line.drift and DriftAnswer.of(line.drift),
            untold=line.why,
            marks=[MarkAnswer.of(one) for one in line.marks],
            days=[DayAnswer.of(one) for one in line.days],
        )


async def listed(asked: Asked[Nothing, Nothing]) -> Listed[TrendAnswer]:
    found = await trends.lines(asked, on_board(asked.deps.board, asked.item()))
    return Listed(items=[TrendAnswer.of(line) for line in found], next=None)


ROUTES: tuple[AnyRoute, ...] = (
    get(
        "/devices/{id}/trend",
        listed,
        Action.SEE,
        Nothing,
        Listed[TrendAnswer],
        "What pictures were like from day to day, by channel and light",
    ),
)

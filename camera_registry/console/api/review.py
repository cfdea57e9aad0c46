"""Accepting the pictures of many cameras at once, over the API."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pydantic import AwareDatetime, BaseModel, Field

from camera_registry.console import reviewing
from camera_registry.console.api.answers import Copied
from camera_registry.console.api.questions import Question, Text
from camera_registry.console.api.route import get, write
from camera_registry.console.found import on_board
from camera_registry.console.problems import not_found
from camera_registry.console.reviewing import Wanted
from camera_registry.console.routing import AnyRoute, Asked, Nothing
from camera_registry.model.baseline import Regime, Unaccepted
from camera_registry.model.health import Cause
from camera_registry.rules.access import Action

_SHOWN = 100


class OutlierAnswer(BaseModel):
    """A picture that is unlike the others' in its light: by ``measure``, so many ``deviations`` from the median."""

    device: str
    channel: str
    regime: Regime
    measure: str
    deviations: float


class SkippedAnswer(Copied):
    """A channel that was passed over, why, and what was found."""

    device: str
    channel: str
    why: Unaccepted
    causes: list[Cause]


class ReviewAnswer(BaseModel):
    """``candidates`` could be accepted now, ``doubtful`` not without a look at each; the strangest ``outliers`` first.
    The rest tells of the job under way, or of the last one: how many of ``total`` are ``done`` or were ``skipped``, of
    which the first are named in ``passed``."""

    candidates: int
    doubtful: int
    outliers: list[OutlierAnswer]
    running: bool
    begun: AwareDatetime | None
    ended: AwareDatetime | None
    total: int
    done: int
    skipped: int
    stopped: bool
    by: str
    passed: list[SkippedAnswer]


class ReviewQuestion(Question):
    """Of which ``area``, with all beneath; ``season``: of pictures that the weather over it has made doubtful."""

    area: Text = ""
    season: bool = False


class ReviewBody(ReviewQuestion):
    """The devices that are left out: their pictures are not as they should be. A season's need a ``reason``."""

    leave_out: list[str] = Field(default_factory=list, max_length=20_000)
    reason: str = Field("", max_length=2000)


async def progress(asked: Asked[ReviewQuestion, Nothing]) -> ReviewAnswer:
    return await _answer(asked, Wanted(asked.query.area, asked.query.season))


async def accept(asked: Asked[Nothing, ReviewBody]) -> ReviewAnswer:
    """Nothing is accepted where a name is wrong: whoever mistyped one that is to be left out would have it accepted."""
    body, board = asked.body, asked.deps.board
    if body.area and body.area not in board.names.areas:
        raise not_found("area", body.area)
    for device in body.leave_out:
        on_board(board, device)
    left, wanted = set(body.leave_out), Wanted(body.area, body.season)
    found = await reviewing.sheet(asked, wanted)
    out = {one.key for one in found.candidates if one.entry.device.id in left}
    await reviewing.accept(asked, wanted, out, body.reason)
    return await _answer(asked, wanted)


async def stop(asked: Asked[Nothing, Nothing]) -> ReviewAnswer:
    await asked.deps.acceptance.stop()
    return await _answer(asked, Wanted())


async def _answer(asked: Asked[Any, Any], wanted: Wanted) -> ReviewAnswer:
    found = await reviewing.sheet(asked, wanted)
    return ReviewAnswer(
        candidates=len(found.candidates),
        doubtful=len(found.doubtful),
        outliers=[
            OutlierAnswer(
                device=one.entry.device.id,
                channel=one.channel,
                regime=one.light,
                measure=one.measure,
                deviations=round(one.away, 2),
            )
            for one in found.candidates[:_SHOWN]
        ],
        **asdict(asked.deps.acceptance.progress),
    )


_PATH = "/baselines"

ROUTES: tuple[AnyRoute, ...] = (
    get(
        _PATH,
        progress,
        Action.SEE,
        ReviewQuestion,
        ReviewAnswer,
        "What nobody has accepted yet, and how far accepting is",
    ),
    write(f"POST {_PATH}", accept, Action.ACCEPT, ReviewBody, ReviewAnswer, "Accept the newest pictures together"),
    write(f"DELETE {_PATH}", stop, Action.ACCEPT, Nothing, ReviewAnswer, "End that; what was accepted stays so"),
)

"""Accepting the pictures of many cameras at once, over the API."""

from __future__ import annotations

from dataclasses import asdict

from pydantic import AwareDatetime, BaseModel, Field

from camera_registry.console import reviewing
from camera_registry.console.api.questions import Question
from camera_registry.console.api.route import get, write
from camera_registry.console.routing import AnyRoute, Asked, Nothing
from camera_registry.model.baseline import Regime
from camera_registry.rules.access import Action

_SHOWN = 100


class OutlierAnswer(BaseModel):
    """A picture that is unlike the others' in its light: by ``measure``, so many ``deviations`` from the median."""

    device: str
    channel: str
    regime: Regime
    measure: str
    deviations: float


class ReviewAnswer(BaseModel):
    """``candidates`` could be accepted now, ``doubtful`` not without a look at each; the strangest ``outliers`` first.
    The rest tells of the job under way, or of the last one: how many of ``total`` are ``done``, or were ``skipped``
    because their picture was gone, unreadable or in doubt."""

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


class ReviewBody(Question):
    """The devices that are left out: their pictures are not as they should be."""

    leave_out: list[str] = Field(default_factory=list, max_length=20_000)


async def progress(asked: Asked[Nothing, Nothing]) -> ReviewAnswer:
    return await _answer(asked)


async def accept(asked: Asked[Nothing, ReviewBody]) -> ReviewAnswer:
    left = set(asked.body.leave_out)
    found = await reviewing.sheet(asked)
    await reviewing.accept(asked, {one.key for one in found.candidates if one.entry.device.id in left})
    return await _answer(asked)


async def stop(asked: Asked[Nothing, Nothing]) -> ReviewAnswer:
    asked.deps.acceptance.stop()
    return await _answer(asked)


async def _answer(asked: Asked[Nothing, ReviewBody] | Asked[Nothing, Nothing]) -> ReviewAnswer:
    found = await reviewing.sheet(asked)
    return ReviewAnswer(
        candidates=len(found.candidates),
        doubtful=found.doubtful,
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
    get(_PATH, progress, Action.SEE, Nothing, ReviewAnswer, "What nobody has accepted yet, and how far accepting is"),
    write(f"POST {_PATH}", accept, Action.ACCEPT, ReviewBody, ReviewAnswer, "Accept the newest pictures together"),
    write(f"DELETE {_PATH}", stop, Action.ACCEPT, Nothing, ReviewAnswer, "End that; what was accepted stays so"),
)

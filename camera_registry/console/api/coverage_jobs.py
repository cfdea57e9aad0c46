"""Coverage of a whole city as work that is asked for, followed, called off, and taken when it is done."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from aiohttp import web
from pydantic import Field

from camera_registry.console.api import coverage_answers as answers
from camera_registry.console.api.answers import Listed
from camera_registry.console.api.coverage import Without, blind, period_of, points_of
from camera_registry.console.api.progress import Progress, progress
from camera_registry.console.api.questions import Moment
from camera_registry.console.api.route import PREFIX, get, no_content, write
from camera_registry.console.problems import Problem, not_found
from camera_registry.console.routing import AnyRoute, Asked, Nothing
from camera_registry.console.survey import SURVEY, Summed, Surveyed, SurveyJob, Work, result_of
from camera_registry.rules.access import Action


class InquiryBody(Without):
    """What is computed of every site: a ``period`` (``month``, or ``since`` and ``until``); ``what_if``: what would be
    lost without ``devices`` and ``power`` at a moment ``at``; or the ``ground`` that working cameras see now."""

    work: Work
    month: Annotated[str, Field(max_length=7)] = ""
    since: Moment | None = None
    until: Moment | None = None


class SurveyAnswer(Progress):
    """Coverage that was asked for and how far it is."""

    work: Work
    since: datetime | None
    until: datetime | None
    without: list[str]

    @classmethod
    def of_job(cls, job: SurveyJob) -> SurveyAnswer:
        order = job.order
        without = [point.id for point in order.points]
        return cls(**progress(job), work=order.work, since=order.since, until=order.until, without=without)


async def ask(asked: Asked[Nothing, InquiryBody]) -> SurveyAnswer:
    body, survey, now = asked.body, asked.request.app[SURVEY], asked.deps.now()
    by, words = asked.user.name, asked.words
    if body.work is Work.PERIOD:
        since, until = period_of(asked, body.month, body.since, body.until)
        job = survey.period(since, until, by, words)
    elif body.work is Work.WHAT_IF:
        at = now if body.at is None else body.at.astimezone(UTC)
        if at > now:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "future", given=at.isoformat())
        job = survey.what_if(points_of(asked, body), at, by, words)
    else:
        job = survey.anew(by, words)
    asked.headers["Location"] = f"{PREFIX}/coverage/jobs/{job.id}"
    return SurveyAnswer.of_job(job)


async def listed(asked: Asked[Nothing, Nothing]) -> Listed[SurveyAnswer]:
    jobs = asked.request.app[SURVEY].jobs.values()
    return Listed(items=[SurveyAnswer.of_job(job) for job in reversed(jobs)], next=None)


async def one(asked: Asked[Nothing, Nothing]) -> SurveyAnswer:
    return SurveyAnswer.of_job(_find(asked))


async def call_off(asked: Asked[Nothing, Nothing]) -> web.StreamResponse:
    asked.request.app[SURVEY].cancel(_find(asked))
    return no_content()


async def outcome(asked: Asked[Nothing, Nothing]) -> answers.PeriodAnswer | answers.WhatIfAnswer | web.StreamResponse:
    job = _find(asked)
    order, found = job.order, result_of(job)
    if isinstance(found, Surveyed):
        return blind(found, "")
    assert order.since is not None
    if isinstance(found, Summed):
        assert order.until is not None
        return answers.PeriodAnswer.of(found.sites, found.register, order.since, order.until)
    losses = [answers.LossAnswer.of(loss) for loss in found.losses]
    return answers.WhatIfAnswer(at=order.since, without=[point.id for point in order.points], sites=losses)


def _find(asked: Asked[Nothing, Nothing]) -> SurveyJob:
    job = asked.request.app[SURVEY].find(asked.item())
    if job is None:
        raise not_found("job", asked.item())
    return job


ROUTES: tuple[AnyRoute, ...] = (
    write(
        "POST /coverage/jobs",
        ask,
        Action.REPORT,
        InquiryBody,
        SurveyAnswer,
        "Have every site computed: over a period, without some devices, or the ground that is seen; changes nothing",
    ),
    get("/coverage/jobs", listed, Action.SEE, Nothing, Listed[SurveyAnswer], "What was computed, newest first"),
    get("/coverage/jobs/{id}", one, Action.SEE, Nothing, SurveyAnswer, "How far it is"),
    write("DELETE /coverage/jobs/{id}", call_off, Action.REPORT, Nothing, None, "Call it off, or forget it"),
    get(
        "/coverage/jobs/{id}/result",
        outcome,
        Action.SEE,
        Nothing,
        None,
        "What came of it: as of the period, as of what-if, or blind areas as GeoJSON",
    ),
)

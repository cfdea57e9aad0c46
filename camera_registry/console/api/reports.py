"""Reports: asked for, followed, called off, taken as a file, frozen."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from camera_registry.console import reporting
from camera_registry.console.api.answers import Listed
from camera_registry.console.api.progress import Progress, progress
from camera_registry.console.api.route import PREFIX, get, no_content, write
from camera_registry.console.problems import Problem
from camera_registry.console.reporting import REPORTING, Report
from camera_registry.console.routing import AnyRoute, Asked, Nothing
from camera_registry.rules.access import Action
from camera_registry.rules.availability import name_of
from camera_registry.store import freezes
from exporters.report.order import Kind, Order


class ReportBody(BaseModel):
    """Which report: of a ``month`` (2026-10), or from ``begins`` until ``ends``. ``area`` takes its subtree along.
    ``freeze``: keep the figures of its period first, of the whole city, so that what changes later is told as a
    correction."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    report: Kind
    month: str = Field("", max_length=10)
    begins: datetime | None = None
    ends: datetime | None = None
    zone: str = Field("", max_length=100)
    area: str = Field("", max_length=200)
    contractor: str = Field("", max_length=200)
    freeze: bool = False

    def order(self) -> Order:
        return Order(self.report, self.month, self.begins, self.ends, self.zone, self.area, self.contractor)


class JobAnswer(Progress):
    """A report and how far it is."""

    report: Kind
    month: str
    period: str = Field(description="what its period is called: 2026-10, or its dates; empty: it tells of now")
    area: str
    contractor: str

    @classmethod
    def of_job(cls, job: Report, zone: str) -> JobAnswer:
        order = job.order
        return cls(
            **progress(job),
            report=order.kind,
            month=order.month,
            period=order.named(zone),
            area=order.area,
            contractor=order.contractor,
        )


class FreezeAnswer(BaseModel):
    """A period whose figures are frozen; ``zone`` is empty where an older release did not keep it."""

    report: str
    period: str
    begins: datetime
    ends: datetime
    zone: str
    at: datetime
    by: str
    version: str


def _told(asked: Asked[Any, Any], job: Report) -> JobAnswer:
    return JobAnswer.of_job(job, asked.deps.zone().key)


async def frozen(asked: Asked[Nothing, Nothing]) -> Listed[FreezeAnswer]:
    found = await asked.deps.store.read(freezes.every)
    zone = asked.deps.zone()
    return Listed(
        items=[
            FreezeAnswer(
                period=name_of(one.begins, one.ends, ZoneInfo(one.zone) if one.zone else zone),
                **{name: getattr(one, name) for name in ("report", "begins", "ends", "zone", "at", "by", "version")},
            )
            for one in found
        ],
        next=None,
    )


async def listed(asked: Asked[Nothing, Nothing]) -> Listed[JobAnswer]:
    jobs = asked.request.app[REPORTING].jobs.values()
    return Listed(items=[_told(asked, job) for job in reversed(jobs)], next=None)


async def make(asked: Asked[Nothing, ReportBody]) -> JobAnswer:
    job = await reporting.begin(asked, asked.body.order(), freeze=asked.body.freeze)
    asked.headers["Location"] = f"{PREFIX}/reports/{job.id}"
    return _told(asked, job)


async def one(asked: Asked[Nothing, Nothing]) -> JobAnswer:
    return _told(asked, reporting.find(asked))


async def cancel(asked: Asked[Nothing, Nothing]) -> web.StreamResponse:
    reporting.cancel(asked)
    return no_content()


async def freeze(asked: Asked[Nothing, Nothing]) -> JobAnswer:
    named = reporting.find(asked)
    job = await reporting.freeze(asked)
    await job.ended.wait()
    if job.result is None:
        raise Problem(HTTPStatus.CONFLICT, "job_stopped", state=job.state, why=job.error)
    return _told(asked, named)


ROUTES: tuple[AnyRoute, ...] = (
    get("/reports", listed, Action.REPORT, Nothing, Listed[JobAnswer], "Reports made since the start, newest first"),
    get("/frozen-reports", frozen, Action.REPORT, Nothing, Listed[FreezeAnswer], "Periods whose figures are frozen"),
    write("POST /reports", make, Action.REPORT, ReportBody, JobAnswer, "Have a report made"),
    get("/reports/{id}", one, Action.REPORT, Nothing, JobAnswer, "How far a report is"),
    write("DELETE /reports/{id}", cancel, Action.REPORT, Nothing, None, "Call a report off, or forget it"),
    get(
        "/reports/{id}/{format}",
        reporting.file,
        Action.REPORT,
        Nothing,
        None,
        "A report that is done, as json, xlsx, csv, html or pdf",
    ),
    write(
        "POST /reports/{id}/freeze",
        freeze,
        Action.FREEZE,
        Nothing,
        JobAnswer,
        "Keep the figures of a report's period, and answer once that is done: it is a report like others, made anew",
    ),
)

"""Makes reports for the console: jobs whose result is a document; taken as files, frozen."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from aiohttp import hdrs, web

from camera_registry.console.deps import Deps
from camera_registry.console.jobs import Job, Jobs
from camera_registry.console.problems import Problem, not_found
from camera_registry.console.routing import Asked
from camera_registry.rules.access import Action, authorize
from camera_registry.rules.availability import NoPeriod
from camera_registry.rules.progress import Step
from camera_registry.store import register
from exporters.report import html
from exporters.report.catalog import MEDIA, render
from exporters.report.document import Document
from exporters.report.making import Desk
from exporters.report.order import Order
from exporters.report.pdf import NoBrowser

Report = Job[Order, Document]
_PLAIN = str.maketrans({"–": "_", ":": None})


class Reporting(Jobs[Order, Document]):
    """The reports of this process."""

    def __init__(self, deps: Deps) -> None:
        super().__init__(deps.now)
        self._deps = deps

    def desk(self) -> Desk:
        settings = self._deps.settings()
        lens = settings.health.policy().base.picture.lens
        return Desk(self._deps.store, settings.probes.policy(), settings.time_zone, self._deps.now, lens)


REPORTING = web.AppKey("reporting", Reporting)


async def begin(asked: Asked[Any, Any], order: Order, *, freeze: bool = False) -> Report:
    """Check what is asked for and have it made, its figures frozen first if wanted. Raises Problem."""
    if freeze:
        authorize(asked.user, Action.FREEZE)
    deps, words = asked.deps, asked.words
    reporting = asked.request.app[REPORTING]
    try:
        await asyncio.to_thread(order.check, lambda kind, id: deps.store.read_now(register.ever, kind, id))
        if freeze:
            order.ended(deps.settings().time_zone, deps.now())
        elif order.kind.over_time:
            order.period(deps.settings().time_zone, deps.now())
    except NoPeriod as error:
        why = words(f"report_flaw.{error.flaw}", **error.values)
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "report", why=why) from error
    desk, by = reporting.desk(), asked.user.name

    def work(step: Step) -> Document:
        if freeze:
            desk.freeze(order, by, step)
        return desk.make(order, words, step)

    return reporting.start(order, by, words, work)


def find(asked: Asked[Any, Any]) -> Report:
    """The report that the path names. Raises Problem."""
    job = asked.request.app[REPORTING].find(asked.item())
    if job is None:
        raise not_found("report", asked.item())
    return job


def cancel(asked: Asked[Any, Any]) -> None:
    """Call it off, or forget it."""
    asked.request.app[REPORTING].cancel(find(asked))


async def freeze(asked: Asked[Any, Any]) -> Report:
    """Freeze the figures of a report's period and make the report anew, so that it tells of it. Raises Problem."""
    return await begin(asked, find(asked).order, freeze=True)


async def file(asked: Asked[Any, Any]) -> web.StreamResponse:
    """The report in the format that the path names."""
    job, kind = find(asked), asked.item("format")
    if job.result is None:
        raise Problem(HTTPStatus.CONFLICT, "report_not_done")
    if kind not in MEDIA:
        raise not_found("report", f"{job.id}.{kind}")
    try:
        content = await asyncio.to_thread(render, job.result, kind)
    except NoBrowser as error:
        raise Problem(HTTPStatus.NOT_IMPLEMENTED, "no_browser") from error
    response = web.Response(body=content, headers={hdrs.CONTENT_TYPE: MEDIA[kind]})
    if kind == "html":
        response.headers["Content-Security-Policy"] = html.POLICY
    elif kind != "json":
        # Of now, a report is named by its day; a period's name is put into letters that every system takes.
        zone = asked.deps.zone()
        of = job.order.named(zone.key) or f"{job.asked_at.astimezone(zone):%Y-%m-%d}"
        name = f"{job.order.kind.value}-{of.translate(_PLAIN).replace(' _ ', '_').replace(' ', 'T')}.{kind}"
        response.headers[hdrs.CONTENT_DISPOSITION] = f'attachment; filename="{name}"'
    return response

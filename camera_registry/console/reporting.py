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
from camera_registry.store import register
from exporters.report import html
from exporters.report.catalog import MEDIA, render
from exporters.report.document import Document
from exporters.report.making import Desk
from exporters.report.order import Order
from exporters.report.pdf import NoBrowser

Report = Job[Order, Document]


class Reporting(Jobs[Order, Document]):
    """The reports of this process."""

    def __init__(self, deps: Deps) -> None:
        super().__init__(deps.now)
        self._deps = deps

    def desk(self) -> Desk:
        settings = self._deps.settings()
        return Desk(self._deps.store, settings.probes.policy(), settings.time_zone, self._deps.now)


REPORTING = web.AppKey("reporting", Reporting)


async def begin(asked: Asked[Any, Any], order: Order) -> Report:
    """Check what is asked for and have it made. Raises Problem."""
    deps, words = asked.deps, asked.words
    reporting = asked.request.app[REPORTING]
    try:
        order.check(await deps.store.read(register.load_register))
        if order.kind.over_time:
            order.period(deps.settings().time_zone, deps.now())
    except NoPeriod as error:
        why = words(f"report_flaw.{error.flaw}", **error.values)
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "report", why=why) from error
    desk = reporting.desk()
    return reporting.start(order, asked.user.name, words, lambda step: desk.make(order, words, step))


def find(asked: Asked[Any, Any]) -> Report:
    """The report that the path names. Raises Problem."""
    job = asked.request.app[REPORTING].find(asked.item())
    if job is None:
        raise not_found("report", asked.item())
    return job


def cancel(asked: Asked[Any, Any]) -> None:
    """Call it off, or forget it."""
    asked.request.app[REPORTING].cancel(find(asked))


async def freeze(asked: Asked[Any, Any]) -> None:
    """Keep the figures of a report's period. Raises Problem."""
    job = find(asked)
    authorize(asked.user, Action.FREEZE)
    try:
        await asyncio.to_thread(asked.request.app[REPORTING].desk().freeze, job.order, asked.user.name)
    except NoPeriod as error:
        why = asked.words(f"report_flaw.{error.flaw}", **error.values)
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "report", why=why) from error


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
        name = f"{job.order.kind.value}-{job.order.month or job.id}.{kind}"
        response.headers[hdrs.CONTENT_DISPOSITION] = f'attachment; filename="{name}"'
    return response

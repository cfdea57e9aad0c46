"""Makes reports for the console: one after the other on a thread, with progress, to be called off, the newest kept."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from aiohttp import hdrs, web

from camera_registry.console.deps import Deps
from camera_registry.console.problems import Problem, not_found
from camera_registry.console.routing import Asked
from camera_registry.rules.access import Action, authorize
from camera_registry.rules.availability import NoPeriod
from camera_registry.store import StoreError, register
from camera_registry.texts import Texts
from exporters.report import html
from exporters.report.catalog import MEDIA, render
from exporters.report.document import Document
from exporters.report.making import Desk, Order
from exporters.report.pdf import NoBrowser

log = logging.getLogger(__name__)

KEPT = 6
"""Reports kept until others take their place; each holds its figures in memory."""


class JobState(StrEnum):
    """How far a report is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Cancelled(Exception):
    """Somebody called the report off."""


@dataclass(slots=True)
class Job:
    """One report that was asked for."""

    id: int
    order: Order
    by: str
    asked_at: datetime
    state: JobState = JobState.WAITING
    done: int = 0
    of: int = 0
    error: str = ""
    document: Document | None = None

    @property
    def over(self) -> bool:
        return self.state not in (JobState.WAITING, JobState.RUNNING)

    def step(self, done: int, of: int) -> None:
        """Note the progress. Raises Cancelled."""
        if self.state is JobState.CANCELLED:
            raise Cancelled
        self.done, self.of = done, of


class Reporting:
    """The reports of this process. It belongs to the event loop; only ``Job.step`` is called by the thread."""

    def __init__(self, deps: Deps) -> None:
        self.jobs: dict[int, Job] = {}
        self._deps = deps
        self._one = asyncio.Semaphore(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._newest = 0

    def desk(self) -> Desk:
        settings = self._deps.settings()
        lens = settings.health.policy().base.picture.lens
        return Desk(self._deps.store, settings.probes.policy(), settings.time_zone, self._deps.now, lens)

    def start(self, order: Order, by: str, words: Texts) -> Job:
        """Have a report made. The oldest that is over makes room for it."""
        self._newest += 1
        job = self.jobs[self._newest] = Job(self._newest, order, by, self._deps.now())
        over = [one.id for one in self.jobs.values() if one.over]
        for id in over[: max(0, len(self.jobs) - KEPT)]:
            del self.jobs[id]
        task = asyncio.create_task(self._make(job, words), name=f"report-{job.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    def cancel(self, job: Job) -> None:
        """Call a report off; what is over is forgotten."""
        if job.over:
            self.jobs.pop(job.id, None)
        else:
            job.state = JobState.CANCELLED

    async def close(self) -> None:
        """Call all of them off, and wait for the thread."""
        for job in self.jobs.values():
            if not job.over:
                job.state = JobState.CANCELLED
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _make(self, job: Job, words: Texts) -> None:
        async with self._one:
            if job.state is JobState.CANCELLED:
                return
            job.state = JobState.RUNNING
            try:
                document = await asyncio.to_thread(self.desk().make, job.order, words, job.step)
            except Cancelled:
                return
            except NoPeriod as error:
                job.error = words(f"report_flaw.{error.flaw}", **error.values)
            except StoreError as error:
                job.error = str(error)
            except Exception:
                log.exception("a report failed: this is a fault of the program")
                job.error = words("report.failed")
            else:
                job.document = document
            if job.state is not JobState.CANCELLED:
                job.state = JobState.FAILED if job.document is None else JobState.DONE


REPORTING = web.AppKey("reporting", Reporting)


async def begin(asked: Asked[Any, Any], order: Order) -> Job:
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
    if sum(not one.over for one in reporting.jobs.values()) >= KEPT:
        raise Problem(HTTPStatus.TOO_MANY_REQUESTS, "reports_waiting", n=KEPT)
    return reporting.start(order, asked.user.name, words)


def find(asked: Asked[Any, Any]) -> Job:
    """The job that the path names. Raises Problem."""
    id = asked.item()
    job = asked.request.app[REPORTING].jobs.get(int(id)) if id.isascii() and id.isdigit() else None
    if job is None:
        raise not_found("report", id)
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
    if job.document is None:
        raise Problem(HTTPStatus.CONFLICT, "report_not_done")
    if kind not in MEDIA:
        raise not_found("report", f"{job.id}.{kind}")
    try:
        content = await asyncio.to_thread(render, job.document, kind)
    except NoBrowser as error:
        raise Problem(HTTPStatus.NOT_IMPLEMENTED, "no_browser") from error
    response = web.Response(body=content, headers={hdrs.CONTENT_TYPE: MEDIA[kind]})
    if kind == "html":
        response.headers["Content-Security-Policy"] = html.POLICY
    elif kind != "json":
        name = f"{job.order.kind.value}-{job.order.month or job.id}.{kind}"
        response.headers[hdrs.CONTENT_DISPOSITION] = f'attachment; filename="{name}"'
    return response

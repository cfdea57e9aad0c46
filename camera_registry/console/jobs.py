"""Runs long work on a thread, one piece after the other, with progress, to be called off; the newest are kept."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Generic, TypeVar

from camera_registry.console.found import as_number
from camera_registry.console.problems import Problem
from camera_registry.rules.availability import NoPeriod
from camera_registry.rules.progress import Step
from camera_registry.store import StoreError
from camera_registry.texts import Texts

log = logging.getLogger(__name__)

O = TypeVar("O")  # noqa: E741 - what was asked for
R = TypeVar("R")
"""What comes of it."""

KEPT = 6
"""Jobs kept until others take their place; each holds its result in memory."""


class JobState(StrEnum):
    """How far a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Cancelled(Exception):
    """Somebody called the job off."""


@dataclass(slots=True)
class Job(Generic[O, R]):
    """One piece of work that was asked for."""

    id: int
    order: O
    by: str
    asked_at: datetime
    state: JobState = JobState.WAITING
    done: int = 0
    of: int = 0
    error: str = ""
    result: R | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once its thread has let go of it."""

    @property
    def over(self) -> bool:
        return self.state not in (JobState.WAITING, JobState.RUNNING)

    def step(self, done: int, of: int) -> None:
        """Note the progress. Raises Cancelled."""
        if self.state is JobState.CANCELLED:
            raise Cancelled
        self.done, self.of = done, of


class Jobs(Generic[O, R]):
    """The jobs of one kind in this process. It belongs to the event loop; only ``Job.step`` is called by the thread."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.jobs: dict[int, Job[O, R]] = {}
        self._now = now
        self._one = asyncio.Semaphore(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._newest = 0

    def start(self, order: O, by: str, words: Texts, work: Callable[[Step], R]) -> Job[O, R]:
        """Have work done. The oldest that is over makes room for it. Raises Problem when too many wait."""
        if sum(not one.over for one in self.jobs.values()) >= KEPT:
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, "jobs_waiting", n=KEPT)
        self._newest += 1
        job = self.jobs[self._newest] = Job[O, R](self._newest, order, by, self._now())
        over = [one.id for one in self.jobs.values() if one.over]
        for id in over[: max(0, len(self.jobs) - KEPT)]:
            del self.jobs[id]
        task = asyncio.create_task(self._do(job, words, work), name=f"job-{job.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    def find(self, id: str) -> Job[O, R] | None:
        """The job of that number; None: there is none, or not any more."""
        number = as_number(id)
        return None if number is None else self.jobs.get(number)

    def cancel(self, job: Job[O, R]) -> None:
        """Call a job off; what is over is forgotten."""
        if job.over:
            self.jobs.pop(job.id, None)
        else:
            if job.state is JobState.WAITING:
                job.ended.set()
            job.state = JobState.CANCELLED

    async def close(self) -> None:
        """Call all of them off, and wait for the thread."""
        for job in self.jobs.values():
            if not job.over:
                job.state = JobState.CANCELLED
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _do(self, job: Job[O, R], words: Texts, work: Callable[[Step], R]) -> None:
        try:
            async with self._one:
                # It may have been called off while it waited.
                if not job.over:
                    await self._run(job, words, work)
        finally:
            job.ended.set()

    async def _run(self, job: Job[O, R], words: Texts, work: Callable[[Step], R]) -> None:
        job.state = JobState.RUNNING
        try:
            result = await asyncio.to_thread(work, job.step)
        except Cancelled:
            return
        except NoPeriod as error:
            job.error = words(f"report_flaw.{error.flaw}", **error.values)
        except StoreError as error:
            job.error = error.told(words)
        except Exception:
            log.exception("a job failed: this is a fault of the program")
            job.error = words("report.failed")
        else:
            job.result = result
        if not job.over:
            job.state = JobState.FAILED if job.result is None else JobState.DONE

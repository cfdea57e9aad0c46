"""Coverage for pages and the API: what is true now from the board, one site from the store, and whole cities as jobs.

Geometry and periods of a whole city take seconds; they are jobs, one after the other, with progress and to be called
off. The geometry is computed once for as long as the register and the sight of devices stay as they are, or for a
minute; whoever asks meanwhile follows the same job. What computes it is loaded by the first who asks: it weighs as much
as the health of thousands of devices.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web

from camera_registry.board import Board, BoardEntry, Places
from camera_registry.console.deps import Deps
from camera_registry.console.jobs import Job, Jobs, JobState
from camera_registry.console.problems import Problem
from camera_registry.model.coverage import Point, Sight, ViewState
from camera_registry.model.device import Device, Kind, Life
from camera_registry.model.register import Register
from camera_registry.rules.coverage.period import History, SitePeriod, sum_up
from camera_registry.rules.coverage.points import Loss, Topology, without
from camera_registry.rules.coverage.sight import needed, sight
from camera_registry.rules.coverage.standing import SiteSeen
from camera_registry.rules.progress import Count, Step
from camera_registry.store import coverage
from camera_registry.texts import Texts

if TYPE_CHECKING:
    from camera_registry.rules.geometry.extent import Extent, Fields, Unmeasured

_KEPT = timedelta(minutes=1)
_SEES = frozenset({Kind.CAMERA, Kind.TRAFFIC_UNIT, Kind.MOBILE_UNIT})
"""What may have a field of view of its own: the others are asked for nothing."""


class Work(StrEnum):
    """What is computed of a whole city."""

    GROUND = "ground"
    PERIOD = "period"
    WHAT_IF = "what_if"


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What is asked for: a period from ``since`` until ``until``; a past moment ``since`` without some ``points``; or
    the ground that is seen now."""

    work: Work
    since: datetime | None = None
    until: datetime | None = None
    points: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class Surveyed:
    """The geometry of the city at a moment. ``working`` are the devices whose picture is usable: only they cover;
    ``unsure`` are those of which that is not known."""

    at: datetime
    places: Places
    fields: Fields
    working: frozenset[str]
    unsure: frozenset[str]
    extents: Mapping[str, Extent]
    left: tuple[Unmeasured, ...]


@dataclass(frozen=True, slots=True)
class Summed:
    """Every site over a period, with the register of the time."""

    register: Register
    sites: Sequence[SitePeriod]


@dataclass(frozen=True, slots=True)
class Lost:
    """What would have been lost at a past moment."""

    losses: Sequence[Loss]


Found = Surveyed | Summed | Lost
SurveyJob = Job[Inquiry, Found]


class Survey(Jobs[Inquiry, Found]):
    """Answers what the console asks about coverage."""

    def __init__(self, deps: Deps) -> None:
        super().__init__(deps.now)
        self._deps = deps
        self._drawn: tuple[tuple[object, ...], Fields] | None = None
        self._built: tuple[Places, Sequence[Any]] | None = None
        self._ground: SurveyJob | None = None
        self.found: Surveyed | None = None
        """The geometry as it was last computed, whatever has changed since."""

    async def past(self, since: datetime, until: datetime) -> tuple[Register, History]:
        """What coverage in a period follows from."""
        then, history = await self._deps.store.read(coverage.gather, since, until)
        return then.last, history

    async def period_of(self, site: str, since: datetime, until: datetime) -> tuple[Register, SitePeriod | None]:
        """How one site was covered over a period; None: it was not required to be."""

        def work() -> tuple[Register, SitePeriod | None]:
            then, history = self._deps.store.read_now(coverage.gather, since, until, site)
            return then.last, next(iter(sum_up(history, self._deps.zone(), since, until)), None)

        return await asyncio.to_thread(work)

    def period(self, since: datetime, until: datetime, by: str, words: Texts) -> SurveyJob:
        """Sum up every site over a period. Raises Problem when too much waits."""
        zone, store = self._deps.zone(), self._deps.store

        def work(step: Step) -> Found:
            step(0, 1)
            then, history = store.read_now(coverage.gather, since, until)
            count = Count(step, len(history.sites))
            return Summed(then.last, sum_up(history, zone, since, until, count.tick))

        return self.start(Inquiry(Work.PERIOD, since, until), by, words, work)

    def what_if(self, points: Sequence[Point], at: datetime, by: str, words: Texts) -> SurveyJob:
        """Find what every site would have lost at a past moment. Raises Problem when too much waits."""
        zone, store = self._deps.zone(), self._deps.store

        def work(step: Step) -> Found:
            step(0, 3)
            then, history = store.read_now(coverage.gather, at, at)
            step(1, 3)
            seen = history.standing(then.end, zone, at)
            step(2, 3)
            return Lost(without(seen, Topology(then.end.devices), points))

        return self.start(Inquiry(Work.WHAT_IF, at, points=tuple(points)), by, words, work)

    def fresh(self) -> Surveyed | None:
        """The geometry, if it is that of now."""
        found = self.found
        if found is None or found.places is not self._deps.board.places or self._deps.now() - found.at > _KEPT:
            return None
        return found

    def anew(self, by: str, words: Texts) -> SurveyJob:
        """Compute the geometry of now, or follow who does already. Raises Problem when too much waits."""
        deps, places = self._deps, self._deps.board.places
        if self._ground is None or self._ground.over:
            now = deps.now()
            devices, working, unsure = looked(deps.board)

            def work(step: Step) -> Found:
                return self._survey(now, places, devices, working, unsure, step)

            self._ground = self.start(Inquiry(Work.GROUND), by, words, work)
        return self._ground

    async def ground_of(self, site: str) -> Surveyed:
        """The geometry of one site: of its own devices, and of those whose field of view may reach it."""
        deps, places = self._deps, self._deps.board.places
        if (found := self.fresh()) is not None:
            return found
        devices, working, unsure = looked(deps.board)
        here = places.sites[site]
        channels = {channel for view in places.views.get(site, ()) for channel in view.channels}
        own = {entry.device.id for entry in deps.board if any(one.id in channels for one in entry.channels)}
        now = deps.now()

        def work() -> Surveyed:
            from camera_registry.rules.geometry import extent  # noqa: PLC0415 - see above

            buildings = self._buildings(places)
            drawn = extent.fields(extent.near(here, devices, own), buildings)
            seen = extent.Fields({id: shape for id, shape in drawn.shapes.items() if id in working}, drawn.missing)
            extents, left = extent.measure([here], seen)
            return Surveyed(
                now,
                places,
                drawn,
                working,
                unsure & drawn.shapes.keys(),
                {one.site: one for one in extents},
                tuple(left),
            )

        return await asyncio.to_thread(work)

    @property
    def drawing(self) -> SurveyJob | None:
        """The geometry that is being computed."""
        return self._ground if self._ground is not None and not self._ground.over else None

    @property
    def called_off(self) -> SurveyJob | None:
        """The geometry, if it was called off or failed, and nobody has asked for it again."""
        stopped = (JobState.CANCELLED, JobState.FAILED)
        return self._ground if self._ground is not None and self._ground.state in stopped else None

    async def geometry(self, by: str, words: Texts) -> Surveyed:
        """The geometry of now; waits for it. Raises Problem."""
        found = self.fresh()
        if found is not None:
            return found
        result = await ended(self.anew(by, words))
        assert isinstance(result, Surveyed)
        return result

    def _survey(
        self,
        now: datetime,
        places: Places,
        devices: Sequence[Device],
        working: frozenset[str],
        unsure: frozenset[str],
        step: Step,
    ) -> Surveyed:
        from camera_registry.rules.geometry import extent  # noqa: PLC0415 - see above

        buildings = self._buildings(places)
        count = Count(step, len(devices) + len(places.sites))
        key = (*devices, places)
        if self._drawn is None or self._drawn[0] != key:
            self._drawn = key, extent.fields(devices, buildings, count.tick)
        drawn = self._drawn[1]
        seen = extent.Fields({id: shape for id, shape in drawn.shapes.items() if id in working}, drawn.missing)
        extents, left = extent.measure(places.sites.values(), seen, count.tick)
        self.found = Surveyed(
            now, places, drawn, working, unsure & drawn.shapes.keys(), {one.site: one for one in extents}, tuple(left)
        )
        return self.found

    def _buildings(self, places: Places) -> Sequence[Any]:
        """The ground of every building, read once for as long as the register stays as it is."""
        from camera_registry.rules.geometry import extent  # noqa: PLC0415 - see above

        if self._built is None or self._built[0] is not places:
            self._built = places, extent.shapes(self._deps.store.read_now(coverage.buildings))
        return self._built[1]


async def ended(job: SurveyJob) -> Found:
    """What comes of a job, once it is over. Raises Problem when it was called off or failed."""
    await job.ended.wait()
    return result_of(job)


def result_of(job: SurveyJob) -> Found:
    """What came of a job. Raises Problem when there is nothing yet, or never will be."""
    if job.result is not None:
        return job.result
    if not job.over:
        raise Problem(HTTPStatus.CONFLICT, "job_not_done")
    raise Problem(HTTPStatus.CONFLICT, "job_stopped", state=job.state, why=job.error)


SURVEY = web.AppKey("survey", Survey)


def standing(seen: SiteSeen) -> str:
    """A site in one word, as a status is named: what its mark and its colour on the map are."""
    states = {one.state for one in seen.views}
    if not seen.required:
        return "out"
    if seen.dark:
        return "down"
    if ViewState.UNCOVERED in states:
        return "degraded"
    return "unknown" if ViewState.UNKNOWN in states else "out" if ViewState.PLANNED in states else "ok"


def looked(board: Board) -> tuple[list[Device], frozenset[str], frozenset[str]]:
    """The devices in service that may see something, those of them whose picture is usable, and those of which that is
    not known."""
    entries = [entry for entry in board if entry.device.life is Life.ACTIVE and entry.device.kind in _SEES]
    sights = {entry.device.id: _sights(entry) for entry in entries}
    working = frozenset(id for id, found in sights.items() if Sight.USABLE in found)
    unsure = frozenset(id for id, found in sights.items() if Sight.UNKNOWN in found) - working
    return [entry.device for entry in entries], working, unsure


def _sights(entry: BoardEntry) -> set[Sight]:
    states = {state.subject: state.settled for state in entry.states}
    channels = [channel.id for channel in entry.channels] or [""]
    return {sight(entry.device.life, needed(entry.device.id, channel, states.get)) for channel in channels}

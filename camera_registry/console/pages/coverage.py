"""The map of coverage, and the page of one site: views, what covers them, since when not, and a month's history."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from aiohttp import web
from pydantic import Field

from camera_registry.console.history import WIDTH, placed
from camera_registry.console.pages.show import go_to, show
from camera_registry.console.problems import Problem, not_found
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.console.schemas import Filters, PageQuery
from camera_registry.console.survey import SURVEY, SurveyJob, standing
from camera_registry.model.coverage import ViewState
from camera_registry.rules.access import Action
from camera_registry.rules.availability import NoPeriod, month
from camera_registry.rules.coverage.demand import demand
from camera_registry.rules.coverage.month import begin, following, preceding
from camera_registry.rules.coverage.period import Piece, SitePeriod
from camera_registry.rules.coverage.points import Topology, singles
from camera_registry.rules.coverage.standing import SiteSeen

_ROWS = 60
_BACK = timedelta(days=31)
"""So far back it is looked for since when a view has been as it is."""
_MOMENT = 1.0
"""Seconds that the page waits for its map before it shows how far it is."""


class CoverageQuery(Filters):
    """``bad``: only sites that are not fully covered."""

    bad: bool = False
    q: str = Field("", max_length=200)
    after: int = Field(0, ge=0, le=100_000)


class SiteQuery(Filters):
    """``month`` empty: the present one."""

    month: str = Field("", max_length=7)


@dataclass(frozen=True, slots=True)
class Strip:
    """One view over the month: blocks as (state, place, width) in thousandths, and the share of time it was covered."""

    view: str
    name: str
    ratio: float | None
    blocks: tuple[tuple[ViewState, float, float], ...]


async def overview(asked: Asked[CoverageQuery, Nothing]) -> web.StreamResponse:
    from camera_registry.console.pages.chart import city  # noqa: PLC0415 - much to load, and seldom looked at

    coverage, query = asked.deps.metrics.coverage, asked.query
    survey = asked.request.app[SURVEY]
    sites = coverage.sites()
    wanted = [one for one in sites if _wanted(one, query)]
    shown = wanted[query.after : query.after + _ROWS]
    topology = Topology(coverage.devices())
    job = await _drawing(asked)
    surveyed = survey.found if survey.found and survey.found.places is asked.deps.board.places else None
    fragile = {one.site.id: sum(point.whole for point in singles(one, topology)) for one in shown}
    return show(
        asked,
        "coverage.html",
        query=query,
        sites=sites,
        shown=shown,
        total=len(wanted),
        next=query.after + _ROWS if len(wanted) > query.after + _ROWS else None,
        fragile=fragile,
        bare=[one.site for one in sites if not one.views],
        surveyed=surveyed,
        job=job,
        extents=surveyed.extents if surveyed else {},
        missing=len(surveyed.fields.missing) if surveyed else 0,
        unsure=len(surveyed.unsure) if surveyed else 0,
        chart=city(sites, surveyed) if surveyed else None,
        standing=standing,
        names=asked.deps.board.names,
    )


async def _drawing(asked: Asked[Any, Any]) -> SurveyJob | None:
    """The job that draws the map, if it is not drawn within a moment; None: it is there, or too much waits already for
    it to be drawn anew, and the rest of the page does without."""
    survey = asked.request.app[SURVEY]
    if survey.fresh() is not None:
        return None
    if survey.called_off is not None:
        return survey.called_off
    try:
        job = survey.anew(asked.user.name, asked.words)
    except Problem:
        return None
    with suppress(TimeoutError):
        await asyncio.wait_for(job.ended.wait(), _MOMENT)
    return None if survey.fresh() is not None else job


async def progress(asked: Asked[PageQuery, Nothing]) -> web.StreamResponse:
    """How far the map is; once it is over the page is shown anew."""
    survey = asked.request.app[SURVEY]
    job = survey.drawing
    if job is None:
        return web.Response(headers={"HX-Refresh": "true"})
    return show(asked, "coverage.progress.html", job=job, surveyed=survey.found)


async def draw(asked: Asked[PageQuery, Nothing]) -> web.StreamResponse:
    asked.request.app[SURVEY].anew(asked.user.name, asked.words)
    return go_to("/coverage")


async def call_off(asked: Asked[PageQuery, Nothing]) -> web.StreamResponse:
    survey = asked.request.app[SURVEY]
    if survey.drawing is not None:
        survey.cancel(survey.drawing)
    return go_to("/coverage")


async def one(asked: Asked[SiteQuery, Nothing]) -> web.StreamResponse:
    from camera_registry.console.pages.chart import plot  # noqa: PLC0415 - as above

    deps, id = asked.deps, asked.item()
    seen = deps.metrics.coverage.site(id)
    if seen is None:
        raise not_found("site", id)
    now, zone = deps.now(), deps.zone()
    chosen = asked.query.month or f"{now.astimezone(zone):%Y-%m}"
    try:
        period = month(chosen, zone, now)
    except NoPeriod as bad:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "month", given=chosen) from bad
    since, until = period.begins, period.ends
    survey = asked.request.app[SURVEY]
    past = (await survey.period_of(id, since, until))[1]
    lately = past if until == now else (await survey.period_of(id, now - _BACK, now))[1]
    surveyed = await survey.ground_of(id)
    next_month = following(chosen)
    return show(
        asked,
        "site.html",
        seen=seen,
        standing=standing(seen),
        devices={one.device: deps.board.get(one.device) for view in seen.views for one in view.channels if one.device},
        singles=singles(seen, Topology(deps.metrics.coverage.devices())),
        since=_since(lately),
        month=chosen,
        previous=preceding(chosen),
        next=next_month if begin(next_month, zone) < now else None,
        past=past,
        demand=demand(past.totals, seen.site.required_availability) if past else None,
        strips=_strips(past, seen, since, until) if past else (),
        width=WIDTH,
        incidents=[one for one in deps.board.incidents.values() if _about(one.about, seen)],
        extent=surveyed.extents.get(id),
        left=next((one for one in surveyed.left if one.id == id), None),
        missing={
            device: surveyed.fields.missing[device]
            for device in dict.fromkeys(one.device for view in seen.views for one in view.channels)
            if device in surveyed.fields.missing
        },
        unsure=len(surveyed.unsure.intersection(one.device for view in seen.views for one in view.channels)),
        chart=plot(seen, surveyed),
        names=deps.board.names,
    )


def _wanted(one: SiteSeen, query: CoverageQuery) -> bool:
    if query.bad and standing(one) in ("ok", "out"):
        return False
    return all(word in f"{one.site.id} {one.site.name}".casefold() for word in query.q.casefold().split())


def _since(past: SitePeriod | None) -> Mapping[str, datetime]:
    """Since when each view has been as it is."""
    return {view.view: view.pieces[-1].begin for view in past.views if view.pieces} if past else {}


def _about(device: str, seen: SiteSeen) -> bool:
    return any(one.device == device for view in seen.views for one in view.channels)


def _strips(past: SitePeriod, seen: SiteSeen, since: datetime, until: datetime) -> Sequence[Strip]:
    names = {view.view.id: view.view.name for view in seen.views}

    def block(piece: Piece) -> tuple[ViewState, float, float]:
        bad = piece.state is not ViewState.COVERED
        return piece.state, *placed(piece.begin - since, piece.end - since, until - since, wide=bad)

    return [
        Strip(
            view.view,
            names.get(view.view, ""),
            view.totals.ratio,
            # What is wrong is drawn last, so that nothing good hides it.
            tuple(sorted(map(block, view.pieces), key=lambda drawn: drawn[0] is not ViewState.COVERED)),
        )
        for view in past.views
    ]


def _route(path: str, handler: Any, query: type[PageQuery]) -> AnyRoute:
    return Route(Surface.PAGE, "GET", path, handler, Action.SEE, query, Nothing)


ROUTES: tuple[AnyRoute, ...] = (
    _route("/coverage", overview, CoverageQuery),
    _route("/coverage/{id}", one, SiteQuery),
    _route("/ground", progress, PageQuery),
    Route(Surface.PAGE, "POST", "/ground", draw, Action.REPORT, PageQuery, Nothing),
    Route(Surface.PAGE, "POST", "/ground/cancel", call_off, Action.REPORT, PageQuery, Nothing),
)

"""Coverage over the API: now, at a past moment, over a period, without some devices, and as GeoJSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any

import orjson
from aiohttp import web
from pydantic import Field

from camera_registry.console.api import coverage_answers as answers
from camera_registry.console.api.questions import Moment, Question, Text
from camera_registry.console.api.route import PREFIX, get
from camera_registry.console.problems import Problem, not_found
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.console.survey import SURVEY, Summed, Survey, Surveyed, ended
from camera_registry.model.coverage import Point, PointKind
from camera_registry.model.device import Device
from camera_registry.rules.access import Action
from camera_registry.rules.availability import NoPeriod, month
from camera_registry.rules.coverage.points import Topology, singles, without
from camera_registry.rules.coverage.standing import SiteSeen
from camera_registry.rules.geometry import geojson

_LONGEST = timedelta(days=400)
"""Of a period that is asked for."""


_MOST = 1000
"""Devices, or sources of power, that are asked about at once."""


class MomentQuestion(Question):
    """``at`` left out: now. It needs an offset, such as ``2026-11-01T00:00:00+08:00``."""

    at: Moment | None = None


class PeriodQuestion(Question):
    """A ``month`` (``2026-10``, of the configured time zone), or ``since``, included, and ``until``, not included."""

    month: Annotated[str, Field(max_length=7)] = ""
    since: Moment | None = None
    until: Moment | None = None
    site: Text = ""


class ShapesQuestion(Question):
    """``site``: only this one, and what sees it."""

    site: Text = ""


class Without(Question):
    """What is lost together: devices, and sources of power as ``power_source`` has them. ``at`` left out: now."""

    devices: list[Text] = Field(default_factory=list, max_length=_MOST)
    power: list[Text] = Field(default_factory=list, max_length=_MOST)
    at: Moment | None = None


async def live(asked: Asked[MomentQuestion, Nothing]) -> answers.CoverageAnswer:
    seen, topology, at = await standing(asked, asked.query.at)
    return answers.CoverageAnswer(
        at=at,
        summary=answers.Summary.of(seen),
        sites=[answers.SiteAnswer.of(one, singles(one, topology)) for one in seen],
    )


async def one_site(asked: Asked[MomentQuestion, Nothing]) -> answers.SiteAnswer:
    seen, topology, _ = await standing(asked, asked.query.at)
    found = next((one for one in seen if one.site.id == asked.item()), None)
    if found is None:
        raise not_found("site", asked.item())
    return answers.SiteAnswer.of(found, singles(found, topology))


async def standing(asked: Asked[Any, Any], at: datetime | None) -> tuple[Sequence[SiteSeen], Topology, datetime]:
    """How sites were covered at a moment, now by the board. Raises Problem for the future."""
    now = asked.deps.now()
    if at is None:
        coverage = asked.deps.metrics.coverage
        return coverage.sites(), Topology(coverage.devices()), now
    if at > now:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "future", given=at.isoformat())
    at = at.astimezone(UTC)
    register, history = await _survey(asked).past(at, at)
    return history.standing(register, asked.deps.zone(), at), Topology(register.devices), at


async def over(asked: Asked[PeriodQuestion, Nothing]) -> answers.PeriodAnswer:
    """One site is summed up at once; for all of them this waits for the job, which others may follow or call off."""
    query = asked.query
    since, until = period_of(asked, query.month, query.since, query.until)
    survey, wanted = _survey(asked), query.site
    if wanted:
        register, found = await survey.period_of(wanted, since, until)
        if found is None:
            raise not_found("site", wanted)
        return answers.PeriodAnswer.of([found], register, since, until, pieces=True)
    summed = await ended(survey.period(since, until, asked.user.name, asked.words))
    assert isinstance(summed, Summed)
    return answers.PeriodAnswer.of(summed.sites, summed.register, since, until)


async def what_if(asked: Asked[Nothing, Without]) -> answers.WhatIfAnswer:
    body = asked.body
    points = points_of(asked, body)
    seen, topology, at = await standing(asked, body.at)
    losses = without(seen, topology, points)
    return answers.WhatIfAnswer(
        at=at, without=[*body.devices, *body.power], sites=[answers.LossAnswer.of(loss) for loss in losses]
    )


def points_of(asked: Asked[Any, Any], body: Without) -> list[Point]:
    """What is asked to be gone. Raises Problem for a device that is not there."""
    for id in body.devices:
        if asked.deps.board.get(id) is None:
            raise not_found("device", id)
    return [Point(PointKind.DEVICE, id) for id in body.devices] + [Point(PointKind.POWER, id) for id in body.power]


async def areas(asked: Asked[ShapesQuestion, Nothing]) -> web.StreamResponse:
    return blind(await _ground(asked), asked.query.site)


async def _ground(asked: Asked[ShapesQuestion, Nothing]) -> Surveyed:
    """Of one site at once; of the city when the job is done."""
    site = asked.query.site
    if not site:
        return await _survey(asked).geometry(asked.user.name, asked.words)
    if site not in asked.deps.board.places.sites:
        raise not_found("site", site)
    return await _survey(asked).ground_of(site)


def blind(found: Surveyed, wanted: str) -> web.Response:
    """A FeatureCollection of blind polygons, one feature a site; its shares are of its working cameras."""
    features = [
        geojson.feature(
            one.blind,
            {
                "site": one.site,
                "measure": "length" if one.road else "area",
                "size": round(one.size, 3),
                "ratio": round(one.once, 6),
                "twice_ratio": round(one.twice, 6),
                "devices": list(one.devices),
            },
        )
        for one in found.extents.values()
        if not wanted or one.site == wanted
    ]
    features += [
        geojson.feature(None, {"site": one.id, "not_computable": one.flaw, "place": one.where})
        for one in found.left
        if not wanted or one.id == wanted
    ]
    return _json(geojson.collection(features))


async def sectors(asked: Asked[ShapesQuestion, Nothing]) -> web.StreamResponse:
    """A FeatureCollection of fields of view, one feature a device; without a geometry where it is not computable."""
    return _json(geojson.collection(_sectors(asked, await _ground(asked))))


def _sectors(asked: Asked[ShapesQuestion, Nothing], found: Surveyed) -> list[dict[str, Any]]:
    board = asked.deps.board
    entries = [(id, board.get(id)) for id in (*found.fields.shapes, *found.fields.missing)]
    known = {id: entry.device for id, entry in entries if entry is not None}
    if asked.query.site:
        extent = found.extents.get(asked.query.site)
        wanted = set(extent.devices if extent else ())
        known = {id: one for id, one in known.items() if id in wanted or one.site == asked.query.site}
    features = []
    for id, device in known.items():
        told = {"device": id, "working": id in found.working, **_mounted(device)}
        if id in found.fields.missing:
            told["not_computable"] = found.fields.missing[id].value
        features.append(geojson.feature(found.fields.shapes.get(id), told))
    return features


def _mounted(device: Device) -> dict[str, object]:
    return {"azimuth": device.azimuth, "view_angle": device.view_angle, "view_range": device.view_range}


def period_of(
    asked: Asked[Any, Any], name: str, begins: datetime | None, ends: datetime | None
) -> tuple[datetime, datetime]:
    """The month of that name, or what lies between two moments as far as it has passed. Raises Problem."""
    now = asked.deps.now()
    if name and begins is None and ends is None:
        try:
            found = month(name, asked.deps.zone(), now)
        except NoPeriod as bad:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "month", given=name) from bad
        return found.begins, found.ends
    if name or begins is None:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "period")
    since = begins.astimezone(UTC)
    until = min(now, now if ends is None else ends.astimezone(UTC))
    if since >= now:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "future", given=begins.isoformat())
    if not since < until or until - since > _LONGEST:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "period")
    return since, until


def _survey(asked: Asked[Any, Any]) -> Survey:
    return asked.request.app[SURVEY]


def _json(document: dict[str, Any]) -> web.Response:
    return web.Response(body=orjson.dumps(document), content_type="application/geo+json")


ROUTES: tuple[AnyRoute, ...] = (
    get(
        "/coverage",
        live,
        Action.SEE,
        MomentQuestion,
        answers.CoverageAnswer,
        "How sites are covered now, or were at a past moment",
    ),
    get("/coverage/sites/{id}", one_site, Action.SEE, MomentQuestion, answers.SiteAnswer, "How one site is covered"),
    get(
        "/coverage/period",
        over,
        Action.SEE,
        PeriodQuestion,
        answers.PeriodAnswer,
        "Coverage over a month or another period, weighted by time; of one site with every change",
    ),
    Route(
        Surface.API,
        "POST",
        f"{PREFIX}/coverage/what-if",
        what_if,
        Action.SEE,
        Nothing,
        Without,
        answers.WhatIfAnswer,
        "What sites would lose without some devices or sources of power; changes nothing",
    ),
    get("/coverage/blind", areas, Action.SEE, ShapesQuestion, None, "What working cameras do not see, as GeoJSON"),
    get("/coverage/sectors", sectors, Action.SEE, ShapesQuestion, None, "Fields of view, as GeoJSON"),
)

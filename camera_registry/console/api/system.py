"""Having the settings read again, and the API's own description."""

from __future__ import annotations

from functools import cache

from aiohttp import web

from camera_registry.console.api import (
    answers,
    baselines,
    coverage,
    coverage_jobs,
    credentials,
    devices,
    imports,
    incidents,
    items,
    notices,
    openapi,
    order_reports,
    orders,
    people,
    proposals,
    reports,
    review,
    trends,
    weather,
)
from camera_registry.console.api.route import PREFIX, get
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.rules.access import Action
from camera_registry.store import audit


async def reload(asked: Asked[Nothing, Nothing]) -> answers.ReloadAnswer:
    deps = asked.deps
    problems = await deps.reload()
    detail = {"problems": len(problems)}
    await deps.store.write(audit.append, asked.user.name, "settings.reload", "settings", detail, deps.now())
    return answers.ReloadAnswer(done=not problems, problems=[asked.words.wrong(one) for one in problems])


async def description(_: Asked[Nothing, Nothing]) -> web.StreamResponse:
    return web.Response(body=_description(), content_type="application/json")


@cache
def _description() -> bytes:
    return openapi.describe(ROUTES)


ROUTES: tuple[AnyRoute, ...] = (
    *devices.ROUTES,
    *baselines.ROUTES,
    *trends.ROUTES,
    *weather.ROUTES,
    *review.ROUTES,
    *coverage.ROUTES,
    *coverage_jobs.ROUTES,
    *incidents.ROUTES,
    *orders.ROUTES,
    *order_reports.ROUTES,
    *notices.ROUTES,
    *items.ROUTES,
    *credentials.ROUTES,
    *people.ROUTES,
    *imports.ROUTES,
    *proposals.ROUTES,
    *reports.ROUTES,
    Route(
        Surface.API,
        "POST",
        f"{PREFIX}/reload",
        reload,
        Action.RELOAD,
        Nothing,
        Nothing,
        answers.ReloadAnswer,
        "Read settings and register again, without losing state",
    ),
    get("/openapi.json", description, Action.OWN, Nothing, None, "This description"),
)
"""All of the API."""

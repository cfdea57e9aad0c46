"""The first page: counts by status, and what needs somebody, the worst first."""

from __future__ import annotations

from aiohttp import web

from camera_registry.console.pages.show import show
from camera_registry.console.reader import READER
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.console.schemas import PageQuery
from camera_registry.model.health import Status
from camera_registry.rules.access import Action

_TROUBLES = 30


async def overview(asked: Asked[PageQuery, Nothing]) -> web.StreamResponse:
    seen = asked.request.app[READER].overview()
    return show(
        asked,
        "overview.html",
        seen=seen,
        troubles=seen.troubles[:_TROUBLES],
        more=max(0, len(seen.troubles) - _TROUBLES),
        most=max(seen.causes.values(), default=0),
        unknown=seen.statuses[Status.UNKNOWN],
        names=asked.deps.board.names,
    )


ROUTES: tuple[AnyRoute, ...] = (Route(Surface.PAGE, "GET", "/", overview, Action.SEE, PageQuery, Nothing),)

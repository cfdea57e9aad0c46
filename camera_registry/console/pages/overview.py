"""The first page: counts by status, and what needs somebody, the worst first."""

from __future__ import annotations

from aiohttp import web

from camera_registry.console import ordering
from camera_registry.console.pages.incidents import roots
from camera_registry.console.pages.people import called
from camera_registry.console.pages.show import show
from camera_registry.console.reader import READER
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.console.schemas import PageQuery
from camera_registry.model.health import Status
from camera_registry.rules.access import Action

_TROUBLES = 30
_INCIDENTS = 12
_WEATHER = 5


async def overview(asked: Asked[PageQuery, Nothing]) -> web.StreamResponse:
    board = asked.deps.board
    seen = asked.request.app[READER].overview()
    open_now = roots(board)
    still = ordering.open_orders(asked)
    return show(
        asked,
        "overview.html",
        seen=seen,
        troubles=seen.troubles[:_TROUBLES],
        more=max(0, len(seen.troubles) - _TROUBLES),
        most=max(seen.causes.values(), default=0),
        unknown=seen.statuses[Status.UNKNOWN],
        names=board.names,
        weather=asked.deps.sightings.told(asked.deps.now())[:_WEATHER],
        open=open_now,
        orders=len(still),
        overdue=sum(ordering.is_overdue(one, asked.deps.now()) for one in still),
        called=called(board, open_now[:_INCIDENTS]),
    )


ROUTES: tuple[AnyRoute, ...] = (Route(Surface.PAGE, "GET", "/", overview, Action.SEE, PageQuery, Nothing),)

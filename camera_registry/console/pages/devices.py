"""The list of devices: search, filters, pages."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from camera_registry.board import BoardEntry
from camera_registry.console.cursor import from_cursor, to_cursor
from camera_registry.console.pages.show import offered, show
from camera_registry.console.reader import READER, Filter, Order
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.console.schemas import ListPageQuery
from camera_registry.model.device import Kind, Life
from camera_registry.model.health import Cause, Status
from camera_registry.rules.access import Action

_ROWS = 60


async def devices(asked: Asked[ListPageQuery, Nothing]) -> web.StreamResponse:
    query = asked.query
    reader = asked.request.app[READER]
    names = asked.deps.board.names
    wanted = Filter(
        text=query.q,
        status=query.status,
        area=_area(query.area, names.areas),
        kind=query.kind,
        cause=query.cause,
        life=query.life,
        parent=query.parent,
    )
    listed = await reader.select(wanted, query.order, from_cursor(query.after), _ROWS)
    return show(
        asked,
        "devices.html",
        query=query,
        listed=listed,
        after=query.after,
        next=to_cursor(listed.after),
        names=names,
        no_area=bool(wanted.area) and wanted.area not in names.areas,
        areas=offered(names),
        statuses=Status,
        kinds=Kind,
        lives=Life,
        causes=Cause,
        orders=Order,
        causes_of=causes_of,
    )


def causes_of(entry: BoardEntry) -> list[tuple[Cause, str]]:
    """Each cause once, with the parent that explains it."""
    return list(dict.fromkeys((reason.cause, reason.blamed) for reason in entry.reasons))


def _area(given: str, names: Mapping[str, str]) -> str:
    """An area's code for what somebody typed: a code, or else a name."""
    if not given or given in names:
        return given
    return next((code for code, name in names.items() if name == given), given)


ROUTES: tuple[AnyRoute, ...] = (Route(Surface.PAGE, "GET", "/devices", devices, Action.SEE, ListPageQuery, Nothing),)

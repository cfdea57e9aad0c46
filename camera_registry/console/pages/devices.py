"""The list of devices: search, filters, pages."""

from __future__ import annotations

from aiohttp import web

from camera_registry.board import BoardEntry
from camera_registry.console import choosing
from camera_registry.console.cursor import from_cursor, to_cursor
from camera_registry.console.pages.show import show
from camera_registry.console.reader import READER, Filter, Order, own_failure
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.console.schemas import ListPageQuery
from camera_registry.model.device import Kind, Life
from camera_registry.model.health import Cause, State, Status
from camera_registry.rules.access import Action
from camera_registry.texts import Texts

_ROWS = 60


async def devices(asked: Asked[ListPageQuery, Nothing]) -> web.StreamResponse:
    query = asked.query
    reader = asked.request.app[READER]
    names = asked.deps.board.names
    area, doubt = choosing.filtered(names.areas, query.area, asked.words)
    wanted = Filter(
        text=query.q,
        status=query.status,
        area=area,
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
        doubt=doubt,
        weather=wanted.area and asked.deps.sightings.over(wanted.area, asked.deps.now()),
        areas=choosing.areas(names),
        statuses=Status,
        kinds=Kind,
        lives=Life,
        causes=Cause,
        orders=Order,
        causes_of=causes_of,
        unknown_for=unknown_for,
    )


def causes_of(entry: BoardEntry) -> list[tuple[Cause, str]]:
    """Each cause once, with the parent that explains it."""
    return list(dict.fromkeys((reason.cause, reason.blamed) for reason in entry.reasons))


def unknown_for(entry: BoardEntry, words: Texts) -> str:
    """Why nothing is known of a device, in a few words."""
    if not entry.device.host:
        return words("unmeasured.brief_no_host")
    if own_failure(entry) is not None:
        return words("unmeasured.brief_ours")
    stale = dict.fromkeys(held.subject.aspect for held in entry.states if held.state is State.STALE)
    return words("list.comma").join(words("unmeasured.brief_stale", aspect=words.name(aspect)) for aspect in stale)


ROUTES: tuple[AnyRoute, ...] = (Route(Surface.PAGE, "GET", "/devices", devices, Action.SEE, ListPageQuery, Nothing),)

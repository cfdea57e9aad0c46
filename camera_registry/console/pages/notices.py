"""The page of notices: channels with a test button, what is owed, what failed with another try, and the log."""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from camera_registry.console import telling
from camera_registry.console.pages.show import show
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.console.schemas import Before, Blank, Form, PageQuery
from camera_registry.model.notice import NoticeState
from camera_registry.rules.access import Action
from camera_registry.store import outbox

_ROWS = 60
_ATTEMPTS = 30


class NoticesQuery(PageQuery):
    """``state`` and ``channel`` empty: all. ``tried``: the message that a test sent."""

    state: Annotated[NoticeState | None, Blank] = None
    channel: str = Field("", max_length=64)
    before: Before = None
    tried: str = Field("", max_length=100)


async def listed(asked: Asked[NoticesQuery, Nothing]) -> web.StreamResponse:
    query, store = asked.query, asked.deps.store
    found = await store.read(
        outbox.page, channel=query.channel, state=query.state, before_id=query.before, limit=_ROWS + 1
    )
    shown = found[:_ROWS]
    attempts = await store.read(outbox.attempts, limit=_ATTEMPTS)
    return show(
        asked,
        "notices.html",
        query=query,
        shown=shown,
        next=shown[-1].id if len(found) > _ROWS else None,
        attempts=attempts,
        tried=next((one for one in attempts if one.batch == query.tried), None),
        standings=asked.deps.standings(),
        states=NoticeState,
    )


async def try_channel(asked: Asked[PageQuery, Form]) -> web.StreamResponse:
    sent = await telling.try_channel(asked)
    return _back(f"?tried={sent.batch}")


async def retry(asked: Asked[PageQuery, Form]) -> web.StreamResponse:
    await telling.retry(asked)
    return _back("")


async def dismiss(asked: Asked[PageQuery, Form]) -> web.StreamResponse:
    await telling.dismiss(asked)
    return _back("")


def _back(query: str) -> web.Response:
    return web.Response(status=303, headers={"Location": f"/notices{query}"})


def _form(path: str, handler: Any) -> AnyRoute:
    return Route(Surface.PAGE, "POST", path, handler, Action.NOTIFY, PageQuery, Form)


ROUTES: tuple[AnyRoute, ...] = (
    Route(Surface.PAGE, "GET", "/notices", listed, Action.SEE, NoticesQuery, Nothing),
    _form("/notices/channels/{id}/test", try_channel),
    _form("/notices/channels/{id}/dismiss", dismiss),
    _form("/notices/{id}/retry", retry),
)

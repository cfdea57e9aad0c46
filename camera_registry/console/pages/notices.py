"""The page of notices: channels with a test button, what is owed, what failed with another try, and the log."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from aiohttp import web
from pydantic import Field

from camera_registry.console import telling
from camera_registry.console.cursor import cut
from camera_registry.console.pages.show import go_to, show
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.console.schemas import Before, Blank, Filters, Form, PageQuery
from camera_registry.model.notice import NoticeState
from camera_registry.rules.access import Action
from camera_registry.store import outbox

_ROWS = 60
_ATTEMPTS = 30


class NoticesQuery(Filters):
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
    shown, following = cut(found, _ROWS)
    attempts = await store.read(outbox.attempts, limit=_ATTEMPTS)
    return show(
        asked,
        "notices.html",
        query=query,
        shown=shown,
        next=following,
        attempts=attempts,
        tried=next((one for one in attempts if one.batch == query.tried), None),
        standings=asked.deps.standings(),
        states=NoticeState,
    )


async def try_channel(asked: Asked[PageQuery, Form]) -> web.StreamResponse:
    sent = await telling.try_channel(asked)
    return go_to(f"/notices?tried={quote(sent.batch)}")


async def retry(asked: Asked[PageQuery, Form]) -> web.StreamResponse:
    await telling.retry(asked)
    return go_to("/notices")


async def dismiss(asked: Asked[PageQuery, Form]) -> web.StreamResponse:
    await telling.dismiss(asked)
    return go_to("/notices")


def _form(path: str, handler: Any) -> AnyRoute:
    return Route(Surface.PAGE, "POST", path, handler, Action.NOTIFY, PageQuery, Form)


ROUTES: tuple[AnyRoute, ...] = (
    Route(Surface.PAGE, "GET", "/notices", listed, Action.SEE, NoticesQuery, Nothing),
    _form("/notices/channels/{id}/test", try_channel),
    _form("/notices/channels/{id}/dismiss", dismiss),
    _form("/notices/{id}/retry", retry),
)

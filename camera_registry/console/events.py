"""``/events``: the stream that tells open pages to refresh."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import orjson
from aiohttp import web
from pydantic import Field

from camera_registry.console import identity
from camera_registry.console.live import Live, TooMany
from camera_registry.console.problems import Problem
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.console.schemas import Filters
from camera_registry.rules.access import Action

LIVE = web.AppKey("live", Live)

_HEARTBEAT = 15.0
"""Seconds of silence after which a sign of life is sent; as often it is asked whether the session still holds."""
_PATIENCE = 10.0
"""Seconds in which a client must take what it is sent."""
_COME_BACK = 3000
"""Milliseconds after which a browser whose stream ended opens a new one."""


class EventsQuery(Filters):
    """``device``: only events that concern this one."""

    device: str = Field("", max_length=200)


async def _send(request: web.Request, stream: web.StreamResponse, text: bytes) -> None:
    """Send, or give the client up: one that has stopped reading would hold its socket for as long as it likes."""
    try:
        async with asyncio.timeout(_PATIENCE):
            await stream.write(text)
    except TimeoutError as error:
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("the client does not read") from error


async def events(asked: Asked[EventsQuery, Nothing]) -> web.StreamResponse:
    request, device = asked.request, asked.query.device
    clock = asyncio.get_running_loop()
    stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    try:
        async with request.app[LIVE].open(_HEARTBEAT) as told:
            await stream.prepare(request)
            await _send(request, stream, b"retry: %d\n\n" % _COME_BACK)
            checked = clock.time()
            async for event in told:
                if clock.time() - checked >= _HEARTBEAT:
                    if await identity.find(request, asked.deps) is None:
                        break
                    checked = clock.time()
                if event is None:
                    await _send(request, stream, b": still here\n\n")
                elif not device or event.devices is None or device in event.devices:
                    data = orjson.dumps({"revision": event.revision, "devices": event.devices})
                    await _send(request, stream, b"event: board\ndata: " + data + b"\n\n")
    except TooMany as error:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "too_many_streams", headers={"Retry-After": "30"}) from error
    except (ConnectionResetError, Problem):
        # The browser went away, or its session was ended: either way nobody is to be told.
        if not stream.prepared:
            raise
    return stream


ROUTES: tuple[AnyRoute, ...] = (Route(Surface.PAGE, "GET", "/events", events, Action.SEE, EventsQuery, Nothing),)

"""Answers a request that the dispatcher let through: by a page, or by another page to go to."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from aiohttp import web

from camera_registry.console.render import page
from camera_registry.console.routing import Asked

_UNQUOTED = "/?#&=%:,;+@!*'()~$[]"


def go_to(path: str) -> web.Response:
    """The browser goes on to another of our pages."""
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": quote(path, safe=_UNQUOTED)})


def go_to_device(id: str, place: str = "") -> web.Response:
    """The browser goes on to a place on the page of a device, whose identifier may hold anything."""
    return go_to(f"/devices/{quote(id, safe='')}{place}")


def show(asked: Asked[Any, Any], template: str, status: HTTPStatus = HTTPStatus.OK, **values: object) -> web.Response:
    """The page, in the language and time zone of whoever asked."""
    return page(
        asked.request,
        template,
        words=asked.words,
        zone=asked.deps.zone(),
        now=asked.deps.now(),
        who=asked.who,
        alarms=asked.deps.alarms(),
        status=status,
        **values,
    )

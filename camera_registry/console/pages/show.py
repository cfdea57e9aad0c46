"""Shows a template in answer to a request that the dispatcher let through."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from aiohttp import web

from camera_registry.console.render import page
from camera_registry.console.routing import Asked


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

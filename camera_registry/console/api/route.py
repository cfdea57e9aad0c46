"""Lines of the API's part of the route table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from http import HTTPStatus
from typing import TypeVar

from aiohttp import hdrs, web
from pydantic import BaseModel

from camera_registry.console.found import as_number
from camera_registry.console.problems import Problem
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.rules.access import Action

PREFIX = "/api/v1"

Q = TypeVar("Q", bound=BaseModel)
B = TypeVar("B", bound=BaseModel)
Result = Awaitable[BaseModel | web.StreamResponse]


def get(
    path: str,
    handler: Callable[[Asked[Q, Nothing]], Result],
    action: Action,
    query: type[Q],
    answer: type[BaseModel] | None,
    summary: str,
) -> Route[Q, Nothing]:
    return Route(Surface.API, "GET", PREFIX + path, handler, action, query, Nothing, answer, summary)


def write(
    verb: str,
    handler: Callable[[Asked[Nothing, B]], Result],
    action: Action,
    body: type[B],
    answer: type[BaseModel] | None,
    summary: str,
) -> Route[Nothing, B]:
    """``verb`` is method and path, as in ``PUT /areas/{id}``. What is posted is made, and answered so."""
    method, path = verb.split()
    status = HTTPStatus.OK if answer else HTTPStatus.NO_CONTENT
    if method == "POST" and answer:
        status = HTTPStatus.CREATED
    return Route(Surface.API, method, PREFIX + path, handler, action, Nothing, body, answer, summary, status)


def versioned(route: AnyRoute) -> AnyRoute:
    """The route of an edit that must say which version it was made from."""
    return replace(route, versioned=True)


def if_match(request: web.Request) -> int | None:
    """The version that If-Match names (RFC 9110, section 13.1.1); None: any (``*``). Raises Problem without one."""
    given = request.headers.get(hdrs.IF_MATCH, "").strip()
    if not given:
        raise Problem(HTTPStatus.PRECONDITION_REQUIRED, "if_match")
    if given == "*":
        return None
    version = as_number(given.removeprefix("W/").strip('"'))
    if version is None:
        raise Problem(HTTPStatus.PRECONDITION_FAILED, "etag", given=given[:100])
    return version


def no_content() -> web.Response:
    return web.Response(status=HTTPStatus.NO_CONTENT)

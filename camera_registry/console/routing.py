"""The route table's own shape: one line says path, action, what may be sent, what comes back. Everything else follows.

The dispatcher built here is the only way to a handler: it finds out who asks, holds sessions to their token, asks
``authorize``, and parses query and body. So no handler can forget to, and the API's description can't drift from it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Generic, TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from camera_registry.console import identity, signature, uploads
from camera_registry.console.deps import Deps
from camera_registry.console.identity import Identity
from camera_registry.console.problems import Problem, invalid
from camera_registry.model.people import User
from camera_registry.rules.access import Action, authorize
from camera_registry.texts import LANGUAGES, Texts, preferred, texts

DEPS = web.AppKey("deps", Deps)
WORDS = web.RequestKey("words", Texts)
"""The texts of whoever asks, once that is known."""

_FORM = "application/x-www-form-urlencoded"
_JSON = ("application/json", "application/merge-patch+json")


class Nothing(BaseModel):
    """No query parameters, or no body."""

    model_config = ConfigDict(extra="forbid")


class Surface(StrEnum):
    """Whom a route is for: that decides how failures look and how one proves who one is."""

    PAGE = "page"
    API = "api"
    MACHINE = "machine"
    """Prometheus and the like: open on a loopback listener, else with a token."""
    OPEN = "open"
    """Anybody: the signs of life, static files, signing in."""


Q = TypeVar("Q", bound=BaseModel)
B = TypeVar("B", bound=BaseModel)


@dataclass(slots=True)
class Asked(Generic[Q, B]):
    """One request with everything that was found out about it. ``headers`` go into the answer."""

    request: web.Request
    deps: Deps
    who: Identity | None
    words: Texts
    query: Q
    body: B
    headers: dict[str, str] = field(default_factory=dict)
    photographs: Sequence[bytes] = ()
    """What was sent beside the body, on routes that take it."""

    @property
    def user(self) -> User:
        """Who asks. Only for routes that have an action, on surfaces where that means somebody signed in."""
        assert self.who is not None
        return self.who.user

    def item(self, name: str = "id") -> str:
        """A part of the path."""
        return self.request.match_info[name]


Handler = Callable[[Asked[Q, B]], Awaitable[BaseModel | web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route(Generic[Q, B]):
    """One line of the route table. ``action`` None: whoever asks may (only on Surface.OPEN). ``answer`` and ``summary``
    are for the API's description; an ``answer`` of None is no content, or not JSON."""

    surface: Surface
    method: str
    path: str
    handler: Handler[Q, B]
    action: Action | None
    query: type[Q]
    body: type[B]
    answer: type[BaseModel] | None = None
    summary: str = ""
    status: HTTPStatus = HTTPStatus.OK
    versioned: bool = False
    """Whether an edit of what exists must say which version it was made from (If-Match)."""
    photographs: bool = False
    """Whether photographs may be sent: one as the body, or several in a form."""
    signed: bool = False
    """Whether a signature says who asks, as a token does."""

    @property
    def writes(self) -> bool:
        return self.method not in ("GET", "HEAD")


AnyRoute = Route[Any, Any]


def language(request: web.Request, who: Identity | None, default: str) -> str:
    """``?lang=``, else the choice made before (cookie), else the user's own, else the browser's, else ours."""
    for chosen in (request.query.get("lang", ""), request.cookies.get("lang", "")):
        if chosen in LANGUAGES:
            return chosen
    if who is not None and who.user.language in LANGUAGES:
        return who.user.language
    return preferred(request.headers.get("Accept-Language", "")) or default


def dispatcher(route: AnyRoute) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The aiohttp handler of one line of the table."""

    async def answer(request: web.Request) -> web.StreamResponse:
        deps = request.app[DEPS]
        who = (route.signed and await signature.find(request, deps)) or await identity.find(request, deps)
        if who is not None:
            request[identity.WHO] = who
        words = texts(language(request, who, deps.settings().language))
        request[WORDS] = words
        _authorize(route, request, deps, who)
        given = {key: value for key, value in request.query.items() if key != "lang"}
        query = _parse(route.query, given, "query", words)
        sent = await _sent(route, request, deps)
        if route.writes and route.action is not None:
            identity.check_session_token(request, who, sent.token)
        body = _parse(route.body, sent.value, "body", words) if route.writes else Nothing()
        asked: Asked[Any, Any] = Asked(request, deps, who, words, query, body, photographs=sent.photographs)
        result = await route.handler(asked)
        if isinstance(result, BaseModel):
            payload = result.model_dump_json(by_alias=True).encode()
            return web.Response(
                status=route.status, body=payload, content_type="application/json", headers=asked.headers
            )
        if not result.prepared:
            result.headers.update(asked.headers)
        return result

    return answer


def _authorize(route: AnyRoute, request: web.Request, deps: Deps, who: Identity | None) -> None:
    if route.action is None:
        return
    if who is None:
        if route.surface is Surface.MACHINE and deps.loopback and identity.from_this_machine(request):
            return
        raise Problem(
            HTTPStatus.UNAUTHORIZED, "sign_in", headers={"WWW-Authenticate": 'Bearer realm="camera-registry"'}
        )
    authorize(who.user, route.action)


@dataclass(frozen=True, slots=True)
class _Sent:
    """What came with a request, not looked at yet. ``token`` is a form's ``csrf`` field: the session's token."""

    value: object = field(default_factory=dict)
    token: str = ""
    photographs: Sequence[bytes] = ()


async def _sent(route: AnyRoute, request: web.Request, deps: Deps) -> _Sent:
    if not route.writes:
        return _Sent()
    photographs: Sequence[bytes] = ()
    if request.content_type == _FORM:
        with uploads.well_formed():
            form = {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
    elif route.photographs and request.content_type in uploads.TYPES:
        form, photographs = await uploads.read(request, deps.settings().photographs)
    else:
        return _Sent({} if route.body is Nothing else await _json(request))
    return _Sent(form, form.pop("csrf", ""), photographs)


async def _json(request: web.Request) -> object:
    if request.content_type not in _JSON:
        if not request.can_read_body:
            return {}
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "media_type", given=request.content_type)
    try:
        return orjson.loads(await request.read())
    except orjson.JSONDecodeError as error:
        raise Problem(HTTPStatus.BAD_REQUEST, "not_json", why=str(error)) from error


def _parse(model: type[BaseModel], given: object, where: str, words: Texts) -> BaseModel:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise invalid(error, where, words, model.model_fields) from error

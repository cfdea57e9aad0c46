"""Who asks: a signed-in browser (cookie) or a program (bearer token); and what keeps others from asking in their name.

Cookies are SameSite=Lax; every edit of a session must bring its own token back; an Origin that is not ours is refused.
"""

from __future__ import annotations

import contextlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from aiohttp import hdrs, web

from camera_registry.console.deps import Deps
from camera_registry.console.problems import Problem
from camera_registry.model.people import User
from camera_registry.settings import Settings
from camera_registry.store import Transaction, sessions, tokens
from camera_registry.store.errors import Unavailable

CSRF_HEADER = "X-CSRF-Token"
BACKGROUND_HEADER = "X-Background"
"""Sent by pages that refresh themselves."""

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Identity:
    """``csrf`` is empty for a token: no browser sends one unasked. ``secret`` is the cookie's."""

    user: User
    csrf: str = ""
    secret: str = ""

    def __repr__(self) -> str:
        return f"Identity(user={self.user!r})"


WHO = web.RequestKey("who", Identity)
"""Set once somebody was found."""


def limits(settings: Settings) -> sessions.Limits:
    return sessions.Limits(
        timedelta(seconds=settings.web.session_idle), timedelta(seconds=settings.web.session_absolute)
    )


def cookie_name(settings: Settings) -> str:
    """Over https the name binds the cookie to this very host (RFC 6265bis, ``__Host-``)."""
    return "__Host-camera_registry" if is_secure(settings) else "camera_registry"


def is_secure(settings: Settings) -> bool:
    return settings.web.public_url.startswith("https://")


async def find(request: web.Request, deps: Deps) -> Identity | None:
    """Who asks, or None. A bearer token that is not good is refused, not passed over. Raises Problem."""
    authorization = request.headers.get(hdrs.AUTHORIZATION, "")
    now = deps.now()
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() == "bearer":
        token = await deps.store.read(tokens.find, text.strip(), now)
        if token is None:
            raise Problem(
                HTTPStatus.UNAUTHORIZED, "token", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}
            )
        if token.note_due:
            await _note(deps, tokens.note_use, token.prefix)
        return Identity(User(f"token/{token.prefix}", token.role, deps.settings().language))
    settings = deps.settings()
    secret = request.cookies.get(cookie_name(settings), "")
    if not secret:
        return None
    session = await deps.store.read(sessions.find, secret, now, limits(settings))
    if session is None:
        return None
    if session.touch_due and not _is_background(request):
        await _note(deps, sessions.touch, secret)
    return Identity(session.user, session.csrf, secret)


async def _note(deps: Deps, job: Callable[[Transaction, str, datetime], None], key: str) -> None:
    """Note a use. While the database can't be written to, people can still look."""
    with contextlib.suppress(Unavailable):
        await deps.store.write(job, key, deps.now())


def _is_background(request: web.Request) -> bool:
    """Whether a page asks by itself, to stay up to date: nobody need be sitting in front of it."""
    return BACKGROUND_HEADER in request.headers or "text/event-stream" in request.headers.get(hdrs.ACCEPT, "")


def check_session_token(request: web.Request, who: Identity | None, form_token: str) -> None:
    """An edit in a session brings the session's token, in a header or a form field. Raises Problem."""
    if request.method in _SAFE_METHODS or who is None or not who.csrf:
        return
    given = request.headers.get(CSRF_HEADER, "") or form_token
    if not hmac.compare_digest(given.encode(), who.csrf.encode()):
        raise Problem(HTTPStatus.FORBIDDEN, "csrf")


def check_origin(request: web.Request, settings: Settings) -> None:
    """Whatever writes comes from our own pages or from no page at all. Raises Problem."""
    if request.method in _SAFE_METHODS:
        return
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None:
        if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            raise Problem(HTTPStatus.FORBIDDEN, "origin", origin="cross-site")
        return
    ours = {request.host, urlsplit(settings.web.public_url).netloc} - {""}
    # "null" (a sandboxed or local page) has no host and is nobody's.
    if _split(origin).netloc not in ours:
        raise Problem(HTTPStatus.FORBIDDEN, "origin", origin=origin[:200])


def check_head(request: web.Request) -> None:
    """What a head says is text; what is none can be looked up nowhere. Raises Problem."""
    try:
        for value in request.headers.values():
            value.encode()
    except UnicodeEncodeError as error:
        raise Problem(HTTPStatus.BAD_REQUEST, "bad_request", why="a header is not UTF-8") from error


def check_host(request: web.Request, deps: Deps) -> None:
    """On a loopback listener the name asked for must be this machine's: a page elsewhere can point a name of its own
    here (DNS rebinding) and would otherwise be of our origin. On any listener it must be one. Raises Problem."""
    name = _split(f"//{request.host}").hostname
    if name is not None and not deps.loopback:
        return
    public = urlsplit(deps.settings().web.public_url).hostname
    if name is None or (not _is_this_machine(request.host) and name != public):
        raise Problem(HTTPStatus.MISDIRECTED_REQUEST, "host", host=request.host[:200])


def from_this_machine(request: web.Request) -> bool:
    """Whether a request came straight from a program on this machine: not through a proxy, not from a foreign page."""
    forwarded = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"))
    return (
        not forwarded
        and _is_this_machine(request.host)
        and request.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin")
    )


def address(request: web.Request) -> str:
    """Where a request came from, for the audit trail and the sign-in back-off."""
    return request.remote or "unknown"


def _split(address: str) -> SplitResult:
    """The parts of an address; all of them empty where it can't be read."""
    try:
        return urlsplit(address)
    except ValueError:
        return SplitResult("", "", "", "", "")


def _is_this_machine(host: str) -> bool:
    name = _split(f"//{host}").hostname or ""
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False

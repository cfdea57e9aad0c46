"""Around every request: the access log, headers that bind browsers, and failures turned into answers people can use."""

from __future__ import annotations

import logging
import time
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler
from yarl import URL

from camera_registry.console import identity
from camera_registry.console.problems import Problem, refused
from camera_registry.console.render import page
from camera_registry.console.routing import DEPS, WORDS, language
from camera_registry.rules.access import Denied
from camera_registry.store.errors import Conflict, Outdated, Refused, StoreError, Unavailable
from camera_registry.texts import LANGUAGES, Texts, texts
from probes.redaction import redact

log = logging.getLogger("camera_registry.access")
_fault_log = logging.getLogger(__name__)

_A_YEAR = 365 * 24 * 3600
"""Seconds."""

_PLAIN = ("/metrics", "/sd/", "/probe", "/healthz", "/readyz", "/events", "/static/")
"""Paths that programs ask for: a failure is told in a few lines of text."""

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


@web.middleware
async def access_log(request: web.Request, handler: Handler) -> web.StreamResponse:
    """One line a request: never the query, which may hold a name somebody searched for, and never a header."""
    begun = time.perf_counter()
    status = HTTPStatus.INTERNAL_SERVER_ERROR.value
    try:
        response = await handler(request)
        status = response.status
    finally:
        who = request.get(identity.WHO)
        took = (time.perf_counter() - begun) * 1000
        level = logging.DEBUG if request.path in ("/healthz", "/readyz", "/events") else logging.INFO
        log.log(
            level,
            "%s %s %d %.1f ms %s %s",
            request.method,
            request.path[:300],
            status,
            took,
            identity.address(request),
            who.user.name if who else "-",
        )
    return response


async def set_headers(request: web.Request, response: web.StreamResponse) -> None:
    """On every answer, streams included (aiohttp calls this just before the head is sent)."""
    for name, value in _HEADERS.items():
        # A printed report has a stricter content policy of its own.
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    chosen = request.query.get("lang", "")
    if chosen in LANGUAGES and not request.path.startswith("/api/"):
        # Cookies that are set on the response have been written by now, so this one is a header.
        cookie = f"lang={chosen}; Max-Age={_A_YEAR}; Path=/; SameSite=Lax; HttpOnly"
        response.headers.add("Set-Cookie", cookie)
    if identity.is_secure(request.app[DEPS].settings()):
        response.headers["Strict-Transport-Security"] = f"max-age={_A_YEAR}"
    response.headers.pop("Server", None)


@web.middleware
async def failures(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The one place where a failure becomes an answer."""
    try:
        deps = request.app[DEPS]
        identity.check_head(request)
        identity.check_host(request, deps)
        identity.check_origin(request, deps.settings())
        return await handler(request)
    except Problem as problem:
        return _told(request, problem)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        return _told(request, _of_aiohttp(request, error))
    except Denied as denied:
        return _told(request, refused(denied))
    except StoreError as error:
        return _told(request, _of_store(error))
    except Exception:  # noqa: BLE001 - the outermost catch: the asker gets an answer, the log gets the trace
        _fault_log.exception("%s %s failed on our side", request.method, request.path)
        return _told(request, Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal"))


def _of_aiohttp(request: web.Request, error: web.HTTPException) -> Problem:
    if error.status == HTTPStatus.NOT_FOUND:
        return Problem(HTTPStatus.NOT_FOUND, "not_found", what=request.path[:200])
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        return Problem(
            HTTPStatus.METHOD_NOT_ALLOWED, "method", headers={"Allow": allowed}, method=request.method, allowed=allowed
        )
    if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large")
    return Problem(HTTPStatus(error.status), "bad_request", why=redact(error.reason))


def _of_store(error: StoreError) -> Problem:
    match error:
        case Outdated():
            return Problem(HTTPStatus.PRECONDITION_FAILED, "outdated", why=error)
        case Refused() | Conflict():
            return Problem(HTTPStatus.CONFLICT, "refused", why=error)
        case Unavailable():
            return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", headers={"Retry-After": "5"}, why=error)
        case _:
            return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "refused", why=error)


def _told(request: web.Request, problem: Problem) -> web.StreamResponse:
    """problem+json for scripts; for people a page, or the way to sign in."""
    words = _words(request)
    if request.path.startswith("/api/"):
        return problem.response(words, request.path)
    if problem.code == "sign_in" and request.path != "/events":
        return _to_sign_in(request)
    if not _wants_page(request):
        each = (f"{one.place}: {one.detail} {one.remedy}".rstrip() for one in problem.places)
        text = "\n".join((problem.detail(words), *each, problem.remedy(words), ""))
        return web.Response(text=text, status=problem.status, headers=problem.headers)
    deps = request.app[DEPS]
    response = page(
        request,
        "problem.html",
        words=words,
        zone=deps.zone(),
        now=deps.now(),
        who=request.get(identity.WHO),
        alarms=deps.alarms(),
        status=problem.status,
        detail=problem.detail(words),
        remedy=words("console.correct") if problem.places else problem.remedy(words),
        back=_back(request),
        number=problem.status.value,
        places=problem.places,
    )
    response.headers.update(problem.headers)
    return response


def _back(request: web.Request) -> str:
    """The page that led here, as far as the browser says so and it is one of ours; else empty."""
    try:
        before = URL(request.headers.get("Referer", ""))
    except ValueError:
        return ""
    path = before.raw_path_qs
    ours = before.authority == request.url.authority and (request.method, path) != ("GET", request.rel_url.raw_path_qs)
    return path if ours and path.startswith("/") and not path.startswith("//") else ""


def _to_sign_in(request: web.Request) -> web.StreamResponse:
    if request.headers.get("HX-Request") == "true":
        # A fragment can't be redirected; htmx takes the whole page there.
        return web.Response(status=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": "/sign-in"})
    if not _wants_page(request):
        words = _words(request)
        problem = Problem(HTTPStatus.UNAUTHORIZED, "sign_in")
        return web.Response(
            text=f"{problem.detail(words)}\n{problem.remedy(words)}\n",
            status=HTTPStatus.UNAUTHORIZED,
            headers={"WWW-Authenticate": 'Bearer realm="camera-registry"'},
        )
    follow = request.rel_url if request.method == "GET" and request.path != "/" else ""
    location = request.url.with_path("/sign-in").with_query({"next": str(follow)} if follow else None)
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": str(location.relative())})


def _wants_page(request: web.Request) -> bool:
    return not request.path.startswith(_PLAIN)


def _words(request: web.Request) -> Texts:
    if WORDS in request:
        return request[WORDS]
    return texts(language(request, None, request.app[DEPS].settings().language))

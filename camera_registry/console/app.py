"""Builds the console from its route table and what it is given."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus

from aiohttp import web

from camera_registry.console import events, machine, ordering, probing, reporting, signing, snapshots
from camera_registry.console.api import system
from camera_registry.console.deps import Deps
from camera_registry.console.live import Live
from camera_registry.console.middleware import access_log, failures, set_headers
from camera_registry.console.pages import access as access_pages
from camera_registry.console.pages import choices as choices_page
from camera_registry.console.pages import coverage as coverage_pages
from camera_registry.console.pages import crew as crew_page
from camera_registry.console.pages import device as device_page
from camera_registry.console.pages import devices as devices_page
from camera_registry.console.pages import incidents as incidents_page
from camera_registry.console.pages import labels as labels_page
from camera_registry.console.pages import masked as masked_page
from camera_registry.console.pages import notices as notices_page
from camera_registry.console.pages import orders as orders_page
from camera_registry.console.pages import overview as overview_page
from camera_registry.console.pages import proposals as proposals_page
from camera_registry.console.pages import reports as reports_page
from camera_registry.console.pages import review as review_page
from camera_registry.console.pages import seen as seen_page
from camera_registry.console.pages import windows as windows_page
from camera_registry.console.reader import READER, Reader
from camera_registry.console.render import STATIC
from camera_registry.console.routing import DEPS, AnyRoute, Surface, dispatcher
from camera_registry.console.survey import SURVEY, Survey
from camera_registry.store.passwords import Passwords
from exporters.prometheus import DevicePage

_MOST_BYTES = 1024 * 1024
"""Of a request's body; an import reads its own, up to its own limit."""
_FOR_EVER = "public, max-age=31536000, immutable"

ROUTES: tuple[AnyRoute, ...] = (
    *overview_page.ROUTES,
    *devices_page.ROUTES,
    *device_page.ROUTES,
    *seen_page.ROUTES,
    *masked_page.ROUTES,
    *review_page.ROUTES,
    *incidents_page.ROUTES,
    *orders_page.ROUTES,
    *crew_page.ROUTES,
    *windows_page.ROUTES,
    *labels_page.ROUTES,
    *choices_page.ROUTES,
    *coverage_pages.ROUTES,
    *notices_page.ROUTES,
    *proposals_page.ROUTES,
    *reports_page.ROUTES,
    *access_pages.ROUTES,
    *events.ROUTES,
    *machine.ROUTES,
    *system.ROUTES,
)
"""Everything that can be asked for, but the files of ``static/``."""

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def build(deps: Deps) -> web.Application:
    """The console as an aiohttp application; whoever runs it gives it a listener."""
    app = web.Application(middlewares=[access_log, failures], client_max_size=_MOST_BYTES)
    app[DEPS] = deps
    app[READER] = Reader(deps.board)
    app[events.LIVE] = Live(deps.board)
    app[SURVEY] = Survey(deps)
    app[probing.PROBING] = probing.Probing(deps)
    app[reporting.REPORTING] = reporting.Reporting(deps)
    app[signing.PASSWORDS] = Passwords()
    app[signing.DOORS] = signing.Doors()
    app[ordering.TURN] = asyncio.Lock()
    app[machine.DEVICE_PAGE] = DevicePage(deps.board, deps.metrics.coverage.under_work)
    app[snapshots.PICTURES] = snapshots.Snapshots(deps.store, deps.pictures)
    for route in ROUTES:
        handler = dispatcher(route)
        app.router.add_route(route.method, route.path, handler)
        if route.method == "GET" and route.surface in (Surface.OPEN, Surface.MACHINE):
            # Balancers and monitors that only want to know whether somebody answers (RFC 9110, section 9.3.2).
            app.router.add_route("HEAD", route.path, handler)
    app.router.add_get("/static/{name:[a-z0-9./-]+}", _file)
    app.on_response_prepare.append(set_headers)
    app.cleanup_ctx.append(_running)
    app.on_shutdown.append(_end_streams)
    return app


async def _running(app: web.Application) -> AsyncIterator[None]:
    app[events.LIVE].start()
    yield
    await app[reporting.REPORTING].close()
    await app[SURVEY].close()
    app[signing.PASSWORDS].close()


async def _end_streams(app: web.Application) -> None:
    app[events.LIVE].stop()


async def _file(request: web.Request) -> web.StreamResponse:
    """A file of ours. Only files that stand there when asked by a clean name; no listing, nothing outside."""
    path = (STATIC / request.match_info["name"]).resolve()
    if not path.is_relative_to(STATIC) or not path.is_file() or path.suffix not in _TYPES:
        raise web.HTTPNotFound
    caching = _FOR_EVER if request.query.get("v") else "public, max-age=300"
    headers = {"Cache-Control": caching, "Content-Type": f"{_TYPES[path.suffix]}; charset=utf-8"}
    return web.FileResponse(path, headers=headers, status=HTTPStatus.OK)

"""QR codes of device files, one by one and as a sheet of labels: scanned on the pole, they lead to the device."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import quote

import segno
from aiohttp import web
from pydantic import Field

from camera_registry.console import choosing
from camera_registry.console.cursor import from_cursor, to_cursor
from camera_registry.console.found import on_board
from camera_registry.console.pages.show import show
from camera_registry.console.reader import READER, Filter, Order
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.console.schemas import Filters, PageQuery
from camera_registry.rules.access import Action

_LABELS = 120
"""Of one sheet: five pages of A4."""
_QUIET = 4
"""Modules of white around a code (ISO/IEC 18004, section 5.3.8)."""


class LabelsQuery(Filters):
    """The devices of an area and all beneath it, or of a site."""

    area: str = Field("", max_length=200)
    site: str = Field("", max_length=200)
    after: str = Field("", max_length=400)


async def code(asked: Asked[PageQuery, Nothing]) -> web.StreamResponse:
    device = on_board(asked.deps.board, asked.item()).device
    drawn = io.BytesIO()
    # Labels weather on poles: level Q reads with a quarter of it gone.
    segno.make(link(asked, device.id), micro=False, error="q").save(
        drawn, kind="svg", scale=8, border=_QUIET, light="white", svgclass=None, lineclass=None
    )
    return web.Response(body=drawn.getvalue(), content_type="image/svg+xml")


async def sheet(asked: Asked[LabelsQuery, Nothing]) -> web.StreamResponse:
    query, names = asked.query, asked.deps.board.names
    area, no_area = choosing.filtered(names.areas, query.area, asked.words)
    site, no_site = choosing.filtered(names.sites, query.site, asked.words, "no_choice.site")
    wanted = Filter(area=area, site=site)
    listed = await asked.request.app[READER].select(wanted, Order.ID, from_cursor(query.after), _LABELS)
    return show(
        asked,
        "labels.html",
        query=query,
        listed=listed,
        next=to_cursor(listed.after),
        names=names,
        doubt=no_area or no_site,
        areas=choosing.areas(names),
        sites=choosing.sites(names),
        base=base(asked),
        private=not asked.deps.settings().web.public_url,
    )


def base(asked: Asked[Any, Any]) -> str:
    """The address by which people reach us, as far as anybody has told."""
    return (asked.deps.settings().web.public_url or str(asked.request.url.origin())).rstrip("/")


def link(asked: Asked[Any, Any], device: str) -> str:
    """What a device's code says: its page for crews, which leads others to the page they want."""
    return f"{base(asked)}/m/devices/{quote(device, safe='')}"


ROUTES: tuple[AnyRoute, ...] = (
    Route(Surface.PAGE, "GET", "/devices/{id}/qr.svg", code, Action.SEE, PageQuery, Nothing),
    Route(Surface.PAGE, "GET", "/labels", sheet, Action.SEE, LabelsQuery, Nothing),
)

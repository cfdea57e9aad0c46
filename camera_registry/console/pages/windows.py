"""The page of planned maintenance: what is muted and why, and a form to plan more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from camera_registry.console import handling
from camera_registry.console.pages.devices import area_of
from camera_registry.console.pages.show import show
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.console.schemas import PageQuery
from camera_registry.model.maintenance import Cover, Window, WindowKind
from camera_registry.rules import maintenance
from camera_registry.rules.access import Action
from camera_registry.store import windows

_SHOWN = 200


def _words(given: object) -> object:
    return tuple(given.replace(",", " ").replace("，", " ").split()) if isinstance(given, str) else given


def _local(given: object) -> object:
    return given or None


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
Local = Annotated[datetime | None, BeforeValidator(_local)]


class WindowForm(BaseModel):
    """Times are those of the page's time zone, as browsers send them: without one."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    kind: WindowKind = WindowKind.FIXED
    begins: datetime
    ends: Local = None
    minutes: Annotated[float, BeforeValidator(lambda given: given or 0), Field(ge=0, le=525_600)] = 0
    schedule: str = Field("", max_length=200)
    reason: str = Field(min_length=1, max_length=2000)
    devices: Words = ()
    tags: Words = ()
    areas: Words = ()
    parents: Words = ()


class WindowsQuery(PageQuery):
    """``device``: whom a window is about to be planned for."""

    device: str = Field("", max_length=200)


async def listed(asked: Asked[WindowsQuery, Nothing]) -> web.StreamResponse:
    now, zone = asked.deps.now(), asked.deps.zone()
    kept = await asked.deps.store.read(windows.page, limit=_SHOWN)
    return show(
        asked,
        "windows.html",
        shown=[(one, _standing(one, now)) for one in kept],
        kinds=WindowKind,
        query=asked.query,
        names=asked.deps.board.names,
        zone_name=zone.key,
        begins=f"{now.astimezone(zone):%Y-%m-%dT%H:%M}",
    )


def _standing(window: Window, now: datetime) -> str:
    """``now``, ``planned``, or ``past``."""
    if maintenance.turn(window, now) is not None:
        return "now"
    if window.cancelled_at is not None or (window.ends is not None and window.ends + window.lasts <= now):
        return "past"
    return "planned"


async def plan(asked: Asked[PageQuery, WindowForm]) -> web.StreamResponse:
    form, zone, names = asked.body, asked.deps.zone(), asked.deps.board.names.areas
    window = Window(
        0,
        form.kind,
        Cover(form.devices, form.tags, tuple(area_of(one, names) for one in form.areas), form.parents),
        form.begins.replace(tzinfo=zone),
        None if form.ends is None else form.ends.replace(tzinfo=zone),
        form.reason,
        asked.user.name,
        asked.deps.now(),
        timedelta(minutes=form.minutes),
        form.schedule,
        zone.key,
    )
    await handling.plan(asked, window)
    return web.Response(status=303, headers={"Location": "/windows"})


async def cancel(asked: Asked[PageQuery, Nothing]) -> web.StreamResponse:
    await handling.cancel(asked)
    return web.Response(status=303, headers={"Location": "/windows"})


ROUTES: tuple[AnyRoute, ...] = (
    Route(Surface.PAGE, "GET", "/windows", listed, Action.SEE, WindowsQuery, Nothing),
    Route(Surface.PAGE, "POST", "/windows", plan, Action.PLAN, PageQuery, WindowForm),
    Route(Surface.PAGE, "POST", "/windows/{id}/cancel", cancel, Action.PLAN, PageQuery, Nothing),
)

"""The page of planned maintenance: what is muted and why, and a form to plan more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from aiohttp import web
from pydantic import BeforeValidator, Field, NaiveDatetime

from camera_registry.console import choosing, handling
from camera_registry.console.pages.show import go_to, show
from camera_registry.console.problems import Problem
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.console.schemas import Blank, Filters, Form, PageQuery
from camera_registry.model.maintenance import Cover, Window, WindowKind
from camera_registry.rules import maintenance
from camera_registry.rules.access import Action
from camera_registry.store import windows

_SHOWN = 200
_A_WHILE = timedelta(hours=1)


def _words(given: object) -> object:
    return tuple(given.replace(",", " ").replace("，", " ").split()) if isinstance(given, str) else given


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
Local = Annotated[NaiveDatetime, Field(ge=datetime(2, 1, 1), lt=datetime(9999, 1, 1))]  # noqa: DTZ001 - the page's zone is put to it
"""A time that can be moved to any time zone."""


class WindowForm(Form):
    """Times are those of the page's time zone, as browsers send them: without one."""

    kind: WindowKind = WindowKind.FIXED
    begins: Local
    ends: Annotated[Local | None, Blank] = None
    minutes: Annotated[float, BeforeValidator(lambda given: given or 0), Field(ge=0, le=525_600)] = 0
    schedule: str = Field("", max_length=200)
    reason: str = Field(min_length=1, max_length=2000)
    devices: Words = ()
    tags: Words = ()
    areas: Words = ()
    parents: Words = ()


class CoverQuery(Filters):
    """What a window that is about to be planned would cover."""

    devices: Words = ()
    tags: Words = ()
    areas: Words = ()
    parents: Words = ()


class WindowsQuery(Filters):
    """``device``: whom a window is about to be planned for."""

    device: str = Field("", max_length=200)


async def listed(asked: Asked[WindowsQuery, Nothing]) -> web.StreamResponse:
    now, zone = asked.deps.now(), asked.deps.zone()
    kept = await asked.deps.store.read(windows.page, limit=_SHOWN)
    return show(
        asked,
        "windows.html",
        shown=[(one, _standing(one, now)) for one in kept],
        muted=await handling.muted(asked, kept),
        kinds=WindowKind,
        query=asked.query,
        names=asked.deps.board.names,
        areas=choosing.areas(asked.deps.board.names),
        zone_name=zone.key,
        begins=f"{now.astimezone(zone):%Y-%m-%dT%H:%M}",
    )


def _standing(window: Window, now: datetime) -> str:
    """``now``, ``planned``, or ``past``."""
    if maintenance.over(window, now):
        return "past"
    return "planned" if maintenance.turn(window, now) is None else "now"


async def muted(asked: Asked[CoverQuery, Nothing]) -> web.StreamResponse:
    """How many devices it would keep quiet, for the form that is being filled in."""
    query, names, now = asked.query, asked.deps.board.names.areas, asked.deps.now()
    doubt = ""
    try:
        areas = tuple(choosing.meant(names, one) for one in query.areas)
    except Problem as problem:
        areas, doubt = (), problem.detail(asked.words)
    cover = Cover(query.devices, query.tags, areas, query.parents)
    window = Window(0, WindowKind.FIXED, cover, now, now + _A_WHILE, "", "", now)
    found = await handling.muted(asked, [window])
    doubt = doubt or handling.strangers(asked, cover)
    return show(asked, "windows.muted.html", named=cover != Cover(), muted=found[0], doubt=doubt)


async def plan(asked: Asked[PageQuery, WindowForm]) -> web.StreamResponse:
    form, zone, names = asked.body, asked.deps.zone(), asked.deps.board.names.areas
    window = Window(
        0,
        form.kind,
        Cover(form.devices, form.tags, tuple(choosing.meant(names, one) for one in form.areas), form.parents),
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
    return go_to("/windows")


async def cancel(asked: Asked[PageQuery, Nothing]) -> web.StreamResponse:
    await handling.cancel(asked)
    return go_to("/windows")


ROUTES: tuple[AnyRoute, ...] = (
    Route(Surface.PAGE, "GET", "/windows", listed, Action.SEE, WindowsQuery, Nothing),
    Route(Surface.PAGE, "GET", "/windows/muted", muted, Action.PLAN, CoverQuery, Nothing),
    Route(Surface.PAGE, "POST", "/windows", plan, Action.PLAN, PageQuery, WindowForm),
    Route(Surface.PAGE, "POST", "/windows/{id}/cancel", cancel, Action.PLAN, PageQuery, Nothing),
)

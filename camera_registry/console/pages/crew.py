"""The crew page, for a phone on a pole with a bad line: one's own orders, and one tap for each step of one.

Plain forms only. Each carries how often its sender had said the same of this order when the page was made; what comes
again after a lost answer says it a second time from the same page, is known by that, and does nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, Field

from camera_registry.console import asking, ordering, photographs
from camera_registry.console.ordering import DoDeed
from camera_registry.console.pages.order_pictures import pictures
from camera_registry.console.pages.people import called, people
from camera_registry.console.pages.show import go_to, show
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.console.schemas import Form, PageQuery
from camera_registry.model.attachment import AttachmentKind
from camera_registry.model.people import Role
from camera_registry.model.work_order import HoldReason, OrderStep, WorkOrder
from camera_registry.rules.access import Action
from camera_registry.rules.dispatch import deeds
from camera_registry.store import orders
from camera_registry.store.orders import StoredStep

_SHOWN = 100

F = TypeVar("F", bound="StepForm")


class StepForm(Form):
    """``said``: how often whoever sends it had said the same before."""

    said: int = Field(ge=0)


class HoldForm(StepForm):
    reason: HoldReason
    note: str = Field("", max_length=2000)


class FixForm(StepForm):
    note: str = Field("", max_length=2000)


class NoteForm(StepForm):
    """``kind`` is that of the photographs beside it."""

    note: str = Field("", max_length=2000)
    kind: AttachmentKind = AttachmentKind.BEFORE


async def mine(asked: Asked[PageQuery, Nothing]) -> web.StreamResponse:
    found = ordering.open_orders(asked)
    return show(
        asked,
        "crew.html",
        shown=found[:_SHOWN],
        more=max(0, len(found) - _SHOWN),
        called=called(asked.deps.board, found[:_SHOWN]),
        names=asked.deps.board.names,
        next_due=ordering.next_due,
        crewless=asked.user.role is Role.CREW and not asked.user.crew,
    )


async def one(asked: Asked[PageQuery, Nothing]) -> web.StreamResponse:
    order = await ordering.find(asked)
    board = asked.deps.board
    entry = board.get(order.about)
    steps = await asked.deps.store.read(orders.time_line, order.id)
    return show(
        asked,
        "crew_order.html",
        order=order,
        entry=entry,
        parent=board.get(entry.device.parent) if entry is not None else None,
        called=called(board, [order])[order.id],
        names=board.names,
        sent=await people(asked),
        next_due=ordering.next_due,
        possible=deeds.possible(order, ordering.actor(asked.user)),
        said={step.value: _said(steps, step, asked.user.name) for step in OrderStep},
        steps=steps[-8:],
        detail=await ordering.found_by(asked, order),
        wanted=ordering.wanted_of(steps),
        pictures=await pictures(asked, order),
        hold_reasons=HoldReason,
    )


async def scanned(asked: Asked[PageQuery, Nothing]) -> web.StreamResponse:
    """What the code on a device leads to: the open order of it, or for those who may see it, the device's page."""
    device = asked.item()
    if asked.user.role is not Role.CREW:
        return go_to(asked.request.rel_url.raw_path.removeprefix("/m"))
    found = [order for order in ordering.open_orders(asked) if _touches(order, device)]
    if found:
        return go_to(f"/m/orders/{found[0].id}")
    return show(asked, "crew_device.html", device=device)


def _touches(order: WorkOrder, device: str) -> bool:
    return order.about == device or any(one.device == device for one in order.symptoms)


def _said(steps: list[StoredStep], step: OrderStep, name: str) -> int:
    return sum(one.step is step and one.actor == name for one in steps)


async def take_note(asked: Asked[PageQuery, NoteForm]) -> web.StreamResponse:
    order, form = await ordering.find(asked), asked.body
    await photographs.keep(asked, order, form.kind)
    if form.note.strip():
        await _once(asked, order, OrderStep.NOTED, asking.note(form.note))
    return _back(order)


async def fix(asked: Asked[PageQuery, FixForm]) -> web.StreamResponse:
    """The photographs first: what shows that it is mended must not be lost to a refused step."""
    order = await ordering.find(asked)
    await photographs.keep(asked, order, AttachmentKind.AFTER)
    await _once(asked, order, OrderStep.FIXED, asking.fix(asked.body.note))
    return _back(order)


async def _once(asked: Asked[Any, F], order: WorkOrder, step: OrderStep, deed: DoDeed) -> None:
    async with asked.request.app[ordering.TURN]:
        steps = await asked.deps.store.read(orders.time_line, order.id)
        if _said(steps, step, asked.user.name) <= asked.body.said:
            await ordering.do(asked, order, None, deed)


def _back(order: WorkOrder) -> web.Response:
    return go_to(f"/m/orders/{order.id}")


def _form(path: str, handler: Any, body: type[BaseModel]) -> AnyRoute:
    return Route(Surface.PAGE, "POST", f"/m/orders/{{id}}/{path}", handler, Action.WORK, PageQuery, body)


def _tap(path: str, body: type[F], step: OrderStep, deed: Callable[[F], DoDeed]) -> AnyRoute:
    async def handle(asked: Asked[PageQuery, F]) -> web.StreamResponse:
        order = await ordering.find(asked)
        await _once(asked, order, step, deed(asked.body))
        return _back(order)

    return _form(path, handle, body)


ROUTES: tuple[AnyRoute, ...] = (
    Route(Surface.PAGE, "GET", "/m", mine, Action.SEE_ORDERS, PageQuery, Nothing),
    Route(Surface.PAGE, "GET", "/m/orders/{id}", one, Action.SEE_ORDERS, PageQuery, Nothing),
    Route(Surface.PAGE, "GET", "/m/devices/{id}", scanned, Action.SEE_ORDERS, PageQuery, Nothing),
    _tap("accept", StepForm, OrderStep.ACCEPTED, lambda _: asking.accept()),
    _tap("arrive", StepForm, OrderStep.ARRIVED, lambda _: asking.arrive()),
    _tap("hold", HoldForm, OrderStep.HELD, lambda form: asking.hold(form.reason, form.note)),
    _tap("resume", StepForm, OrderStep.RESUMED, lambda _: asking.resume()),
    replace(_form("fix", fix, FixForm), photographs=True),
    replace(_form("note", take_note, NoteForm), photographs=True),
)

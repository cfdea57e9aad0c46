"""The list of work orders, and the page of one: how it goes, by when, what proves it, and what one may do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any, Literal, TypeVar

from aiohttp import web
from pydantic import BaseModel, Field

from camera_registry.console import asking, choosing, clocks, ordering, photographs
from camera_registry.console.cursor import cut
from camera_registry.console.ordering import DoDeed
from camera_registry.console.pages.order_pictures import pictures
from camera_registry.console.pages.people import called, people
from camera_registry.console.pages.show import go_to, show
from camera_registry.console.problems import Problem
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.console.schemas import (
    Before,
    Blank,
    Filters,
    Form,
    OptionalCause,
    OptionalOrderState,
    OptionalSorting,
    PageQuery,
    VersionForm,
)
from camera_registry.model.attachment import AttachmentKind
from camera_registry.model.health import Cause
from camera_registry.model.incident import Severity
from camera_registry.model.work_order import CancelReason, HoldReason, OrderState, WorkOrder
from camera_registry.rules.access import Action
from camera_registry.rules.dispatch import deeds
from camera_registry.rules.dispatch.opening import Wish
from camera_registry.store import orders, platform
from camera_registry.store.orders import Wanted
from camera_registry.store.sorting import Sorting

_ROWS = 60

F = TypeVar("F", bound="VersionForm")


class OrdersQuery(Filters):
    """The list. ``which``: open ones, of these the overdue ones, those that are over, or all; left out: open ones, or
    all of a ``state``. ``order`` left out: the worst first where only open ones are shown, else the newest."""

    which: Annotated[Literal["open", "overdue", "over", "all"] | None, Blank] = None
    state: OptionalOrderState = None
    crew: str = Field("", max_length=200)
    area: str = Field("", max_length=200)
    about: str = Field("", max_length=200)
    cause: OptionalCause = None
    order: OptionalSorting = None
    before: Before = None

    @property
    def narrowed(self) -> bool:
        """Whether others are listed than all that are open."""
        asked = self.model_dump(exclude={*PageQuery.model_fields, "which", "order", "before"}, exclude_defaults=True)
        return self.among != "open" or bool(asked)

    @property
    def among(self) -> str:
        return self.which or ("open" if self.state is None else "all")

    @property
    def sorting(self) -> Sorting:
        return self.order or (Sorting.WORST if self.among in ("open", "overdue") else Sorting.NEWEST)


class OpenForm(Form):
    cause: Cause
    text: str = Field(min_length=1, max_length=2000)
    severity: Annotated[Severity | None, Blank] = None


class AssignForm(VersionForm):
    """``to`` is ``crew/ID`` or ``contractor/ID``."""

    to: str = Field(max_length=220)


class HoldForm(VersionForm):
    reason: HoldReason
    note: str = Field("", max_length=2000)


class SaidForm(VersionForm):
    note: str = Field("", max_length=2000)


class CancelForm(VersionForm):
    reason: CancelReason
    note: str = Field("", max_length=2000)


class RateForm(VersionForm):
    stars: Annotated[int | None, Blank, Field(ge=1, le=5)] = None
    note: str = Field("", max_length=2000)


class NoteForm(Form):
    text: str = Field(min_length=1, max_length=2000)


class AttachForm(Form):
    kind: AttachmentKind = AttachmentKind.OTHER


async def listed(asked: Asked[OrdersQuery, Nothing]) -> web.StreamResponse:
    query, board, now = asked.query, asked.deps.board, asked.deps.now()
    area, doubt = choosing.filtered(board.names.areas, query.area, asked.words)
    wanted = Wanted(
        open={"open": True, "overdue": True, "over": False}.get(query.among),
        states=frozenset() if query.state is None else frozenset({query.state}),
        crew=query.crew,
        area=area,
        about=query.about,
        cause=query.cause,
        overdue=now if query.among == "overdue" else None,
    )
    found = await ordering.listed(asked, wanted, query.before, _ROWS + 1, query.sorting)
    shown, following = cut(found, _ROWS)
    still = ordering.open_orders(asked)
    return show(
        asked,
        "orders.html",
        query=query,
        shown=shown,
        next=following,
        sortings=Sorting,
        states=OrderState,
        open=len(still),
        overdue=sum(ordering.is_overdue(one, now) for one in still),
        names=board.names,
        called=called(board, shown),
        sent=await people(asked),
        next_due=ordering.next_due,
        doubt=doubt,
        areas=choosing.areas(board.names),
        causes=Cause,
    )


async def one(asked: Asked[PageQuery, Nothing]) -> web.StreamResponse:
    order = await ordering.find(asked)
    store, board, now = asked.deps.store, asked.deps.board, asked.deps.now()
    live = asked.request.headers.get("HX-Request") == "true"
    steps = await store.read(orders.time_line, order.id)
    return show(
        asked,
        "order.html",
        order=order,
        names=board.names,
        called=called(board, [order])[order.id],
        entry=board.get(order.about),
        sent=await people(asked),
        next_due=ordering.next_due,
        late=[phase for phase in order.pending() if (due := order.due.of(phase)) is not None and due <= now],
        outage=await clocks.outage(asked, order),
        worked=clocks.work(asked, order),
        reference=await store.read(platform.reference_of, order.id),
        steps=steps,
        detail=await ordering.found_by(asked, order),
        wanted=ordering.wanted_of(steps),
        possible=deeds.possible(order, ordering.actor(asked.user)),
        # The pictures do not change while one looks, and to fetch them anew would be one more look at each.
        pictures=() if live else await pictures(asked, order),
        hold_reasons=HoldReason,
        cancel_reasons=[reason for reason in CancelReason if reason.value not in ("explained", "not_measured")],
        attachment_kinds=AttachmentKind,
    )


async def open_one(asked: Asked[PageQuery, OpenForm]) -> web.StreamResponse:
    form = asked.body
    return _back(await ordering.open_by_hand(asked, Wish(asked.item(), form.cause, form.text, form.severity)))


async def assign(asked: Asked[PageQuery, AssignForm]) -> web.StreamResponse:
    order = await ordering.find(asked)
    kind, _, id = asked.body.to.partition("/")
    crew, contractor = (id, "") if kind == "crew" else ("", id)
    await ordering.assign(asked, order, asked.body.version, contractor, crew)
    return _back(order)


async def note(asked: Asked[PageQuery, NoteForm]) -> web.StreamResponse:
    order, text = await ordering.find(asked), asked.body.text
    await ordering.do(asked, order, None, asking.note(text))
    return _back(order)


async def attach(asked: Asked[PageQuery, AttachForm]) -> web.StreamResponse:
    order = await ordering.find(asked)
    if not asked.photographs:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "no_photograph", why="")
    await photographs.keep(asked, order, asked.body.kind)
    return _back(order)


def _back(order: WorkOrder) -> web.Response:
    return go_to(f"/orders/{order.id}")


def _form(path: str, handler: Callable[[Any], Awaitable[web.StreamResponse]], body: type[BaseModel]) -> AnyRoute:
    return Route(Surface.PAGE, "POST", f"/orders/{{id}}/{path}", handler, Action.WORK, PageQuery, body)


def _deed(path: str, body: type[F], deed: Callable[[F], DoDeed]) -> AnyRoute:
    async def handle(asked: Asked[PageQuery, F]) -> web.StreamResponse:
        order = await ordering.find(asked)
        await ordering.do(asked, order, asked.body.version, deed(asked.body))
        return _back(order)

    return _form(path, handle, body)


ROUTES: tuple[AnyRoute, ...] = (
    Route(Surface.PAGE, "GET", "/orders", listed, Action.SEE_ORDERS, OrdersQuery, Nothing),
    Route(Surface.PAGE, "GET", "/orders/{id}", one, Action.SEE_ORDERS, PageQuery, Nothing),
    Route(Surface.PAGE, "POST", "/devices/{id}/orders", open_one, Action.OPEN_ORDERS, PageQuery, OpenForm),
    _form("assign", assign, AssignForm),
    _deed("accept", VersionForm, lambda _: asking.accept()),
    _deed("arrive", VersionForm, lambda _: asking.arrive()),
    _deed("hold", HoldForm, lambda form: asking.hold(form.reason, form.note)),
    _deed("resume", VersionForm, lambda _: asking.resume()),
    _deed("fix", SaidForm, lambda form: asking.fix(form.note)),
    _deed("close", RateForm, lambda form: asking.close(form.stars, form.note)),
    # Its form needs stars; without them the rules refuse.
    _deed("rate", RateForm, lambda form: asking.rate(form.stars or 0, form.note)),
    _deed("cancel", CancelForm, lambda form: asking.cancel(form.reason, form.note)),
    _deed("reopen", SaidForm, lambda form: asking.reopen(form.note)),
    _form("note", note, NoteForm),
    replace(_form("attach", attach, AttachForm), photographs=True),
)

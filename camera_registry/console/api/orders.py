"""Work orders: who is sent, how it goes, by when, and what proves that it is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel

from camera_registry.console import asking, clocks, ordering, photographs
from camera_registry.console.api import order_answers as answers
from camera_registry.console.api import order_questions as questions
from camera_registry.console.api.answers import Listed, page
from camera_registry.console.api.incident_questions import NoteBody
from camera_registry.console.api.route import PREFIX, get, if_match, versioned, write
from camera_registry.console.ordering import DoDeed
from camera_registry.console.problems import Problem
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.model.work_order import WorkOrder
from camera_registry.rules.access import Action
from camera_registry.rules.dispatch import deeds
from camera_registry.rules.dispatch.opening import Wish
from camera_registry.store import attachments, orders, platform
from camera_registry.store.orders import Wanted

B = TypeVar("B", bound=BaseModel)


async def listed(asked: Asked[questions.OrdersQuestion, Nothing]) -> Listed[answers.OrderAnswer]:
    query, now = asked.query, asked.deps.now()
    wanted = Wanted(
        open=query.open,
        states=frozenset() if query.state is None else frozenset({query.state}),
        contractor=query.contractor,
        crew=query.crew,
        area=query.area,
        about=query.about,
        incident=query.incident,
        cause=query.cause,
        overdue=now if query.overdue else None,
        since=query.since,
        until=query.until,
    )
    found = await ordering.listed(asked, wanted, query.before, query.limit + 1, query.order)
    return page(found, query.limit, lambda one: answers.OrderAnswer.of(one, now))


async def one(asked: Asked[Nothing, Nothing]) -> answers.WholeOrder:
    return await _whole(asked, await ordering.find(asked))


async def _whole(asked: Asked[Any, Any], order: WorkOrder) -> answers.WholeOrder:
    store, now = asked.deps.store, asked.deps.now()
    asked.headers["ETag"] = f'"{order.version}"'
    return answers.WholeOrder.whole(
        order,
        now,
        clocks=(await clocks.outage(asked, order), clocks.work(asked, order)),
        detail=await ordering.found_by(asked, order),
        reference=await store.read(platform.reference_of, order.id),
        possible=deeds.possible(order, ordering.actor(asked.user)),
        steps=await store.read(orders.time_line, order.id),
        attachments=await store.read(attachments.of, order.id),
    )


async def open_one(asked: Asked[Nothing, questions.OpenBody]) -> answers.WholeOrder:
    body = asked.body
    wish = Wish(body.device, body.cause, body.text, body.severity)
    return await _whole(asked, await ordering.open_by_hand(asked, wish))


async def assign(asked: Asked[Nothing, questions.AssignBody]) -> answers.WholeOrder:
    order, expected = await ordering.find(asked), if_match(asked.request)
    return await _whole(asked, await ordering.assign(asked, order, expected, asked.body.contractor, asked.body.crew))


async def note(asked: Asked[Nothing, NoteBody]) -> answers.WholeOrder:
    order, text = await ordering.find(asked), asked.body.text
    return await _whole(asked, await ordering.do(asked, order, None, asking.note(text)))


async def list_attachments(asked: Asked[Nothing, Nothing]) -> Listed[answers.AttachmentAnswer]:
    order = await ordering.find(asked)
    kept = await asked.deps.store.read(attachments.of, order.id)
    return Listed(items=[answers.AttachmentAnswer.of(one) for one in kept])


async def attach(asked: Asked[questions.AttachQuestion, Nothing]) -> Listed[answers.AttachmentAnswer]:
    order = await ordering.find(asked)
    if not asked.photographs:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "no_photograph", why="")
    kept = await photographs.keep(asked, order, asked.query.kind)
    return Listed(items=[answers.AttachmentAnswer.of(one) for one in kept])


async def attachment(asked: Asked[Nothing, Nothing]) -> web.StreamResponse:
    return await photographs.look(asked, await ordering.find(asked))


async def picture(asked: Asked[questions.PictureQuestion, Nothing]) -> web.StreamResponse:
    order = await ordering.find(asked)
    return await photographs.look_at_device(asked, order, asked.query.kind, asked.query.channel)


_ONE = "/orders/{id}"


def _deed(name: str, body: type[B], deed: Callable[[B], DoDeed], summary: str) -> AnyRoute:
    async def handle(asked: Asked[Nothing, B]) -> answers.WholeOrder:
        order, expected = await ordering.find(asked), if_match(asked.request)
        return await _whole(asked, await ordering.do(asked, order, expected, deed(asked.body)))

    return _posted(name, handle, body, summary)


def _posted(
    name: str, handler: Callable[[Asked[Nothing, B]], Awaitable[BaseModel]], body: type[B], summary: str
) -> AnyRoute:
    """A step of an order: it is changed, and nothing is made."""
    made = write(f"POST {_ONE}/{name}", handler, Action.WORK, body, answers.WholeOrder, summary)
    return versioned(replace(made, status=HTTPStatus.OK))


ROUTES: tuple[AnyRoute, ...] = (
    get(
        "/orders",
        listed,
        Action.SEE_ORDERS,
        questions.OrdersQuestion,
        Listed[answers.OrderAnswer],
        "Work orders, newest, worst or due first; a crew is told its own",
    ),
    write(
        "POST /orders",
        open_one,
        Action.OPEN_ORDERS,
        questions.OpenBody,
        answers.WholeOrder,
        "Open a work order for a device, sent by the usual rules",
    ),
    get(_ONE, one, Action.SEE_ORDERS, Nothing, answers.WholeOrder, "One work order with its time line"),
    _posted("assign", assign, questions.AssignBody, "Send a crew, or any crew of a contractor"),
    _deed("accept", Nothing, lambda _: asking.accept(), "The crew goes"),
    _deed("arrive", Nothing, lambda _: asking.arrive(), "The crew is there"),
    _deed(
        "hold",
        questions.HoldBody,
        lambda body: asking.hold(body.reason, body.note),
        "The crew can't go on, for a reason that is not theirs",
    ),
    _deed("resume", Nothing, lambda _: asking.resume(), "The crew goes on"),
    _deed(
        "fix",
        questions.SaidBody,
        lambda body: asking.fix(body.note),
        "The crew says that it is mended; the probes are asked next",
    ),
    _deed(
        "close",
        questions.CloseBody,
        lambda body: asking.close(body.stars, body.remark),
        "A person confirms what the probes have verified",
    ),
    _deed("cancel", questions.CancelBody, lambda body: asking.cancel(body.reason, body.note), "Nobody needs to go"),
    _deed(
        "reopen",
        questions.SaidBody,
        lambda body: asking.reopen(body.note),
        "It is not done after all: whoever was sent is sent again",
    ),
    _deed("rate", questions.RateBody, lambda body: asking.rate(body.stars, body.remark), "Rate a closed order"),
    write(f"POST {_ONE}/notes", note, Action.WORK, NoteBody, answers.WholeOrder, "Write a note into the time line"),
    get(
        f"{_ONE}/attachments",
        list_attachments,
        Action.SEE_ORDERS,
        Nothing,
        Listed[answers.AttachmentAnswer],
        "What is known of an order's photographs",
    ),
    Route(
        Surface.API,
        "POST",
        f"{PREFIX}{_ONE}/attachments",
        attach,
        Action.WORK,
        questions.AttachQuestion,
        Nothing,
        Listed[answers.AttachmentAnswer],
        "Add photographs: one JPEG as the body, or several in a form; they are written anew without places and names",
        HTTPStatus.CREATED,
        photographs=True,
    ),
    get(
        f"{_ONE}/attachments/{{attachment}}",
        attachment,
        Action.SEE_PHOTOGRAPHS,
        Nothing,
        None,
        "A photograph; the look is audited",
    ),
    get(
        f"{_ONE}/picture",
        picture,
        Action.SEE_PHOTOGRAPHS,
        questions.PictureQuestion,
        None,
        "A kept picture of the device that the order is about; the look is audited",
    ),
)

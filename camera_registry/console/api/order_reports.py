"""What a city's ticket platform reports of work orders: each report once, however often it comes."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from camera_registry.console import asking, ordering
from camera_registry.console.api.order_answers import OrderAnswer, ReportAnswer
from camera_registry.console.api.order_questions import ReportBody, Reported
from camera_registry.console.api.route import PREFIX
from camera_registry.console.ordering import DoDeed
from camera_registry.console.problems import not_found
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.model.work_order import CancelReason, HoldReason, WorkOrder
from camera_registry.rules.access import Action
from camera_registry.store import platform


async def report(asked: Asked[Nothing, ReportBody]) -> ReportAnswer:
    body, deps = asked.body, asked.deps
    async with asked.request.app[ordering.TURN]:
        order = await _order(asked)
        if body.reference:
            await deps.store.write(platform.set_reference, order.id, body.reference)
        before = await deps.store.read(platform.carried_out, order.id, body.event)
        if before is None:
            told = {platform.EVENT: body.event, **({"by": body.by} if body.by else {})}
            order = await ordering.do(asked, order, None, _deed(body), **told)
    asked.headers["ETag"] = f'"{order.version}"'
    return ReportAnswer(order=OrderAnswer.of(order, deps.now()), repeated=before is not None)


async def _order(asked: Asked[Any, ReportBody]) -> WorkOrder:
    body = asked.body
    id = body.order if body.order is not None else await asked.deps.store.read(platform.order_of, body.reference)
    if id is None:
        raise not_found("order", body.reference)
    return await ordering.get(asked, id)


def _deed(body: ReportBody) -> DoDeed:
    text = body.note
    deeds: dict[Reported, Callable[[], DoDeed]] = {
        Reported.ACCEPTED: asking.accept,
        Reported.ARRIVED: asking.arrive,
        Reported.HELD: lambda: asking.hold(HoldReason(body.reason), text),
        Reported.RESUMED: asking.resume,
        Reported.FIXED: lambda: asking.fix(text),
        Reported.CLOSED: lambda: asking.close(body.stars, text),
        Reported.CANCELLED: lambda: asking.cancel(CancelReason(body.reason), text),
        Reported.REOPENED: lambda: asking.reopen(text),
        Reported.NOTED: lambda: asking.note(text),
    }
    return deeds[body.status]()


ROUTES: tuple[AnyRoute, ...] = (
    Route(
        Surface.API,
        "POST",
        f"{PREFIX}/orders/callback",
        report,
        Action.CALL_BACK,
        Nothing,
        ReportBody,
        ReportAnswer,
        "Report the status of a work order from another system, signed as our webhooks are, or with a token",
        HTTPStatus.OK,
        signed=True,
    ),
)

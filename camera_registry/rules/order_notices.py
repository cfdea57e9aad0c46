"""This file decides who is owed a notice of what happened to a work order.

By default only what is overdue is told by itself: of everything else the incident's own notice tells, which carries the
order's number. One cause, one incident, one notice, one work order. Of what a person opens for no incident nothing else
would tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from camera_registry.model.incident import Incident
from camera_registry.model.notice import Audience, Notice, Occasion
from camera_registry.model.register import Register
from camera_registry.model.work_order import OrderChange, OrderState, OrderStep
from camera_registry.rules.notices import concerns, describe_order, wake

_TOLD: Mapping[OrderStep, Occasion] = {
    OrderStep.OPENED: Occasion.ORDER_OPENED,
    OrderStep.REOPENED: Occasion.ORDER_OPENED,
    OrderStep.ASSIGNED: Occasion.ORDER_ASSIGNED,
    OrderStep.HELD: Occasion.ORDER_HELD,
    OrderStep.FIXED: Occasion.ORDER_FIXED,
    OrderStep.ESCALATED: Occasion.ORDER_OVERDUE,
    OrderStep.VERIFIED: Occasion.ORDER_VERIFIED,
    OrderStep.CLOSED: Occasion.ORDER_CLOSED,
    OrderStep.CANCELLED: Occasion.ORDER_CLOSED,
}

_NONE: Mapping[int, Incident] = {}

_SAID = ("phase", "contact", "reason")
"""What a notice says of the step itself."""


def owed(
    changes: Iterable[OrderChange],
    audiences: Sequence[Audience],
    register: Register,
    incidents: Mapping[int, Incident] = _NONE,
) -> list[Notice]:
    """The notices that follow from these steps. The same steps give the same notices, whenever they are asked for.
    ``incidents`` are the open ones by their numbers: a notice says what the one that it is about was found by."""
    notices: list[Notice] = []
    for change in changes:
        occasion = occasion_of(change)
        if occasion is None:
            continue
        order, told = change.order, {name: change.values[name] for name in _SAID if name in change.values}
        about = incidents.get(order.incident)
        detail = change.note if _news(change) else about.detail if about is not None else ""
        values = {**describe_order(order, register, detail), **told}
        for audience in audiences:
            told_of = occasion in audience.orders or (audience.orders and _news(change))
            if not told_of or not concerns(order, audience, register):
                continue
            # Several phases may be overdue at once, and each is told.
            turn = f"{order.version}.{change.values.get('phase', '')}".rstrip(".")
            due = wake(change.at + timedelta(seconds=audience.group_wait), order.severity, audience)
            notices.append(
                Notice(
                    f"{audience.channel}/order-{order.id}.{turn}.{occasion.value}",
                    audience.channel,
                    occasion,
                    order.severity,
                    change.at,
                    due,
                    order.incident or None,
                    values,
                    f"{occasion.value} {change.values.get('contact', '')}".rstrip(),
                )
            )
    return notices


def _news(change: OrderChange) -> bool:
    """Whether no notice of an incident tells of it."""
    return change.step is OrderStep.OPENED and change.order.by_hand


def occasion_of(change: OrderChange) -> Occasion | None:
    """What a step is told as; None: it is not told by itself."""
    if change.step is OrderStep.RECOVERED and change.order.state is OrderState.VERIFIED:
        return Occasion.ORDER_VERIFIED
    return _TOLD.get(change.step)

"""This file decides what a work order is when it is opened: for an incident by itself, or by a person for a device."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from camera_registry.model.dispatch import DispatchPolicy
from camera_registry.model.health import AspectState, Cause, State
from camera_registry.model.incident import Incident, Scope, Severity
from camera_registry.model.people import Role
from camera_registry.model.work_order import NO_INCIDENT, OrderChange, OrderState, OrderStep, WorkOrder
from camera_registry.rules.dispatch.book import OrderBook, Scene
from camera_registry.rules.dispatch.deeds import Actor, Deed, Refusal
from camera_registry.rules.dispatch.hours import due
from camera_registry.rules.dispatch.routing import Route, route

NOBODY_GOES = frozenset({Cause.POLLER_BLIND, Cause.INTERNAL, Cause.PARENT_DOWN})
"""What no crew can mend: our own eyes, our own mistakes, what is only said of a device behind another."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants done about a device, for what ``cause``. ``severity`` None: that of the rules."""

    device: str
    cause: Cause
    text: str
    severity: Severity | None = None


def opened(id: int, incident: Incident, way: Route, policy: DispatchPolicy, at: datetime) -> WorkOrder:
    """The order of an incident, sent by a route."""
    made = WorkOrder(
        id,
        incident.id,
        incident.scope,
        incident.about,
        incident.cause,
        way.severity,
        at,
        at,
        way.deadlines,
        OrderState.ASSIGNED if way.crew or way.contractor else OrderState.NEW,
        incident.area,
        way.contractor,
        way.crew,
        way.calendar,
        symptoms=incident.symptoms,
        affected=incident.affected,
        started=None if incident.id == NO_INCIDENT else incident.started,
        version=0,
    )
    return replace(made, due=due(made, policy))


def by_hand(
    book: OrderBook,
    scene: Scene,
    wish: Wish,
    states: Iterable[AspectState],
    usual: Severity,
    actor: Actor,
    at: datetime,
) -> OrderChange:
    """The order that a person opens for a device, sent by the usual rules, also where those send nobody. ``states`` are
    what is known of the device now, ``usual`` is the severity of such an incident. Raises Refusal.

    Where the device has an incident of that cause, which nobody is sent for, the order is about it. Else it is about
    none: it is verified when all that is well now, or bad for this cause, was read as good after the crew's word.
    """
    if actor.role not in (Role.OPERATOR, Role.ADMIN):
        raise Refusal("role", deed=Deed.OPEN.value)
    if not wish.text.strip():
        raise Refusal("untold")
    if wish.cause in NOBODY_GOES:
        raise Refusal("not_for_crews", cause=wish.cause.value)
    for order in book.orders.values():
        if (order.scope, order.about, order.cause) == (Scope.DEVICE, wish.device, wish.cause) and not order.over:
            raise Refusal("out_already", id=order.id)
    incident = _incident(scene, wish) or _none(scene, wish, states, usual, at)
    earlier = next((one for one in book.orders.values() if one.incident == incident.id != NO_INCIDENT), None)
    if earlier is not None:
        raise Refusal("open_again", id=earlier.id)
    way = route(incident, scene.policy, scene.register, asked=True, severity=wish.severity)
    assert way is not None
    order = replace(opened(book.last_id + 1, incident, way, scene.policy, at), version=1)
    sent = {"crew": way.crew} if way.crew else {"contractor": way.contractor} if way.contractor else {}
    return OrderChange(OrderStep.OPENED, at, order, actor.name, sent, wish.text)


def _incident(scene: Scene, wish: Wish) -> Incident | None:
    """The open incident that the order is about; one that a parent or planned work speaks for would call it back."""
    return next(
        (
            one
            for one in scene.incidents.values()
            if (one.scope, one.about, one.cause) == (Scope.DEVICE, wish.device, wish.cause) and not one.muted
        ),
        None,
    )


def _none(scene: Scene, wish: Wish, states: Iterable[AspectState], usual: Severity, at: datetime) -> Incident:
    """What stands in place of an incident where there is none."""
    device = scene.register.devices.get(wish.device)
    area = device.area if device is not None else ""
    # What is bad for another cause has an order of its own, and must not keep this one from being verified.
    shows = tuple(one.subject for one in states if one.settled is State.OK or one.cause is wish.cause)
    return Incident(NO_INCIDENT, Scope.DEVICE, wish.device, wish.cause, usual, at, at, at, area=area, symptoms=shows)

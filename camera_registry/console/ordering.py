"""What people and other systems do to work orders, for the API, the pages and the crew page alike.

Who may see an order is for ``authorize`` to say; what may be done to it now, for ``rules.dispatch.deeds``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Any

from aiohttp import web

from camera_registry.console.found import number, on_board
from camera_registry.console.problems import Problem, not_found
from camera_registry.console.routing import Asked
from camera_registry.model.dispatch import DispatchPolicy
from camera_registry.model.health import Cause
from camera_registry.model.people import Role, User
from camera_registry.model.work_order import OrderChange, OrderState, OrderStep, WorkOrder
from camera_registry.rules.access import Action, authorize, may
from camera_registry.rules.dispatch import deeds
from camera_registry.rules.dispatch.deeds import Actor, Deed, Refusal
from camera_registry.rules.dispatch.opening import Wish
from camera_registry.store import incidents, orders, register
from camera_registry.store.errors import Outdated
from camera_registry.store.orders import StoredStep, Wanted
from camera_registry.store.sorting import Sorting
from camera_registry.texts import Texts

_Ask = Asked[Any, Any]

DoDeed = Callable[[WorkOrder, Actor, datetime, DispatchPolicy], OrderChange]
"""Does something to an order. Raises Refusal."""

_NOBODYS = "\0"
"""No crew has this name."""


def actor(user: User) -> Actor:
    """Who does something to orders."""
    return Actor(user.name, user.role, user.crew, user.contractor)


async def find(asked: _Ask) -> WorkOrder:
    """The order that the path names, as it stands now. Raises Problem, Denied."""
    return await get(asked, number(asked, "order"))


async def get(asked: _Ask, id: int) -> WorkOrder:
    """An order that whoever asks may see. Raises Problem, Denied."""
    found = asked.deps.board.orders.get(id) or await asked.deps.store.read(orders.get, id)
    if found is None:
        raise not_found("order", id)
    authorize(asked.user, Action.SEE_ORDERS, found)
    return found


async def listed(
    asked: _Ask, wanted: Wanted, before: int | None, limit: int, sorting: Sorting = Sorting.NEWEST
) -> list[WorkOrder]:
    """Orders: of the role ``crew``, only its own."""
    user = asked.user
    if user.role is Role.CREW:
        wanted = replace(wanted, crew=user.crew or _NOBODYS, contractor=user.contractor if user.crew else "")
    return await asked.deps.store.read(orders.page, wanted, sorting=sorting, before_id=before, limit=limit)


def open_orders(asked: _Ask) -> list[WorkOrder]:
    """The orders that are not over and that whoever asks may see, those that are due first in front."""
    found = [
        one for one in asked.deps.board.orders.values() if not one.over and may(asked.user, Action.SEE_ORDERS, one)
    ]
    return sorted(found, key=urgency)


def next_due(order: WorkOrder) -> datetime | None:
    """When the next phase that is still to be done is, or was, due."""
    dues = (order.due.of(phase) for phase in order.pending())
    return min((due for due in dues if due is not None), default=None)


def urgency(order: WorkOrder) -> tuple[bool, datetime, str, int]:
    """By which orders are sorted: what is due first, then what is not due at all (on hold, say), the worst first."""
    due = next_due(order)
    return due is None, due or order.sent_at, order.severity, order.id


def is_overdue(order: WorkOrder, now: datetime) -> bool:
    """Whether a phase that is still to be done was due before now."""
    due = next_due(order)
    return due is not None and due <= now


async def do(asked: _Ask, order: WorkOrder, expected: int | None, deed: DoDeed, **said: str) -> WorkOrder:
    """Do something to an order as whoever asks; ``said`` is written into the step. Raises Problem, Outdated."""

    def made(now: WorkOrder, policy: DispatchPolicy) -> OrderChange:
        if expected is not None and now.version != expected:
            raise Outdated("outdated", record="order", id=now.id, now=now.version, seen=expected)
        change = deed(now, actor(asked.user), asked.deps.now(), policy)
        return replace(change, values={**change.values, **said})

    try:
        done = await asked.deps.edit_order(order.id, made)
    except Refusal as refusal:
        raise _refused(asked, refusal) from refusal
    if done is None:
        raise not_found("order", order.id)
    return done


async def open_by_hand(asked: _Ask, wish: Wish) -> WorkOrder:
    """Open an order for a device as whoever asks. Raises Problem."""
    on_board(asked.deps.board, wish.device)
    try:
        return await asked.deps.open_order(wish, actor(asked.user))
    except Refusal as refusal:
        raise _refused(asked, refusal) from refusal


def wanted_of(steps: Sequence[StoredStep]) -> StoredStep | None:
    """The step in which a person said what is to be done; None: an incident opened the order."""
    return next((one for one in steps if one.step is OrderStep.OPENED and one.note), None)


async def found_by(asked: _Ask, order: WorkOrder) -> str:
    """What its incident was found by: what the switch says of the port, the words of a probe; empty: nothing."""
    of = asked.deps.board.incidents.get(order.incident) or await asked.deps.store.read(incidents.get, order.incident)
    return of.detail if of is not None and of.cause is order.cause else ""


def _refused(asked: _Ask, refusal: Refusal) -> Problem:
    status = HTTPStatus.FORBIDDEN if refusal.code in ("role", "not_yours") else HTTPStatus.CONFLICT
    return Problem(status, "order", why=told(refusal, asked.words))


async def assign(asked: _Ask, order: WorkOrder, expected: int | None, contractor: str, crew: str) -> WorkOrder:
    """Send a crew, whose contractor is the register's, or any crew of a contractor. Raises Problem, Outdated."""
    kept = await asked.deps.store.read(register.load_register, ("crew", "contractor"))
    if crew and crew not in kept.crews:
        raise not_found("crew", crew)
    if contractor and contractor not in kept.contractors:
        raise not_found("contractor", contractor)
    sent = kept.crews[crew].contractor if crew else contractor
    return await do(asked, order, expected, lambda one, who, at, policy: deeds.assign(one, sent, crew, who, at, policy))


def told(refusal: Refusal, words: Texts) -> str:
    """Why something can't be done to an order, in words."""
    named: dict[str, object] = dict(refusal.values)
    if "deed" in named:
        named["deed"] = words.name(Deed(str(named["deed"])))
    if "cause" in named:
        named["cause"] = words.name(Cause(str(named["cause"])))
    if "state" in named:
        named["state"] = words.name(OrderState(str(named["state"])))
    return words(f"order.refusal.{refusal.code}", **named)


TURN = web.AppKey("turn", asyncio.Lock)
"""Held by whoever looks whether something was done already and, if not, does it: what comes twice at once waits."""

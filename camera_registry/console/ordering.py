"""What people do to work orders, for the API, the pages and the crew page alike."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from camera_registry.console.handling import number
from camera_registry.console.problems import Problem, not_found
from camera_registry.console.routing import Asked
from camera_registry.model.dispatch import DispatchPolicy
from camera_registry.model.work_order import CancelReason, HoldReason, OrderChange, OrderState, WorkOrder
from camera_registry.rules.dispatch import deeds
from camera_registry.rules.dispatch.deeds import Actor, Deed, Refusal
from camera_registry.store import orders
from camera_registry.store.errors import Outdated
from camera_registry.texts import Texts

_Ask = Asked[Any, Any]
_Change = Callable[[WorkOrder, DispatchPolicy], OrderChange]


def actor(asked: _Ask) -> Actor:
    """Who asks."""
    return Actor(asked.user.name, asked.user.role)


async def find(asked: _Ask) -> WorkOrder:
    """The order that the path names, as it stands now. Raises Problem."""
    id = number(asked, "order")
    found = asked.deps.board.orders.get(id) or await asked.deps.store.read(orders.get, id)
    if found is None:
        raise not_found("order", id)
    return found


async def assign(asked: _Ask, expected: int | None, contractor: str, crew: str) -> WorkOrder:
    """Send somebody. A crew's contractor is the register's. Raises Problem, Outdated."""
    who, now = actor(asked), asked.deps.now()
    return await _change(asked, expected, lambda order, policy: deeds.assign(order, contractor, crew, who, now, policy))


async def accept(asked: _Ask, expected: int | None) -> WorkOrder:
    """The crew goes. Raises Problem, Outdated."""
    who, now = actor(asked), asked.deps.now()
    return await _change(asked, expected, lambda order, _: deeds.accept(order, who, now))


async def arrive(asked: _Ask, expected: int | None) -> WorkOrder:
    """The crew is there. Raises Problem, Outdated."""
    who, now = actor(asked), asked.deps.now()
    return await _change(asked, expected, lambda order, _: deeds.arrive(order, who, now))


async def hold(asked: _Ask, expected: int | None, reason: HoldReason, note: str) -> WorkOrder:
    """The crew can't go on. Raises Problem, Outdated."""
    who, now = actor(asked), asked.deps.now()
    return await _change(asked, expected, lambda order, _: deeds.hold(order, reason, note, who, now))


async def resume(asked: _Ask, expected: int | None) -> WorkOrder:
    """The crew goes on. Raises Problem, Outdated."""
    who, now = actor(asked), asked.deps.now()
    return await _change(asked, expected, lambda order, policy: deeds.resume(order, who, now, policy))


async def fix(asked: _Ask, expected: int | None, note: str) -> WorkOrder:
    """The crew says that it is mended. Raises Problem, Outdated."""
    who, now = actor(asked), asked.deps.now()
    return await _change(asked, expected, lambda order, _: deeds.fix(order, note, who, now))


async def close(asked: _Ask, expected: int | None, stars: int | None, remark: str) -> WorkOrder:
    """Confirm that it is done, and rate it perhaps (1 to 5 stars). Raises Problem, Outdated."""
    who, now = actor(asked), asked.deps.now()
    return await _change(asked, expected, lambda order, _: deeds.close(order, stars, remark, who, now))


async def cancel(asked: _Ask, expected: int | None, reason: CancelReason, note: str) -> WorkOrder:
    """Nobody needs to go. Raises Problem, Outdated."""
    who, now = actor(asked), asked.deps.now()
    return await _change(asked, expected, lambda order, policy: deeds.cancel(order, reason, note, who, now, policy))


async def reopen(asked: _Ask, expected: int | None, note: str) -> WorkOrder:
    """It is not done after all. Raises Problem, Outdated."""
    who, now = actor(asked), asked.deps.now()
    return await _change(asked, expected, lambda order, policy: deeds.reopen(order, note, who, now, policy))


async def rate(asked: _Ask, expected: int | None, stars: int, remark: str) -> WorkOrder:
    """Rate a closed order, 1 to 5 stars. Raises Problem, Outdated."""
    who, now = actor(asked), asked.deps.now()
    return await _change(asked, expected, lambda order, _: deeds.rate(order, stars, remark, who, now))


async def note(asked: _Ask, text: str) -> WorkOrder:
    """Write something into its time line, be it open or over. Raises Problem."""
    who, now = actor(asked), asked.deps.now()
    return await _change(asked, None, lambda order, _: deeds.note(order, text, who, now))


def told(refusal: Refusal, words: Texts) -> str:
    """Why something can't be done to an order, in words."""
    named: dict[str, object] = dict(refusal.values)
    if "deed" in named:
        named["deed"] = words.name(Deed(str(named["deed"])))
    if "state" in named:
        named["state"] = words.name(OrderState(str(named["state"])))
    return words(f"order.refusal.{refusal.code}", **named)


async def _change(asked: _Ask, expected: int | None, change: _Change) -> WorkOrder:
    id = number(asked, "order")

    def made(order: WorkOrder, policy: DispatchPolicy) -> OrderChange:
        if expected is not None and order.version != expected:
            raise Outdated(
                f"order {id} is at version {order.version}, and the edit was made from version {expected}:"
                " read it again and repeat the edit"
            )
        return change(order, policy)

    try:
        edited = await asked.deps.edit_order(id, made)
    except Refusal as refusal:
        status = HTTPStatus.FORBIDDEN if refusal.code in ("role", "not_yours") else HTTPStatus.CONFLICT
        raise Problem(status, "order", why=told(refusal, asked.words)) from refusal
    if edited is None:
        raise not_found("order", id)
    return edited

"""This file decides what people may do to a work order, and how it stands afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from camera_registry.model.dispatch import DispatchPolicy
from camera_registry.model.people import Role
from camera_registry.model.work_order import (
    OVER,
    CancelReason,
    Due,
    Hold,
    HoldReason,
    OrderChange,
    OrderState,
    OrderStep,
    Rating,
    WorkOrder,
)
from camera_registry.rules.dispatch.hours import due


class Deed(StrEnum):
    """What people do to orders: a closed list."""

    OPEN = "open"
    ASSIGN = "assign"
    ACCEPT = "accept"
    ARRIVE = "arrive"
    HOLD = "hold"
    RESUME = "resume"
    FIX = "fix"
    CLOSE = "close"
    CANCEL = "cancel"
    REOPEN = "reopen"
    RATE = "rate"
    NOTE = "note"


_S = OrderState

FROM: Mapping[Deed, frozenset[OrderState]] = {
    Deed.OPEN: frozenset(),
    Deed.ASSIGN: frozenset({_S.NEW, _S.ASSIGNED, _S.ACCEPTED, _S.ON_SITE}),
    Deed.ACCEPT: frozenset({_S.ASSIGNED}),
    Deed.ARRIVE: frozenset({_S.ACCEPTED}),
    Deed.HOLD: frozenset({_S.ASSIGNED, _S.ACCEPTED, _S.ON_SITE}),
    Deed.RESUME: frozenset({_S.ON_HOLD}),
    # Some faults are mended from afar.
    Deed.FIX: frozenset({_S.ACCEPTED, _S.ON_SITE}),
    Deed.CLOSE: frozenset({_S.VERIFIED}),
    Deed.CANCEL: frozenset(_S) - OVER,
    Deed.REOPEN: frozenset({_S.VERIFIED, _S.CLOSED, _S.CANCELLED}),
    Deed.RATE: frozenset({_S.CLOSED}),
    Deed.NOTE: frozenset(_S),
}
"""The states in which each deed is possible."""

OF_CREWS = frozenset({Deed.ACCEPT, Deed.ARRIVE, Deed.HOLD, Deed.RESUME, Deed.FIX, Deed.NOTE})
"""What a crew does to its own orders. Operators may do it for them (a crew that telephones), and all the rest."""


class Refusal(Exception):
    """This can't be done. ``code`` says why, by its text in ``[order.refusal]`` that ``values`` fill."""

    def __init__(self, code: str, **values: str | int) -> None:
        super().__init__(f"{code}: {values}" if values else code)
        self.code = code
        self.values = values


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something. ``crew`` and ``contractor`` are those that somebody of the role ``crew`` belongs to."""

    name: str
    role: Role
    crew: str = ""
    contractor: str = ""

    def owns(self, order: WorkOrder) -> bool:
        """Whether it is an order of this actor's crew, or one that any crew of the contractor may take."""
        if order.crew:
            return order.crew == self.crew
        return bool(self.contractor) and order.contractor == self.contractor


def why_not(order: WorkOrder, deed: Deed, actor: Actor) -> Refusal | None:
    """Why an actor can't do this to this order now; None: they can. For showing or hiding a button, too."""
    if actor.role is Role.CREW:
        if not actor.owns(order):
            return Refusal("not_yours", id=order.id)
        if deed not in OF_CREWS:
            return Refusal("role", deed=deed.value)
    elif actor.role not in (Role.OPERATOR, Role.ADMIN):
        return Refusal("role", deed=deed.value)
    vouched = deed is Deed.CLOSE and order.by_hand and order.state is OrderState.FIXED
    if order.state not in FROM[deed] and not vouched:
        return Refusal("state", deed=deed.value, state=order.state.value)
    return None


def possible(order: WorkOrder, actor: Actor) -> tuple[Deed, ...]:
    """Everything that an actor may do to an order now, in the order of its life."""
    return tuple(deed for deed in Deed if why_not(order, deed, actor) is None)


def assign(
    order: WorkOrder, contractor: str, crew: str, actor: Actor, at: datetime, policy: DispatchPolicy
) -> OrderChange:
    """Send somebody: a crew, or any crew of a contractor. Another contractor's clock begins anew. Raises Refusal."""
    _check(order, Deed.ASSIGN, actor)
    if not (contractor or crew):
        raise Refusal("nobody")
    same = contractor == order.contractor and order.state is not OrderState.NEW
    after = replace(
        order,
        state=OrderState.ASSIGNED,
        contractor=contractor,
        crew=crew,
        sent_at=order.sent_at if same else at,
        overdue=order.overdue if same else (),
        accepted_at=None,
        arrived_at=None,
    )
    after = replace(after, due=due(after, policy))
    return _change(OrderStep.ASSIGNED, after, actor, at, crew=crew, contractor=contractor)


def accept(order: WorkOrder, actor: Actor, at: datetime) -> OrderChange:
    """The crew goes. What was sent to a contractor belongs to the crew that accepts it. Raises Refusal."""
    _check(order, Deed.ACCEPT, actor)
    after = replace(order, state=OrderState.ACCEPTED, accepted_at=at, crew=order.crew or actor.crew)
    return _change(OrderStep.ACCEPTED, after, actor, at, crew=after.crew)


def arrive(order: WorkOrder, actor: Actor, at: datetime) -> OrderChange:
    """The crew is there. Raises Refusal."""
    _check(order, Deed.ARRIVE, actor)
    return _change(OrderStep.ARRIVED, replace(order, state=OrderState.ON_SITE, arrived_at=at), actor, at)


def hold(order: WorkOrder, reason: HoldReason, note: str, actor: Actor, at: datetime) -> OrderChange:
    """The crew can't go on, for a reason that is not theirs: the contractor's clock stands. Raises Refusal."""
    _check(order, Deed.HOLD, actor)
    return _change(OrderStep.HELD, held(order, reason, actor.name, at, note), actor, at, note, reason=reason.value)


def held(order: WorkOrder, reason: HoldReason, by: str, at: datetime, note: str = "") -> WorkOrder:
    """The order on hold."""
    pause = Hold(reason, by, max(at, order.sent_at), note=note)
    return replace(order, state=OrderState.ON_HOLD, held_from=order.state, holds=(*order.holds, pause), due=Due())


def resume(order: WorkOrder, actor: Actor, at: datetime, policy: DispatchPolicy) -> OrderChange:
    """The crew goes on where it was. Raises Refusal."""
    _check(order, Deed.RESUME, actor)
    return _change(OrderStep.RESUMED, resumed(order, at, policy), actor, at)


def resumed(order: WorkOrder, at: datetime, policy: DispatchPolicy) -> WorkOrder:
    """The order as it goes on after a hold; as it is, if it is not on hold."""
    if order.held_from is None:
        return order
    *earlier, last = order.holds
    ended = replace(last, until=max(at, last.since))
    after = replace(order, state=order.held_from, held_from=None, holds=(*earlier, ended))
    return replace(after, due=due(after, policy))


def fix(order: WorkOrder, note: str, actor: Actor, at: datetime) -> OrderChange:
    """The crew says that it is mended; the probes are asked next. Raises Refusal."""
    _check(order, Deed.FIX, actor)
    return _change(OrderStep.FIXED, replace(order, state=OrderState.FIXED, fixed_at=at), actor, at, note)


def close(order: WorkOrder, stars: int | None, remark: str, actor: Actor, at: datetime) -> OrderChange:
    """A person confirms what the probes have verified, and may rate it; of an order that is about no incident they may
    vouch for what the probes can't see, and say why in the ``remark``. Raises Refusal."""
    _check(order, Deed.CLOSE, actor)
    if order.state is OrderState.FIXED and not remark.strip():
        raise Refusal("unproven")
    rating = order.rating if stars is None else _rating(stars, remark, actor, at)
    after = replace(order, state=OrderState.CLOSED, closed_at=at, rating=rating)
    return _change(OrderStep.CLOSED, after, actor, at, remark, **({} if stars is None else {"stars": stars}))


def rate(order: WorkOrder, stars: int, remark: str, actor: Actor, at: datetime) -> OrderChange:
    """Rate a closed order, in place of an earlier rating. Raises Refusal."""
    _check(order, Deed.RATE, actor)
    after = replace(order, rating=_rating(stars, remark, actor, at))
    return _change(OrderStep.RATED, after, actor, at, remark, stars=stars)


def cancel(
    order: WorkOrder, reason: CancelReason, note: str, actor: Actor, at: datetime, policy: DispatchPolicy
) -> OrderChange:
    """Nobody needs to go. Raises Refusal."""
    _check(order, Deed.CANCEL, actor)
    return _change(OrderStep.CANCELLED, called_off(order, reason, at, policy), actor, at, note, reason=reason.value)


def called_off(order: WorkOrder, reason: CancelReason, at: datetime, policy: DispatchPolicy) -> WorkOrder:
    """The order as it is when nobody needs to go."""
    return replace(resumed(order, at, policy), state=OrderState.CANCELLED, cancelled=reason, closed_at=at)


def reopen(order: WorkOrder, note: str, actor: Actor, at: datetime, policy: DispatchPolicy) -> OrderChange:
    """A person does not think that it is done: whoever was sent is sent again. Raises Refusal."""
    _check(order, Deed.REOPEN, actor)
    return _change(OrderStep.REOPENED, sent_again(order, at, policy), actor, at, note)


def sent_again(order: WorkOrder, at: datetime, policy: DispatchPolicy) -> WorkOrder:
    """The order as it begins anew: to the same people, with all of its time before it."""
    after = replace(
        order,
        state=OrderState.ASSIGNED if order.crew or order.contractor else OrderState.NEW,
        sent_at=at,
        accepted_at=None,
        arrived_at=None,
        fixed_at=None,
        recovered_at=None,
        verified_at=None,
        closed_at=None,
        cancelled=None,
        overdue=(),
    )
    return replace(after, due=due(after, policy))


def note(order: WorkOrder, text: str, actor: Actor, at: datetime) -> OrderChange:
    """Something worth knowing; the order itself stays as it is. Raises Refusal."""
    _check(order, Deed.NOTE, actor)
    return OrderChange(OrderStep.NOTED, at, order, actor.name, note=text)


def _rating(stars: int, remark: str, actor: Actor, at: datetime) -> Rating:
    if not 1 <= stars <= 5:
        raise Refusal("stars", given=stars)
    return Rating(stars, actor.name, at, remark)


def _check(order: WorkOrder, deed: Deed, actor: Actor) -> None:
    refusal = why_not(order, deed, actor)
    if refusal is not None:
        raise refusal


def _change(
    step: OrderStep, after: WorkOrder, actor: Actor, at: datetime, note: str = "", **values: str | int
) -> OrderChange:
    return OrderChange(step, at, replace(after, version=after.version + 1), actor.name, values, note)

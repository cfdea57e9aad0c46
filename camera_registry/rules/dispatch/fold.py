"""This file lets work orders follow their incidents, and time: one order for one cause, opened once, however often the
cause comes back.

What an incident is explained by has an order of its own, so one that nobody has started is cancelled; planned work
holds it. What recovers before a crew has accepted is verified without one; afterwards the crew's word is waited for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from camera_registry.model.incident import Incident, IncidentChange, Scope
from camera_registry.model.work_order import (
    FINAL,
    CancelReason,
    HoldReason,
    OrderChange,
    OrderState,
    OrderStep,
    Phase,
    WorkOrder,
)
from camera_registry.rules.dispatch.book import Dispatched, OrderBook, Scene
from camera_registry.rules.dispatch.deeds import called_off, held, resumed, sent_again
from camera_registry.rules.dispatch.hours import due
from camera_registry.rules.dispatch.opening import NOBODY_GOES, opened
from camera_registry.rules.dispatch.routing import contact, route
from camera_registry.rules.incidents.fold import NO_LONGER_MEASURED


def dispatch(
    book: OrderBook, incidents: Iterable[Incident], steps: Iterable[IncidentChange], scene: Scene, now: datetime
) -> tuple[OrderBook, Dispatched]:
    """The book after these incidents (as they stand now, each once) with their steps, and after time until ``now``.

    Call it with every fold of incidents, and at least every few seconds.
    """
    incidents = tuple(incidents)
    if not incidents and not (book.wake is not None and book.wake <= now):
        return book, Dispatched()
    work = _Dispatch(book, scene, now)
    withdrawn = {step.incident.id for step in steps if step.text == NO_LONGER_MEASURED}
    for incident in sorted(incidents, key=lambda one: one.id):
        work.follow(incident, withdrawn=incident.id in withdrawn)
    work.pass_time()
    return work.close()


def wake(book: OrderBook, scene: Scene) -> datetime | None:
    """When time alone may change something next; None: never. What is to be verified is looked at each time."""
    times: list[datetime | None] = []
    for order in book.orders.values():
        times += _times(order, scene)
    return min((time for time in times if time is not None), default=None)


def _times(order: WorkOrder, scene: Scene) -> list[datetime | None]:
    policy = scene.policy
    if order.state is OrderState.FIXED:
        return [order.fixed_at]
    if order.state is OrderState.VERIFIED:
        return [order.verified_at and order.verified_at + timedelta(seconds=policy.close_after)]
    if order.state in FINAL:
        return [order.closed_at and order.closed_at + timedelta(seconds=policy.repeat_within)]
    return [order.due.of(phase) for phase in _waited_for(order)]


def _waited_for(order: WorkOrder) -> tuple[Phase, ...]:
    """The phases for which somebody would be pushed. Nobody is, once the fault is gone."""
    if order.recovered_at is not None:
        return ()
    return tuple(phase for phase in order.pending() if phase not in order.overdue)


class _Dispatch:
    """One call: a copy of the book's orders, and what was done to them."""

    def __init__(self, book: OrderBook, scene: Scene, now: datetime) -> None:
        self.book, self.scene, self.now = book, scene, now
        self.orders = dict(book.orders)
        self.last_id = book.last_id
        self.steps: list[OrderChange] = []
        self.of_incident = {order.incident: order.id for order in book.orders.values()}
        self.known = {(order.scope, order.about, order.cause): order.id for order in book.orders.values()}

    def follow(self, incident: Incident, *, withdrawn: bool) -> None:
        """Let the order of an incident follow it; open one if it has none and needs one."""
        id = self.of_incident.get(incident.id)
        order = self.orders[id] if id is not None else None
        if not incident.open:
            if order is not None:
                self._recover(order, incident, withdrawn=withdrawn)
        elif incident.muted:
            if order is not None and order.unstarted:
                self._wait(order, incident)
        elif order is None or order.cancelled is CancelReason.EXPLAINED:
            self._send(incident, order)
        else:
            self._keep_up(order, incident)

    def _recover(self, order: WorkOrder, incident: Incident, *, withdrawn: bool) -> None:
        if order.over or order.recovered_at is not None:
            return
        if withdrawn:
            self._cancel(order, CancelReason.NOT_MEASURED)
            return
        back = replace(order, recovered_at=incident.ended)
        if order.unstarted:
            back = replace(resumed(back, self.now, self.scene.policy), state=OrderState.VERIFIED, verified_at=self.now)
        self._tell(OrderStep.RECOVERED, back)

    def _wait(self, order: WorkOrder, incident: Incident) -> None:
        """A parent or planned work speaks for it, and nobody is on the way."""
        if order.over:
            return
        if incident.parent is not None:
            self._cancel(order, CancelReason.EXPLAINED, other=incident.parent)
        elif order.state is not OrderState.ON_HOLD:
            assert incident.window is not None
            on_hold = held(order, HoldReason.PLANNED_WINDOW, "", self.now)
            self._tell(OrderStep.HELD, on_hold, reason=HoldReason.PLANNED_WINDOW.value, window=incident.window)

    def _send(self, incident: Incident, order: WorkOrder | None) -> None:
        """Open an order, or the earlier one of the same cause again."""
        earlier = order or self._earlier(incident)
        if earlier is not None:
            self._again(earlier, incident)
            return
        if incident.cause in NOBODY_GOES or incident.scope is Scope.POLLER or not self.scene.policy.enabled:
            return
        way = route(incident, self.scene.policy, self.scene.register)
        if way is None:
            return
        self.last_id += 1
        self._tell(OrderStep.OPENED, opened(self.last_id, incident, way, self.scene.policy, self.now), crew=way.crew)

    def _earlier(self, incident: Incident) -> WorkOrder | None:
        """The order of the same cause that this incident is a return of."""
        id = self.known.get((incident.scope, incident.about, incident.cause))
        if id is None:
            return None
        order = self.orders[id]
        if order.incident in self.scene.incidents and order.incident != incident.id:
            return None  # that one goes on: it came to this cause, or from it
        if order.state is OrderState.CANCELLED:
            return None
        mended = order.recovered_at or order.verified_at or order.closed_at
        within = timedelta(seconds=self.scene.policy.repeat_within)
        return None if order.over and mended is not None and incident.started > mended + within else order

    def _again(self, order: WorkOrder, incident: Incident) -> None:
        """The fault is back: whoever had it has it again."""
        again = replace(
            order,
            incident=incident.id,
            symptoms=incident.symptoms,
            affected=incident.affected,
            started=incident.started,
        )
        if order.state is OrderState.FIXED:
            work = replace(_back_to_work(again), recovered_at=None)
            self._tell(OrderStep.NOT_FIXED, work, cause=incident.cause.value)
        elif not order.over:
            # What a person reported is found by the probes, too, now; of all else it is a return.
            step = OrderStep.CHANGED if order.by_hand else OrderStep.RETURNED
            self._tell(step, replace(again, recovered_at=None))
        else:
            repeated = order.state is not OrderState.CANCELLED
            again = replace(again, repeats=order.repeats + repeated)
            way = route(incident, self.scene.policy, self.scene.register)
            if way is not None:
                # As urgent as it is this time: whoever is sent now was told nothing of this yet.
                again = replace(again, severity=way.severity, deadlines=way.deadlines)
            self._tell(OrderStep.REOPENED, sent_again(again, self.now, self.scene.policy), incident=incident.id)

    def _keep_up(self, order: WorkOrder, incident: Incident) -> None:
        """What the order says of its incident, and how urgent that makes it."""
        if order.over:
            return
        policy = self.scene.policy
        after = replace(
            order,
            cause=incident.cause,
            symptoms=incident.symptoms,
            area=incident.area,
            started=incident.started,
            affected=max(order.affected, incident.affected),
        )
        if order.state is OrderState.ON_HOLD and order.holds[-1].by == "":
            after = resumed(after, self.now, policy)
            self._tell(OrderStep.RESUMED, after)
            order = self.orders[order.id]
        way = route(incident, policy, self.scene.register)
        if way is not None and way.severity < after.severity:
            # Never laxer than the crew was told; and nobody is sent home for another.
            after = replace(after, severity=way.severity, deadlines=way.deadlines)
            after = replace(after, due=due(after, policy))
        if (after.cause, after.severity) != (order.cause, order.severity):
            self._tell(OrderStep.CHANGED, after, cause=after.cause.value, severity=after.severity.value)
        else:
            self._put(after)

    def pass_time(self) -> None:
        """What time alone does: verify, push, close, forget."""
        for order in list(self.orders.values()):
            if order.state is OrderState.FIXED:
                self._verify(order)
            elif order.state is OrderState.VERIFIED:
                self._close(order)
            else:
                for phase in _waited_for(order):
                    self._push(self.orders[order.id], phase)

    def _verify(self, order: WorkOrder) -> None:
        assert order.fixed_at is not None
        if order.by_hand and not order.symptoms:
            return  # nothing could be read that would prove it: a person says so
        wrong = self._still_wrong(order)
        if not wrong:
            verified = replace(order, state=OrderState.VERIFIED, verified_at=self.now)
            self._tell(OrderStep.VERIFIED, replace(verified, recovered_at=order.recovered_at or self.now))
        elif self.now >= order.fixed_at + timedelta(seconds=self.scene.policy.verify_within):
            self._tell(OrderStep.NOT_FIXED, _back_to_work(order), cause=wrong)

    def _still_wrong(self, order: WorkOrder) -> str:
        """What the probes say against the crew's word: a cause, ``silent`` if nothing was heard; empty: they agree."""
        incident = self.scene.incidents.get(order.incident)
        if incident is not None:
            return incident.cause.value
        heard = [state for subject in order.symptoms if (state := self.scene.heard(subject)) is not None]
        late = [one for one in heard if one.read_at is not None and one.read_at > (order.fixed_at or self.now)]
        bad = next((one.cause for one in late if one.good is False and one.cause is not None), None)
        if bad is not None:
            return bad.value
        return "" if len(late) == len(heard) and all(one.good for one in late) else "silent"

    def _close(self, order: WorkOrder) -> None:
        assert order.verified_at is not None
        if self.now >= order.verified_at + timedelta(seconds=self.scene.policy.close_after):
            self._tell(OrderStep.CLOSED, replace(order, state=OrderState.CLOSED, closed_at=self.now))

    def _push(self, order: WorkOrder, phase: Phase) -> None:
        overdue = order.due.of(phase)
        if overdue is None or overdue > self.now:
            return
        area, who = contact(order.area, self.scene.register)
        pushed = replace(order, overdue=(*order.overdue, phase), escalations=order.escalations + 1)
        self._tell(OrderStep.ESCALATED, pushed, phase=phase.value, area=area, contact=who)

    def _cancel(self, order: WorkOrder, reason: CancelReason, **values: str | int) -> None:
        after = called_off(order, reason, self.now, self.scene.policy)
        self._tell(OrderStep.CANCELLED, after, reason=reason.value, **values)

    def _tell(self, step: OrderStep, order: WorkOrder, **values: str | int) -> None:
        self._put(order)
        self.steps.append(OrderChange(step, self.now, order, values={k: v for k, v in values.items() if v != ""}))

    def _put(self, order: WorkOrder) -> None:
        self.orders[order.id] = order
        self.of_incident[order.incident] = order.id
        self.known[order.scope, order.about, order.cause] = order.id

    def close(self) -> tuple[OrderBook, Dispatched]:
        """The book as it is now, and what has changed. Each step has its order as it stands after all of them."""
        before = self.book.orders
        for id, order in self.orders.items():
            if order != before.get(id):
                self.orders[id] = replace(order, version=order.version + 1)
        told = tuple(replace(step, order=self.orders[step.order.id]) for step in self.steps)
        changed = tuple(order for id, order in sorted(self.orders.items()) if order != before.get(id))
        kept = {id: order for id, order in self.orders.items() if not self._forgotten(order)}
        still = before if not changed and len(kept) == len(before) else kept
        book = OrderBook(still, self.last_id)
        return replace(book, wake=wake(book, self.scene)), Dispatched(told, changed)

    def _forgotten(self, order: WorkOrder) -> bool:
        if order.state not in FINAL or order.closed_at is None or order.incident in self.scene.incidents:
            return False
        return self.now >= order.closed_at + timedelta(seconds=self.scene.policy.repeat_within)


def _back_to_work(order: WorkOrder) -> WorkOrder:
    """The order as it was before the crew said that it is mended."""
    state = OrderState.ASSIGNED
    if order.arrived_at is not None:
        state = OrderState.ON_SITE
    elif order.accepted_at is not None:
        state = OrderState.ACCEPTED
    return replace(order, state=state, fixed_at=None)

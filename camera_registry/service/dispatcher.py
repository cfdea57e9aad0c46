"""The dispatcher: the one owner of work orders while the service runs. It decides nothing itself (rules do) and writes
nothing (the recorder does)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from camera_registry.model.dispatch import DispatchPolicy
from camera_registry.model.health import LENS, Aspect
from camera_registry.model.incident import Incident, Severity
from camera_registry.model.register import Register
from camera_registry.model.work_order import FINAL, Hold, OrderChange, OrderStep, WorkOrder
from camera_registry.rules.dispatch.book import OrderBook, Scene
from camera_registry.rules.dispatch.deeds import Actor
from camera_registry.rules.dispatch.fold import dispatch, wake
from camera_registry.rules.dispatch.hours import shifted
from camera_registry.rules.dispatch.opening import Wish, by_hand
from camera_registry.rules.incidents.book import Folded
from camera_registry.service.changes import Changes
from camera_registry.service.ledger import Ledger


class Dispatcher:
    """The book of orders in memory. Not thread-safe: it belongs to the event loop."""

    def __init__(self, ledger: Ledger, policy: DispatchPolicy) -> None:
        self._scene = Scene(policy=policy, heard=ledger.state)
        self._book = OrderBook()
        self._ledger = ledger
        self.holds: Mapping[int, tuple[Hold, ...]] = {}
        """The holds of orders, by the incident that they are about: the incident is not charged to its device then."""

    def load(self, orders: Iterable[WorkOrder], last_id: int) -> None:
        """Take up what the store kept. Nobody is told anything by it."""
        self._took_up(OrderBook({order.id: order for order in orders}, last_id))
        self._book = replace(self._book, wake=wake(self._book, self._scene))

    @property
    def book(self) -> OrderBook:
        """The book as it is now."""
        return self._book

    def recall(self, book: OrderBook, incidents: Mapping[int, Incident]) -> None:
        """Take the book up as it was, beside these open incidents; after ``follow``."""
        self._scene = replace(self._scene, incidents=incidents)
        self._took_up(book)

    def follow(self, register: Register, policy: DispatchPolicy) -> None:
        """Take up the register and the table of rules as they are now. Deadlines that were told stay."""
        self._scene = replace(self._scene, register=register, policy=policy)
        self._book = replace(self._book, wake=wake(self._book, self._scene))

    def fold(self, folded: Folded, incidents: Mapping[int, Incident], changes: Changes, now: datetime) -> None:
        """Let orders follow what has happened to incidents, and note beside them what follows."""
        self._scene = replace(self._scene, incidents=incidents)
        book, done = dispatch(self._book, folded.incidents, folded.changes, self._scene, now)
        self._took_up(book)
        changes.orders.update({order.id: order for order in done.orders})
        changes.order_steps += done.changes
        for step in done.changes:
            if step.step is OrderStep.VERIFIED and step.order.cause in LENS:
                channels = {one.channel for one in step.order.symptoms if one.aspect is Aspect.PICTURE}
                self._ledger.cleaned(step.order.about, channels, now, changes)

    def get(self, id: int) -> WorkOrder | None:
        """One order that may still change by itself."""
        return self._book.orders.get(id)

    def by_hand(self, wish: Wish, usual: Severity, actor: Actor, now: datetime) -> OrderChange:
        """What it would be to open an order for a device; ``put`` does it. Raises Refusal."""
        entry = self._ledger.entry(wish.device)
        return by_hand(self._book, self._scene, wish, entry.states if entry else (), usual, actor, now)

    def put(self, order: WorkOrder, now: datetime) -> None:
        """Take up what somebody did to an order; it is looked at again at once."""
        last_id = max(self._book.last_id, order.id)
        self._took_up(replace(self._book, orders={**self._book.orders, order.id: order}, last_id=last_id, wake=now))
        if order.id in self._ledger.changes.orders:
            self._ledger.changes.orders[order.id] = order

    def shift(self, step: timedelta) -> None:
        """The clock was set by ``step``: tell the times of what is not over by the new clock, so that nothing is due
        earlier or later by it."""
        moved = {id: shifted(order, step) for id, order in self._book.orders.items() if order.state not in FINAL}
        self._took_up(replace(self._book, orders={**self._book.orders, **moved}))
        self._book = replace(self._book, wake=wake(self._book, self._scene))
        self._ledger.changes.orders.update(moved)

    @property
    def policy(self) -> DispatchPolicy:
        """The table of rules in force."""
        return self._scene.policy

    @property
    def orders(self) -> Mapping[int, WorkOrder]:
        """Every order that may still change by itself, by its number."""
        return self._book.orders

    def by_incident(self) -> dict[int, WorkOrder]:
        """The same by the incident that they are about."""
        return {order.incident: order for order in self._book.orders.values()}

    def _took_up(self, book: OrderBook) -> None:
        if book.orders is not self._book.orders:
            holds = {order.incident: order.holds for order in book.orders.values() if order.holds}
            self.holds = self.holds if holds == self.holds else holds
        self._book = book

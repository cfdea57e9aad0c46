"""This file decides what a contractor's work orders of a period come to (domain.md, section 5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from camera_registry.model.work_order import OrderState, WorkOrder


@dataclass(frozen=True, slots=True)
class Score:
    """Of the orders that were opened in a period and not cancelled: ``sent``; ``done`` (verified or closed);
    ``on_time`` (no step was overdue); ``repeats`` (times that a mended fault was back); ``repairs``, those that are
    mended, and ``repair_time`` that they took, without holds; ``held`` in all; ``stars`` of ``rated`` orders."""

    sent: int = 0
    cancelled: int = 0
    done: int = 0
    on_time: int = 0
    repeats: int = 0
    repairs: int = 0
    repair_time: timedelta = timedelta()
    held: timedelta = timedelta()
    rated: int = 0
    stars: int = 0

    @property
    def closing_rate(self) -> float | None:
        """done / sent; None without an order."""
        return self.done / self.sent if self.sent else None

    @property
    def on_time_rate(self) -> float | None:
        """on time / sent; None without an order."""
        return self.on_time / self.sent if self.sent else None

    @property
    def mean_repair(self) -> timedelta | None:
        """Mean time without holds from the sending of an order to its repair; None without a repair."""
        return self.repair_time / self.repairs if self.repairs else None

    @property
    def repeat_rate(self) -> float | None:
        """Repeats for each repair; None without a repair."""
        return self.repeats / self.repairs if self.repairs else None


def score(orders: Iterable[WorkOrder], now: datetime) -> Score:
    """What these orders come to; holds that last are counted until ``now``."""
    sums = dict.fromkeys(("sent", "cancelled", "done", "on_time", "repeats", "repairs", "rated", "stars"), 0)
    repair_time = held = timedelta()
    for order in orders:
        if order.state is OrderState.CANCELLED:
            sums["cancelled"] += 1
            continue
        sums["sent"] += 1
        sums["done"] += order.state in (OrderState.VERIFIED, OrderState.CLOSED)
        sums["on_time"] += not late(order, now)
        sums["repeats"] += order.repeats
        held += paused(order, order.opened_at, now)
        mended = order.fixed_at or order.recovered_at
        if mended is not None and mended >= order.sent_at:
            sums["repairs"] += 1
            repair_time += mended - order.sent_at - paused(order, order.sent_at, mended)
        if order.rating is not None:
            sums["rated"] += 1
            sums["stars"] += order.rating.stars
    return Score(**sums, repair_time=repair_time, held=held)


def late(order: WorkOrder, now: datetime) -> bool:
    """Whether a step of it is or was overdue."""
    pending = (order.due.of(phase) for phase in order.pending())
    return bool(order.overdue) or any(due is not None and due <= now for due in pending)


def paused(order: WorkOrder, begins: datetime, ends: datetime) -> timedelta:
    """How long it was on hold in between; holds do not overlap."""
    cut = ((max(hold.since, begins), min(hold.until or ends, ends)) for hold in order.holds)
    return sum((until - since for since, until in cut if since < until), timedelta())

"""This file counts a contractor's time: in the hours of a calendar, and not while an order is on hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from camera_registry.model.dispatch import Calendar, DispatchPolicy
from camera_registry.model.work_order import Due, Hold, Phase, WorkOrder

Stretch = tuple[datetime, datetime]

_FAR = timedelta(days=800)
"""Nobody is given longer; a calendar without any hours must not be searched for ever."""


def worked(order: WorkOrder, policy: DispatchPolicy, now: datetime) -> timedelta:
    """The contractor's time since the order was sent, until the crew's word, its recovery or ``now``."""
    end = min(filter(None, (order.fixed_at, order.recovered_at, order.closed_at, now)))
    return sum((ends - begins for begins, ends in _counting(order, policy, end)), timedelta())


def due(order: WorkOrder, policy: DispatchPolicy) -> Due:
    """When each phase of an order is overdue, by its deadlines, calendar and holds."""
    if order.holds and order.holds[-1].until is None:
        return Due()
    limits = {phase: timedelta(seconds=getattr(order.deadlines, phase.value)) for phase in Phase}
    found: dict[str, datetime] = {}
    counted = timedelta()
    for begins, ends in _counting(order, policy, order.sent_at + _FAR):
        for phase, limit in limits.items():
            if phase.value not in found and counted + (ends - begins) >= limit:
                found[phase.value] = begins + (limit - counted)
        if len(found) == len(limits):
            break
        counted += ends - begins
    return Due(**found)


def shifted(order: WorkOrder, step: timedelta) -> WorkOrder:
    """The order with the times that its clocks run by moved by ``step``."""

    def moved(at: datetime | None) -> datetime | None:
        return None if at is None else at + step

    return replace(
        order,
        sent_at=order.sent_at + step,
        due=Due(**{phase.value: moved(order.due.of(phase)) for phase in Phase}),
        holds=tuple(replace(hold, since=hold.since + step, until=moved(hold.until)) for hold in order.holds),
        fixed_at=moved(order.fixed_at),
        verified_at=moved(order.verified_at),
        version=order.version + 1,
    )


def _counting(order: WorkOrder, policy: DispatchPolicy, end: datetime) -> Iterator[Stretch]:
    """The stretches of time that count, from when the order was sent until ``end``."""
    calendar = policy.calendar(order.calendar)
    whole = iter([(order.sent_at, end)]) if calendar is None else _open(calendar, order.sent_at, end)
    return _without(whole, order.holds)


def _open(calendar: Calendar, begin: datetime, end: datetime) -> Iterator[Stretch]:
    """The hours of a calendar between two times, in order."""
    zone = ZoneInfo(calendar.zone)
    day = begin.astimezone(zone).date()
    while True:
        midnight = datetime.combine(day, time(), zone)
        if midnight >= end:
            return
        on = day in calendar.workdays or (day.weekday() in calendar.weekdays and day not in calendar.holidays)
        for first, last in calendar.hours if on else ():
            # Local wall-clock times: on the day the clocks change, an hour more or less.
            opens = (midnight + timedelta(minutes=first)).astimezone(UTC)
            closes = (midnight + timedelta(minutes=last)).astimezone(UTC)
            if max(opens, begin) < min(closes, end):
                yield max(opens, begin), min(closes, end)
        day += timedelta(days=1)


def _without(stretches: Iterable[Stretch], holds: Sequence[Hold]) -> Iterator[Stretch]:
    """Stretches of time without those in which an order was on hold (in order, none inside another)."""
    for opens, closes in stretches:
        begins = opens
        for hold in holds:
            until = hold.until or closes
            if until <= begins or hold.since >= closes:
                continue
            if hold.since > begins:
                yield begins, hold.since
            begins = until
        if begins < closes:
            yield begins, closes

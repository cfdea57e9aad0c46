"""A contractor's time runs in the hours of a calendar, and stands while an order is on hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from camera_registry.model.dispatch import Calendar, DispatchPolicy
from camera_registry.model.work_order import Deadlines, Hold, HoldReason, Phase, WorkOrder
from camera_registry.rules.dispatch.hours import due, worked
from tests.notices import NOON, incident

SHANGHAI = ZoneInfo("Asia/Shanghai")
OFFICE = Calendar(
    hours=((9 * 60, 12 * 60), (13 * 60 + 30, 18 * 60)),
    zone="Asia/Shanghai",
    holidays=frozenset({date(2026, 10, 1), date(2026, 10, 2)}),
    workdays=frozenset({date(2026, 10, 10)}),
)
POLICY = DispatchPolicy(calendars={"office": OFFICE})
HOUR = timedelta(hours=1)


def local(day: int, hour: int, minute: int = 0, month: int = 10) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=SHANGHAI).astimezone(UTC)


def order(sent: datetime, hours: float, calendar: str = "office", holds: tuple[Hold, ...] = ()) -> WorkOrder:
    one, limits = incident(), Deadlines(0, 0, hours * 3600)
    made = WorkOrder(1, one.id, one.scope, one.about, one.cause, one.severity, sent, sent, limits)
    return replace(made, calendar=calendar, holds=holds)


@pytest.mark.parametrize(
    ("sent", "hours", "until"),
    [
        (local(9, 10), 1, local(9, 11)),
        (local(9, 11, 30), 1, local(9, 14)),  # over noon
        (local(9, 20), 1, local(10, 10)),  # the next morning, a Saturday that is a working day
        (local(30, 17, month=9), 2, local(5, 10)),  # over the holidays and the weekend
        (local(10, 18), 8, local(13, 9, 30)),
    ],
)
def test_a_deadline_is_told_in_working_hours(sent: datetime, hours: float, until: datetime) -> None:
    found = due(order(sent, hours), POLICY).of(Phase.REPAIR)
    assert found == until
    assert worked(order(sent, hours), POLICY, until) == timedelta(hours=hours)


def test_round_the_clock_and_a_calendar_that_is_gone_count_every_minute() -> None:
    for calendar in ("", "gone"):
        assert due(order(NOON, 30, calendar), POLICY).of(Phase.REPAIR) == NOON + 30 * HOUR


def test_holds_do_not_count_and_one_that_lasts_has_no_deadline() -> None:
    first = Hold(HoldReason.POWER_COMPANY, "li", NOON + HOUR, NOON + 3 * HOUR)
    again = Hold(HoldReason.ACCESS_REFUSED, "li", NOON + 3 * HOUR, NOON + 4 * HOUR)
    held = order(NOON, 2, "", (first, again))
    assert due(held, POLICY).of(Phase.REPAIR) == NOON + 5 * HOUR
    assert worked(held, POLICY, NOON + 4.5 * HOUR) == 1.5 * HOUR
    lasting = replace(held, holds=(first, replace(again, until=None)))
    assert due(lasting, POLICY).of(Phase.REPAIR) is None
    assert worked(lasting, POLICY, NOON + 9 * HOUR) == HOUR


def test_the_night_on_which_clocks_change_is_as_long_as_it_was() -> None:
    night = replace(OFFICE, weekdays=frozenset(range(7)), hours=((0, 360),), zone="Europe/Berlin")
    begins = datetime(2026, 10, 24, 22, tzinfo=UTC)  # midnight there; at three the clocks go back to two
    found = due(order(begins, 7), DispatchPolicy(calendars={"office": night})).of(Phase.REPAIR)
    assert found == begins + 7 * HOUR

"""Of work orders only what is overdue is told by itself, unless a channel asks for more."""

from __future__ import annotations

from dataclasses import replace

from camera_registry.model.incident import Severity
from camera_registry.model.notice import Audience, Occasion
from camera_registry.model.people import Crew
from camera_registry.model.register import Register
from camera_registry.model.work_order import OrderChange, OrderState, OrderStep
from camera_registry.rules import notices, order_notices
from tests.notices import NOON, at, incident, opened, order

EVERYTHING = Audience(
    "platform",
    orders=frozenset({Occasion.ORDER_OPENED, Occasion.ORDER_OVERDUE, Occasion.ORDER_VERIFIED, Occasion.ORDER_CLOSED}),
)
LIFE = [
    OrderChange(OrderStep.OPENED, NOON, order(version=1)),
    OrderChange(
        OrderStep.ESCALATED, at(60), order(version=2), values={"phase": "accept", "contact": "王", "area": "city"}
    ),
    OrderChange(OrderStep.ESCALATED, at(60), order(version=2), values={"phase": "arrive", "contact": "王"}),
    OrderChange(OrderStep.ACCEPTED, at(90), order(version=3), "li"),
    OrderChange(OrderStep.RECOVERED, at(95), order(version=4, state=OrderState.ON_SITE)),
    OrderChange(OrderStep.VERIFIED, at(100), order(version=5, state=OrderState.VERIFIED)),
    OrderChange(OrderStep.CLOSED, at(120), order(version=6, state=OrderState.CLOSED), "li"),
]


def test_a_channel_hears_of_what_is_overdue_and_of_the_rest_if_it_asks_for_it() -> None:
    usual = order_notices.owed(LIFE, [Audience("duty")], Register())
    assert [(one.occasion, one.values["phase"]) for one in usual] == [
        (Occasion.ORDER_OVERDUE, "accept"),
        (Occasion.ORDER_OVERDUE, "arrive"),
    ]
    whole = order_notices.owed(LIFE, [EVERYTHING], Register())
    assert [one.occasion.value for one in whole] == [
        "order_opened",
        "order_overdue",
        "order_overdue",
        "order_verified",
        "order_closed",
    ]
    assert {one.values["area"] for one in whole} == {"east-1"}, "where it is, not whose contact is pushed"
    assert len({one.key for one in whole}) == len(whole)
    assert order_notices.owed(LIFE, [EVERYTHING], Register()) == whole, "owed twice, it is kept once"
    assert order_notices.owed(LIFE, [replace(EVERYTHING, severity=Severity.P1)], Register()) == []


def test_a_ticket_platform_hears_of_each_step_that_it_asks_for_by_the_crews_name() -> None:
    steps = [
        OrderChange(OrderStep.ASSIGNED, NOON, order(version=2), "duty", {"crew": "crew-1", "contractor": "weibao"}),
        OrderChange(
            OrderStep.HELD, at(10), order(version=3, state=OrderState.ON_HOLD), "li", {"reason": "access_refused"}
        ),
        OrderChange(OrderStep.FIXED, at(20), order(version=4, state=OrderState.FIXED), "li"),
    ]
    asked = frozenset({Occasion.ORDER_ASSIGNED, Occasion.ORDER_HELD, Occasion.ORDER_FIXED})
    known = Register(crews={"crew-1": Crew("crew-1", "东江一班")})
    told = order_notices.owed(steps, [Audience("platform", orders=asked)], known)
    assert [one.occasion.value for one in told] == ["order_assigned", "order_held", "order_fixed"]
    assert {one.values["crew"] for one in told} == {"东江一班"}
    assert told[1].values["reason"] == "access_refused"
    assert order_notices.owed(steps, [EVERYTHING], known) == []


def test_the_notice_of_a_fault_names_its_order_so_that_there_is_one_and_not_two() -> None:
    (one,) = notices.owed([opened(1)], [Audience("duty")], Register(), {1: order(7)})
    assert (one.values["order"], one.values["crew"]) == (7, "crew-1")
    (alone,) = notices.owed([opened(1)], [Audience("duty")], Register())
    assert "order" not in alone.values


def test_the_notice_of_an_order_says_what_its_incident_was_found_by() -> None:
    known = incident(1, detail="port 7: the switch cannot feed it (PoE fault)")
    told = order_notices.owed(LIFE[:1], [EVERYTHING], Register(), {1: known})
    assert [one.values["detail"] for one in told] == [known.detail]
    assert [one.values["detail"] for one in order_notices.owed(LIFE[-1:], [EVERYTHING], Register())] == [""]


def test_what_was_overdue_is_not_told_in_the_morning_when_the_fault_is_over() -> None:
    assert notices.unwanted(Occasion.ORDER_OVERDUE, None) == "over"
    assert notices.unwanted(Occasion.ORDER_CLOSED, None) == ""

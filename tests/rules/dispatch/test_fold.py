"""Work orders follow their incidents: opened once, verified by the probes, opened again when the fault is back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from camera_registry.model.dispatch import DispatchPolicy
from camera_registry.model.health import Aspect, Cause
from camera_registry.model.incident import Party
from camera_registry.model.maintenance import Cover, Window, WindowKind
from camera_registry.model.work_order import CancelReason, Deadlines, HoldReason, OrderState, OrderStep, Phase
from camera_registry.rules.dispatch import deeds
from camera_registry.rules.dispatch.deeds import Refusal
from tests.rules.dispatch.town import CREW, DUTY, Town
from tests.rules.incidents.city import NOON, at, camera

DAY = 86_400
SHORT = DispatchPolicy(deadlines=dict.fromkeys(DispatchPolicy().deadlines, Deadlines(600, 1200, 3600)))


def town(*devices: int, policy: DispatchPolicy = SHORT, **values: object) -> Town:
    values = {"area": "east-1", "contractor": "weibao", **values}
    return Town([camera(n, **values) for n in devices or (1, 2, 3)], policy)


def lost(policy: DispatchPolicy = SHORT) -> Town:
    """A camera was lost at 100 s, and its order opened at 180 s."""
    made = town(policy=policy)
    made.lose("cam-001", 100)
    made.until(200)
    return made


def test_an_incident_sends_the_nearest_crew_of_the_devices_contractor_once() -> None:
    one = lost()
    one.until(900)
    assert list(one.orders.orders) == [1]
    order = one.order()
    assert (order.state, order.contractor, order.crew) == (OrderState.ASSIGNED, "weibao", "crew-east")
    assert order.opened_at == order.sent_at == at(180)
    assert order.started == at(100)
    assert one.took() == [OrderStep.OPENED, OrderStep.ESCALATED]


def test_a_crew_that_mends_it_is_believed_when_the_probes_agree_and_a_person_closes_it() -> None:
    one = lost()
    one.do(1, deeds.accept, actor=CREW)
    one.until(600)
    one.do(1, deeds.arrive, actor=CREW)
    one.until(1000)
    one.back("cam-001", 900)
    one.until(1100)
    assert one.order().state is OrderState.ON_SITE, "the crew has not said so"
    one.do(1, deeds.fix, "换了电源", actor=CREW)
    one.until(1140)
    assert one.order().state is OrderState.FIXED, "nothing was read after the crew's word"
    one.hear("cam-001", 1145, good=True)
    one.until(1150)
    closed = one.do(1, deeds.close, 5, "快")
    assert (closed.state, closed.recovered_at, closed.fixed_at) == (OrderState.CLOSED, at(900), at(1100))
    assert closed.rating is not None
    assert one.took() == [
        OrderStep.OPENED,
        OrderStep.ACCEPTED,
        OrderStep.ARRIVED,
        OrderStep.RECOVERED,
        OrderStep.FIXED,
        OrderStep.VERIFIED,
        OrderStep.CLOSED,
    ]


def test_a_word_that_the_probes_do_not_bear_out_sends_the_crew_back_with_what_is_wrong() -> None:
    one = lost()
    one.do(1, deeds.accept, actor=CREW)
    one.do(1, deeds.fix, "", actor=CREW)
    one.until(200 + SHORT.verify_within - 5)
    assert one.order().state is OrderState.FIXED
    one.until(200 + SHORT.verify_within + 5)
    assert (one.order().state, one.order().fixed_at) == (OrderState.ACCEPTED, None)
    (back,) = (change for change in one.ordered if change.step is OrderStep.NOT_FIXED)
    assert back.values == {"cause": "timeout"}


def test_a_fault_that_goes_away_before_anybody_accepted_is_verified_as_recovered_by_itself() -> None:
    one = lost()
    one.back("cam-001", 300)
    one.until(400)
    order = one.order()
    assert (order.state, order.by_itself, order.recovered_at) == (OrderState.VERIFIED, True, at(300))
    one.until(400 + SHORT.close_after, every=3600)
    assert one.order().state is OrderState.CLOSED
    assert one.took()[-1] is OrderStep.CLOSED


def test_a_fault_back_within_seven_days_opens_the_same_order_again_and_later_a_new_one() -> None:
    one = lost()
    one.back("cam-001", 300)
    one.until(400)
    one.do(1, deeds.close, None, "")
    one.lose("cam-001", 6 * DAY)
    one.until(6 * DAY - 10, every=3600)
    one.until(6 * DAY + 200)
    order = one.order()
    assert (order.state, order.repeats, order.incident, order.started) == (OrderState.ASSIGNED, 1, 2, at(6 * DAY))
    assert order.sent_at > at(6 * DAY)
    one.back("cam-001", 6 * DAY + 300)
    one.until(6 * DAY + 400)
    one.lose("cam-001", 14 * DAY)
    one.until(14 * DAY - 10, every=3600)
    one.until(14 * DAY + 200)
    assert [(made.id, made.repeats) for made in one.orders.orders.values()] == [(1, 1), (2, 0)]


def test_another_cause_on_the_same_device_is_another_order() -> None:
    one = lost()
    one.back("cam-001", 300)
    one.until(400)
    one.lose("cam-001", 500, Cause.BLACK, Aspect.PICTURE)
    one.until(700)
    assert [order.cause for order in one.orders.orders.values()] == [Cause.TIMEOUT, Cause.BLACK]


def test_of_a_switch_and_its_cameras_the_switch_has_the_order() -> None:
    devices = [camera(0, area="east"), *(camera(n, parent="cam-000", area="east") for n in range(1, 40))]
    one = Town(devices, SHORT)
    for n in range(39, -1, -1):
        one.lose(f"cam-{n:03}", 100 + n % 7)
    one.until(300)
    assert [order.about for order in one.orders.orders.values()] == ["cam-000"]
    order = one.order()
    assert (order.severity.value, order.affected, order.deadlines.repair) == ("P1", 39, 48 * 3600)
    for n in range(40):
        one.back(f"cam-{n:03}", 1000 + n)
    one.until(1300)
    assert (len(one.orders.orders), one.order().state) == (1, OrderState.VERIFIED)
    # Back another day, with no camera behind it, it is as urgent as its incident says, and not as it was.
    one.until(DAY, every=3600)
    one.lose("cam-000", DAY + 100)
    one.until(DAY + 300)
    order = one.order()
    assert (order.repeats, order.severity, order.deadlines.repair) == (
        1,
        one.scene.incidents[order.incident].severity,
        3600,
    )
    assert order.severity.value == "P2"


def test_an_order_whose_incident_turns_out_to_be_anothers_is_cancelled_and_opened_again_if_it_stays() -> None:
    one = Town([camera(0), camera(1, parent="cam-000"), camera(2)], SHORT)
    one.lose("cam-001", 100)
    one.until(200)
    assert one.took() == [OrderStep.OPENED]
    one.lose("cam-000", 210)
    one.until(400)
    assert one.order().cancelled is CancelReason.EXPLAINED
    assert one.order(2).about == "cam-000"
    one.back("cam-000", 500)
    one.until(540)
    one.hear("cam-001", 545, good=False)
    one.until(700)
    order = one.order()
    assert (order.state, order.cancelled, order.repeats) == (OrderState.NEW, None, 0)
    assert one.took() == [OrderStep.OPENED, OrderStep.CANCELLED, OrderStep.REOPENED]


def test_planned_work_holds_an_order_that_nobody_has_started_and_lets_it_go_on_afterwards() -> None:
    one = lost()
    reason = {"reason": "planned", "author": "li", "created_at": NOON}
    one.windows = [
        Window(1, WindowKind.FIXED, Cover(devices=("cam-001",)), at(300), at(900), **reason)  # type: ignore[arg-type]
    ]
    one.until(400)
    assert (one.order().state, one.order().holds[-1].reason) == (OrderState.ON_HOLD, HoldReason.PLANNED_WINDOW)
    one.until(1000)
    assert one.order().state is OrderState.ASSIGNED
    due = one.order().due.accept
    assert due is not None
    assert timedelta(seconds=1360) <= due - NOON <= timedelta(seconds=1400), "the window does not count"
    # What is muted from the beginning sends nobody.
    other = town()
    other.windows = [replace(one.windows[0], begins=at(0))]
    other.lose("cam-001", 100)
    other.until(800)
    assert not other.orders.orders


def test_a_hold_is_charged_to_nobodys_device_but_not_what_belongs_to_another() -> None:
    one = lost()
    one.do(1, deeds.accept)
    one.do(1, deeds.hold, HoldReason.POWER_COMPANY, "停电")
    one.until(500)
    one.do(1, deeds.resume)
    one.until(700)
    assert one.charged() == {Party.DEVICE: 100 + 200, Party.PAUSE: 300}
    one.do(1, deeds.hold, HoldReason.ACCESS_REFUSED, "")
    one.silent("cam-001", 800)
    one.until(1000)
    assert one.charged() == {Party.DEVICE: 300, Party.PAUSE: 300 + 100, Party.UNKNOWN: 200}
    assert one.order().due.repair is None


def test_each_overdue_step_is_pushed_once_at_the_contact_of_the_area_or_of_the_one_above() -> None:
    one = lost()
    one.until(2000)
    pushed = [change for change in one.ordered if change.step is OrderStep.ESCALATED]
    assert [change.values["phase"] for change in pushed] == ["accept", "arrive"]
    assert {change.values["contact"] for change in pushed} == {"东区 王 east@example.org"}
    one.do(1, deeds.accept)
    assert one.order().late() == (Phase.ARRIVE,)
    one.until(5000)
    assert one.took().count(OrderStep.ESCALATED) == one.order().escalations == 3


def test_nobody_is_pushed_while_on_hold_nor_after_the_fault_is_gone() -> None:
    one = lost()
    one.do(1, deeds.accept)
    one.do(1, deeds.hold, HoldReason.THIRD_PARTY_LINK, "")
    one.until(8000)
    one.do(1, deeds.resume)
    one.back("cam-001", 8010)
    one.until(20_000, every=60)
    assert OrderStep.ESCALATED not in one.took()


def test_a_device_that_is_measured_no_more_needs_nobody() -> None:
    one = lost()
    one.do(1, deeds.accept)
    one.forget("cam-001", 300)
    one.until(400)
    assert one.order().cancelled is CancelReason.NOT_MEASURED


def test_deeds_are_for_who_may_and_when_they_are_possible() -> None:
    one = lost()
    stranger = replace(CREW, crew="crew-city", contractor="other")
    with pytest.raises(Refusal, match="not_yours"):
        one.do(1, deeds.accept, actor=stranger)
    with pytest.raises(Refusal, match="role"):
        one.do(1, deeds.cancel, CancelReason.MISTAKEN, "", actor=CREW)
    with pytest.raises(Refusal, match="state"):
        one.do(1, deeds.arrive, actor=CREW)
    with pytest.raises(Refusal, match="nobody"):
        one.do(1, deeds.assign, "", "")
    assert deeds.possible(one.order(), CREW) == (deeds.Deed.ACCEPT, deeds.Deed.HOLD, deeds.Deed.NOTE)
    one.do(1, deeds.assign, "weibao", "")
    assert one.do(1, deeds.accept, actor=CREW).crew == "crew-east", "whoever takes it has it"
    one.do(1, deeds.cancel, CancelReason.MISTAKEN, "")
    one.until(3000)
    assert one.order().state is OrderState.CANCELLED, "a person's word stands while the incident lasts"
    with pytest.raises(Refusal, match="state"):
        one.do(1, deeds.fix, "", actor=DUTY)

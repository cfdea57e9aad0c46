"""A person sends a crew for what no incident has sent one for: by the usual rules, verified like the rest."""

from __future__ import annotations

import pytest

from camera_registry.model.dispatch import DispatchPolicy, DispatchRule
from camera_registry.model.health import Aspect, Cause
from camera_registry.model.incident import Severity
from camera_registry.model.notice import Audience, Occasion
from camera_registry.model.people import Role
from camera_registry.model.work_order import NO_INCIDENT, CancelReason, Deadlines, OrderState, OrderStep
from camera_registry.rules.dispatch import deeds
from camera_registry.rules.dispatch.deeds import Actor, Refusal
from camera_registry.rules.dispatch.opening import Wish
from tests.rules.dispatch.town import CREW, DUTY, Town
from tests.rules.incidents.city import at, camera

LENS = Wish("cam-001", Cause.DIRTY, "清洁镜头")
SHORT = dict.fromkeys(DispatchPolicy().deadlines, Deadlines(600, 1200, 3600))
NOBODY = DispatchPolicy((DispatchRule(causes=frozenset({Cause.TIMEOUT}), send=False),), deadlines=SHORT)


def town(policy: DispatchPolicy | None = None) -> Town:
    """Its first camera is well: its reach and its picture were read as good."""
    made = Town(
        [camera(n, area="east-1", contractor="weibao") for n in (1, 2)], policy or DispatchPolicy(deadlines=SHORT)
    )
    for aspect in (Aspect.REACH, Aspect.PICTURE):
        made.back("cam-001", 10, aspect)
    made.until(100)
    return made


def fixed(one: Town, wish: Wish = LENS) -> None:
    one.ask(wish)
    one.do(1, deeds.accept, actor=CREW)
    one.do(1, deeds.fix, "擦过了", actor=CREW)


def test_it_goes_to_the_crew_of_the_rules_with_its_deadlines_and_says_who_wants_what() -> None:
    one = town()
    order = one.ask(LENS)
    assert (order.id, order.incident, order.about, order.cause) == (1, NO_INCIDENT, "cam-001", Cause.DIRTY)
    assert (order.state, order.contractor, order.crew, order.severity) == (
        OrderState.ASSIGNED, "weibao", "crew-east", Severity.P3,
    )  # fmt: skip
    assert order.due.accept == at(700)
    assert (one.ordered[0].step, one.ordered[0].actor, one.ordered[0].note) == (OrderStep.OPENED, "duty", "清洁镜头")
    one.until(800)
    assert one.took() == [OrderStep.OPENED, OrderStep.ESCALATED], "it is pushed like any other"


def test_a_persons_severity_goes_before_that_of_the_rules() -> None:
    rules = (DispatchRule(severity=Severity.P4),)
    assert town(DispatchPolicy(rules)).ask(LENS).severity is Severity.P4
    urgent = town(DispatchPolicy(rules)).ask(Wish("cam-001", Cause.DIRTY, "领导视察", Severity.P1))
    assert (urgent.severity, urgent.deadlines) == (Severity.P1, DispatchPolicy().deadlines[Severity.P1])


def test_the_probes_verify_it_when_all_that_was_well_is_read_as_good_again() -> None:
    one = town()
    fixed(one)
    one.until(150)
    one.hear("cam-001", 140, Aspect.REACH, good=True)
    one.until(160)
    assert one.order().state is OrderState.FIXED, "the picture was not looked at since"
    one.hear("cam-001", 155, Aspect.PICTURE, good=True)
    one.until(170)
    assert one.order().state is OrderState.VERIFIED


def test_a_picture_that_is_worse_after_the_crews_word_sends_them_again() -> None:
    one = town()
    fixed(one)
    one.lose("cam-001", 110, Cause.COVERED, Aspect.PICTURE)
    one.until(150 + NOBODY.verify_within)
    assert OrderStep.NOT_FIXED in one.took()
    assert one.order().state is OrderState.ACCEPTED


def test_what_the_probes_cannot_see_a_person_vouches_for_and_says_why() -> None:
    one = town()
    fixed(one, Wish("cam-002", Cause.POWER, "箱门锁坏了"))
    one.until(100 + 2 * NOBODY.verify_within)
    assert one.order().state is OrderState.FIXED, "nothing of this camera was ever read, so nobody is blamed"
    with pytest.raises(Refusal, match="unproven"):
        one.do(1, deeds.close, None, " ")
    with pytest.raises(Refusal, match="role"):
        one.do(1, deeds.close, None, "好了", actor=CREW)
    assert one.do(1, deeds.close, 5, "照片为证").state is OrderState.CLOSED


def test_it_is_called_off_with_a_reason_like_any_other() -> None:
    one = town()
    one.ask(LENS)
    assert one.do(1, deeds.cancel, CancelReason.MISTAKEN, "看错了").state is OrderState.CANCELLED
    assert one.ask(LENS).id == 2


def test_where_nobody_is_sent_for_an_incident_the_order_is_about_it_and_ends_with_it() -> None:
    one = town(NOBODY)
    one.lose("cam-001", 110)
    one.until(250)
    assert one.open
    assert not one.orders.orders
    order = one.ask(Wish("cam-001", Cause.TIMEOUT, "请去看看"))
    assert (order.incident, order.started, order.crew) == (one.open[0].id, at(110), "crew-east")
    one.back("cam-001", 300)
    one.until(400)
    assert one.order().state is OrderState.VERIFIED


def test_a_fault_that_the_probes_find_later_is_the_same_order() -> None:
    one = town()
    one.ask(LENS)
    one.lose("cam-001", 120, Cause.DIRTY, Aspect.PICTURE)
    one.until(300)
    assert list(one.orders.orders) == [1]
    assert one.order().incident == one.open[0].id
    assert one.took() == [OrderStep.OPENED, OrderStep.CHANGED]


@pytest.mark.parametrize(
    ("wish", "actor", "code"),
    [
        (LENS, CREW, "role"),
        (LENS, Actor("wang", Role.AUDITOR), "role"),
        (LENS, DUTY, "out_already"),
        (Wish("cam-001", Cause.POLLER_BLIND, "?"), DUTY, "not_for_crews"),
        (Wish("cam-001", Cause.MOVED, "  "), DUTY, "untold"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(wish: Wish, actor: Actor, code: str) -> None:
    one = town()
    one.ask(LENS)
    with pytest.raises(Refusal) as refused:
        one.ask(wish, actor)
    assert refused.value.code == code


def test_an_order_of_the_incident_that_was_cancelled_is_opened_again_and_not_doubled() -> None:
    one = town()
    one.lose("cam-001", 110)
    one.until(250)
    one.do(1, deeds.cancel, CancelReason.OTHER, "")
    with pytest.raises(Refusal) as refused:
        one.ask(Wish("cam-001", Cause.TIMEOUT, "还是要去"))
    assert (refused.value.code, refused.value.values) == ("open_again", {"id": 1})


def test_a_channel_hears_of_it_though_no_incident_tells() -> None:
    one = town()
    one.ask(LENS)
    (notice,) = one.notices(Audience("desk"))
    assert (notice.occasion, notice.incident, notice.values["order"]) == (Occasion.ORDER_OPENED, None, 1)
    assert notice.values["detail"] == "清洁镜头"
    assert not one.notices(Audience("alertmanager", orders=frozenset())), "which is told of no orders at all"

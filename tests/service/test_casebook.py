"""From observations to what people are told, without a socket: ledger and casebook together."""

from datetime import timedelta

import pytest

from camera_registry.model.device import Device
from camera_registry.model.health import Cause
from camera_registry.model.incident import Scope, Severity, Step
from camera_registry.model.notice import Audience, Occasion
from camera_registry.model.observation import Facts, Observation
from camera_registry.model.work_order import OrderChange, OrderStep
from camera_registry.rules import notices
from camera_registry.service.casebook import Casebook
from camera_registry.service.ledger import Ledger
from camera_registry.settings import Settings
from tests.notices import order
from tests.service.watch import NOON, Watch, at, unit


def test_a_step_of_an_order_that_is_of_tomorrow_since_the_clock_was_set_back_is_told_now() -> None:
    settings = Settings()
    book = Casebook(Ledger(settings.health.policy(), settings.probes.policy()), settings.incidents.policy(), NOON)
    book.audiences = [Audience("duty", orders=frozenset({Occasion.ORDER_OPENED}))]
    tomorrow, soon = (OrderChange(OrderStep.OPENED, at(seconds), order()) for seconds in (86_400, 30))
    assert [one.created_at for one in book.owed((), [tomorrow, soon])] == [NOON, at(30)]


def test_one_lost_poll_of_a_thousand_devices_tells_nobody() -> None:
    watch = Watch(unit(n) for n in range(1000))
    watch.run(120, lambda device: True)
    watch.now += 60
    watch.ask(lambda device: False)
    watch.fold()
    watch.run(300, lambda device: True)
    assert watch.told == []


def test_a_line_of_our_own_that_is_lost_and_back_is_one_incident_of_the_poller() -> None:
    watch = Watch(unit(n) for n in range(1000))
    watch.run(120, lambda device: True)
    watch.run(900, lambda device: False)
    watch.run(300, lambda device: True)
    assert [(change.step, change.incident.scope) for change in watch.told] == [
        (Step.OPENED, Scope.POLLER),
        (Step.RESOLVED, Scope.POLLER),
    ]


def test_a_restart_with_200_down_tells_nothing_new_and_then_only_who_is_back() -> None:
    watch = Watch(unit(n) for n in range(400))
    down = {f"u-{n:04}" for n in range(0, 400, 2)}
    watch.run(120, lambda device: True)
    for start in range(0, 400, 50):  # over hours: each is a fault of its own
        lost = {f"u-{n:04}" for n in range(0, start + 50, 2)}
        watch.run(300, lambda device, lost=lost: device.id not in lost)  # type: ignore[misc]
    told = len(watch.told)
    open_before = {one.id: one.about for one in watch.casebook.incidents.values()}
    assert len(open_before) == len(down) == 200
    watch.restart()
    watch.run(300, lambda device: device.id not in down)
    assert watch.told[told:] == []
    assert {one.id: one.about for one in watch.casebook.incidents.values()} == open_before
    watch.restart()
    watch.run(300, lambda device: True)
    assert {change.step for change in watch.told[told:]} == {Step.RESOLVED}
    assert {change.incident.id for change in watch.told[told:]} == set(open_before)


def test_a_restart_while_a_district_is_lost_behind_its_switch_tells_nothing_new() -> None:
    watch = Watch([unit(0), *(unit(n, parent="u-0000") for n in range(1, 40)), *(unit(n) for n in range(40, 80))])
    lost = {f"u-{n:04}" for n in range(40)}
    watch.run(120, lambda device: True)
    watch.run(300, lambda device: device.id not in lost)
    assert [change.incident.about for change in watch.told] == ["u-0000"]
    watch.restart()
    watch.run(300, lambda device: device.id not in lost)
    watch.restart()
    watch.run(300, lambda device: True)
    assert [change.step for change in watch.told] == [Step.OPENED, Step.RESOLVED]
    assert not watch.casebook._book.affected


SWITCH = unit(0, snmp_port=161)
FED, UNFED = (
    {"ports": [{"name": "Gi0/3", "up": up, "admin_up": True, "poe": "delivering" if up else "fault"}]}
    for up in (True, False)
)


def plugged_in() -> Watch:
    watch = Watch([SWITCH, unit(1, parent="u-0000", parent_port="Gi0/3"), *(unit(n) for n in range(2, 40))])
    watch.run(120, lambda device: True)
    tell_ports(watch, FED)
    return watch


def tell_ports(watch: Watch, facts: Facts) -> None:
    watch.ledger.judge([Observation("u-0000", "snmp", at(watch.now), 0.1, facts=facts)], at(watch.now))


def test_what_a_switch_feeds_no_more_is_told_and_ordered_by_that_name_and_is_still_after_a_restart() -> None:
    watch = plugged_in()
    watch.now += 60
    watch.ask(lambda device: device.id != "u-0001")
    tell_ports(watch, UNFED)
    watch.run(600, lambda device: device.id != "u-0001")
    ((opened,), (order,)) = watch.told, watch.ordered
    assert (opened.step, opened.incident.cause, opened.incident.severity) == (Step.OPENED, Cause.POWER, Severity.P2)
    assert "Gi0/3" in opened.incident.detail
    assert order.order.cause is Cause.POWER
    watch.restart()
    watch.run(600, lambda device: device.id != "u-0001")
    assert len(watch.told) == 1
    tell_ports(watch, FED)
    watch.run(120, lambda device: device.id != "u-0001")
    watch.run(120, lambda device: True)
    assert [change.step for change in watch.told] == [Step.OPENED, Step.RESOLVED]
    assert watch.told[-1].incident.cause is Cause.POWER, "it is named by what it was, though the port came back first"


def test_what_a_switch_tells_after_the_incident_has_begun_changes_its_cause_and_its_orders() -> None:
    watch = plugged_in()
    watch.run(600, lambda device: device.id != "u-0001")
    assert [change.incident.cause for change in watch.told] == [Cause.TIMEOUT]
    tell_ports(watch, UNFED)
    watch.run(120, lambda device: device.id != "u-0001")
    assert [(change.step, change.incident.cause) for change in watch.told[1:]] == [(Step.CAUSE_CHANGED, Cause.POWER)]
    assert [(one.step, one.order.cause) for one in watch.ordered[1:]] == [(OrderStep.CHANGED, Cause.POWER)]
    (notice,) = notices.owed(watch.told[1:], [Audience("duty")], watch.register)
    assert (notice.values["cause"], "Gi0/3" in str(notice.values["detail"])) == ("power", True)


def test_a_parent_that_came_back_while_nobody_looked_leaves_no_false_alarm() -> None:
    watch = Watch([unit(0), *(unit(n, parent="u-0000") for n in range(1, 12)), *(unit(n) for n in range(20, 40))])
    lost = {f"u-{n:04}" for n in range(12)}
    watch.run(120, lambda device: True)
    watch.run(300, lambda device: device.id not in lost)
    watch.ask(lambda device: True, [watch.register.devices["u-0000"]])
    watch.now += 10
    watch.ask(lambda device: True, [watch.register.devices["u-0000"]])
    watch.fold()
    watch.now += 5
    watch.restart()
    watch.run(300, lambda device: True)
    assert [change.step for change in watch.told] == [Step.OPENED, Step.RESOLVED]


def test_up_and_down_at_every_poll_for_an_hour_is_one_incident() -> None:
    watch = Watch(unit(n) for n in range(20))
    watch.run(120, lambda device: True)
    turn = {"n": 0}

    def unsteady(device: Device) -> bool:
        if device.id != "u-0003":
            return True
        turn["n"] += 1
        return turn["n"] % 2 == 0

    watch.run(3600, unsteady)
    watch.run(1800, lambda device: True)
    steps = [change.step for change in watch.told]
    assert steps.count(Step.OPENED) == steps.count(Step.RESOLVED) == 1
    assert steps.count(Step.FLAPPING_BEGAN) <= 1
    assert steps.count(Step.FLAPPING_ENDED) <= 1
    assert set(steps) <= {Step.OPENED, Step.RESOLVED, Step.FLAPPING_BEGAN, Step.FLAPPING_ENDED}


@pytest.mark.parametrize("step", [3600.0, -3600.0, 86_400.0])
def test_a_clock_that_is_set_tells_nobody_anything(step: float) -> None:
    watch = Watch(unit(n) for n in range(50))
    down = {"u-0001", "u-0002"}
    watch.run(300, lambda device: device.id not in down)
    watch.run(120, lambda device: device.id not in {*down, "u-0003"})
    told = len(watch.told)
    watch.now += step
    watch.ledger.shift(timedelta(seconds=step))
    watch.dispatcher.shift(timedelta(seconds=step))
    watch.fold()
    watch.run(600, lambda device: device.id not in {*down, "u-0003"})
    assert [(change.step, change.incident.about) for change in watch.told[told:]] in (
        [],
        [(Step.OPENED, "u-0003")],
    )
    assert len([change for change in watch.told if change.step is Step.OPENED]) == 3
    assert {change.step for change in watch.ordered} == {OrderStep.OPENED}, "nothing is overdue by that"


def test_ten_minutes_of_standstill_tell_nobody_and_are_charged_to_nobody() -> None:
    watch = Watch(unit(n) for n in range(50))
    watch.run(600, lambda device: device.id != "u-0001")
    (opened,) = watch.told
    watch.now += 600
    watch.fold()
    watch.ledger.tick(at(watch.now), 1)
    watch.run(300, lambda device: device.id != "u-0001")
    assert watch.told == [opened]
    (incident,) = watch.casebook.incidents.values()
    charged = incident.charged(at(watch.now))
    assert sum(charged.values(), timedelta()) == at(watch.now) - incident.started
    assert any(party.value == "unknown" and time >= timedelta(seconds=590) for party, time in charged.items())

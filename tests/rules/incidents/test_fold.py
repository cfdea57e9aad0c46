"""What becomes an incident, what is the consequence of another, and what nobody is told."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from camera_registry.model.device import Device, Kind
from camera_registry.model.health import Aspect, Cause
from camera_registry.model.incident import Acknowledgement, Party, Scope, Severity, Step
from camera_registry.model.notice import Audience, Occasion
from camera_registry.model.work_order import OrderState
from camera_registry.rules.dispatch import deeds
from camera_registry.rules.incidents.book import Blindness
from camera_registry.rules.incidents.edits import acknowledge
from tests.rules.dispatch.town import Town
from tests.rules.incidents.city import City, at, camera

SWITCH = Device("sw-1", Kind.NETWORK, host="10.250.0.1")


def behind(switch: str, number: int) -> list[Device]:
    return [camera(n, parent=switch, host=f"10.0.0.{n % 250 + 1}") for n in range(number)]


def test_an_incident_begins_at_the_first_loss_and_is_told_when_its_hold_is_over() -> None:
    city = City([camera(1)])
    city.lose("cam-001", 100)
    assert city.until(175) == []
    (opened,) = city.until(200)
    assert opened.step is Step.OPENED
    incident = opened.incident
    assert (incident.started, incident.confirmed_at, incident.opened_at) == (at(100), at(120), at(180))
    city.back("cam-001", 400)
    (resolved,) = city.until(450)
    assert (resolved.step, resolved.incident.ended) == (Step.RESOLVED, at(400))
    assert resolved.incident.charged(at(999)) == {Party.DEVICE: timedelta(seconds=300)}
    assert city.open == []


def test_a_blip_within_the_hold_is_no_incident() -> None:
    city = City([camera(1)])
    city.lose("cam-001", 100)
    city.back("cam-001", 150)
    assert city.until(400) == []


def test_a_dead_camera_is_one_incident_whatever_else_is_lost_with_it() -> None:
    city = City([camera(1)])
    city.lose("cam-001", 95, aspect=Aspect.STREAM)
    city.lose("cam-001", 100, Cause.UNREACHABLE)
    city.lose("cam-001", 102, aspect=Aspect.CONTROL)
    (opened,) = city.until(400)
    assert opened.incident.cause is Cause.UNREACHABLE
    assert opened.incident.started == at(95)
    assert [one.aspect for one in opened.incident.symptoms] == [Aspect.REACH, Aspect.STREAM, Aspect.CONTROL]
    city.back("cam-001", 500)
    assert city.until(600) == [], "its stream is not back yet"
    city.back("cam-001", 560, Aspect.STREAM)
    city.back("cam-001", 550, Aspect.CONTROL)
    (resolved,) = city.until(700)
    assert resolved.incident.ended == at(560)


def test_a_fault_of_another_kind_is_an_incident_of_its_own() -> None:
    city = City([camera(1)])
    city.lose("cam-001", 100, Cause.BLURRED, Aspect.PICTURE)
    city.lose("cam-001", 100, Cause.CLOCK_DRIFT, Aspect.CLOCK)
    city.until(400)
    assert {(one.cause, one.severity) for one in city.open} == {
        (Cause.BLURRED, Severity.P3),
        (Cause.CLOCK_DRIFT, Severity.P4),
    }


def test_an_incident_keeps_the_history_of_its_cause() -> None:
    city = City([camera(1)])
    city.lose("cam-001", 100, Cause.TIMEOUT)
    city.until(200)
    city.lose("cam-001", 300, Cause.UNREACHABLE)
    (changed,) = city.until(400)
    assert changed.step is Step.CAUSE_CHANGED
    assert [called.cause for called in changed.incident.causes] == [Cause.TIMEOUT, Cause.UNREACHABLE]
    assert changed.incident.started == at(100)


def test_a_camera_that_is_found_to_have_no_power_is_the_same_incident_as_bad_as_before_and_a_loss_still() -> None:
    city = City([SWITCH, camera(1, parent="sw-1")])
    city.lose("cam-001", 100)
    city.until(200)
    city.lose("cam-001", 300, Cause.POWER)
    (changed,) = city.until(400)
    assert (changed.step, changed.incident.cause) == (Step.CAUSE_CHANGED, Cause.POWER)
    assert (changed.incident.started, changed.incident.severity) == (at(100), Severity.P2)
    city.lose("sw-1", 500)
    city.until(700)
    assert [one.about for one in city.open if not one.muted] == ["sw-1"]
    assert city.steps(Step.OPENED) == ["cam-001", "sw-1"]


def test_a_supply_on_its_battery_is_worse_than_a_camera_without_power() -> None:
    city = City([SWITCH, camera(1)])
    city.lose("sw-1", 100, Cause.POWER, Aspect.CONTROL)
    city.lose("cam-001", 100, Cause.POWER)
    city.until(400)
    assert {one.about: one.severity for one in city.open} == {"sw-1": Severity.P1, "cam-001": Severity.P2}


def test_cameras_that_lose_their_power_together_are_one_incident() -> None:
    city = City(behind("sw-1", 12))
    for n in range(12):
        city.lose(f"cam-{n:03}", n, Cause.POWER)
    city.until(300)
    (incident,) = city.open
    assert (incident.scope, incident.cause, incident.affected) == (Scope.PREFIX, Cause.POWER, 12)


def test_a_refused_password_is_not_mended_by_the_loss_of_the_camera() -> None:
    city = City([camera(1)])
    city.lose("cam-001", 0, Cause.AUTH, Aspect.STREAM)
    city.until(100)
    city.lose("cam-001", 200, aspect=Aspect.STREAM)
    city.lose("cam-001", 205)
    city.until(400)
    assert {one.cause for one in city.open} == {Cause.AUTH, Cause.TIMEOUT}
    city.back("cam-001", 500)
    city.lose("cam-001", 510, Cause.AUTH, Aspect.STREAM)
    city.until(700)
    assert city.steps(Step.RESOLVED) == ["cam-001"]
    assert [one.cause for one in city.open] == [Cause.AUTH]
    assert len(city.steps(Step.OPENED)) == 2


def test_a_stream_that_stops_answering_changes_the_cause_once_that_has_held() -> None:
    city = City([camera(1)])
    city.lose("cam-001", 0, Cause.NO_MEDIA, Aspect.STREAM)
    city.until(100)
    city.lose("cam-001", 200, Cause.TIMEOUT, Aspect.STREAM)
    assert city.until(270) == []
    (changed,) = city.until(300)
    assert (changed.step, changed.incident.cause) == (Step.CAUSE_CHANGED, Cause.TIMEOUT)


@pytest.mark.parametrize("seed", range(50))
def test_a_district_behind_a_dead_switch_is_one_incident_one_notice_and_one_order_in_whatever_order_it_is_noticed(
    seed: int,
) -> None:
    order = random.Random(seed)
    city = Town([SWITCH, *behind("sw-1", 300), *(camera(n) for n in range(400, 430))])
    lost = ["sw-1", *(f"cam-{n:03}" for n in range(300))]
    for device in lost:
        city.lose(device, order.uniform(0, 60))
    city.until(300, every=10)
    assert city.steps(Step.OPENED) == ["sw-1"]
    (incident,) = city.open
    assert (incident.affected, incident.severity) == (300, Severity.P1)
    crew_goes = seed % 2 == 0
    if crew_goes:
        city.do(1, deeds.assign, "weibao", "crew-city")
        city.do(1, deeds.accept)
    city.back("sw-1", 400)
    for device in lost[1:]:
        city.back(device, order.uniform(405, 520))
    for device in order.sample(lost[1:], 50):
        # Booting takes them longer than their parent: they are asked once more while they can't answer yet.
        city.hear(device, 425, good=False)
    city.until(560, every=10)
    if crew_goes:
        city.do(1, deeds.fix, "接好光纤")
    city.hear("sw-1", 570, good=True)
    city.until(900, every=10)
    assert city.steps(Step.OPENED) == ["sw-1"]
    assert [change.step for change in city.told] == [Step.OPENED, Step.RESOLVED]
    assert city.open == []
    assert not city.book.affected
    assert list(city.orders.orders) == [1]
    assert (city.order().state, city.order().by_itself) == (OrderState.VERIFIED, not crew_goes)
    told = city.notices(Audience("duty"))
    assert [(one.occasion, one.values["order"]) for one in told] == [(Occasion.OPENED, 1), (Occasion.RESOLVED, 1)]


def test_a_camera_that_stays_lost_after_its_switch_is_back_is_told_once_it_was_asked_again() -> None:
    city = City([SWITCH, *behind("sw-1", 3)])
    for device in ("sw-1", "cam-000", "cam-001", "cam-002"):
        city.lose(device, 10)
    city.until(200)
    city.back("sw-1", 300)
    city.back("cam-000", 310)
    city.back("cam-001", 310)
    city.until(600)
    assert city.open == [], "nobody has asked it since"
    city.hear("cam-002", 605, good=False)
    city.until(700)
    (incident,) = city.open
    assert (incident.about, incident.started) == ("cam-002", at(10))
    assert incident.charged(at(700)) == {
        Party.PARENT: timedelta(seconds=290),
        Party.DEVICE: timedelta(seconds=400),
    }


def test_a_switch_behind_a_dead_uplink_is_not_to_blame_and_loses_its_incident_to_it() -> None:
    uplink = Device("up-1", Kind.NETWORK, host="10.251.0.1")
    city = City([uplink, replace(SWITCH, parent="up-1"), *behind("sw-1", 3)])
    for device in ("sw-1", "cam-000", "cam-001", "cam-002"):
        city.lose(device, 10)
    city.until(200)
    assert [one.about for one in city.open] == ["sw-1"]
    city.lose("up-1", 300)
    city.until(500)
    (switch, root) = city.open
    assert (switch.about, switch.parent, switch.muted) == ("sw-1", root.id, True)
    assert city.steps(Step.EXPLAINED) == ["sw-1"]
    assert root.affected == 4
    assert switch.charged(at(500)) == {Party.DEVICE: timedelta(seconds=290), Party.PARENT: timedelta(seconds=200)}
    city.back("up-1", 600)
    city.hear("sw-1", 650, good=False)
    city.until(700)
    assert city.steps(Step.UNEXPLAINED) == ["sw-1"]
    assert [one.about for one in city.open] == ["sw-1"]


def test_a_device_with_two_parents_is_explained_only_when_both_are_lost() -> None:
    twin = Device("sw-2", Kind.NETWORK, host="10.252.0.1")
    city = City([SWITCH, twin, camera(1, parent="sw-1", backup_parent="sw-2")])
    city.lose("sw-1", 10)
    city.lose("cam-001", 12)
    city.until(200)
    assert {one.about for one in city.open} == {"sw-1", "cam-001"}
    city.lose("sw-2", 300)
    city.until(500)
    assert {one.about for one in city.open if not one.muted} == {"sw-1", "sw-2"}


def test_many_of_one_network_that_are_lost_within_a_minute_are_one_incident() -> None:
    city = City(camera(n, host=f"10.9.8.{n}") for n in range(1, 31))
    for n in range(1, 31):
        city.lose(f"cam-{n:03}", 2 * n)
    city.until(300)
    (incident,) = city.open
    assert (incident.scope, incident.about, incident.cause) == (Scope.PREFIX, "10.9.8.0/24", Cause.TIMEOUT)
    assert (incident.severity, incident.affected, incident.started) == (Severity.P1, 30, at(2))
    for n in range(1, 31):
        city.back(f"cam-{n:03}", 400 + n)
    city.until(800)
    assert [change.step for change in city.told] == [Step.OPENED, Step.RESOLVED]


def test_those_that_stay_lost_when_their_network_is_back_are_told_by_themselves() -> None:
    city = City(camera(n, host=f"10.9.8.{n}") for n in range(1, 21))
    for n in range(1, 21):
        city.lose(f"cam-{n:03}", n)
    city.until(200)
    for n in range(1, 19):
        city.back(f"cam-{n:03}", 300)
    city.until(330)
    assert city.open == []
    city.hear("cam-019", 400, good=False)
    city.hear("cam-020", 400, good=True)
    city.until(500)
    assert [one.about for one in city.open] == ["cam-019"]


def test_what_hangs_on_a_switch_that_stays_lost_when_its_network_is_back_waits_for_it() -> None:
    switches = [Device(f"sw-{n}", Kind.NETWORK, host=f"10.9.8.{n}") for n in range(1, 21)]
    city = City([*switches, *behind("sw-1", 3)])
    for device in [*switches, *behind("sw-1", 3)]:
        city.lose(device.id, 10)
    city.until(200)
    (network,) = city.open
    assert network.affected == 23
    for switch in switches[1:]:
        city.back(switch.id, 300)
    city.until(330)
    assert city.open == []
    city.hear("sw-1", 400, good=False)
    city.until(500)
    (switch,) = city.open
    assert (switch.about, switch.affected) == ("sw-1", 3)


def test_more_of_a_network_that_is_lost_later_belongs_to_its_incident() -> None:
    city = City(camera(n, host=f"10.9.8.{n}") for n in range(1, 61))
    for n in range(1, 31):
        city.lose(f"cam-{n:03}", n)
    for n in range(31, 61):
        city.lose(f"cam-{n:03}", 600 + n)
    city.until(900)
    (network,) = city.open
    assert network.affected == 60
    for n in range(1, 61):
        city.back(f"cam-{n:03}", 1000)
    city.until(1200)
    assert [change.step for change in city.told if change.step is not Step.SEVERITY_CHANGED] == [
        Step.OPENED,
        Step.RESOLVED,
    ]


def test_a_few_devices_or_many_over_hours_have_nothing_in_common() -> None:
    city = City(camera(n, host=f"10.9.8.{n}") for n in range(1, 31))
    for n in range(1, 8):
        city.lose(f"cam-{n:03}", n)
    for n in range(8, 31):
        city.lose(f"cam-{n:03}", 100 * n)
    city.until(3200, every=20)
    assert {one.scope for one in city.open} == {Scope.DEVICE}
    assert len(city.open) == 30


def test_all_that_hangs_on_one_power_source_is_one_incident_of_power() -> None:
    city = City([*(camera(n, power_source="box-7") for n in range(3)), camera(9)])
    for n in range(3):
        city.lose(f"cam-{n:03}", 10 * n)
    city.until(300)
    (incident,) = city.open
    assert (incident.scope, incident.about, incident.cause) == (Scope.POWER, "box-7", Cause.POWER)


def test_one_password_refused_everywhere_is_one_incident_of_the_area_that_holds_all() -> None:
    areas = {"city": "", "east": "city", "west": "city"}
    city = City((camera(n, area="east" if n % 2 else "west") for n in range(40)), areas)
    for n in range(40):
        city.lose(f"cam-{n:03}", n, Cause.AUTH, Aspect.CONTROL)
    city.until(300)
    (incident,) = city.open
    assert (incident.scope, incident.about, incident.cause) == (Scope.AREA, "city", Cause.AUTH)


def test_a_blind_poller_is_one_incident_and_none_about_devices() -> None:
    city = City(camera(n) for n in range(100))
    for n in range(30):
        city.lose(f"cam-{n:03}", n)
    city.until(40)
    city.blind = Blindness("local", at(0), at(40))
    for n in range(30):
        city.silent(f"cam-{n:03}", n + 40)
    city.until(600)
    assert [(one.scope, one.cause) for one in city.open] == [(Scope.POLLER, Cause.POLLER_BLIND)]
    city.blind = None
    for n in range(30):
        city.back(f"cam-{n:03}", 605 + n)
    city.until(900)
    assert [change.step for change in city.told] == [Step.OPENED, Step.RESOLVED]


def test_time_in_which_nothing_was_heard_is_charged_to_nobody() -> None:
    city = City([camera(1)])
    city.lose("cam-001", 0)
    city.silent("cam-001", 300)
    city.until(1000)
    (incident,) = city.open
    assert incident.charged(at(1000)) == {Party.DEVICE: timedelta(seconds=300), Party.UNKNOWN: timedelta(seconds=700)}
    city.back("cam-001", 1100)
    (resolved,) = city.until(1200)
    assert resolved.incident.charged(at(1200)) == {
        Party.DEVICE: timedelta(seconds=300),
        Party.UNKNOWN: timedelta(seconds=800),
    }


def test_a_fault_that_was_never_told_is_not_told_in_silence() -> None:
    city = City([camera(1)])
    city.lose("cam-001", 0)
    city.silent("cam-001", 15)
    city.waiting[-1] = replace(city.waiting[-1], confirmed_at=at(70))
    assert city.until(1000) == []


def test_a_device_taken_out_of_service_ends_its_incident() -> None:
    city = City([camera(1)])
    city.lose("cam-001", 0)
    city.until(200)
    city.forget("cam-001", 300)
    (resolved,) = city.until(400)
    assert (resolved.step, resolved.text) == (Step.RESOLVED, "no longer measured")


def test_a_pause_of_the_service_is_no_time_in_which_a_parent_could_have_been_asked() -> None:
    city = City([SWITCH, *behind("sw-1", 9)])
    for n in range(9):
        city.lose(f"cam-{n:03}", 10)
    city.until(35)
    city.now = 635  # stopped for ten minutes
    city.fold()
    assert city.told == []
    city.lose("sw-1", 640)
    city.until(900)
    assert city.steps(Step.OPENED) == ["sw-1"]


def test_a_clock_set_back_opens_nothing_twice_and_keeps_the_sums() -> None:
    city = City([camera(1), camera(2)])
    city.lose("cam-001", 10)
    city.lose("cam-002", 100)
    city.until(125)
    city.now = -3475
    city.fold()
    city.until(-3300)
    assert city.steps(Step.OPENED) == ["cam-001", "cam-002"]


def test_flapping_for_an_hour_is_one_incident() -> None:
    city = City([camera(1)])
    city.flapping("cam-001", 100)
    city.until(3700, every=30)
    city.back("cam-001", 3700)
    city.until(4000)
    assert [change.step for change in city.told] == [Step.OPENED, Step.RESOLVED]
    assert city.told[0].incident.flapping


def test_a_network_of_which_some_are_back_is_still_one_incident() -> None:
    city = City(camera(n, host=f"10.9.8.{n}") for n in range(1, 21))
    for n in range(1, 21):
        city.lose(f"cam-{n:03}", n)
    city.until(200)
    for n in range(1, 11):
        city.back(f"cam-{n:03}", 300)
    for n in range(11, 21):
        city.hear(f"cam-{n:03}", 500, good=False)
    city.until(800)
    assert [one.scope for one in city.open] == [Scope.PREFIX]
    assert [change.step for change in city.told] == [Step.OPENED]


def test_an_acknowledgement_expires_at_its_time_and_one_that_is_not_sticky_with_the_cause() -> None:
    city = City([camera(1), camera(2)])
    city.lose("cam-001", 0)
    city.lose("cam-002", 0)
    city.until(100)
    until = {"cam-001": at(300), "cam-002": None}
    for one in city.open:
        seen = Acknowledgement("li", at(100), until[one.about], sticky=False)
        city.book = replace(
            city.book, incidents={**city.book.incidents, one.id: acknowledge(one, seen).incident}, wake=at(100)
        )
    city.until(400)
    assert city.steps(Step.UNACKNOWLEDGED) == ["cam-001"]
    assert city.told[-1].at == at(300)
    city.lose("cam-002", 500, Cause.UNREACHABLE)
    city.until(600)
    assert city.steps(Step.UNACKNOWLEDGED) == ["cam-001", "cam-002"]

"""Who is owed a notice, when it is due, and when it is not wanted any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from camera_registry.model.device import Device, Kind
from camera_registry.model.health import Cause
from camera_registry.model.incident import Acknowledgement, Severity, Step
from camera_registry.model.notice import Audience, Notice, NoticeState, Occasion, Quiet
from camera_registry.model.place import Area, Site, SiteCategory
from camera_registry.model.register import Register
from camera_registry.rules import notices
from tests.notices import NOON, at, incident, opened, resolved, step

REGISTER = Register(
    areas={area.id: area for area in (Area("city"), Area("east", "东区", "city"), Area("east-1", "东一", "east"))},
    sites={"bank": Site("bank", category=SiteCategory.FINANCIAL_OUTLET)},
    devices={"cam-1": Device("cam-1", Kind.CAMERA, "East gate", site="bank", area="east-1")},
)
ALL = Audience("duty", group_wait=0)


def owed(*changes: object, audience: Audience = ALL) -> list[Notice]:
    return notices.owed(changes, [audience], REGISTER)  # type: ignore[arg-type]


def test_a_notice_says_what_people_call_things() -> None:
    (one,) = owed(opened(1))
    assert one.values["called"] == "East gate"
    assert one.values["area_name"] == "东一"
    assert one.incident == 1


def test_the_same_step_is_owed_under_the_same_key_whenever_it_is_asked_for() -> None:
    assert owed(opened(1)) == owed(opened(1))
    keys = [one.key for one in owed(opened(1), opened(2), resolved(incident(1)))]
    assert len(set(keys)) == 3


@pytest.mark.parametrize(
    ("audience", "hears"),
    [
        (Audience("x", severity=Severity.P2), True),
        (Audience("x", severity=Severity.P1), False),
        (Audience("x", areas=frozenset({"east"})), True),
        (Audience("x", areas=frozenset({"west"})), False),
        (Audience("x", causes=frozenset({"timeout"})), True),
        (Audience("x", causes=frozenset({"black"})), False),
        (Audience("x", site_categories=frozenset({"financial_outlet"})), True),
        (Audience("x", site_categories=frozenset({"school"})), False),
    ],
)
def test_a_channel_hears_of_what_concerns_it(audience: Audience, hears: bool) -> None:
    assert bool(owed(opened(1), audience=audience)) is hears


def test_what_a_parent_or_planned_work_speaks_for_is_kept_as_not_sent() -> None:
    (muted,) = owed(opened(1, parent=7))
    assert muted.state is NoticeState.MUTED
    (again,) = owed(step(Step.UNEXPLAINED, incident(1)))
    assert again.state is NoticeState.PENDING
    assert again.occasion is Occasion.UNEXPLAINED
    (over,) = owed(resolved(incident(1, parent=7)))
    assert over.state is NoticeState.PENDING
    assert over.follows


def test_what_people_do_to_an_incident_is_told_to_nobody() -> None:
    steps = [step(kind, incident(1)) for kind in (Step.ACKNOWLEDGED, Step.ASSIGNED, Step.NOTED, Step.EXPLAINED)]
    assert owed(*steps) == []


def test_an_escalation_is_due_after_its_time_and_void_once_somebody_takes_care() -> None:
    (one,) = owed(opened(1), audience=Audience("boss", after=1800))
    assert one.occasion is Occasion.ESCALATED
    assert one.not_before == at(1800)
    assert notices.unwanted(one.occasion, incident(1)) == ""
    assert notices.unwanted(one.occasion, incident(1, acknowledged=Acknowledgement("lee", NOON))) == "acknowledged"
    assert notices.unwanted(one.occasion, incident(1, window=3)) == "muted"
    assert notices.unwanted(one.occasion, None) == "over"


def test_an_acknowledgement_that_ends_starts_the_escalation_anew() -> None:
    (one,) = owed(step(Step.UNACKNOWLEDGED, incident(1), at(4000)), audience=Audience("boss", after=1800))
    assert (one.occasion, one.not_before) == (Occasion.ESCALATED, at(5800))
    assert owed(step(Step.UNACKNOWLEDGED, incident(1))) == []


def test_what_began_is_told_even_if_it_is_over_meanwhile_unless_it_was_explained() -> None:
    assert notices.unwanted(Occasion.OPENED, None) == ""
    assert notices.unwanted(Occasion.OPENED, incident(1, parent=7)) == "muted"
    assert notices.unwanted(Occasion.RESOLVED, incident(1, parent=7)) == ""


def test_repetitions_go_on_under_keys_of_their_own() -> None:
    audience = Audience("duty", repeat=600)
    (one,) = owed(opened(1), audience=audience)
    first = notices.repetition(one, audience, at(0))
    assert first is not None
    second = notices.repetition(first, audience, at(600))
    assert second is not None
    assert first.not_before == at(600)
    assert second.not_before == at(1200)
    assert len({one.key, first.key, second.key}) == 3
    assert notices.repetition(one, replace(audience, repeat=0), at(0)) is None


NIGHT = Audience("duty", group_wait=0, quiet=(Quiet(22 * 60, 7 * 60),), zone="Asia/Shanghai")


@pytest.mark.parametrize(
    ("local", "due"),
    [
        ("21:59", "21:59"),
        ("22:00", "07:00"),
        ("23:30", "07:00"),
        ("00:10", "07:00"),
        ("06:59", "07:00"),
        ("07:00", "07:00"),
    ],
)
def test_what_is_not_urgent_waits_for_the_end_of_quiet_hours(local: str, due: str) -> None:
    hour, minute = map(int, local.split(":"))
    when = datetime(2026, 10, 1, hour, minute, tzinfo=UTC) - timedelta(hours=8)
    (one,) = owed(opened(1, when), audience=NIGHT)
    wakes = one.not_before + timedelta(hours=8)
    assert wakes.strftime("%H:%M") == due
    assert timedelta() <= one.not_before - when < timedelta(hours=9, minutes=1)
    (urgent,) = owed(opened(1, when, severity=Severity.P1), audience=NIGHT)
    assert urgent.not_before == when


def test_rests_grow_up_to_a_limit_and_are_as_long_as_the_receiver_asks() -> None:
    assert [notices.back_off(n) for n in (1, 2, 3, 20, 4000)] == [2, 4, 8, 300, 300]
    assert notices.back_off(1, 90) == 90
    assert notices.back_off(1, 1e9) == 86_400


def test_faults_of_one_cause_and_all_that_is_over_go_together() -> None:
    one, other = incident(1), incident(2, cause=Cause.BLACK)
    assert notices.grouping(Occasion.OPENED, one) != notices.grouping(Occasion.OPENED, other)
    assert notices.grouping(Occasion.RESOLVED, one) == notices.grouping(Occasion.RESOLVED, other)

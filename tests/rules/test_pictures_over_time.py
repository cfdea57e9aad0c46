"""The light of a picture, which pictures of a fleet are strange, and how long a fault must be seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from camera_registry.model.baseline import Persistence, Regime, Trail
from camera_registry.model.health import Cause
from camera_registry.model.policy import PERSISTENCE
from camera_registry.rules.pictures.persistence import follow
from camera_registry.rules.pictures.sun import elevation
from camera_registry.rules.pictures.usual import outliers, regime

BEGIN = datetime(2026, 6, 10, 4, tzinfo=UTC)
NEED = Persistence(pictures=3, of=4, seconds=1800, recoveries=2)


@pytest.mark.parametrize("hour", [0, 9, 17])
def test_at_the_pole_the_sun_stands_as_high_as_the_axis_leans(hour: int) -> None:
    assert elevation(datetime(2026, 6, 21, hour, tzinfo=UTC), 90, 0) == pytest.approx(23.44, abs=0.02)
    assert elevation(datetime(2026, 12, 21, hour, tzinfo=UTC), 90, 0) == pytest.approx(-23.44, abs=0.02)


def test_the_sun_is_highest_when_it_crosses_the_meridian_and_sets_late_in_the_west_of_the_country() -> None:
    wuhan = [(elevation(BEGIN.replace(hour=4, minute=minute), 30.6, 114.3), minute) for minute in range(60)]
    highest, minute = max(wuhan)
    # Noon by the sun: 12:00 less 4 minutes a degree east; the equation of time is half a minute on this day.
    assert highest == pytest.approx(90 - 30.6 + 23.0, abs=0.1)
    assert minute == pytest.approx(22, abs=2)
    nine_in_the_evening = datetime(2026, 6, 21, 13, tzinfo=UTC)
    assert elevation(nine_in_the_evening, 43.8, 87.6) > 6
    assert elevation(nine_in_the_evening, 30.6, 114.3) < -6


def test_a_regime_is_told_by_colour_then_by_the_sun_then_by_the_hour_then_by_the_light() -> None:
    coloured = {"colourfulness": 12.0, "mean": 120.0}
    assert regime({"colourfulness": 1.0, "mean": 120.0}, 12.0) is Regime.INFRARED
    assert regime(coloured, 7.5, sun=20.0) is Regime.DAY
    assert regime(coloured, 12.0, sun=-12.0) is Regime.NIGHT
    assert regime(coloured, 18.0) is Regime.DUSK
    assert regime(coloured | {"mean": 30.0}) is Regime.NIGHT


def test_of_a_fleet_the_camera_that_is_least_like_the_others_comes_first() -> None:
    fleet = {f"cam-{n}": {"mean": 100.0 + n, "reblur": 0.3} for n in range(20)} | {"foul": {"mean": 105, "reblur": 0.7}}
    assert outliers(fleet)[0][:2] == ("foul", "reblur")
    # One of which less is measured hides nothing of the others, and is told by what is.
    assert outliers(fleet | {"known again": {"mean": 110.0}})[0][:2] == ("foul", "reblur")
    assert outliers(fleet | {"known again": {"mean": 250.0}})[1][:2] == ("known again", "mean")


SCORES = {"x": 1.0, "w": 0.6, ".": 0.0, "?": None}
"""What a sign of a pattern stands for: a fault that shows beyond doubt, one that shows weakly, none, not checked."""


def trails(pattern: str, minutes: float = 15, need: Persistence = NEED, lights: str = "d") -> list[Trail | None]:
    """The trail after each picture of a pattern. ``lights``, again and again: d day, n night, u dusk."""
    trail: Trail | None = None
    after = []
    for n, sign in enumerate(pattern):
        at = BEGIN + timedelta(minutes=minutes * n)
        by_day = {"d": True, "n": False, "u": None}[lights[n % len(lights)]]
        trail = follow(trail, at, SCORES[sign], need, by_day)
        after.append(trail)
    return after


def believed_after(pattern: str, minutes: float = 15, need: Persistence = NEED) -> bool:
    trail = trails(pattern, minutes, need)[-1]
    return trail is not None and trail.since is not None


@pytest.mark.parametrize(
    ("pattern", "after"),
    [
        ("xx", False),
        ("xxx", True),
        ("x.xx", True),
        ("x..xx", False),
        ("x..xxx", True),
        ("xx????x", True),
        ("????", False),
        ("xxx.", True),
        ("xxx..", False),
        ("xxx..x", False),
        ("xxx.??", True),
        ("xxx.x.x.x", True),
    ],
)
def test_a_fault_is_believed_after_enough_pictures_and_over_after_enough_good_ones(pattern: str, after: bool) -> None:
    assert believed_after(pattern) is after


@pytest.mark.parametrize("minutes", [0.2, 1, 5, 15, 60])
@pytest.mark.parametrize("cause", PERSISTENCE)
def test_whatever_the_pace_a_fault_is_believed_when_it_has_lasted_and_not_before(cause: Cause, minutes: float) -> None:
    need = PERSISTENCE[cause]
    after = trails("x" * (int(2 * need.seconds / 60 / minutes) + need.of), minutes, need)
    first = next(n for n, trail in enumerate(after) if trail is not None and trail.since is not None)
    lasted = first * minutes * 60
    assert need.seconds <= lasted
    assert lasted <= (need.pictures - 1) * (need.apart + minutes * 60)
    believed = after[first]
    assert believed is not None
    assert believed.since == BEGIN


def test_a_healthy_camera_has_nothing_to_remember() -> None:
    assert trails("..?.") == [None] * 4
    assert trails("x....")[-1] is None


HOURS = 60.0
COVER = Persistence(pictures=4, of=5, seconds=2700, sure=0.8, doubtful=3 * 86_400)


def told_after(pattern: str, lights: str = "d", need: Persistence = COVER) -> float | None:
    """Hours until what a pattern of pictures, three hours apart, shows is believed; None: it is not."""
    after = trails(pattern, 3 * HOURS, need, lights)
    return next((3.0 * n for n, trail in enumerate(after) if trail is not None and trail.since is not None), None)


def test_what_shows_beyond_doubt_is_believed_within_the_hour_and_what_shows_weakly_after_days() -> None:
    assert believed_after("xxxx", 15, COVER)
    assert not believed_after("w" * 40, 15, COVER)
    weakly = told_after("w" * 40)
    # At 0.6 of 0.5 to 0.8, two thirds of the three days, and one of the three quarters of an hour.
    assert weakly is not None
    assert 48 <= weakly <= 51


def test_the_clearer_a_doubtful_fault_shows_the_sooner_it_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SCORES, "w", 0.5)
    late = told_after("w" * 60)
    monkeypatch.setitem(SCORES, "w", 0.75)
    soon = told_after("w" * 60)
    assert late is not None
    assert soon is not None
    assert soon < late == 72


def test_a_camera_that_has_moved_a_little_is_told_within_a_day() -> None:
    after = trails("w" * 100, 15, PERSISTENCE[Cause.MOVED])
    hours = next(n / 4 for n, trail in enumerate(after) if trail is not None and trail.since is not None)
    assert 12 <= hours <= 24


def test_a_day_of_fog_and_a_shadow_at_its_hour_are_never_believed() -> None:
    fog, clear = "wwwwwww.", "........"
    assert told_after((fog + clear * 3) * 8) is None
    assert told_after("w......." * 30) is None


def test_a_weak_fault_that_only_the_day_shows_is_believed_by_its_days_alone() -> None:
    assert told_after("wwww...." * 10, "ddddnnnn") is not None
    assert told_after("wwww????" * 10, "ddddnnnn") is not None


def test_nothing_that_light_may_have_made_is_believed_at_dusk() -> None:
    assert told_after("w" * 80, "u") is None
    assert told_after("x" * 80, "u") is None
    sensor = Persistence(2, 3, 0)
    assert told_after("xx", "u", sensor) is not None


def test_a_fault_that_was_believed_slowly_does_not_end_with_two_pictures_in_a_row() -> None:
    believed = "w" * 20
    assert trails(believed, 3 * HOURS, COVER)[-1] is not None
    trail = trails(believed, 3 * HOURS, COVER)[-1]
    at = BEGIN + timedelta(hours=3 * 19)
    for minutes in (15, 30, 45):
        trail = follow(trail, at + timedelta(minutes=minutes), 0.0, COVER, by_day=True)
    assert trail is not None
    assert trail.since is not None
    for hours in (4, 8):
        trail = follow(trail, at + timedelta(hours=hours), 0.0, COVER, by_day=True)
    assert trail is None


def test_a_weak_cast_is_told_by_day_and_never_by_the_lamps_of_a_night() -> None:
    cast = PERSISTENCE[Cause.COLOUR_CAST]
    assert told_after("w" * 80, "n", cast) is None
    assert told_after("w" * 80, "d", cast) is not None
    assert told_after("w" * 80, "n", replace(cast, by_night=True)) is not None


def test_a_strong_cast_is_told_within_a_working_day() -> None:
    assert believed_after("xxxx", 120, PERSISTENCE[Cause.COLOUR_CAST])

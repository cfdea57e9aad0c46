"""The light of a picture, which pictures of a fleet are strange, and how long a fault must be seen."""

from __future__ import annotations

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


def trails(pattern: str, minutes: float = 15, need: Persistence = NEED) -> list[Trail | None]:
    """The trail after each picture. ``x`` a fault, ``.`` none, ``?`` could not be checked."""
    trail: Trail | None = None
    after = []
    for n, sign in enumerate(pattern):
        trail = follow(trail, BEGIN + timedelta(minutes=minutes * n), {"x": True, ".": False, "?": None}[sign], need)
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

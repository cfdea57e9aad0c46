"""What is usual for a camera, how long a fault must be seen, and what creeps over weeks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from camera_registry.model.baseline import Look, Persistence, Regime
from camera_registry.model.health import Cause
from camera_registry.model.picture import Picture
from camera_registry.rules.pictures.drift import drift
from camera_registry.rules.pictures.persistence import holds
from camera_registry.rules.pictures.sun import elevation
from camera_registry.rules.pictures.usual import learn, outliers, regime, strangeness

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


def pictures(*means: float) -> list[Picture]:
    return [Picture({"mean": mean, "noise": 1.0}) for mean in means]


def test_one_foul_picture_among_the_accepted_does_not_make_its_fault_usual() -> None:
    usual = learn(pictures(100, 104, 98, 102, 250), Regime.DAY)
    assert usual is not None
    assert usual.spreads["mean"].middle == 102
    assert next(iter(strangeness({"mean": 250.0, "noise": 1.0}, usual).items())) == (
        "mean",
        pytest.approx(24.7, rel=0.1),
    )
    assert learn(pictures(100, 101), Regime.DAY) is None


def test_of_a_fleet_the_camera_that_is_least_like_the_others_comes_first() -> None:
    fleet = {f"cam-{n}": {"mean": 100.0 + n, "reblur": 0.3} for n in range(20)} | {"foul": {"mean": 105, "reblur": 0.7}}
    assert outliers(fleet)[0][:2] == ("foul", "reblur")


def looks(pattern: str, minutes: float = 15) -> list[Look]:
    """``x`` a fault, ``.`` none, ``?`` could not be checked."""
    covered = frozenset({Cause.COVERED})
    return [
        Look(
            BEGIN + timedelta(minutes=minutes * n),
            covered if sign == "x" else frozenset(),
            frozenset() if sign == "?" else covered,
        )
        for n, sign in enumerate(pattern)
    ]


@pytest.mark.parametrize(
    ("pattern", "before", "after"),
    [
        ("xx", False, False),
        ("xxx", False, True),
        ("x.xx", False, True),
        ("x..xx", False, False),
        ("xx????x", False, True),
        ("????", False, None),
        ("xxx.", True, True),
        ("xxx..", True, False),
        ("xxx.??", True, True),
        ("x.", True, True),
    ],
)
def test_a_fault_is_believed_after_enough_pictures_and_over_after_enough_good_ones(
    pattern: str, before: bool, after: bool | None
) -> None:
    assert holds(looks(pattern), Cause.COVERED, NEED, before=before) is after


def test_looking_again_at_once_is_not_seeing_it_for_long() -> None:
    assert holds(looks("xxxx", minutes=0.2), Cause.COVERED, NEED, before=False) is False


def test_dirt_of_weeks_is_a_trend_and_the_weather_is_not() -> None:
    random = np.random.default_rng(4)
    days = [BEGIN + timedelta(days=n) for n in range(60)]
    dulled = [(day, 1.0 - 0.004 * n + float(random.normal(0, 0.05))) for n, day in enumerate(days)]
    found = drift(dulled)
    assert found is not None
    assert found.a_week == pytest.approx(-0.028, rel=0.3)
    assert found.sure > 0.99
    weather = drift([(day, float(random.normal(1, 0.05))) for day in days])
    assert weather is not None
    assert weather.sure < 0.99
    assert drift(dulled[:5]) is None

"""When what pictures have shown would be believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from camera_registry.model.baseline import Trail
from camera_registry.model.health import Cause
from camera_registry.model.observation import Facts
from camera_registry.model.policy import PicturePolicy
from camera_registry.rules.pictures.persistence import follow
from camera_registry.rules.pictures.waiting import in_doubt

BEGIN = datetime(2026, 1, 10, 0, tzinfo=UTC)
POLICY = PicturePolicy()


def facts(trail: Trail) -> Facts:
    """A cover that pictures have shown so, as it is kept."""
    doubts = [
        [one.by_day, one.since.isoformat(), one.last.isoformat(), one.score, one.shown, one.denied, one.held]
        for one in trail.doubts
    ]
    seen = [[at.isoformat(), sure] for at, sure in trail.seen]
    return {"watched": {"covered": {"since": None, "seen": seen, "clean": trail.clean, "doubts": doubts}}}


def shown(score: float) -> tuple[list[bool], timedelta | None, timedelta | None]:
    """Of a view that a cover hides in fair weather, and in weather from the third picture on, one each quarter of an
    hour for two days: whether it is held, when it is said to be told, and when it is, from the first picture on."""
    trail: Trail | None = None
    held: list[bool] = []
    said: timedelta | None = None
    for quarters in range(192):
        at, weather = BEGIN + timedelta(minutes=15 * quarters), quarters >= 2
        need = POLICY.persistence_of(Cause.COVERED, weather=weather)
        trail = follow(trail, at, score, need, by_day=True, weather=weather)
        assert trail is not None
        if trail.since is not None:
            return held, said, at - BEGIN
        if weather:
            (one,) = in_doubt(facts(trail), POLICY, weather=True)
            held.append(one.held)
            said = one.until - BEGIN
    return held, said, None


def test_what_nobody_would_doubt_is_said_to_be_told_after_a_day_and_a_half_of_weather_and_is() -> None:
    held, said, told = shown(1.0)
    assert told == said == timedelta(hours=36)
    assert not any(held)


def test_what_weather_may_have_made_is_said_to_be_held_while_it_lasts() -> None:
    held, _, told = shown(0.9)
    assert told is None
    assert all(held)

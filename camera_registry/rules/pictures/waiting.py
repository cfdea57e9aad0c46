"""This file tells what pictures of a channel have shown that is not believed yet, and when it would be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from camera_registry.model.baseline import LEAST_DOUBTS, Doubt, Persistence
from camera_registry.model.health import Cause
from camera_registry.model.observation import Facts
from camera_registry.model.policy import PicturePolicy
from camera_registry.rules.pictures.watching import trails


@dataclass(frozen=True, slots=True)
class InDoubt:
    """A cause that ``shown`` of the last ``pictures`` that count show, by day or by night, ``since`` the first did:
    believed at ``until`` at the earliest, if all that come show it as clearly. ``held``: it may be the weather, so that
    this moves away as long as that lasts; of what shows beyond doubt it does not."""

    cause: Cause
    by_day: bool
    since: datetime
    shown: int
    pictures: int
    until: datetime
    held: bool


def in_doubt(facts: Facts, policy: PicturePolicy, *, weather: bool = False) -> list[InDoubt]:
    """What is in doubt, the soonest first. ``weather``: there is any."""
    return sorted(_all(facts, policy, weather=weather), key=lambda one: (one.held, one.until))


def _all(facts: Facts, policy: PicturePolicy, *, weather: bool) -> Iterator[InDoubt]:
    for cause, trail in trails(facts).items():
        for one in trail.doubts if trail.since is None else ():
            held = weather and cause in policy.weather.causes
            until = _until(one, policy.persistence_of(cause))
            if held and trail.seen and trail.seen[-1][1]:
                beyond = policy.persistence_of(cause, weather=True)
                held, until = False, trail.seen[0][0] + timedelta(seconds=beyond.seconds)
            yield InDoubt(cause, one.by_day, one.since, one.shown, one.shown + one.denied, until, held)


def _until(doubt: Doubt, need: Persistence) -> datetime:
    """When it has lasted, and enough pictures have shown it: see ``persistence.follow``."""
    lasted = doubt.since + timedelta(seconds=doubt.held + need.lasting(doubt.score))
    missing = max(0, LEAST_DOUBTS - doubt.weight)
    return max(lasted, doubt.last + timedelta(seconds=missing * need.apart_in_doubt))

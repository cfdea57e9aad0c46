"""The city of healthy cameras: what an area has in common, what each camera has of its own, when they are looked at."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import cv2
import numpy as np
import pytest

from tests.picture import generated
from tests.picture.city import AIR, BEGIN, GROUND, LASTS, SKY, Area, Spell, within
from tests.picture.month import SHADOWS, THINGS, Watched, views

HOUR = timedelta(hours=1)
COMMON = {**AIR, **SKY, **GROUND}
HERE, ELSEWHERE = Area("here"), Area("elsewhere")


def camera(seed: int, area: Area = HERE, kind: str = "street") -> Watched:
    return Watched(next(views(getattr(generated, kind)(seed), 1)), area=area)


def begins(watched: Watched, kinds: dict[str, tuple[float, float]]) -> list[tuple[str, float]]:
    return sorted((s.kind, (s.begin - BEGIN) / HOUR) for s in watched.spells if s.kind in kinds)


def test_cameras_of_an_area_have_their_weather_in_common_and_what_stands_in_the_way_of_their_own() -> None:
    one, other = camera(1), camera(2)
    ours, theirs = begins(one, COMMON), begins(other, COMMON)
    assert [kind for kind, _ in ours] == [kind for kind, _ in theirs]
    assert max(abs(a - b) for (_, a), (_, b) in zip(ours, theirs, strict=True)) < 1.5
    assert ours != theirs, "some minutes earlier or later"
    assert begins(one, {**THINGS, **SHADOWS}) != begins(other, {**THINGS, **SHADOWS})
    assert begins(camera(1, ELSEWHERE), COMMON) != ours


def test_it_neither_rains_nor_snows_in_a_room() -> None:
    assert not begins(camera(1, kind="room"), {**AIR, **GROUND})
    assert begins(camera(1, kind="room"), SKY), "clouds pass before the windows"


def test_snow_lies_in_some_areas_and_not_in_others() -> None:
    lies = Counter(any(one.kind in GROUND for one in Area(f"area-{n}").weather) for n in range(40))
    assert 20 < lies[True] < 36, "1.2 times a month: in seven of ten"


@pytest.mark.parametrize("seed", [1, 2])
def test_all_that_lasts_is_looked_at_when_most_of_it_has_come(seed: int) -> None:
    watched = camera(seed)
    looks = watched.looks()
    shown = [s for s in watched.spells if s.kind in {**AIR, **THINGS, **GROUND} and s.lasts > 2 * LASTS]
    seen = [s for s in shown if any(s.begin + s.lasts / 6 <= at <= s.end for at in looks)]
    assert len(seen) >= len(shown) - 3, "but for what goes on beyond the month"
    assert max(after - before for before, after in pairwise(looks)) <= 14 * HOUR


def test_one_look_serves_all_that_is_there_at_once() -> None:
    spells = [Spell("rain", BEGIN, BEGIN + 4 * HOUR, 1), Spell("lorry", BEGIN + HOUR, BEGIN + 4 * HOUR, 2)]
    assert within(spells) == [BEGIN + 3 * HOUR]
    assert within(spells, [BEGIN + 2 * HOUR]) == [BEGIN + 2 * HOUR]


def test_snow_that_lies_for_days_is_looked_at_again_when_it_goes() -> None:
    (early, late) = within([Spell("snow_cover", BEGIN, BEGIN + 100 * HOUR, 1)])
    assert early == BEGIN + 75 * HOUR
    assert late == BEGIN + 97 * HOUR


def test_a_moment_looks_the_same_again_and_no_two_have_the_same_noise() -> None:
    watched = camera(3, kind="wall")
    at = BEGIN + 12 * HOUR
    assert watched.picture(at) == camera(3, kind="wall").picture(at)
    grey = np.full((180, 320, 3), 0.2, np.float32)
    one, other = (watched.camera.expose(grey, np.random.default_rng(n))[..., 0] for n in range(2))
    _, response = cv2.phaseCorrelate(one - one.mean(), other - other.mean())
    assert response < 0.1, "a wall would be found to have moved by its noise"

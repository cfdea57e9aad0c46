"""Weather is told by how many cameras of an area show the same at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from camera_registry.model.baseline import Persistence, Trail
from camera_registry.model.policy import WeatherPolicy
from camera_registry.rules.pictures.persistence import follow
from camera_registry.rules.pictures.weather import EVERYWHERE, Camera, Coming, Newest, Spell, Weather, as_json, kept

NOON = datetime(2026, 12, 10, 4, tzinfo=UTC)
TREE = {"north": "city", "south": "city", "gate": "north", "city": ""}
POLICY = WeatherPolicy(cameras=10, showing=4, share=0.25)


def camera(n: int) -> Camera:
    return f"cam-{n}", ("snapshot", "")


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


class Sky:
    """Pictures of a city as they come."""

    def __init__(self) -> None:
        self.weather = Weather()
        self.weather.begin(TREE, (), ())
        self.newest: dict[Camera, Newest] = {}

    def see(self, area: str, cameras: Iterable[int], showing: int, hours: float, by_day: bool | None = True) -> None:
        """A picture of each of these cameras, the last of which show something."""
        seen = [*cameras]
        for n, one in enumerate(seen):
            found = Newest(area, at(hours), by_day, n >= len(seen) - showing)
            self.newest[camera(one)] = found
            self.weather.add(camera(one), found, POLICY)

    def over(self, area: str, hours: float, by_day: bool | None = True) -> Spell | None:
        return self.weather.over(area, by_day, at(hours), POLICY)

    def coming(self, area: str, hours: float) -> Coming | None:
        return self.weather.coming(area, True, at(hours), POLICY)

    def may_be(self, area: str, hours: float, *, by_day: bool | None = True) -> bool:
        return self.weather.may_be(area, by_day, at(hours), POLICY)


def test_what_a_quarter_of_an_areas_cameras_show_is_its_weather_and_not_that_of_the_next_area() -> None:
    sky = Sky()
    sky.see("south", range(20, 40), 1, 0)
    sky.see("north", range(100, 120), 0, 0)
    sky.see("north", range(100, 104), 4, 0.5)
    assert sky.over("north", 0.5) is None
    sky.see("north", [104], 1, 1)
    spell = sky.over("north", 1)
    assert spell is not None
    assert (spell.area, spell.since) == ("north", at(1))
    assert sky.over("south", 1) is None


def test_an_area_with_few_cameras_has_the_weather_of_the_one_above_it() -> None:
    sky = Sky()
    sky.see("gate", range(3), 3, 0)
    assert sky.over("gate", 0) is None, "three cameras are nobody's weather"
    sky.see("north", range(10, 25), 3, 1)
    spell = sky.over("gate", 1)
    assert spell is not None
    assert spell.area == "north"
    sky.see("nowhere", range(100, 102), 2, 1)
    everywhere = sky.over("nowhere", 1)
    assert everywhere is not None, "a camera that no area holds has the weather of all"
    assert everywhere.area == EVERYWHERE


def test_what_a_small_area_shows_is_not_the_weather_of_the_large_one_that_it_lies_in() -> None:
    sky = Sky()
    sky.see("city", range(20, 60), 1, 0)
    sky.see("gate", range(10), 8, 0)
    sky.see("city", range(59, 60), 1, 0.5)
    assert sky.over("gate", 0.5) is not None
    assert sky.over("city", 0.5) is None


def test_what_is_there_by_night_is_there_by_day_and_dusk_says_nothing_of_it() -> None:
    sky = Sky()
    sky.see("north", range(20), 9, 0, by_day=None)
    assert sky.over("north", 0, by_day=None) is None
    sky.see("north", range(20), 9, 1, by_day=False)
    assert sky.over("north", 1, by_day=False) is not None
    assert sky.over("north", 1, by_day=True) is not None
    assert sky.over("north", 1, by_day=None) is None


def test_snow_that_was_there_in_the_evening_is_there_in_the_morning_and_a_day_after_the_thaw_it_is_over() -> None:
    sky = Sky()
    sky.see("north", range(20), 9, 0)
    sky.see("north", range(20), 0, 8, by_day=False)
    sky.see("north", range(12), 0, 20)
    assert sky.over("north", 20) is not None
    sky.see("north", range(20), 0, 23)
    sky.see("north", range(20), 0, 25)
    assert sky.over("north", 25) is None


def test_cameras_that_were_not_judged_of_late_are_not_counted() -> None:
    sky = Sky()
    sky.see("north", range(12), 3, 0)
    sky.see("north", range(9), 1, 7)
    assert sky.over("north", 7) is None, "one of nine shows it now"
    sky.see("north", range(9, 12), 3, 7)
    assert sky.over("north", 7) is not None
    told = sky.weather.of("north", at(7), POLICY)
    assert told is not None
    assert (told.showing, told.judged) == (4, 12)


def test_where_cameras_begin_to_show_it_at_about_the_same_time_it_may_be_weather_that_comes() -> None:
    sky = Sky()
    sky.see("north", range(20), 0, 0)
    sky.see("north", [0], 1, 0.25)
    assert not sky.may_be("north", 0.25), "one is chance"
    sky.see("north", [1], 1, 1)
    assert sky.over("north", 1) is None, "two are no weather yet"
    assert sky.may_be("north", 1)
    assert sky.may_be("north", 1, by_day=False)
    assert not sky.may_be("north", 1, by_day=None)
    coming = sky.coming("north", 1)
    assert coming is not None
    assert (coming.area, dict(coming.began), coming.until) == (
        "north",
        {camera(0): at(0.25), camera(1): at(1)},
        at(2.25),
    )
    assert sky.may_be("north", 2.25)
    sky.see("north", [0, 1], 2, 2.5)
    assert not sky.may_be("north", 2.5), "it has not come"
    assert sky.coming("north", 2.5) is None
    sky.see("north", [2, 3], 2, 2.6)
    assert sky.over("north", 2.6) is None, "four of twenty are fewer than a quarter"
    sky.see("north", [4], 1, 2.7)
    assert sky.over("north", 2.7) is not None
    assert sky.coming("north", 2.7) is None, "it has come"


def test_what_waits_for_weather_waits_longer_the_later_more_cameras_begin_to_show_it() -> None:
    sky = Sky()
    sky.see("north", range(60), 0, 0)
    for n in range(6):
        sky.see("north", [n], 1, n / 4)
    coming = sky.coming("north", 1.25)
    assert coming is not None
    # Three of sixty are a twentieth: it is over when but two are left that began within two hours.
    assert coming.until == at(0.75 + 2)
    assert sky.may_be("north", 2.75)
    assert not sky.may_be("north", 2.76)


def test_a_camera_that_shows_it_now_and_then_begins_no_weather_and_neither_do_two_of_a_hundred() -> None:
    sky = Sky()
    sky.see("north", range(20), 0, 0)
    for quarter in range(1, 6):
        sky.see("north", [0], quarter % 2, quarter / 4)
    assert not sky.may_be("north", 1.25)
    sky.see("south", range(100, 200), 0, 0)
    sky.see("south", [100, 101], 2, 0.5)
    assert not sky.may_be("south", 0.5)
    sky.see("south", [102, 103, 104], 3, 1)
    assert sky.may_be("south", 1)


def test_when_the_clock_is_set_it_is_still_known_when_cameras_began_to_show_it() -> None:
    sky = Sky()
    sky.see("north", range(20), 0, 0)
    sky.see("north", [0, 1], 2, 0.5)
    sky.weather.shift(timedelta(hours=10))
    assert sky.may_be("north", 12)
    assert not sky.may_be("north", 13)


def test_the_first_pictures_of_a_morning_do_not_tell_of_all() -> None:
    sky = Sky()
    sky.see("north", range(40), 0, 0, by_day=False)
    sky.see("north", range(12), 8, 1)
    assert sky.over("north", 1) is None
    sky.see("north", range(12, 20), 0, 1)
    sky.see("north", range(1), 1, 1.25)
    assert sky.over("north", 1.25) is not None


def test_people_are_told_of_weather_once_and_where_it_is_largest() -> None:
    sky = Sky()
    sky.see("south", range(40, 80), 0, 0)
    sky.see("gate", range(12), 6, 0.5)
    sky.see("north", range(20, 30), 5, 0.5)
    (told,) = sky.weather.told(at(1), POLICY)
    assert (told.area, told.showing, told.judged) == ("north", 11, 22)
    assert told.since == at(0.5)
    assert told.until == at(24.5)
    assert told.season == at(0.5 + 14 * 24)
    assert sky.weather.told(at(25), POLICY) == []


def test_what_is_counted_picture_by_picture_is_what_is_counted_anew_from_the_newest_of_each() -> None:
    random, sky = Random(7), Sky()
    areas = ["gate", "north", "south", "city", ""]
    for n in range(3_000):
        hours = n / 60 - random.choice((0, 0, 0, 2))
        by_day = random.choice((True, False, None))
        one = random.randrange(60)
        sky.see(areas[one % 5], [one], random.random() < 0.3 + 0.3 * (n % 500 > 250), hours, by_day)
        if n % 50:
            continue
        again = Weather()
        again.begin(TREE, sky.newest.items(), kept({"weather": as_json(sky.weather.everything())}))
        again.add(camera(99), Newest("", at(n / 60), None, shows=False), POLICY)
        sky.weather.add(camera(99), Newest("", at(n / 60), None, shows=False), POLICY)
        for area in areas:
            assert again.of(area, at(n / 60), POLICY) == sky.weather.of(area, at(n / 60), POLICY)
            for light in (True, False):
                assert again.over(area, light, at(n / 60), POLICY) == sky.over(area, n / 60, light)
        assert again.told(at(n / 60), POLICY) == sky.weather.told(at(n / 60), POLICY)


NEED = Persistence(pictures=4, of=5, seconds=2700, sure=0.8, doubtful=3 * 86_400)


def told_after(shown: Iterable[tuple[float, bool]], hours: float = 3) -> float | None:
    """Hours until what pictures show, so many hours apart and each under the weather or not, is believed."""
    trail: Trail | None = None
    for n, (score, weather) in enumerate(shown):
        trail = follow(trail, at(hours * n), score, NEED, by_day=True, weather=weather)
        if trail is not None and trail.since is not None:
            return hours * n
    return None


def test_under_the_weather_nothing_weak_is_believed_however_long_it_lasts() -> None:
    assert told_after([(0.6, False)] * 40) == pytest.approx(48, abs=3)
    assert told_after([(0.6, True)] * 200) is None
    assert told_after([(0.6, True), (0.9, True), (0.6, True)] * 60) is None, "now and then it shows more clearly"


def test_under_the_weather_what_is_sure_is_believed_as_soon_as_ever() -> None:
    assert told_after([(0.9, True)] * 5, 0.25) == told_after([(0.9, False)] * 5, 0.25) == 0.75


def test_time_stands_still_for_a_doubt_under_the_weather_and_goes_on_after_it() -> None:
    day = 8
    before, during, after = [(0.6, False)] * day, [(0.6, True)] * (3 * day), [(0.6, False)] * (3 * day)
    told = told_after([*before, *during, *after])
    assert told == pytest.approx(48 + 72, abs=6)
    assert told_after([*before, *[(0.0, True)] * day, *after]) == pytest.approx(24 + 24 + 48, abs=9)


def test_what_is_believed_stays_under_the_weather_and_ends_when_pictures_are_free_of_it() -> None:
    trail: Trail | None = None
    for n in range(20):
        trail = follow(trail, at(3 * n), 0.6, NEED, by_day=True)
    assert trail is not None
    since = trail.since
    assert since is not None
    for n in range(20, 60):
        trail = follow(trail, at(3 * n), 0.6, NEED, by_day=True, weather=True)
    assert trail is not None
    assert trail.since == since
    for n in range(60, 63):
        trail = follow(trail, at(3 * n), 0.0, NEED, by_day=True, weather=True)
    assert trail is None

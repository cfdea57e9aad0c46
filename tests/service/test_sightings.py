"""Snow falls on a city: none of its cameras is told to be at fault for it, and those that are at fault are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from camera_registry.model.device import Device, Kind
from camera_registry.model.dispatch import DispatchPolicy
from camera_registry.model.health import Cause, Flip
from camera_registry.model.observation import Facts, Observation
from camera_registry.model.picture import Limits
from camera_registry.model.place import Area
from camera_registry.model.policy import IncidentPolicy
from camera_registry.model.register import Register
from camera_registry.service.ledger import Ledger
from camera_registry.service.memory import Lists
from camera_registry.service.replay import records
from camera_registry.service.replay.records import Line, decode, encode
from camera_registry.service.replay.rerun import Rerun
from camera_registry.settings import Settings
from tests.picture import lens

CHINA = ZoneInfo("Asia/Shanghai")
BEGIN = datetime(2026, 11, 30, 16, tzinfo=UTC)
AREAS = {"city": Area("city"), "north": Area("north", parent="city"), "south": Area("south", parent="city")}
NORTH, SOUTH = [f"north-{n}" for n in range(12)], [f"south-{n}" for n in range(12)]
CITY = Register(
    areas=AREAS,
    devices={
        id: Device(id, Kind.CAMERA, host="192.0.2.7", probes=("snapshot",), area=id[:5], latitude=30.6, longitude=114.3)
        for id in NORTH + SOUTH
    },
)
WEAK, BEYOND_DOUBT = 0.6, 1.0
HOURS = (9, 12, 15)

Shows = Callable[[str, float], float]
"""How clearly a camera shows a cover at so many days."""


def seen(device: str, at: datetime, score: float) -> Observation:
    """A picture of which a part is hidden, as clearly as the score says; 0: none is."""
    return Observation(device, "snapshot", at, 0.1, facts={"sight": _sight(score)})


@cache
def _sight(score: float) -> Mapping[str, object]:
    sight = lens.found(1.0, taken=(BEGIN - timedelta(days=9.5)).isoformat())
    limit, beyond = Limits().hidden
    (change,) = sight["changes"]
    if score:
        change |= {"hidden": limit + (beyond - limit) * (2 * score - 1), "contrast_fit": 0.9, "structure_high": 0.9}
    return sight


class City:
    """A ledger that judges three pictures a day of each camera, and what it was given, as a log has it."""

    def __init__(self, register: Register = CITY) -> None:
        settings = Settings.model_validate({"health": {"weather": {"cameras": len(NORTH)}}})
        self.register, self.health, self.polls = register, settings.health.policy(), settings.probes.policy()
        self.lines: list[Line] = []
        self.flips: list[Flip] = []
        self.told: dict[str, float] = {}
        """By camera that is said to be covered, after how many days that was."""
        self.day = 0
        self._note(BEGIN, self._started((), ()))
        self.begin(Ledger(self.health, self.polls, zone=CHINA))

    def begin(self, ledger: Ledger) -> None:
        self.ledger = ledger
        ledger.follow(self.register, self.at)
        followed = records.Followed(self.register, {}, (), IncidentPolicy(), DispatchPolicy(), ())
        self._note(self.at, followed)

    @property
    def at(self) -> datetime:
        return BEGIN + timedelta(days=self.day)

    def live(self, days: int, shows: Shows) -> City:
        """Let so many days pass."""
        for _ in range(days):
            for hour in HOURS:
                self._look(self.at + timedelta(hours=hour), shows)
            self.day += 1
        return self

    def restart(self) -> None:
        """What is remembered is what the store has."""
        self._collect(None)
        entries = [entry for id in self.register.devices if (entry := self.ledger.entry(id)) is not None]
        states = tuple(state for entry in entries for state in entry.states)
        runs = tuple(
            (entry.device.id, replace(run, facts=dict(run.facts))) for entry in entries for run in entry.probes
        )
        (line,) = [decode(encode(Line(1, self.at, self._started(states, runs))))]
        self._note(self.at, line.record)
        assert isinstance(line.record, records.Started)
        ledger = Ledger(self.health, self.polls, zone=CHINA)
        ledger.load(line.record.states, line.record.seen)
        self.begin(ledger)

    def checkpoint(self) -> Iterator[records.Record]:
        """All that is remembered now."""
        own, devices = self.ledger.memory()
        rerun = Rerun()
        rerun.take(self.lines)
        assert rerun._at_work is not None
        _, books = rerun._at_work
        yield records.Checkpoint(self._ruled(), DispatchPolicy(), (), (), own, books.memory(), (), {})
        parts = [*Lists(self.register, devices, books.casebook.book, books.dispatcher.book).parts()]
        yield from (records.Remembered(part, part is parts[-1]) for part in parts)

    def _look(self, at: datetime, shows: Shows) -> None:
        days = (at - BEGIN) / timedelta(days=1)
        batch = [seen(id, at + timedelta(seconds=n), shows(id, days)) for n, id in enumerate(self.register.devices)]
        now = batch[-1].at
        self._note(now, records.Judged(tuple(batch)))
        self.ledger.judge(batch, now)
        self._collect(now)
        for id in self.register.devices:
            entry = self.ledger.entry(id)
            if entry is not None and Cause.COVERED in {reason.cause for reason in entry.reasons}:
                self.told.setdefault(id, days)

    def _collect(self, now: datetime | None) -> None:
        self.flips += self.ledger.collect(now).flips
        self._note(now or self.at, records.Taken())

    def _note(self, at: datetime, record: records.Record) -> None:
        self.lines.append(Line(len(self.lines) + 1, at, record))

    def _ruled(self) -> records.Ruled:
        return records.Ruled(self.health, self.polls, IncidentPolicy(), "local", str(CHINA))

    def _started(self, states: tuple, runs: tuple) -> records.Started:  # type: ignore[type-arg]
        kept = len(self.lines)
        return records.Started(self._ruled(), (), states, runs, (), (), 0, (), 0, kept, {})


def snow(id: str, days: float) -> float:
    """Snow lies in the north for eleven days, and half of the cameras there see it so."""
    return WEAK if id in NORTH[6:] and 2 <= days < 13 else 0.0


def foul(id: str, since: float = 2, score: float = WEAK) -> Shows:
    """One camera is covered for good."""
    return lambda one, days: score if one == id and days >= since else 0.0


def worst(*laws: Shows) -> Shows:
    return lambda id, days: max(law(id, days) for law in laws)


def test_without_the_others_snow_that_lies_for_eleven_days_would_be_a_fault_of_the_lens() -> None:
    alone = City(Register(areas=AREAS, devices={NORTH[9]: CITY.devices[NORTH[9]]})).live(16, snow)
    assert 9 < alone.told[NORTH[9]] < 11


def test_snow_over_an_area_is_told_of_none_of_its_cameras_and_of_none_after_the_thaw() -> None:
    assert City().live(20, snow).told == {}


@pytest.mark.parametrize("camera", [NORTH[3], SOUTH[3]])
def test_one_dirty_camera_among_healthy_ones_is_told_as_soon_as_it_would_be_alone(camera: str) -> None:
    alone = City(Register(areas=AREAS, devices={camera: CITY.devices[camera]})).live(11, foul(camera))
    among = City().live(11, foul(camera))
    assert among.told == alone.told
    assert 9 < among.told[camera] < 11


def test_what_is_dirty_where_no_snow_lies_is_told_as_soon_as_ever() -> None:
    assert City().live(13, worst(snow, foul(SOUTH[2]))).told == City().live(13, foul(SOUTH[2])).told


def test_a_camera_that_is_covered_beyond_doubt_is_told_while_snow_lies() -> None:
    city = City().live(6, snow).live(5, worst(snow, foul(NORTH[2], 6, BEYOND_DOUBT)))
    assert [*city.told] == [NORTH[2]]


@pytest.mark.parametrize(("weather", "told"), [(snow, []), (lambda *_: 0.0, [NORTH[2]])])
def test_what_is_a_cover_within_hours_in_fair_weather_may_be_snow_that_has_begun_to_lie(
    weather: Shows, told: list[str]
) -> None:
    city = City().live(6, weather)
    for minutes in range(0, 160, 40):
        covered = worst(weather, foul(NORTH[2], 6, BEYOND_DOUBT))
        city._look(city.at + timedelta(hours=9, minutes=minutes), covered)
    assert [*city.told] == told


def test_what_is_still_dirty_after_the_thaw_is_told() -> None:
    city = City().live(24, worst(snow, foul(NORTH[7])))
    assert [*city.told] == [NORTH[7]]
    # Seven days of its own, of which two were before the snow was everybody's or after it.
    assert 13 + 6 < city.told[NORTH[7]] < 13 + 10


def test_what_was_believed_before_the_snow_stays_and_ends_when_it_is_gone() -> None:
    before = foul(NORTH[2], 0)
    city = City().live(9, before)
    assert [*city.told] == [NORTH[2]]
    late: Shows = lambda id, days: snow(id, days - 7)  # noqa: E731 - a law is a function
    city.live(4, worst(before, late))
    entry = city.ledger.entry(NORTH[2])
    assert entry is not None
    assert [reason.cause for reason in entry.reasons] == [Cause.COVERED]
    city.live(2, late)
    entry = city.ledger.entry(NORTH[2])
    assert entry is not None
    assert entry.reasons == ()


def test_people_are_told_how_many_see_the_snow_since_when_and_until_when_nothing_is_believed() -> None:
    city = City().live(5, snow)
    (told,) = city.ledger.sightings.told(city.at)
    assert (told.area, told.showing, told.judged) == ("north", 6, 12)
    assert told.since.astimezone(CHINA).date() == (BEGIN + timedelta(days=2)).astimezone(CHINA).date()
    assert f"{told.until.astimezone(CHINA):%d. %H:%M}" == "06. 15:00", "a day after it was last seen"
    assert city.ledger.sightings.told(city.at + timedelta(days=2)) == []


def test_a_restart_while_snow_lies_changes_nothing_of_what_is_told_and_when() -> None:
    law = worst(snow, foul(NORTH[7]))
    whole, broken = City().live(23, law), City()
    for days in (4, 1, 5, 3, 10):
        broken.live(days, law)
        told = broken.ledger.sightings.told(broken.at)
        broken.restart()
        assert broken.ledger.sightings.told(broken.at) == told
    assert broken.told == whole.told
    assert [(one.subject, one.after, one.at) for one in broken.flips] == [
        (one.subject, one.after, one.at) for one in whole.flips
    ]


def test_a_replay_decides_the_same_from_the_beginning_and_from_the_middle_of_the_snow() -> None:
    law = worst(snow, foul(NORTH[7]), foul(SOUTH[5], 5))
    city = City().live(9, law)
    kept, n = [*city.checkpoint()], len(city.lines)
    before = len(city.flips)
    city.live(13, law)
    assert {*city.told} == {NORTH[7], SOUTH[5]}
    whole = Rerun()
    whole.take(map(_written, city.lines))
    assert [*whole.decided()["flip"]] == city.flips
    rest = Rerun()
    rest.take(_written(Line(n, city.lines[n - 1].at, record)) for record in kept)
    rest.take(map(_written, city.lines[n:]))
    assert [*rest.decided()["flip"]] == city.flips[before:]
    assert not whole.flaws
    assert not rest.flaws


def _written(line: Line) -> Line:
    return decode(encode(line))


def facts_of(city: City, id: str) -> Facts:
    entry = city.ledger.entry(id)
    assert entry is not None
    (run,) = entry.probes
    return run.facts


def test_a_camera_in_fair_weather_has_nothing_to_remember_of_it() -> None:
    city = City().live(4, snow)
    assert facts_of(city, SOUTH[0])["weather"] is None
    weather = facts_of(city, NORTH[0])["weather"]
    assert isinstance(weather, list)
    assert [one[:2] for one in weather] == [["north", True]]

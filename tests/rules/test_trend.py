"""What pictures are like from day to day, and what creeps over weeks: dirt does, weather and seasons don't."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera_registry.model.baseline import Regime
from camera_registry.model.device import Device, Kind
from camera_registry.model.health import Cause
from camera_registry.model.observation import Facts, Observation
from camera_registry.model.policy import PicturePolicy
from camera_registry.model.trend import LensPolicy, PictureDay
from camera_registry.rules.pictures import drift, trend, watching
from tests.picture import lens

BEGIN = date(2026, 7, 1)
POLICY = LensPolicy()
CHINA, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
Random = np.random.Generator


@dataclass(frozen=True)
class Lived:
    """One day of a simulated camera."""

    day: date
    contrast: float
    clear: float = 1.0


def lived(contrast: Sequence[float], clear: Sequence[float] | None = None) -> list[Lived]:
    days = (BEGIN + timedelta(days=n) for n in range(len(contrast)))
    kept = clear or [1.0] * len(contrast)
    return [Lived(*one) for one in zip(days, map(float, contrast), map(float, kept), strict=True)]


def first_dirty(days: Sequence[Lived], every: int = 1) -> int | None:
    """The day on which a camera that lived so is called dirty; None: never."""
    usual = drift.clear([one.contrast for one in days[: drift.FIRST]])
    dirty = False
    for n in range(drift.FIRST, len(days), every):
        found = drift.drift(days[max(0, n + 1 - drift.WINDOW) : n + 1], usual, POLICY, was_dirty=dirty)
        dirty = found is not None and found.dirty
        if dirty:
            return n
    return None


def season(random: Random, days: int = 150) -> np.ndarray:
    """Healthy days: a light that changes by up to a tenth from summer to winter, weather on one day in seven, two
    weeks of fog."""
    values = 1 - random.uniform(0.02, 0.10) * np.arange(days) / days + random.normal(0, 0.03, days)
    bad = random.random(days) < 1 / 7
    for begins in random.integers(0, days - 8, 2):
        bad[begins : begins + 8] = True
    return np.where(bad, values * random.uniform(0.4, 0.8, days), values)


def snowed_in(random: Random) -> list[Lived]:
    values = season(random)
    begins = int(random.integers(60, 110))
    values[begins : begins + int(random.integers(7, 30))] *= 0.75
    return lived(values)


def in_leaf(random: Random) -> list[Lived]:
    """Trees before a third of the view lose their leaves within a month; some of what was seen is another then."""
    share = 1 / (1 + np.exp(-(np.arange(150) - random.uniform(60, 100)) / random.uniform(5, 10)))
    return lived(season(random) * (1 - 0.25 * share), list(1 - 0.3 * share))


def rebuilt(random: Random) -> list[Lived]:
    """A plain new wall stands before a part of the view from one day on."""
    values = season(random)
    values[int(random.integers(40, 110)) :] *= 0.7
    return lived(values)


def ordinary(random: Random) -> list[Lived]:
    return lived(season(random))


@pytest.mark.parametrize("life", [ordinary, snowed_in, in_leaf, rebuilt])
def test_sixty_healthy_cameras_live_through_a_season_and_none_is_called_dirty(
    life: Callable[[Random], list[Lived]],
) -> None:
    fired = [n for n in range(60) if first_dirty(life(np.random.default_rng(n)), every=5) is not None]
    assert fired == []


@pytest.mark.parametrize("a_day", [0.004, 0.008, 0.012])
def test_a_lens_that_gets_dirtier_is_found_before_it_is_of_no_use(a_day: float) -> None:
    missed = 0
    for n in range(20):
        random = np.random.default_rng(1000 + n)
        film = 1 - np.clip((np.arange(150) - random.integers(15, 40)) * a_day, 0, 0.7)
        at = first_dirty(lived(season(random) * film), every=3)
        missed += at is None or film[at] < POLICY.limit
    assert missed == 0


def test_the_day_of_no_use_is_where_the_line_meets_the_limit() -> None:
    random = np.random.default_rng(4)
    days = lived(1 - 0.008 * np.arange(42) + random.normal(0, 0.02, 42))
    found = drift.drift(days, 1.0, POLICY)
    assert found is not None
    assert found.a_day == pytest.approx(-0.008, rel=0.1)
    assert found.dirty
    assert found.due is not None
    # 1 - 0.008 n = 0.5 on day 62; the clear days of late are somewhat older and clearer than the last one.
    assert abs((found.due - (BEGIN + timedelta(days=62))).days) <= 15
    assert drift.drift(days, None, POLICY) is None
    assert drift.drift(days[:13], 1.0, POLICY) is None


def test_dirt_that_no_longer_grows_is_dirt_until_half_of_it_is_gone() -> None:
    random = np.random.default_rng(5)
    flat = lived(0.65 + random.normal(0, 0.02, 42))
    was, new = (drift.drift(flat, 1.0, POLICY, was_dirty=dirty) for dirty in (True, False))
    assert was is not None
    assert new is not None
    assert (was.dirty, new.dirty) == (True, False)
    clean = drift.drift(lived(0.95 + random.normal(0, 0.02, 42)), 1.0, POLICY, was_dirty=True)
    assert clean is not None
    assert not clean.dirty


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.3, 1.3), min_size=14, max_size=42), st.floats(-0.02, 0.02))
def test_a_trend_turns_with_what_is_added_day_by_day(values: list[float], a_day: float) -> None:
    days = [BEGIN + timedelta(days=n) for n in range(len(values))]
    plain = drift.trend(list(zip(days, values, strict=True)))
    tilted = drift.trend([(day, value + a_day * n) for n, (day, value) in enumerate(zip(days, values, strict=True))])
    assert plain is not None
    assert tilted is not None
    assert tilted.a_day == pytest.approx(plain.a_day + a_day, abs=1e-9)


# What travels with the facts.


@dataclass
class Channel:
    """Pictures of one channel; everything but the picture itself is real."""

    zone: ZoneInfo = CHINA
    at: datetime = datetime(2026, 7, 1, 1, tzinfo=UTC)
    baselines: str = "1"
    taken: str = "2026-07-01T04:00:00+00:00"
    facts: Facts = field(default_factory=dict)
    days: list[PictureDay] = field(default_factory=list)

    def see(self, contrast: float, minutes: float = 15) -> None:
        self.at += timedelta(minutes=minutes)
        told = {
            "sight": lens.found(contrast, baselines=self.baselines, taken=self.taken)
            if self.baselines
            else lens.alone()
        }
        seen = Observation("cam-7", "snapshot", self.at, 0.1, facts=told)
        seen = watching.take_in(seen, self.facts, PicturePolicy(), Device("cam-7", Kind.CAMERA), self.zone)
        after = {**self.facts, **seen.facts}
        self.days += trend.over("cam-7", "", self.facts, after)
        self.facts = after

    def live(self, days: Sequence[float], *, a_day: int = 6) -> None:
        """So many pictures on each of these days, from nine in the morning on."""
        for contrast in days:
            local = self.at.astimezone(self.zone)
            self.at = (local + timedelta(days=1)).replace(hour=9, minute=0).astimezone(UTC)
            for _ in range(a_day):
                self.see(contrast, minutes=30)

    @property
    def believed(self) -> bool:
        return Cause.DIRTY in watching.believed(self.facts)[0]


def test_a_day_has_the_median_of_the_pictures_that_count_and_their_number() -> None:
    channel = Channel()
    shown = [0.9, 0.7, 0.92, 0.94, 0.96]
    for contrast in shown:
        channel.see(contrast)
    channel.see(0.4, minutes=3)  # too soon after the last one
    (today,) = trend.so_far("cam-7", "", channel.facts)
    assert (today.contrast, today.pictures, today.regime) == (median(shown), 5, Regime.DAY)
    assert channel.days == []
    channel.live([0.8])
    assert channel.days == [today]
    assert today.day == date(2026, 7, 1)


def test_a_picture_in_doubt_for_another_reason_or_compared_with_nothing_does_not_count() -> None:
    channel = Channel(baselines="")
    for _ in range(5):
        channel.see(0.9)
    assert trend.begins(channel.facts) is None


@pytest.mark.parametrize(
    "night", [datetime(2026, 3, 28, 22, 55, tzinfo=UTC), datetime(2026, 10, 24, 21, 55, tzinfo=UTC)]
)
def test_a_day_on_which_the_clock_is_changed_is_one_day(night: datetime) -> None:
    """It has 23 hours, or 25; what is compared with a picture taken at noon says nothing at night."""
    channel = Channel(zone=BERLIN, at=night, taken="2026-03-01T11:00:00+00:00")
    for _ in range(4 * 36):
        channel.see(0.9)
    (sunday,) = {one.day for one in channel.days}
    assert sunday == (night + timedelta(days=1)).date()
    assert {one.regime: one.pictures for one in channel.days} == {Regime.DAY: 4 * 9, Regime.DUSK: 4 * (3 + 3)}


def dulled(channel: Channel) -> None:
    channel.live([1.0] * 15)
    channel.live([1 - 0.01 * n for n in range(1, 38)], a_day=5)


def test_what_creeps_is_believed_after_its_time_with_a_text_and_a_day() -> None:
    channel = Channel()
    dulled(channel)
    assert channel.believed
    told = watching.evidence(channel.facts, Cause.DIRTY)
    assert "a day; it will be unusable about 2026-0" in told
    (found,) = trend.drifts(channel.facts).values()
    assert found.a_day == pytest.approx(-0.01, rel=0.1)
    assert channel.days[-1].usual == 1.0
    # Its pictures of today are what they were: it stays.
    channel.live([0.63] * 3)
    assert channel.believed


def test_after_cleaning_two_pictures_are_enough_and_its_trend_begins_anew_though_nobody_has_said_so() -> None:
    channel = Channel()
    dulled(channel)
    channel.see(0.99, minutes=60)
    channel.see(0.99)
    assert not channel.believed
    assert trend.drifts(channel.facts) == {}
    channel.live([0.98] * 20)
    (found,) = trend.drifts(channel.facts).values()
    assert found.level == pytest.approx(0.98)
    assert not found.dirty


def test_what_is_accepted_anew_is_what_is_usual_from_then_on() -> None:
    channel = Channel()
    dulled(channel)
    channel.baselines = "2"
    channel.see(0.63)
    channel.live([0.63] * 20)
    assert not channel.believed
    assert channel.days[-1].usual == 0.63
    assert trend.begins(channel.facts) == date(2026, 8, 22)
    assert {one.begins for one in channel.days} == {date(2026, 7, 2), date(2026, 8, 22)}


def test_what_a_clock_that_was_years_ahead_began_does_not_wait_for_its_day() -> None:
    channel = Channel(at=datetime(2036, 7, 1, 1, tzinfo=UTC))
    channel.see(0.9)
    channel.at = datetime(2026, 7, 1, 1, tzinfo=UTC)
    channel.live([0.9] * 2)
    assert trend.begins(channel.facts) == date(2026, 7, 2)
    assert channel.days[-1].day == date(2026, 7, 2)


def test_a_day_that_another_accepted_picture_cuts_short_is_kept_though_the_next_picture_does_not_count() -> None:
    channel = Channel()
    channel.live([0.9])
    channel.baselines = ""
    channel.see(0.9)
    assert [one.pictures for one in channel.days] == [6]


def test_a_lens_that_was_cleaned_is_followed_anew() -> None:
    channel = Channel()
    dulled(channel)
    anew = {**channel.facts, trend.FACT: trend.anew(trend.sketch(channel.facts), channel.at.astimezone(CHINA))}
    (cut_short,) = trend.over("cam-7", "", channel.facts, anew)
    assert cut_short.day == channel.at.astimezone(CHINA).date()
    channel.facts = anew
    channel.live([0.9] * 16)
    assert channel.days[-1].usual == 0.9
    assert trend.begins(channel.facts) == cut_short.day


def test_the_sketch_of_a_channel_stays_small_whatever_it_is_asked() -> None:
    channel = Channel()
    for _ in range(60):
        channel.live([0.9], a_day=2)
    for _ in range(24 * 60):
        channel.see(0.9, minutes=1)
    import orjson

    assert len(orjson.dumps(channel.facts[trend.FACT])) < 1500


def test_a_picture_in_another_light_can_not_deny_that_the_lens_is_dirty() -> None:
    channel = Channel()
    dulled(channel)
    known = trend.sketch(channel.facts)
    assert known is not None
    from camera_registry.model.picture import Judgement

    clean = Judgement((), (Cause.DIRTY,), {}, {Cause.DIRTY: 0.1})
    by_night = trend.add(clean, known, Regime.NIGHT, (0.9, 1.0, 1.0), POLICY)
    assert by_night == (clean, False)
    by_day, can = trend.add(clean, known, Regime.DAY, (0.6, 1.0, 1.0), POLICY)
    assert can
    assert [fault.cause for fault in by_day.faults] == [Cause.DIRTY]
    assert trend.add(clean, known, Regime.DAY, (0.95, 1.0, 1.0), POLICY) == (clean, True)

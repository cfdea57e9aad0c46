"""Rates agree to the microsecond with arithmetic on paper, and with a slow and obvious second reckoning."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings, strategies
from sqlalchemy import Connection

from camera_registry.model.device import Device, Kind, Life
from camera_registry.model.health import Aspect, AspectState, Flip, State, Subject
from camera_registry.model.incident import Affected
from camera_registry.model.maintenance import Cover, Window, WindowKind
from camera_registry.model.rates import Excluded, Exclusion, Measure, Sums
from camera_registry.model.recording import Gap, Lack, Recording, Searched
from camera_registry.rules import availability
from camera_registry.rules.availability import Period
from camera_registry.store import Store, health, incidents, rates, recordings, register, windows
from camera_registry.store.measuring import Measured, measure
from camera_registry.store.rates import Stretch
from tests import rate_reference
from tests.notices import incident

SHANGHAI = availability.zone_of("Asia/Shanghai")
BERLIN = availability.zone_of("Europe/Berlin")
START = datetime(2026, 9, 30, 16, tzinfo=UTC)
"""October begins in Shanghai."""
HOUR = timedelta(hours=1)
HOURS = HOUR // timedelta(microseconds=1)
OK, DOWN, STALE, GONE, FLAPPING = State.OK, State.DOWN, State.STALE, State.UNKNOWN, State.FLAPPING
LATER = datetime(2027, 1, 1, tzinfo=UTC)


def flip(device: str, aspect: Aspect, at: datetime, after: State, channel: str = "") -> Flip:
    return Flip(Subject(device, aspect, channel), State.UNKNOWN, after, at, at)


def chain(device: str, aspect: Aspect, *steps: tuple[float, State], channel: str = "") -> list[Flip]:
    """Flips at so many hours after the start."""
    return [flip(device, aspect, START + hours * HOUR, after, channel) for hours, after in steps]


def keep(store: Store, flips: Sequence[Flip], heard: datetime = LATER) -> None:
    subjects = {one.subject: None for one in flips}
    states = [AspectState(subject, read_at=heard) for subject in subjects]
    store.write_now(health.save, states, flips)


def registered(store: Store, *ids: str, at: datetime = START - 900 * HOUR, **fields: object) -> None:
    devices = [Device(id, Kind.CAMERA, **fields) for id in ids]  # type: ignore[arg-type]
    store.write_now(register.apply, devices, author="test", at=at)


def october(store: Store, now: datetime = LATER) -> Measured:
    return measure(store, availability.month("2026-10", SHANGHAI, now))


def test_a_month_by_hand(store: Store) -> None:
    registered(store, "cam-1")
    # 31 days are 744 h. Lost from hour 10 to 34: 24 h. Stream lost from hour 30 to 40, of which 4 h are the same: 6 h
    # more. Silent from hour 100 to 150: 50 h unknown. Online: 744 - 24 - 6 - 50 = 664 h of 694 h known.
    keep(
        store,
        [
            *chain("cam-1", Aspect.REACH, (-5, OK), (10, DOWN), (34, OK), (100, STALE), (150, OK)),
            *chain("cam-1", Aspect.STREAM, (-5, OK), (30, DOWN), (40, OK), (100, STALE), (150, OK)),
            # The picture is black from hour 200 to 210; the clock drifts from 205 to 225: 25 h not intact, online.
            *chain("cam-1", Aspect.PICTURE, (-5, OK), (200, DOWN), (210, OK)),
            *chain("cam-1", Aspect.CLOCK, (-5, OK), (205, DOWN), (225, OK)),
        ],
    )
    sums = october(store).sums["cam-1"]
    assert (sums.online_good, sums.online_bad, sums.online_unknown) == (664 * HOURS, 30 * HOURS, 50 * HOURS)
    assert (sums.intact_good, sums.intact_bad, sums.intact_unknown) == (639 * HOURS, 55 * HOURS, 50 * HOURS)
    assert sums.rate(Measure.ONLINE) == 664 / 694
    assert sums.rate(Measure.INTACT) == 639 / 694
    assert sums.rate(Measure.RECORDING) is None
    assert sums.outages == 1
    assert sums.mean_outage == 30 * HOURS


def test_planned_work_and_lost_parents_are_kept_apart(store: Store) -> None:
    registered(store, "cam-1")
    keep(store, chain("cam-1", Aspect.REACH, (-5, OK), (10, DOWN), (30, OK), (50, DOWN), (60, OK)))
    # Two windows overlap: hours 8 to 12 and 11 to 14, 6 h in all, of which 4 h were lost. Of the loss of hours 10 to
    # 30, 16 h are left; the second loss, 10 h, is charged to a parent.
    for begins, ends in ((8, 12), (11, 14)):
        window = Window(
            0,
            WindowKind.FIXED,
            Cover(devices=("cam-1",)),
            START + begins * HOUR,
            START + ends * HOUR,
            "work",
            "li",
            START,
        )
        store.write_now(windows.create, window)
    store.write_now(
        incidents.save, [incident(7, "switch-1")], (), [Affected(7, "cam-1", START + 49 * HOUR, START + 61 * HOUR)]
    )
    sums = october(store).sums["cam-1"]
    assert sums.maintenance == 6 * HOURS
    assert (sums.online_bad, sums.online_parent) == (16 * HOURS, 10 * HOURS)
    # Online: 744 - 6 - 16 - 10 = 712 h of 744 - 6 - 10 = 728 h.
    assert sums.rate(Measure.ONLINE) == 712 / 728


def test_a_window_that_ends_at_midnight_takes_nothing_from_the_day_after_it(store: Store) -> None:
    registered(store, "cam-1")
    keep(store, chain("cam-1", Aspect.REACH, (-5, OK)))
    for ends in (0, 24, 744):
        span = START + (ends - 2) * HOUR, START + ends * HOUR
        store.write_now(windows.create, Window(0, WindowKind.FIXED, Cover(devices=("cam-1",)), *span, "w", "li", START))
    found = october(store)
    # Of 744 h two windows of 2 h lie in October; each day has its 24 h.
    assert (found.sums["cam-1"].maintenance, found.sums["cam-1"].online_good) == (4 * HOURS, 740 * HOURS)
    assert [sums.length for sums in found.days.values()] == [24 * HOURS] * 31


def test_a_stop_of_the_service_is_unmeasured_and_not_well(store: Store) -> None:
    registered(store, "cam-1")
    # It stopped at hour 100 and nobody has started it since: the newest evidence of all is of hour 100.
    keep(store, chain("cam-1", Aspect.REACH, (-5, OK)), heard=START + 100 * HOUR)
    sums = october(store).sums["cam-1"]
    assert (sums.online_good, sums.online_unknown) == (100 * HOURS, 644 * HOURS)
    # Started again at hour 108: the first look finds everything stale since hour 100, and then well at 109.
    keep(store, chain("cam-1", Aspect.REACH, (100, STALE), (109, OK)))
    sums = october(store).sums["cam-1"]
    assert (sums.online_good, sums.online_unknown) == (735 * HOURS, 9 * HOURS)


def test_devices_count_from_their_registration_until_they_retire(store: Store) -> None:
    registered(store, "cam-1", at=START + 44 * HOUR)
    registered(store, "cam-2")
    store.write_now(
        register.apply, [Device("cam-2", Kind.CAMERA, life=Life.SUSPENDED)], author="test", at=START + 100 * HOUR
    )
    store.write_now(register.apply, [Device("cam-2", Kind.CAMERA)], author="test", at=START + 200 * HOUR)
    store.write_now(register.apply, [], [("device", "cam-2")], author="test", at=START + 300 * HOUR)
    registered(store, "cam-3")
    keep(store, chain("cam-1", Aspect.REACH, (45, OK)))
    keep(store, chain("cam-2", Aspect.REACH, (-5, OK), (100, GONE), (201, OK), (300, GONE)))
    found = october(store).sums
    # 1 h between registration and first answer is unknown.
    assert (found["cam-1"].idle, found["cam-1"].online_unknown) == (44 * HOURS, HOURS)
    # Idle from 100 to 200 and from 300 on: 100 + 444 h. Unknown from 200 to 201.
    assert (found["cam-2"].idle, found["cam-2"].online_good) == (544 * HOURS, 199 * HOURS)
    assert found["cam-3"].online_unknown == 744 * HOURS
    assert found["cam-3"].rate(Measure.ONLINE) is None


def test_a_recorder_is_as_good_as_its_worst_channel(store: Store) -> None:
    registered(store, "rec-1")
    keep(
        store,
        [
            *chain("rec-1", Aspect.REACH, (-5, OK)),
            *chain("rec-1", Aspect.STREAM, (-5, OK), (10, DOWN), (20, OK), channel="a"),
            # The second channel is taken out at hour 50, while it is lost.
            *chain("rec-1", Aspect.STREAM, (-5, OK), (15, FLAPPING), (50, GONE), channel="b"),
        ],
    )
    assert october(store).sums["rec-1"].online_bad == 40 * HOURS


def record(store: Store, *held: Recording) -> None:
    """Have runs tell all of these recordings of a device; what has ended is missing from the last one."""
    seen = [Searched(one.token, one.name, one.since, one.until, one.gaps) for one in held]
    for expected in ([one.token for one in held], [one.token for one in held if not one.ended]):
        store.write_now(recordings.take_in, [recordings.Told(held[0].device, seen, frozenset(expected))])


def recording(token: str, since: float, until: float, *gaps: Gap, ended: bool = False) -> Recording:
    return Recording("rec-1", token, "", START + since * HOUR, START + until * HOUR, ended, gaps)


def gap(since: float, until: float, lack: Lack = Lack.MISSING) -> Gap:
    return Gap(START + since * HOUR, START + until * HOUR, lack)


def test_seconds_recorded_of_seconds_required_by_hand(store: Store) -> None:
    registered(store, "rec-1")
    keep(store, chain("rec-1", Aspect.REACH, (-5, OK), (100, STALE), (110, OK), (700, DOWN), (720, OK)))
    record(
        store,
        # The first lacks hours 10 to 14 (2 h of it in planned work) and 705 to 715, while a switch is lost; of hours
        # 200 to 224 nobody knows. That the recorder was silent from 100 to 110 matters nothing: it told afterwards.
        recording("a", -24, 743, gap(10, 14), gap(200, 224, Lack.UNKNOWN), gap(705, 715)),
        # The second is made at hour 44 and ended at hour 144.
        recording("b", 44, 144, gap(50, 51), ended=True),
    )
    window = Window(
        0, WindowKind.FIXED, Cover(devices=("rec-1",)), START + 12 * HOUR, START + 15 * HOUR, "work", "li", START
    )
    store.write_now(windows.create, window)
    store.write_now(
        incidents.save, [incident(7, "switch-1")], (), [Affected(7, "rec-1", START + 700 * HOUR, START + 720 * HOUR)]
    )
    sums = october(store).sums["rec-1"]
    # a: 744 - 3 planned = 741 h required. Missing on its own account 10 to 12: 2 h; behind the switch 10 h; unknown
    # 24 h and the last hour, which no run has told yet: 25 h. Recorded: 741 - 2 - 10 - 25 = 704 h.
    # b: 100 h required, 1 h missing, 99 h recorded. Together:
    assert sums.recording_good == (704 + 99) * HOURS
    assert (sums.recording_bad, sums.recording_parent, sums.recording_unknown) == (3 * HOURS, 10 * HOURS, 25 * HOURS)
    assert sums.rate(Measure.RECORDING) == 803 / 806


def test_what_a_recorder_tells_later_has_the_day_computed_anew(store: Store) -> None:
    registered(store, "rec-1")
    keep(store, chain("rec-1", Aspect.REACH, (-5, OK)))
    record(store, recording("a", -24, 733))
    assert october(store).sums["rec-1"].recording_unknown == 11 * HOURS
    record(store, recording("a", 733 - 24, 757, gap(730, 734)))
    sums = october(store).sums["rec-1"]
    assert (sums.recording_bad, sums.recording_unknown) == (4 * HOURS, 0)


def test_days_are_those_of_the_zone_whatever_its_clocks_do() -> None:
    # In Berlin the clocks go back on 2026-10-25, so that day has 25 h; forward on 2026-03-29: 23 h.
    for name, hours in (("2026-10", 745), ("2026-03", 743)):
        period = availability.month(name, BERLIN, LATER)
        assert (period.ends - period.begins) == hours * HOUR
        assert len(period.whole_days()) == 31
    longest = {until - day for day, until in availability.month("2026-10", BERLIN, LATER).whole_days()}
    assert longest == {24 * HOUR, 25 * HOUR}


def test_a_leap_second_is_no_time() -> None:
    """POSIX time has no leap seconds: the last day of 2016, which had 86,401 s, counts as a whole day of 86,400."""
    period = availability.month("2016-12", availability.zone_of("UTC"), LATER)
    day, until = period.whole_days()[-1]
    assert until - day == 24 * HOUR


def test_only_touched_days_are_computed_anew(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    registered(store, "cam-1", "cam-2")
    keep(store, chain("cam-1", Aspect.REACH, (-5, OK), (30, DOWN), (31, OK)))
    computed: list[datetime] = []
    real = rates.keep

    def watched(tx: Connection, zone: str, stretch: Stretch) -> None:
        computed.extend(stretch.borders)
        real(tx, zone, stretch)

    monkeypatch.setattr(rates, "keep", watched)
    before = october(store)
    assert len(computed) == 31
    computed.clear()
    assert october(store).sums == before.sums
    assert computed == []
    # Late data: an outage on the last but one day is stored after the month was computed.
    keep(store, chain("cam-1", Aspect.REACH, (29 * 24 + 1, DOWN), (29 * 24 + 3, OK)))
    after = october(store)
    assert computed == [START + timedelta(days=29), START + timedelta(days=30)]
    assert after.sums["cam-1"].online_bad == 3 * HOURS
    assert after.version != before.version
    computed.clear()
    # A device registered in November changes no day of October.
    registered(store, "cam-9", at=START + timedelta(days=40))
    october(store)
    assert computed == []
    # A window entered afterwards touches the day that it covers.
    window = Window(
        0, WindowKind.FIXED, Cover(devices=("cam-1",)), START + 30 * HOUR, START + 31 * HOUR, "work", "li", START
    )
    store.write_now(windows.create, window)
    assert october(store).sums["cam-1"].online_bad == 2 * HOURS
    assert computed == [START + timedelta(days=1)]
    computed.clear()
    # One that came in the middle of the month changes none of the days before, in which it is idle, by day as in total.
    registered(store, "cam-8", at=START + timedelta(days=15, hours=12))
    found = october(store)
    assert computed == [START + timedelta(days=day) for day in range(15, 31)]
    assert [sums.length for sums in found.days.values()] == [3 * 24 * HOURS] * 31
    assert sum(found.days.values(), Sums()) == sum(found.sums.values(), Sums())
    alone = measure(store, found.period, wanted=lambda device, _: device.id == "cam-8")
    assert [sums.idle // HOURS for sums in alone.days.values()] == [24] * 15 + [12] + [0] * 15


_cases = itertools.count()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(dice=strategies.randoms(use_true_random=False))
def test_sql_and_the_obvious_reckoning_agree(store: Store, dice: random.Random) -> None:
    """Any flips, at any microsecond, of any aspects and channels, with any stretches kept apart."""
    case = next(_cases)
    devices = [f"{case}-{name}" for name in "abc"]
    ends = START + 72 * HOUR
    flips: list[Flip] = []
    for device in devices:
        for aspect, channel in (
            (Aspect.REACH, ""), (Aspect.STREAM, "1"), (Aspect.STREAM, "2"), (Aspect.PICTURE, "1"),
            (Aspect.CLOCK, ""), (Aspect.CONTROL, ""),
        ):  # fmt: skip
            times = dice.sample(range(-20 * HOURS, 80 * HOURS), dice.randrange(7))
            # Some at the very borders of days, and of the period.
            times += dice.sample([0, 24 * HOURS, 48 * HOURS, 72 * HOURS], dice.randrange(3))
            flips += [
                flip(device, aspect, _at(at), dice.choice([OK, OK, DOWN, STALE, GONE, FLAPPING]), channel)
                for at in sorted(set(times))
            ]
    keep(store, flips)
    apart = [
        Excluded(dice.choice(devices), _at(begin), _at(begin + dice.randrange(1, 30 * HOURS)), why)
        for why in Exclusion
        for begin in dice.sample(range(-5 * HOURS, 70 * HOURS), dice.randrange(8))
    ]
    # Some that begin or end at the very border of a day.
    for border in dice.sample([0, 24 * HOURS, 48 * HOURS, 72 * HOURS], dice.randrange(3)):
        before, after = dice.choice([(2 * HOURS, 0), (0, 2 * HOURS), (24 * HOURS, 0)])
        why = dice.choice(list(Exclusion))
        apart.append(Excluded(dice.choice(devices), _at(border - before), _at(border + after), why))
    held = [_recording(dice, dice.choice(devices), str(number)) for number in range(dice.randrange(5))]
    for device in devices:
        if own := [one for one in held if one.device == device]:
            record(store, *own)
    begins = _at(dice.randrange(3 * HOURS))
    borders = Period(begins, ends, SHANGHAI, "").days()
    stretch = Stretch([(id, False) for id in devices], borders, ends, apart)
    whole = store.read_now(rates.compute, stretch)
    for device in devices:
        assert whole[device] == rate_reference.measure(device, flips, apart, begins, ends, held)
    # Day by day it comes to the same.
    parts = [
        store.read_now(rates.compute, Stretch(stretch.devices, [begin], end, apart))
        for begin, end in zip(borders, [*borders[1:], ends], strict=True)
    ]
    for device in devices:
        assert sum((part[device] for part in parts), Sums()) == whole[device]


def _recording(dice: random.Random, device: str, token: str) -> Recording:
    times = sorted(dice.sample(range(-20 * HOURS, 90 * HOURS), 2 + 2 * dice.randrange(6)))
    gaps = tuple(
        Gap(_at(since), _at(until), dice.choice(list(Lack)))
        for since, until in zip(times[1:-1:2], times[2:-1:2], strict=True)
    )
    return Recording(device, token, "", _at(times[0]), _at(times[-1]), dice.random() < 0.3, gaps)


def _at(microseconds: int) -> datetime:
    return START + timedelta(microseconds=microseconds)

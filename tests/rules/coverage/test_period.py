"""Tests of coverage over a period: sums by hand, and a slow reference that looks at every second."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera_registry.model.coverage import ViewState
from camera_registry.model.health import Aspect, Cause, Flip, State, Subject
from camera_registry.model.register import Change
from camera_registry.rules.coverage import steps
from camera_registry.rules.coverage.hours import in_force
from camera_registry.rules.coverage.period import History, sum_up
from camera_registry.rules.coverage.sight import NEEDED

UTC_ZONE = ZoneInfo("UTC")
SHANGHAI = ZoneInfo("Asia/Shanghai")
T0 = datetime(2026, 10, 1, tzinfo=UTC)
OK = steps.constant(State.OK)


def at(**after: float) -> datetime:
    return T0 + timedelta(**after)


def flips(device: str, aspect: Aspect, *changes: tuple[datetime, State], channel: str = "") -> dict:
    """The history of one subject that was OK before."""
    found, before = [], State.OK
    for moment, after in changes:
        found.append(Flip(Subject(device, aspect, channel), before, after, moment, moment, Cause.TIMEOUT))
        before = after
    return {Subject(device, aspect, channel): steps.states(found, State.OK)}


def healthy(*devices: str) -> dict:
    return {Subject(device, aspect): OK for device in devices for aspect in NEEDED}


def history(views: dict[str, tuple[str, ...]], states: dict, *, hours: str = "", planned=None) -> History:
    """One site, whose views are shown by channels named for their devices: "cam-1" is the channel of "cam-1"."""
    devices = {channel for channels in views.values() for channel in channels}
    return History(
        {"gate": steps.constant({"hours": hours})},
        {id: steps.constant({"site": "gate", "channels": channels}) for id, channels in views.items()},
        {device: steps.constant({"device": device}) for device in devices},
        {device: steps.constant({"life": "active"}) for device in devices},
        {**healthy(*devices), **states},
        planned or {},
    )


def test_a_day_summed_by_hand():
    """Two views: N by cam-1, S by cam-2 and cam-3.

    cam-1 is down 01:00-03:00.123                      N uncovered 2:00:00.123
    cam-2 is down 02:00-06:00, cam-3 blurred 02:30-04  S uncovered 1:30 (02:30-04:00, while neither shows it)
    both at once: 02:30-03:00.123                      no usable view for 0:30:00.123
    required: 2 views x 24 h = 48 h = 172,800 s; uncovered 7200.123 + 5400 = 12,600.123 s
    coverage = (172800 - 12600.123) / 172800 = 0.92708262...
    """
    states = {
        **flips("cam-1", Aspect.REACH, (at(hours=1), State.DOWN), (at(hours=3, milliseconds=123), State.OK)),
        **flips("cam-2", Aspect.STREAM, (at(hours=2), State.DOWN), (at(hours=6), State.OK)),
        **flips("cam-3", Aspect.PICTURE, (at(hours=2.5), State.DOWN), (at(hours=4), State.OK)),
    }
    (site,) = sum_up(history({"N": ("cam-1",), "S": ("cam-2", "cam-3")}, states), UTC_ZONE, T0, at(days=1))
    assert [view.totals.uncovered for view in site.views] == [
        timedelta(hours=2, milliseconds=123),
        timedelta(hours=1.5),
    ]
    assert site.totals.required == timedelta(hours=48)
    assert site.dark == ((at(hours=2.5), at(hours=3, milliseconds=123)),)
    assert site.totals.ratio == pytest.approx((172_800 - 12_600.123) / 172_800, abs=1e-15)


def test_hours_in_force_bound_what_counts():
    """In force 08:00-20:00 in Shanghai is 00:00-12:00 UTC. Down 10:00-14:00 UTC: two of the twelve hours count."""
    states = flips("cam-1", Aspect.REACH, (at(hours=10), State.DOWN), (at(hours=14), State.OK))
    (site,) = sum_up(history({"N": ("cam-1",)}, states, hours="08:00-20:00"), SHANGHAI, T0, at(days=1))
    assert (site.totals.covered, site.totals.uncovered) == (timedelta(hours=10), timedelta(hours=2))


def test_hours_past_midnight_belong_to_both_days():
    """22:00-06:00 of a UTC day: from midnight to 06:00, and from 22:00 to midnight."""
    assert in_force("22:00-06:00", UTC_ZONE, T0, at(days=1)) == [(T0, at(hours=6)), (at(hours=22), at(days=1))]
    assert in_force("00:00-24:00", UTC_ZONE, T0, at(days=2)) == [(T0, at(days=2))]


def test_the_day_on_which_clocks_change_has_an_hour_less_in_force():
    """Berlin, 29 March 2026: 02:00 becomes 03:00. 01:00-04:00 by the wall is 00:00-02:00 UTC: two hours."""
    berlin = ZoneInfo("Europe/Berlin")
    since, until = datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC)
    ((begin, end),) = in_force("01:00-04:00", berlin, since, until)
    assert end - begin == timedelta(hours=2)


def test_silence_is_neither_covered_nor_uncovered():
    """Stale for 6 of 24 hours, down for 3: 15 / (15 + 3)."""
    states = flips(
        "cam-1",
        Aspect.STREAM,
        (at(hours=6), State.STALE),
        (at(hours=12), State.DOWN),
        (at(hours=15), State.OK),
    )
    (site,) = sum_up(history({"N": ("cam-1",)}, states), UTC_ZONE, T0, at(days=1))
    assert site.totals.unknown == site.dark_unknown == timedelta(hours=6)
    assert site.totals.ratio == 15 / 18
    assert site.dark_time == timedelta(hours=3)


def test_planned_work_is_kept_apart_and_another_camera_still_covers():
    """cam-1 is off 02:00-05:00, planned 02:00-04:00; cam-2 shows S throughout."""
    states = flips("cam-1", Aspect.REACH, (at(hours=2), State.DOWN), (at(hours=5), State.OK))
    planned = {"cam-1": [(at(hours=2), at(hours=4))]}
    (site,) = sum_up(
        history({"N": ("cam-1",), "S": ("cam-1", "cam-2")}, states, planned=planned), UTC_ZONE, T0, at(days=1)
    )
    north, south = site.views
    assert (north.totals.planned, north.totals.uncovered) == (timedelta(hours=2), timedelta(hours=1))
    assert south.totals.covered == timedelta(days=1)


def test_a_view_that_was_added_in_mid_month_counts_from_then_and_one_without_channels_is_uncovered():
    made = Change("view", "E", None, {"site": "gate"}, "root", at(hours=18))
    whole = history({"N": ("cam-1",)}, {})
    views = {**whole.views, "E": steps.item({"site": "gate", "channels": []}, [made], {"site": "", "channels": []})}
    changed = History(whole.sites, views, whole.channels, whole.devices, whole.states)
    (site,) = sum_up(changed, UTC_ZONE, T0, at(days=1))
    assert site.totals.uncovered == timedelta(hours=6)
    assert site.totals.required == timedelta(hours=30)


def test_a_device_out_of_service_covers_nothing():
    whole = history({"N": ("cam-1",)}, {})
    retired = Change("device", "cam-1", {"life": "active"}, {"life": "retired"}, "root", at(hours=20))
    devices = {"cam-1": steps.item({"life": "retired"}, [retired], {"life": "active"})}
    (site,) = sum_up(History(whole.sites, whole.views, whole.channels, devices, whole.states), UTC_ZONE, T0, at(days=1))
    assert site.dark == ((at(hours=20), at(days=1)),)


def test_flips_that_begin_before_what_was_believed_end_it_there():
    late = [
        Flip(Subject("c", Aspect.REACH), State.OK, State.DOWN, at(hours=2), at(hours=2)),
        Flip(Subject("c", Aspect.REACH), State.UNKNOWN, State.OK, at(hours=1), at(hours=1)),
    ]
    known = steps.states(late)
    assert [known.at(at(hours=hour)) for hour in (0, 1, 2)] == [State.UNKNOWN, State.OK, State.DOWN]


LENGTH = 40
CHANGES = st.lists(st.tuples(st.integers(0, LENGTH), st.sampled_from(State)), max_size=5)
TURNS = st.lists(st.tuples(st.integers(0, LENGTH), st.integers(0, LENGTH)).map(sorted), max_size=2)


@settings(max_examples=80, deadline=None)
@given(
    st.fixed_dictionaries({(device, aspect): CHANGES for device in "ab" for aspect in NEEDED}),
    st.dictionaries(st.sampled_from("ab"), TURNS),
    st.dictionaries(st.sampled_from("NSW"), st.sets(st.sampled_from("ab")), min_size=1),
)
def test_sums_agree_with_looking_at_every_second(changes, turns, views):
    """Flips lie on whole seconds, so a look at each second is exact."""
    states, known = {}, {}
    for (device, aspect), listed in changes.items():
        now = State.OK
        by_second = []
        for second in range(LENGTH):
            for moment, after in listed:
                now = after if moment == second else now
            by_second.append(now)
        known[device, aspect] = by_second
        ordered = sorted(listed, key=lambda change: change[0])
        states |= flips(device, aspect, *((at(seconds=second), after) for second, after in ordered))
    planned = {
        device: [(at(seconds=begin), at(seconds=end)) for begin, end in listed] for device, listed in turns.items()
    }
    channels = {view: tuple(sorted(shown)) for view, shown in views.items()}
    (site,) = sum_up(history(channels, states, planned=planned), UTC_ZONE, T0, at(seconds=LENGTH))
    expected: Counter[ViewState] = Counter()
    dark = 0
    for second in range(LENGTH):
        seen = [_look(second, shown, known, turns) for shown in channels.values()]
        expected.update(seen)
        dark += ViewState.UNCOVERED in seen and not {ViewState.COVERED, ViewState.UNKNOWN} & set(seen)
    totals = site.totals
    assert {
        ViewState.COVERED: totals.covered,
        ViewState.UNCOVERED: totals.uncovered,
        ViewState.PLANNED: totals.planned,
        ViewState.UNKNOWN: totals.unknown,
    } == {state: timedelta(seconds=expected[state]) for state in ViewState}
    assert site.dark_time == timedelta(seconds=dark)


def _look(second, shown, known, turns) -> ViewState:
    """The rule as the domain says it, without any of the program's own steps."""
    online = [[known[device, aspect][second] for aspect in NEEDED] for device in shown]
    if any(all(state is State.OK for state in states) for states in online):
        return ViewState.COVERED
    if any(begin <= second < end for device in shown for begin, end in turns.get(device, ())):
        return ViewState.PLANNED
    silent = [all(state not in (State.DOWN, State.FLAPPING) for state in states) for states in online]
    return ViewState.UNKNOWN if any(silent) else ViewState.UNCOVERED

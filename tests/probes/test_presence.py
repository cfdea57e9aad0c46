"""Gaps are found by a bounded number of questions, with ends that are as exact as they are said to be."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.presence import DAY, RESOLUTION, SPACING, Trace

NOW = 1_800_000_000.0


def survey(trace: Trace, holes: list[tuple[float, float]], now: float, most: int = 1000) -> int:
    """Ask until nothing is left to ask; how many questions that took."""
    for count in range(most):
        moments = trace.questions(now)
        if not moments:
            return count
        trace.note(moments[0], present=not any(begin < moments[0] < end for begin, end in holes))
    return most


def held(holes: list[tuple[float, float]], now: float = NOW) -> Trace:
    trace = Trace()
    trace.hold(now - 7 * DAY, now - 10, now)
    survey(trace, holes, now)
    return trace


def test_a_whole_day_without_a_gap_takes_two_questions_an_hour():
    trace = Trace()
    trace.hold(NOW - 7 * DAY, NOW - 10, NOW)
    assert survey(trace, [], NOW) <= DAY / SPACING
    assert trace.gaps(NOW) == []


@given(st.floats(2 * SPACING, 20 * 3600), st.floats(SPACING + 1, 3 * 3600))
@settings(max_examples=60, deadline=None)
def test_each_gap_longer_than_the_spacing_is_found_as_exactly_as_it_says(ago: float, length: float):
    hole = (NOW - ago - length, NOW - ago)
    trace = Trace()
    trace.hold(NOW - 7 * DAY, NOW - 10, NOW)
    assert survey(trace, [hole], NOW) <= DAY / SPACING + 20
    (gap,) = trace.gaps(NOW) or ()
    assert gap.resolution <= RESOLUTION
    assert abs(gap.begin - hole[0]) <= gap.resolution
    assert abs(gap.end - hole[1]) <= gap.resolution


def test_several_gaps_are_told_apart_oldest_first():
    holes = [(NOW - 40_000, NOW - 30_000), (NOW - 20_000, NOW - 15_000)]
    gaps = held(holes).gaps(NOW)
    assert gaps is not None
    assert [round(gap.length, -3) for gap in gaps] == [10_000, 5_000]


def test_a_gap_that_began_before_the_day_counts_from_the_day_s_beginning():
    (gap,) = held([(NOW - 3 * DAY, NOW - 20 * 3600)]).gaps(NOW) or ()
    assert gap.begin == NOW - DAY
    assert gap.length == pytest.approx(4 * 3600, abs=RESOLUTION)


def test_a_recording_that_began_today_lacks_nothing_before_it_began():
    trace = Trace()
    trace.hold(NOW - 5 * 3600, NOW - 10, NOW)
    survey(trace, [(0, NOW - 5 * 3600)], NOW)
    assert trace.gaps(NOW) == []


def test_a_device_that_never_says_that_it_has_something_has_no_gaps_that_could_be_told():
    trace = Trace()
    trace.hold(NOW - 7 * DAY, NOW - 10, NOW)
    survey(trace, [(0, NOW)], NOW)
    assert trace.gaps(NOW) is None


def test_a_gap_shorter_than_the_spacing_is_found_where_the_newest_picture_stood_still():
    assert NOW % SPACING == 0
    begin = NOW + 200
    trace = held([])
    trace.hold(NOW - 7 * DAY, begin, NOW + 900)
    later = NOW + 1700
    trace.hold(NOW - 7 * DAY, later - 10, later)
    hole = (begin, NOW + 1100)
    survey(trace, [hole], later)
    (gap,) = trace.gaps(later) or ()
    assert abs(gap.begin - hole[0]) <= gap.resolution
    assert abs(gap.end - hole[1]) <= gap.resolution


def test_a_recorder_that_tells_late_what_it_has_is_not_taken_for_one_that_stood_still():
    trace = held([])
    for later in range(0, 3600, 900):
        trace.hold(NOW - 7 * DAY, NOW + later - 850, NOW + later)
        survey(trace, [], NOW + later)
    assert trace.gaps(NOW + 2700) == []


def test_a_span_that_is_known_is_not_asked_about():
    trace = Trace()
    trace.hold(NOW - 7 * DAY, NOW - 10, NOW)
    trace.note_span(NOW - 2 * DAY, NOW - 10)
    assert trace.questions(NOW) == []
    assert trace.gaps(NOW) == []


def test_yesterday_is_forgotten_and_what_is_remembered_bounded():
    trace = Trace()
    for day in range(5):
        now = NOW + day * DAY
        trace.hold(now - 7 * DAY, now - 10, now)
        survey(trace, [(now - 5000, now - 1000)], now)
    assert min(trace.moments) >= now - DAY
    assert len(trace.moments) < 200
    assert len(trace.gaps(now) or ()) == 1

"""The strip of the past: it covers the period without a gap, and invents nothing."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from camera_registry.console.history import WIDTH, spans, strip, strips
from camera_registry.model.health import Aspect, AspectState, Cause, Flip, State, Subject
from tests.console.fleet import NOW

SUBJECT = Subject("cam-1", Aspect.REACH)
SINCE = NOW - timedelta(hours=24)

states = st.sampled_from([State.OK, State.DOWN, State.FLAPPING, State.STALE, State.UNKNOWN])


def flip(hours_ago: float, before: State, after: State) -> Flip:
    at = NOW - timedelta(hours=hours_ago)
    return Flip(SUBJECT, before, after, at, at, Cause.TIMEOUT if after is State.DOWN else None)


@given(st.lists(st.tuples(st.floats(-1, 30), states, states), max_size=12))
def test_spans_follow_each_other_without_gap_or_overlap(told: list[tuple[float, State, State]]) -> None:
    """Even if flips are out of order, before the period or after now (a clock was set)."""
    past = spans([flip(*one) for one in told], None, SINCE, NOW)
    assert past[0].begin == SINCE
    assert past[-1].end == NOW
    assert all(earlier.end == later.begin for earlier, later in pairwise(past))
    assert all(span.begin < span.end for span in past)


@given(st.lists(st.tuples(st.floats(0, 24), states, states), max_size=12))
def test_blocks_stay_inside_the_strip(told: list[tuple[float, State, State]]) -> None:
    drawn = strip(SUBJECT, spans([flip(*one) for one in told], None, SINCE, NOW), SINCE, NOW)
    assert all(block.x >= 0 and block.x + block.width <= WIDTH + 0.02 for block in drawn.blocks)


def test_what_stood_before_the_first_flip_is_what_it_flipped_from() -> None:
    past = spans([flip(6, State.OK, State.DOWN), flip(3, State.DOWN, State.OK)], None, SINCE, NOW)
    assert [(span.state, (span.end - span.begin) / timedelta(hours=1)) for span in past] == [
        (State.OK, 18),
        (State.DOWN, 3),
        (State.OK, 3),
    ]


def test_without_flips_the_present_state_stood_since_it_began() -> None:
    held = AspectState(SUBJECT, State.OK, State.OK, since=NOW - timedelta(days=30))
    assert [span.state for span in spans([], held, SINCE, NOW)] == [State.OK]
    held = AspectState(SUBJECT, State.OK, State.OK, since=NOW - timedelta(hours=1))
    assert [span.state for span in spans([], held, SINCE, NOW)] == [State.UNKNOWN, State.OK]


def test_a_device_never_measured_has_an_unknown_past() -> None:
    assert [span.state for span in spans([], AspectState(SUBJECT), SINCE, NOW)] == [State.UNKNOWN]
    assert [span.state for span in spans([], None, SINCE, NOW)] == [State.UNKNOWN]


def test_a_suspicion_is_not_yet_history() -> None:
    held = AspectState(SUBJECT, State.SUSPECT, State.OK, since=NOW - timedelta(days=2), cause=Cause.TIMEOUT)
    assert [span.state for span in spans([], held, SINCE, NOW)] == [State.OK]


def test_a_fault_of_seconds_can_still_be_seen_and_is_drawn_on_top() -> None:
    short = [flip(12, State.OK, State.DOWN), flip(11.999, State.DOWN, State.OK)]
    drawn = strip(SUBJECT, spans(short, None, SINCE, NOW), SINCE, NOW)
    assert drawn.blocks[-1].span.state is State.DOWN
    assert drawn.blocks[-1].width >= 3


def test_of_many_channels_those_that_flipped_are_shown() -> None:
    held = [
        AspectState(Subject("nvr", Aspect.STREAM, f"c{number:02d}"), State.OK, State.OK, since=SINCE)
        for number in range(64)
    ]
    flipped = Flip(Subject("nvr", Aspect.STREAM, "c60"), State.OK, State.DOWN, NOW - timedelta(hours=1), NOW)
    shown = strips([flipped], held, SINCE, NOW, 8)
    assert len(shown) == 8
    assert "c60" in {one.subject.channel for one in shown}

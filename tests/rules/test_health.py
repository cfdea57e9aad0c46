"""When readings become a state."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from camera_registry.model.health import Aspect, AspectState, Cause, Flip, Reading, State, Status, Subject
from camera_registry.model.policy import Policy
from camera_registry.rules.health import advance, derive, flapping_share, judge_again, tick

NOON = datetime(2026, 10, 1, 4, tzinfo=UTC)
REACH = Subject("cam-7", Aspect.REACH)
POLICY = Policy()


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def run(
    *readings: tuple[float, Cause | None], state: AspectState | None = None, policy: Policy = POLICY
) -> tuple[AspectState, list[Flip]]:
    state = state or AspectState(REACH)
    flips = []
    for seconds, cause in readings:
        state, flip = advance(state, Reading(REACH, at(seconds), cause), policy, at(seconds + 0.5))
        if flip:
            flips.append(flip)
    return state, flips


def healthy() -> AspectState:
    return run((0, None))[0]


def test_one_good_reading_makes_an_unknown_device_ok() -> None:
    state, flips = run((0, None))
    assert state.state is State.OK
    assert [(flip.before, flip.after) for flip in flips] == [(State.UNKNOWN, State.OK)]


def test_a_lost_poll_is_a_suspicion_that_leaves_no_trace() -> None:
    suspect, flips = run((60, Cause.TIMEOUT), state=healthy())
    assert (suspect.state, suspect.settled, flips) == (State.SUSPECT, State.OK, [])
    assert suspect.begun == at(60)
    again, flips = run((70, None), state=suspect)
    assert (again.state, again.since, again.cause, flips) == (State.OK, at(0), None, [])


def test_a_fault_is_confirmed_by_the_third_failure_and_begins_with_the_first() -> None:
    state, flips = run((60, Cause.TIMEOUT), (70, Cause.TIMEOUT), (80, Cause.UNREACHABLE), state=healthy())
    assert (state.state, state.since, state.cause) == (State.DOWN, at(60), Cause.UNREACHABLE)
    (flip,) = flips
    assert (flip.at, flip.confirmed_at, flip.before, flip.after) == (at(60), at(80.5), State.OK, State.DOWN)


def test_a_refused_password_is_believed_at_once() -> None:
    state, flips = run((60, Cause.AUTH), state=healthy())
    assert (state.state, len(flips)) == (State.DOWN, 1)
    assert state.run == 0  # nothing waits for confirmation


def test_recovery_needs_two_good_readings_and_begins_with_the_first() -> None:
    down, _ = run(*[(60 + 10 * step, Cause.TIMEOUT) for step in range(3)], state=healthy())
    almost, flips = run((140, None), state=down)
    assert (almost.state, flips, almost.run) == (State.DOWN, [], 1)
    back, flips = run((150, None), state=almost)
    assert (back.state, back.since, back.cause) == (State.OK, at(140), None)
    assert [flip.at for flip in flips] == [at(140)]


def test_who_gets_power_again_has_time_to_start_before_its_silence_is_called_anything_else() -> None:
    unfed, flips = run(*[(60 + 10 * step, Cause.POWER) for step in range(3)], state=healthy())
    assert [flip.cause for flip in flips] == [Cause.POWER]
    starting, flips = run(*[(600 + 10 * step, Cause.TIMEOUT) for step in range(18)], state=unfed)
    assert (starting.cause, flips) == (Cause.POWER, [])
    hung, flips = run((780, Cause.TIMEOUT), state=starting)
    assert (hung.cause, hung.since, len(flips)) == (Cause.TIMEOUT, at(60), 1)


def test_a_parent_that_is_down_explains_a_device_that_had_no_power_too() -> None:
    unfed, _ = run(*[(60 + 10 * step, Cause.POWER) for step in range(3)], state=healthy())
    assert [(one.cause, one.blamed) for one in derive([unfed], "sw-1")[2]] == [(Cause.PARENT_DOWN, "sw-1")]
    control = replace(unfed, subject=Subject("sw-2", Aspect.CONTROL))
    assert [one.cause for one in derive([control], "sw-1")[2]] == [Cause.POWER], "on its battery, and says so"


def test_another_cause_of_the_same_outage_is_told_once_it_holds_and_keeps_the_start() -> None:
    down, _ = run(*[(60 + 10 * step, Cause.TIMEOUT) for step in range(3)], state=healthy())
    blip, flips = run((140, Cause.REFUSED), (200, Cause.TIMEOUT), state=down)
    assert (blip.cause, flips) == (Cause.TIMEOUT, [])
    other, flips = run((260, Cause.REFUSED), (270, Cause.REFUSED), (280, Cause.REFUSED), state=blip)
    assert (other.cause, other.since, len(flips)) == (Cause.REFUSED, at(60), 1)


def test_silence_makes_stale_and_never_down() -> None:
    state, flip = tick(healthy(), at(149), 60, POLICY)
    assert (state.state, flip) == (State.OK, None)
    state, flip = tick(healthy(), at(151), 60, POLICY)
    assert flip is not None
    assert (state.state, flip.after, flip.at) == (State.STALE, State.STALE, at(0))


def test_silence_after_a_change_of_policy_is_told_after_it() -> None:
    down, changed = judge_again(healthy(), Reading(REACH, at(0), Cause.TIMEOUT), at(100))
    renamed, called = judge_again(down, Reading(REACH, at(0), Cause.AUTH), at(120))
    assert (renamed.state, renamed.since) == (State.DOWN, at(100))
    for state, flips in ((down, [changed]), (renamed, [changed, called])):
        stale, silent = tick(state, at(151), 60, POLICY)
        assert stale.state is State.STALE
        told = [flip for flip in (*flips, silent) if flip is not None]
        # In the order of time, as rates read it, the silence is what stands at the end.
        *_, last = sorted(told, key=lambda flip: flip.at)
        assert last.after is State.STALE
        assert min(flip.at for flip in told) == at(100)


def test_a_fault_that_outlives_a_silence_is_the_same_fault() -> None:
    down, _ = run(*[(60 + 10 * step, Cause.TIMEOUT) for step in range(3)], state=healthy())
    stale, _ = tick(down, at(1000), 60, POLICY)
    again, flips = run((1001, Cause.TIMEOUT), state=stale)
    assert (again.state, again.since) == (State.DOWN, at(60))
    assert [(flip.before, flip.after) for flip in flips] == [(State.STALE, State.DOWN)]


def test_a_fault_that_outlived_a_silence_takes_another_name_only_when_that_is_confirmed() -> None:
    down, _ = run((60, Cause.TIMEOUT), (70, Cause.TIMEOUT), (80, Cause.TIMEOUT), state=healthy())
    stale, _ = tick(down, at(1000), 60, POLICY)
    waiting, flips = run((1001, Cause.REFUSED), (1011, Cause.REFUSED), state=stale)
    assert (waiting.settled, waiting.cause, flips) == (State.STALE, Cause.TIMEOUT, [])
    renamed, flips = run((1021, Cause.REFUSED), state=waiting)
    assert (renamed.state, renamed.cause, renamed.since) == (State.DOWN, Cause.REFUSED, at(60))
    assert len(flips) == 1


def test_after_a_silence_a_new_fault_still_needs_confirmation() -> None:
    stale, _ = tick(healthy(), at(1000), 60, POLICY)
    suspect, flips = run((1001, Cause.TIMEOUT), (1011, Cause.TIMEOUT), state=stale)
    assert (suspect.state, flips) == (State.SUSPECT, [])
    down, flips = run((1021, Cause.TIMEOUT), state=suspect)
    assert (down.state, flips[0].before) == (State.DOWN, State.STALE)


def test_up_and_down_at_every_poll_is_one_flapping_start_and_one_end() -> None:
    unsteady = [(60.0 * step, Cause.TIMEOUT if step % 2 else None) for step in range(1, 61)]
    state, flips = run(*unsteady, state=healthy())
    assert state.state is State.FLAPPING
    assert [flip.after for flip in flips] == [State.FLAPPING]
    calm = [(60.0 * step, None) for step in range(61, 90)]
    state, flips = run(*calm, state=state)
    assert state.state is State.OK
    assert [flip.after for flip in flips] == [State.OK]


def test_a_replayed_reading_changes_nothing() -> None:
    state, _ = run((60, Cause.TIMEOUT), state=healthy())
    assert run((60, Cause.TIMEOUT), (50, None), state=state) == (state, [])


def test_the_flapping_share_weighs_the_newest_changes_most() -> None:
    assert flapping_share(0) == 0
    assert flapping_share(1) > flapping_share(1 << 19)
    assert abs(flapping_share((1 << 20) - 1) - 1) < 1e-9


causes = st.sampled_from([None, None, Cause.TIMEOUT, Cause.REFUSED, Cause.AUTH])
steps = st.lists(st.tuples(st.floats(0.1, 400), causes), max_size=80)


@given(steps)
def test_any_history_of_flips_is_a_chain_that_ends_in_the_settled_state(
    history: list[tuple[float, Cause | None]],
) -> None:
    state, clock = AspectState(REACH), 0.0
    flips: list[Flip] = []
    for pause, cause in history:
        clock += pause
        state, silence = tick(state, at(clock), 60, POLICY)
        state, told = advance(state, Reading(REACH, at(clock), cause), POLICY, at(clock))
        flips += [flip for flip in (silence, told) if flip is not None]
        assert (state.state is State.SUSPECT) <= (state.settled not in (State.DOWN, State.FLAPPING))
        assert (state.settled in (State.DOWN, State.FLAPPING)) <= (state.cause is not None)
        derive([state])
    before = State.UNKNOWN
    for flip in flips:
        assert flip.before is before
        assert flip.at <= flip.confirmed_at
        before = flip.after
    assert state.settled is before


def down(aspect: Aspect, cause: Cause, since: float, channel: str = "") -> AspectState:
    subject = Subject("cam-7", aspect, channel)
    return AspectState(subject, State.DOWN, State.DOWN, since=at(since), cause=cause)


def fine(aspect: Aspect, channel: str = "") -> AspectState:
    return AspectState(Subject("cam-7", aspect, channel), State.OK, State.OK, since=at(0), read_at=at(0))


def test_a_device_never_seen_is_unknown_not_ok() -> None:
    assert derive([])[0] is Status.UNKNOWN
    assert derive([fine(Aspect.REACH), AspectState(Subject("cam-7", Aspect.STREAM))])[0] is Status.UNKNOWN


def test_a_picture_fault_leaves_the_camera_up_and_degraded() -> None:
    states = [fine(Aspect.REACH), fine(Aspect.STREAM), down(Aspect.PICTURE, Cause.BLACK, 30)]
    status, since, reasons = derive(states)
    assert (status, since, [reason.cause for reason in reasons]) == (Status.DEGRADED, at(30), [Cause.BLACK])


def test_a_lost_device_is_down_with_every_reason_and_reach_first() -> None:
    states = [
        down(Aspect.PICTURE, Cause.BLACK, 5),
        down(Aspect.STREAM, Cause.TIMEOUT, 30),
        down(Aspect.REACH, Cause.TIMEOUT, 20),
    ]
    status, since, reasons = derive(states)
    assert (status, since) == (Status.DOWN, at(20))
    assert [reason.aspect for reason in reasons] == [Aspect.REACH, Aspect.STREAM, Aspect.PICTURE]


def test_a_lost_parent_explains_what_is_lost_behind_it_and_nothing_else() -> None:
    states = [down(Aspect.REACH, Cause.TIMEOUT, 20), down(Aspect.PICTURE, Cause.BLACK, 5)]
    reasons = derive(states, blamed="switch-1")[2]
    assert [(reason.cause, reason.blamed) for reason in reasons] == [
        (Cause.PARENT_DOWN, "switch-1"),
        (Cause.BLACK, ""),
    ]


def test_a_refused_password_is_not_an_outage() -> None:
    assert derive([fine(Aspect.REACH), down(Aspect.STREAM, Cause.AUTH, 5)])[0] is Status.DEGRADED


def test_a_recorder_is_down_only_when_all_its_channels_are() -> None:
    one = [fine(Aspect.REACH), down(Aspect.STREAM, Cause.NO_STREAM, 5, "1"), fine(Aspect.STREAM, "2")]
    assert derive(one)[0] is Status.DEGRADED
    both = [*one[:2], down(Aspect.STREAM, Cause.NO_STREAM, 9, "2")]
    assert derive(both)[:2] == (Status.DOWN, at(5))


def test_a_stale_aspect_is_never_shown_green() -> None:
    stale, _ = tick(healthy(), at(1000), 60, POLICY)
    assert derive([stale])[0] is Status.UNKNOWN


def test_a_policy_may_ask_for_more_or_fewer_confirmations() -> None:
    eager = replace(POLICY, failures=1)
    assert run((60, Cause.TIMEOUT), state=healthy(), policy=eager)[0].state is State.DOWN

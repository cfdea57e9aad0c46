"""Several probes that speak of one aspect: the worst is believed, and nobody argues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_registry.model.health import Aspect, AspectState, Cause, Flip, Reading, State, Subject
from camera_registry.model.policy import Policy
from camera_registry.rules import health
from camera_registry.rules.opinions import Opinion, bears_out, counts, opinion

NOON = datetime(2026, 10, 1, 4, tzinfo=UTC)
SUBJECT = Subject("cam-7", Aspect.CONTROL)
POLICY = Policy(failures_by_cause={})


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def read(seconds: float, cause: Cause | None = None) -> Reading:
    return Reading(SUBJECT, at(seconds), cause)


def judged(said: Sequence[str], says: Mapping[str, Cause | None]) -> tuple[AspectState, list[Flip]]:
    """One reading every ten seconds, by the feeders in the order of ``said``, as the ledger judges them."""
    state, flips = AspectState(SUBJECT), list[Flip]()
    held: dict[str, Opinion] = {}
    for turn, feeder in enumerate(said):
        now, reading = at(10 * turn), read(10 * turn, says[feeder])
        held[feeder] = opinion(reading, 3600, POLICY)
        if counts(reading, (one for other, one in held.items() if other != feeder), now):
            state, flip = health.advance(state, reading, POLICY, now)
            flips += [flip] if flip else []
    return state, flips


CAUSES = st.none() | st.sampled_from([Cause.TIMEOUT, Cause.AUTH, Cause.PROTOCOL, Cause.CERTIFICATE])


@given(st.lists(st.sampled_from(["onvif", "http", "tls"]), max_size=60), CAUSES, CAUSES, CAUSES)
def test_feeders_that_each_stick_to_their_word_never_flap(said, onvif, http, tls):
    says = {"onvif": onvif, "http": http, "tls": tls}
    _, flips = judged(said, says)
    # Good and then worse and worse, as one after the other is heard for the first time; never back.
    ranks = [list(Cause).index(flip.cause) if flip.cause else len(Cause) for flip in flips]
    assert ranks == sorted(set(ranks), reverse=True)
    assert {flip.after for flip in flips} <= {State.OK, State.DOWN}


@given(st.lists(st.sampled_from(["onvif", "http"]), min_size=10, max_size=60), CAUSES)
def test_the_worst_word_is_what_is_held_true_once_all_have_spoken_often_enough(said, onvif):
    said = [*said, *["onvif", "http"] * 3]
    state, _ = judged(said, {"onvif": onvif, "http": None})
    assert (state.settled, state.cause) == ((State.DOWN, onvif) if onvif else (State.OK, None))


def test_a_good_word_does_not_count_while_somebody_says_worse():
    bad = opinion(read(0, Cause.CERTIFICATE), 60, POLICY)
    assert not counts(read(100), [bad], at(100))
    assert counts(read(151), [bad], at(151)), "nobody has said worse for too long: that word is old"
    assert counts(read(100, Cause.TIMEOUT), [bad], at(100))
    assert counts(read(100, Cause.CERTIFICATE), [bad], at(100))


@pytest.mark.parametrize(("good", "seconds", "holds"), [(True, 149, True), (True, 151, False), (False, 1, False)])
def test_an_opinion_bears_a_state_out_for_two_and_a_half_of_its_own_intervals(good, seconds, holds):
    assert bears_out([opinion(read(0), 60, POLICY)], good, at(seconds)) is holds

"""This file decides when readings become a state: confirmation, recovery, flapping, silence, and a device in one word.

Soft and hard states and the flapping law follow Icinga 2 (docs, "Monitoring Basics", "Flapping"): the last 20 readings,
changes weighted linearly from 0.8 (oldest) to 1.2 (newest).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from camera_registry.model.health import (
    Aspect,
    AspectState,
    Cause,
    Flip,
    Reading,
    Reason,
    State,
    Status,
    Subject,
)
from camera_registry.model.policy import Policy

WINDOW = 20
_MASK = (1 << WINDOW) - 1
_WEIGHTS = tuple(1.2 - 0.4 * place / (WINDOW - 1) for place in range(WINDOW))

PRECEDENCE = (
    Aspect.REACH,
    Aspect.STREAM,
    Aspect.CONTROL,
    Aspect.PICTURE,
    Aspect.RECORDING,
    Aspect.IDENTITY,
    Aspect.CLOCK,
)
"""The order in which reasons are told."""
_PLACES = {aspect: place for place, aspect in enumerate(PRECEDENCE)}

_WITH_THE_DEVICE_UP = {Cause.AUTH, Cause.BUSY}
"""Stream faults that say the device is alive and only we can't see it."""

BEHIND_A_PARENT = frozenset({Cause.DNS, Cause.UNREACHABLE, Cause.TIMEOUT})
"""Causes that the loss of a parent explains. A refused password was found while the way was open."""

_STARTS_WITHIN = timedelta(minutes=3)
"""Who has power again may be silent for so long before that is called anything else: a camera needs a minute or two."""


def unanswered(aspect: Aspect, cause: Cause) -> bool:
    """Whether this cause is silence: what a lost parent explains, and a lost device's want of power, of which its
    switch has told."""
    return cause in BEHIND_A_PARENT or (aspect is Aspect.REACH and cause is Cause.POWER)


def advance(state: AspectState, reading: Reading, policy: Policy, now: datetime) -> tuple[AspectState, Flip | None]:
    """The state after one more reading, and the flip if that confirmed a change.

    A reading that is not newer than the last one changes nothing, so a replayed batch is harmless.
    """
    if state.read_at is not None and reading.at <= state.read_at:
        return state, None
    settled = state.state is State.OK and state.settled is State.OK
    if settled and reading.good and state.good and not (state.changes or state.run):
        return _later(state, reading.at), None
    changed = state.good is not None and state.good != reading.good
    changes = ((state.changes << 1) | changed) & _MASK
    state = replace(state, read_at=reading.at, good=reading.good, changes=changes)
    share = flapping_share(changes)
    if state.settled is State.FLAPPING:
        if share >= policy.flapping_end:
            cause, detail = (state.cause, state.detail) if reading.good else (reading.cause, reading.detail)
            return replace(state, cause=cause, detail=detail), None
        return _settle(state, State.OK if reading.good else State.DOWN, reading.at, reading, now)
    if share >= policy.flapping_start:
        return _settle(state, State.FLAPPING, reading.at, reading, now)
    return _good(state, reading, policy, now) if reading.good else _bad(state, reading, policy, now)


def _later(state: AspectState, at: datetime) -> AspectState:
    """What is in order and was at every reading of the window, a reading later: nearly every reading is such a one, so
    it is made without looking at each field twice, as ``replace`` does."""
    return AspectState(state.subject, State.OK, State.OK, state.was, state.since, read_at=at, good=True)


def _good(state: AspectState, reading: Reading, policy: Policy, now: datetime) -> tuple[AspectState, Flip | None]:
    if state.settled is State.OK:
        return replace(state, state=State.OK, run=0, run_cause=None, run_at=None, cause=None, detail=""), None
    run, run_at = (state.run + 1, state.run_at) if state.run and state.run_cause is None else (1, reading.at)
    was_down = state.was is State.DOWN if state.settled is State.STALE else state.settled is State.DOWN
    if run < (policy.recoveries if was_down else 1):
        return replace(state, run=run, run_cause=None, run_at=run_at), None
    return _settle(state, State.OK, run_at or reading.at, reading, now)


def _bad(state: AspectState, reading: Reading, policy: Policy, now: datetime) -> tuple[AspectState, Flip | None]:
    assert reading.cause is not None
    if state.settled is State.DOWN and reading.cause is state.cause:
        return replace(state, detail=reading.detail, run=0, run_cause=None, run_at=None), None
    if state.settled is State.STALE and state.was is State.DOWN and reading.cause is state.cause:
        # The fault outlived the silence: it is the same one, begun when it began.
        return _settle(state, State.DOWN, reading.at, reading, now, since=state.since)
    same = state.run and state.run_cause is not None
    if state.settled is State.DOWN:
        # Another cause must hold as long as the first had to, or a timeout between two refusals would be news.
        same = same and state.run_cause is reading.cause
    run, run_at = (state.run + 1, state.run_at) if same else (1, reading.at)
    fed_no_more = state.settled is State.DOWN and state.cause is Cause.POWER and state.subject.aspect is Aspect.REACH
    if fed_no_more and run_at is not None and reading.at < run_at + _STARTS_WITHIN:
        return replace(state, run=run, run_cause=reading.cause, run_at=run_at), None
    if reading.began is not None:
        # Never before what was settled last: history has one direction.
        run_at = max(reading.began, state.since) if state.since is not None else reading.began
    # The fault that went on through a silence goes on under another name, too.
    goes_on = State.DOWN in (state.settled, state.was)
    if reading.began is not None or run >= policy.failures_for(reading.cause):
        since = state.since if goes_on else None
        return _settle(state, State.DOWN, run_at or reading.at, reading, now, since=since)
    waiting = replace(state, run=run, run_cause=reading.cause, run_at=run_at)
    if goes_on:
        return waiting, None
    return replace(waiting, state=State.SUSPECT, cause=reading.cause, detail=reading.detail), None


def _settle(
    state: AspectState,
    after: State,
    at: datetime,
    reading: Reading,
    now: datetime,
    *,
    since: datetime | None = None,
) -> tuple[AspectState, Flip]:
    """Confirm ``after``, begun at ``at``. ``since`` keeps the start of a fault that goes on under another name."""
    cause, detail = (reading.cause, reading.detail) if after is not State.OK else (None, "")
    if after is State.FLAPPING and cause is None:
        cause, detail = state.cause, state.detail
    flip = Flip(state.subject, state.settled, after, at, now, cause, detail)
    settled = replace(
        state,
        state=after,
        settled=after,
        was=State.UNKNOWN,
        since=since or at,
        cause=cause,
        detail=detail,
        run=0,
        run_cause=None,
        run_at=None,
    )
    return settled, flip


def judge_again(state: AspectState, reading: Reading, now: datetime) -> tuple[AspectState, Flip | None]:
    """The state when the newest reading reads otherwise by another policy, from ``now`` on: it was confirmed by what
    it rests on, and what it rests on has not changed. What only takes another name does so as of that reading, so that
    a silence that began there is told after it."""
    after = State.OK if reading.good else State.DOWN
    if after is state.settled and reading.cause is state.cause:
        return state, None
    state = replace(state, good=reading.good)
    if after is state.settled:
        return _settle(state, after, _newest_evidence(state) or now, reading, now, since=state.since)
    return _settle(state, after, now, reading, now)


def confirm(state: AspectState, policy: Policy, now: datetime) -> tuple[AspectState, Flip | None]:
    """The state when a policy that asks for fewer readings counts those that wait for confirmation."""
    if not state.run or state.run_at is None or state.settled is State.FLAPPING:
        return state, None
    reading = Reading(state.subject, state.run_at, state.run_cause, state.detail)
    if reading.cause is not None and state.run >= policy.failures_for(reading.cause):
        since = state.since if state.settled is State.DOWN else None
        return _settle(state, State.DOWN, state.run_at, reading, now, since=since)
    if reading.good and state.run >= policy.recoveries:
        return _settle(state, State.OK, state.run_at, reading, now)
    return state, None


def tick(
    state: AspectState, now: datetime, interval: float, policy: Policy, *, asked: bool = True
) -> tuple[AspectState, Flip | None]:
    """The state after time alone has passed: without a reading for 2.5 intervals it is stale; never down.

    ``interval`` is that of the feeding probe, seconds. Not ``asked``: nobody has, since it was last read, so that the
    device is not silent; what was read grows old all the same, but later. The flip's time is that of the last evidence;
    a verdict that another policy has changed since then stands until it was changed, for history has one direction.
    """
    since = stale_from(state, interval * (1 if asked else policy.unasked_factor), policy)
    if state.read_at is None or since is None or now <= since:
        return state, None
    detail = f"no reading since {state.read_at.isoformat(timespec='seconds')}"
    flip = Flip(state.subject, state.settled, State.STALE, _newest_evidence(state) or now, now, None, detail)
    keeps = state.settled is State.DOWN
    stale = replace(
        state,
        state=State.STALE,
        settled=State.STALE,
        was=state.settled,
        cause=state.cause if keeps else None,
        detail=state.detail if keeps else "",
        run=0,
        run_cause=None,
        run_at=None,
        good=None,
        changes=0,
    )
    return stale, flip


def stale_from(state: AspectState, interval: float, policy: Policy) -> datetime | None:
    """When a state is stale unless something is read before; None: it can't become it."""
    if state.read_at is None or state.settled in (State.STALE, State.UNKNOWN):
        return None
    return state.read_at + timedelta(seconds=interval * policy.stale_intervals)


def _newest_evidence(state: AspectState) -> datetime | None:
    """When it was read last, or began by another policy."""
    return max((at for at in (state.read_at, state.since) if at is not None), default=None)


def flapping_share(changes: int) -> float:
    """Weighted share, 0 to 1.2, of the last 20 readings that differed from the one before."""
    if not changes:
        return 0.0
    return sum(weight for place, weight in enumerate(_WEIGHTS) if changes >> place & 1) / WINDOW


def in_order(states: Iterable[AspectState]) -> list[AspectState]:
    """States in the order in which they are told."""
    return sorted(states, key=lambda state: _place(state.subject))


def in_telling_order(subjects: Iterable[Subject]) -> list[Subject]:
    """Subjects in the order in which they are told."""
    return sorted(subjects, key=_place)


def _place(subject: Subject) -> tuple[int, str]:
    return _PLACES[subject.aspect], subject.channel


def derive(
    states: Iterable[AspectState], blamed: str = "", until: datetime | None = None
) -> tuple[Status, datetime | None, tuple[Reason, ...]]:
    """A device in one word, since when, and every reason in the order of ``PRECEDENCE``.

    ``blamed`` is a parent that is down: it explains what is lost behind it. With ``until`` that parent is back: it
    still explains what has not been found bad after that time, for nothing is said of a device before it was checked
    again.

    Down: not reachable, or none of its streams to be had for another reason than a password, refused or wanting, or a
    full session table. Degraded: any other confirmed fault. Unknown: reach or a stream never confirmed, or any aspect
    stale. Only the rest is ok.
    """
    known = list(states)
    if well(known):
        return Status.OK, max((state.since for state in known if state.since is not None), default=None), ()
    known = in_order(known)
    broken = [state for state in known if state.settled in (State.DOWN, State.FLAPPING)]
    reasons = tuple(_reason(state, blamed, until) for state in broken)
    lost = _lost(known)
    if lost:
        return Status.DOWN, _earliest(lost), reasons
    if broken:
        return Status.DEGRADED, _earliest(broken), reasons
    silent = [state for state in known if _silent(state)]
    if silent or not known:
        return Status.UNKNOWN, _earliest(silent), ()
    return Status.OK, max((state.since for state in known if state.since is not None), default=None), ()


def well(states: Collection[AspectState]) -> bool:
    """Whether every state is known and in order, so that there is nothing to explain."""
    return bool(states) and all(state.settled is State.OK for state in states)


def _lost(known: Iterable[AspectState]) -> list[AspectState]:
    """The states that make a device down: its reach, and its streams if every one of them is dead."""
    known = list(known)
    reach = [state for state in known if state.subject.aspect is Aspect.REACH and state.settled is State.DOWN]
    streams = [state for state in known if state.subject.aspect is Aspect.STREAM]
    dead = [state for state in streams if state.settled is State.DOWN and state.cause not in _WITH_THE_DEVICE_UP]
    return reach + (dead if len(dead) == len(streams) else [])


def _silent(state: AspectState) -> bool:
    """Whether this state keeps a device from being called ok for want of evidence."""
    if state.settled is State.UNKNOWN:
        return state.subject.aspect in (Aspect.REACH, Aspect.STREAM)
    return state.settled is State.STALE


def _earliest(states: Iterable[AspectState]) -> datetime | None:
    times = (state.read_at if state.settled is State.STALE else state.since for state in states)
    return min((time for time in times if time is not None), default=None)


def _reason(state: AspectState, blamed: str, until: datetime | None) -> Reason:
    subject = state.subject
    assert state.cause is not None
    explained = blamed if unanswered(subject.aspect, state.cause) and not _bad_after(state, until) else ""
    cause = Cause.PARENT_DOWN if explained else state.cause
    return Reason(subject.aspect, cause, state.since, state.detail, subject.channel, explained)


def explained(reasons: Iterable[Reason], cause: Cause, detail: str) -> tuple[Reason, ...]:
    """These reasons, where something above the device knows better why it does not answer."""
    return tuple(
        replace(one, cause=cause, detail=detail) if unanswered(one.aspect, one.cause) else one for one in reasons
    )


def _bad_after(state: AspectState, until: datetime | None) -> bool:
    """Whether this state was read as bad after ``until`` (None: a time that has not come), or began after it."""
    if until is None:
        return False
    begun = state.since is not None and state.since > until
    return begun or (state.read_at is not None and state.read_at > until and state.good is False)


def forget(state: AspectState, now: datetime) -> Flip | None:
    """The flip that ends the history of what is no longer measured; None where there is none to end."""
    if state.settled is State.UNKNOWN:
        return None
    return Flip(state.subject, state.settled, State.UNKNOWN, now, now, None, "no longer measured")

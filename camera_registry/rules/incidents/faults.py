"""This file turns flips into faults: what belongs together on one device, and which fault goes on under which name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from camera_registry.model.health import Aspect, Cause, Flip, State, Subject
from camera_registry.model.incident import Called, Party, Span
from camera_registry.rules.health import BEHIND_A_PARENT, in_telling_order
from camera_registry.rules.incidents.book import Fault, Held

LOSSES = BEHIND_A_PARENT | {Cause.REFUSED}
"""Causes that every aspect of a lost device shows: they are one fault, told by its reach."""


def take(held: Held | None, flip: Flip) -> Held | None:
    """What is held against a subject after a flip; None: nothing.

    Silence ends no fault, and a fault that goes on under another cause began when it began.
    """
    if flip.after in (State.OK, State.UNKNOWN):
        return None
    if flip.after is State.STALE:
        return held and replace(held, silent_since=flip.at)
    flapping = flip.after is State.FLAPPING
    cause = flip.cause or (held.cause if held else Cause.INTERNAL)
    if held is None:
        return Held(cause, flip.at, flip.confirmed_at, flip.confirmed_at, flip.detail, flapping)
    told = replace(held, detail=flip.detail or held.detail, flapping=flapping, silent_since=None, found=None)
    if cause in LOSSES and held.cause not in LOSSES and flip.subject.aspect is not Aspect.REACH:
        return replace(told, found=Called(cause, flip.confirmed_at))
    return told if cause is held.cause else replace(told, cause=cause, named_at=flip.confirmed_at)


def believe(held: Held, now: datetime, hold: timedelta) -> Held:
    """Take a loss found on top of another fault for its new cause, once the device has been reached for long enough.
    Not called while its reach is lost."""
    if held.found is None or now < held.found.since + hold:
        return held
    return replace(held, cause=held.found.cause, named_at=held.found.since, found=None)


def lost(device: str, held: Mapping[Subject, Held]) -> Held | None:
    """What is held against a device's reach."""
    return held.get(Subject(device, Aspect.REACH))


def _symptoms(
    device: str, held: Mapping[Subject, Held], name: Cause | None, back: datetime | None
) -> dict[Cause, tuple[Subject, ...]]:
    """The subjects of each fault of a device, by its cause, the one that names it first; none in two of them.

    When a device can't be reached, all that is lost with it is a symptom of that, whatever it calls itself. It stays
    so, under the ``name`` of that loss, when reach is ``back`` before the rest is.
    """
    reach = lost(device, held)
    found: dict[Cause, list[Subject]] = {}
    for subject in in_telling_order(held):
        cause = held[subject].cause
        if cause in LOSSES and reach is not None:
            cause = reach.cause
        elif cause in LOSSES and name is not None and back is not None and held[subject].named_at <= back:
            cause = name
        found.setdefault(cause, []).append(subject)
    return {cause: tuple(subjects) for cause, subjects in found.items()}


def regroup(
    device: str,
    held: Mapping[Subject, Held],
    before: Mapping[Cause, Fault],
    back: datetime | None,
    hold: Callable[[Cause], timedelta],
) -> tuple[dict[Cause, Fault], list[Fault]]:
    """The faults of a device as they are now, and those of ``before`` that are over.

    A fault goes on as the one of the same cause, else as the one that it shares a symptom with. ``back`` is when the
    device's reach was last lost no more. ``hold`` says how long a new fault waits.
    """
    name = next((fault.cause for fault in before.values() if fault.lost), None)
    now = _symptoms(device, held, name, back)
    left = dict(before)
    after: dict[Cause, Fault] = {}
    for cause, subjects in now.items():
        if cause in left:
            after[cause] = _updated(left.pop(cause), cause, subjects, held)
    for cause, subjects in now.items():
        if cause not in after:
            earlier = next((was for was, fault in left.items() if not set(subjects).isdisjoint(fault.symptoms)), None)
            if earlier is not None:
                after[cause] = _updated(left.pop(earlier), cause, subjects, held)
            else:
                after[cause] = _new(device, cause, subjects, held, hold(cause))
    return after, list(left.values())


def _new(
    device: str, cause: Cause, subjects: tuple[Subject, ...], held: Mapping[Subject, Held], hold: timedelta
) -> Fault:
    started = min(held[subject].since for subject in subjects)
    confirmed = min(held[subject].confirmed_at for subject in subjects)
    fault = Fault(
        device,
        cause,
        subjects,
        started,
        confirmed,
        confirmed + hold,
        (Called(cause, started),),
        (Span(Party.DEVICE, started),),
    )
    return _updated(fault, cause, subjects, held)


def _updated(fault: Fault, cause: Cause, subjects: tuple[Subject, ...], held: Mapping[Subject, Held]) -> Fault:
    first = held[subjects[0]]
    silences = [held[subject].silent_since for subject in subjects]
    quiet = [silence for silence in silences if silence is not None]
    started = min(fault.started, *(held[subject].since for subject in subjects))
    return replace(
        fault,
        cause=cause,
        symptoms=subjects,
        started=started,
        causes=fault.causes if cause is fault.cause else (*fault.causes, Called(cause, first.confirmed_at)),
        # A symptom that began earlier was confirmed later: the outage began with it.
        spans=(replace(fault.spans[0], since=started), *fault.spans[1:]),
        detail=first.detail,
        lost=fault.lost or subjects[0].aspect is Aspect.REACH,
        flapping=any(held[subject].flapping for subject in subjects),
        silent_since=max(quiet) if len(quiet) == len(silences) else None,
    )


def charge(fault: Fault, party: Party, since: datetime) -> Fault:
    """Charge ``party`` from ``since`` on. What was charged to the device after that is charged anew, because evidence
    comes late; what was charged to another stays."""
    last = fault.spans[-1]
    if last.party is party:
        return fault
    kept = list(fault.spans)
    since = max(since, fault.started)
    while len(kept) > 1 and kept[-1].party is Party.DEVICE and kept[-1].since >= since:
        kept.pop()
    last = kept[-1]
    if last.party is party:
        return replace(fault, spans=tuple(kept))
    if last.since >= since and last.party is Party.DEVICE:
        return replace(fault, spans=(*kept[:-1], Span(party, last.since)))
    return replace(fault, spans=(*kept, Span(party, max(since, last.since))))

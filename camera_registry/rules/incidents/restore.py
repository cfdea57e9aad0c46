"""This file takes the book up again after a restart, from what was stored: nobody is told anything by that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from camera_registry.model.health import Aspect, AspectState, Cause, State, Subject
from camera_registry.model.incident import Affected, Incident, Scope
from camera_registry.rules.incidents import faults
from camera_registry.rules.incidents.book import Book, Fault, Fleet, Group, GroupKey, Held
from camera_registry.rules.incidents.pausing import unpaused


def restore(
    states: Iterable[AspectState],
    incidents: Iterable[Incident],
    affected: Iterable[Affected],
    last_id: int,
    fleet: Fleet,
    now: datetime,
) -> Book:
    """The book as it was, as far as it matters: a fault that had not become an incident is held anew, for while nobody
    looked its parent may have come back, and it with it."""
    open_now = {incident.id: incident for incident in incidents}
    behind = {one.device: one for one in affected if one.incident in open_now}
    named = {subject: one.cause for one in open_now.values() for subject in one.symptoms}
    held: dict[str, dict[Subject, Held]] = {}
    for state in states:
        found = _held(state, named.get(state.subject))
        if found is not None:
            held.setdefault(state.subject.device, {})[state.subject] = found
    own: dict[str, list[Incident]] = {}
    for incident in open_now.values():
        if incident.scope is Scope.DEVICE:
            own.setdefault(incident.about, []).append(incident)
    known = {
        device: tuple(
            _explained(fault, behind.get(device), open_now)
            for fault in _faults(device, subjects, own.get(device, ()), fleet, now)
        )
        for device, subjects in held.items()
    }
    groups: dict[GroupKey, Group] = {
        (one.scope, one.about, one.cause): Group(one.id, one.started, one.opened_at, one.affected)
        for one in open_now.values()
        if one.scope not in (Scope.DEVICE, Scope.POLLER)
    }
    blind = next((one.id for one in open_now.values() if one.scope is Scope.POLLER), None)
    still = {(one.incident, one.device): one for one in behind.values()}
    return Book(now, last_id, held, known, open_now, groups, still, {}, blind)


def _held(state: AspectState, cause: Cause | None) -> Held | None:
    """What a stored state holds against its subject. A state that silence has covered keeps its cause only if it was
    down; of one that was flapping the incident knows it."""
    shown = state.was if state.settled is State.STALE else state.settled
    if shown not in (State.DOWN, State.FLAPPING) or state.since is None:
        return None
    cause = state.cause or cause
    if cause is None:
        return None
    silent = state.read_at if state.settled is State.STALE else None
    return Held(cause, state.since, state.since, state.since, state.detail, shown is State.FLAPPING, silent)


def _faults(
    device: str, held: Mapping[Subject, Held], own: Iterable[Incident], fleet: Fleet, now: datetime
) -> Iterable[Fault]:
    """A device's faults, each with its open incident, if it has one."""
    hold = fleet.policy(device).hold_for
    before = {
        one.cause: Fault(
            device,
            one.cause,
            one.symptoms,
            one.started,
            one.confirmed_at,
            one.confirmed_at,
            one.causes,
            unpaused(one.spans),
            lost=one.aspect is Aspect.REACH,
            window=one.window,
            incident=one.id,
            behind=one.parent,
        )
        for one in own
    }
    after, _ = faults.regroup(device, held, before, now, hold)
    return [replace(fault, due=now + hold(fault.cause)) for fault in after.values()]


def _explained(fault: Fault, behind: Affected | None, open_now: Mapping[int, Incident]) -> Fault:
    loss = fault.cause in faults.LOSSES or fault.unfed
    if behind is None or not (loss or fault.cause is open_now[behind.incident].cause):
        return fault
    explaining = open_now[behind.incident]
    if explaining.scope is Scope.DEVICE:
        return replace(fault, blame=explaining.about, behind=explaining.id)
    key: GroupKey = (explaining.scope, explaining.about, explaining.cause)
    return replace(fault, group=key, behind=explaining.id)

"""Rates told the slow and obvious way: look at every stretch between two events, and ask what holds in it.

Written apart from the SQL on purpose, and shares nothing with it but the words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from camera_registry.model.health import Aspect, Flip, State
from camera_registry.model.rates import Excluded, Exclusion, Sums
from camera_registry.model.recording import Lack, Recording

_MICROSECOND = timedelta(microseconds=1)


def measure(
    device: str,
    flips: Sequence[Flip],
    excluded: Iterable[Excluded],
    begins: datetime,
    ends: datetime,
    recordings: Sequence[Recording] = (),
) -> Sums:
    """The sums of one device; ``flips`` in the order in which they were stored."""
    own = [flip for flip in flips if flip.subject.device == device]
    apart = [one for one in excluded if one.device == device]
    recorded = [one for one in recordings if one.device == device]
    events = {begins, ends, *(flip.at for flip in own), *(at for one in apart for at in (one.begins, one.ends))}
    events |= {at for one in recorded for part in (one, *one.gaps) for at in (part.since, part.until)}
    borders = sorted(at for at in events if begins <= at <= ends)
    sums = Sums()
    before = _online(own, apart, begins - _MICROSECOND)
    for at, until in pairwise(borders):
        length = (until - at) // _MICROSECOND
        sums = _record(_add(sums, own, apart, at, length), recorded, apart, at, length)
        online = _online(own, apart, at)
        if online == "bad" and before != "bad":
            sums = replace(sums, outages=sums.outages + 1)
        before = online
    return sums


def _add(sums: Sums, flips: Sequence[Flip], apart: Sequence[Excluded], at: datetime, length: int) -> Sums:
    why = {one.why for one in apart if one.begins <= at < one.ends}
    if Exclusion.IDLE in why:
        return replace(sums, idle=sums.idle + length)
    if Exclusion.MAINTENANCE in why:
        return replace(sums, maintenance=sums.maintenance + length)
    accounts = {"online": _online(flips, apart, at), "intact": _intact(flips, apart, at)}
    changed = {f"{name}_{part}": getattr(sums, f"{name}_{part}") + length for name, part in accounts.items()}
    return replace(sums, **changed)


def _record(sums: Sums, recordings: Sequence[Recording], apart: Sequence[Excluded], at: datetime, length: int) -> Sums:
    """Each recording by itself: it has pictures, lacks them, or nobody knows."""
    why = {one.why for one in apart if one.begins <= at < one.ends}
    if why & {Exclusion.IDLE, Exclusion.MAINTENANCE, Exclusion.HOURS}:
        return sums
    for one in recordings:
        if at < one.since or (one.ended and at >= one.until):
            continue
        lacks = {gap.lack for gap in one.gaps if gap.since <= at < gap.until}
        part = "good"
        if at >= one.until or Lack.UNKNOWN in lacks:
            part = "unknown"
        elif lacks:
            part = "parent" if Exclusion.PARENT in why else "bad"
        name = f"recording_{part}"
        sums = replace(sums, **{name: getattr(sums, name) + length})
    return sums


def _online(flips: Sequence[Flip], apart: Sequence[Excluded], at: datetime) -> str:
    why = {one.why for one in apart if one.begins <= at < one.ends}
    for out in (Exclusion.IDLE, Exclusion.MAINTENANCE):
        if out in why:
            return out.value
    if Exclusion.SILENT in why:
        return "unknown"
    held = _held(flips, at)
    found = _worst([
        held.get((Aspect.REACH, ""), State.UNKNOWN),
        *(state for (aspect, _), state in held.items() if aspect is Aspect.STREAM),
    ])  # fmt: skip
    return "parent" if found == "bad" and Exclusion.PARENT in why else found


def _intact(flips: Sequence[Flip], apart: Sequence[Excluded], at: datetime) -> str:
    online = _online(flips, apart, at)
    if online in ("parent", "bad"):
        return online
    if any(one.why is Exclusion.SILENT and one.begins <= at < one.ends for one in apart):
        return "unknown"
    seen = [state for (aspect, _), state in _held(flips, at).items() if aspect in (Aspect.PICTURE, Aspect.CLOCK)]
    rest = _worst(seen)
    return "bad" if rest == "bad" else "unknown" if "unknown" in (rest, online) else "good"


def _held(flips: Sequence[Flip], at: datetime) -> dict[tuple[Aspect, str], State]:
    """What is held of each aspect that is measured."""
    held: dict[tuple[Aspect, str], State] = {}
    for flip in sorted(flips, key=lambda flip: flip.at):
        if flip.at <= at:
            held[flip.subject.aspect, flip.subject.channel] = flip.after
    return {key: state for key, state in held.items() if state is not State.UNKNOWN}


def _worst(states: Iterable[State]) -> str:
    told = set(states)
    if told & {State.DOWN, State.FLAPPING}:
        return "bad"
    return "unknown" if told - {State.OK} else "good"

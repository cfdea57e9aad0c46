"""This file says whether a fault of pictures has been seen often and long enough to be believed, or to be over."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from camera_registry.model.baseline import LEAST_DOUBTS, Doubt, Persistence, Trail


def follow(
    trail: Trail | None,
    at: datetime,
    score: float | None,
    need: Persistence,
    by_day: bool | None = None,
    *,
    weather: bool = False,
) -> Trail | None:
    """The trail of a cause after one more picture; None: nothing of it is left to remember.

    ``score``: how clearly the picture shows it, 0 where it is free of it. None: the picture could not tell. Such ones
    count neither way: a lens that was covered at dusk is covered all night. ``by_day``: False by night, None at dusk:
    its light is another from one minute to the next, and nothing that it may have made is believed in it. ``weather``:
    it may be that which shows, so time stands still for what is in doubt; what is sure of it (see
    ``Persistence.through_weather``) is told all the same.
    """
    if score is None:
        return trail and replace(trail, clean=0)
    if trail is not None and trail.since is not None:
        return _still(trail, at, score, need, by_day)
    seen = trail.seen if trail is not None else ()
    surely = score > 0 and score >= need.sure
    if not seen or (at - seen[-1][0]).total_seconds() >= need.apart:
        seen = (*seen, (at, surely))[-need.of :]
    while seen and not seen[0][1]:
        seen = seen[1:]
    by_lamps = need.doubtful > 0 and (by_day is None or not (by_day or need.by_night))
    # In fair weather pictures that count come more often than in any other: many of them may have taken little time.
    lasted = bool(seen) and (at - seen[0][0]).total_seconds() >= need.seconds
    if surely and lasted and not by_lamps and sum(showed for _, showed in seen) >= need.pictures:
        return Trail(since=seen[0][0])
    doubts = trail.doubts if trail is not None else ()
    if need.doubtful and by_day is not None and not by_lamps:
        (mine, others) = _apart(doubts, by_day)
        held = weather and score > 0
        doubt = _held(mine, at) if held else _doubt(mine, at, score, need, by_day)
        if doubt is not None and score > 0 and not held and _lasts(doubt, at, need):
            return Trail(since=doubt.since, doubts=() if surely else (doubt,))
        doubts = others if doubt is None else (*others, doubt)
    return Trail(seen=seen, doubts=doubts) if seen or doubts else None


def _still(trail: Trail, at: datetime, score: float, need: Persistence, by_day: bool | None) -> Trail | None:
    """What is left of what was believed. What came slowly goes slowly, by the light that it was seen in."""
    if not trail.doubts or (score > 0 and score >= need.sure):
        clean = 0 if score > 0 else trail.clean + 1
        return None if clean >= need.recoveries else replace(trail, clean=clean, doubts=())
    doubt = trail.doubts[0]
    if by_day is not doubt.by_day:
        return trail
    if score > 0:
        return replace(trail, clean=0, doubts=(replace(doubt, last=at),))
    if (at - doubt.last).total_seconds() < need.apart_in_doubt:
        return trail
    clean = trail.clean + 1
    return None if clean >= need.recoveries else replace(trail, clean=clean, doubts=(replace(doubt, last=at),))


def _apart(doubts: tuple[Doubt, ...], by_day: bool) -> tuple[Doubt | None, tuple[Doubt, ...]]:
    mine = next((one for one in doubts if one.by_day is by_day), None)
    return mine, tuple(one for one in doubts if one is not mine)


def _doubt(doubt: Doubt | None, at: datetime, score: float, need: Persistence, by_day: bool) -> Doubt | None:
    """What has shown in this light, with this picture. Nothing, where more has spoken against it than for it."""
    if doubt is None:
        return Doubt(by_day, at, at, score) if score > 0 else None
    if (at - doubt.last).total_seconds() < need.apart_in_doubt:
        return doubt
    if score > 0:
        mean = (doubt.score * doubt.shown + score) / (doubt.shown + 1)
        return replace(doubt, last=at, score=round(mean, 3), shown=doubt.shown + 1)
    after = replace(doubt, last=at, denied=doubt.denied + 1)
    return after if after.weight > 0 else None


def _held(doubt: Doubt | None, at: datetime) -> Doubt | None:
    return doubt and replace(doubt, last=at, held=doubt.held + (at - doubt.last).total_seconds())


def _lasts(doubt: Doubt, at: datetime, need: Persistence) -> bool:
    lasted = (at - doubt.since).total_seconds() - doubt.held
    return doubt.weight >= LEAST_DOUBTS and lasted >= need.lasting(doubt.score)

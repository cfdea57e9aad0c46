"""This file judges what was measured of a picture, and says what the last pictures are enough to believe.

What is believed travels with the facts of the run (``watched``, ``judgement``), so it survives a restart and is judged
again with them.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from typing import Any

from camera_registry.model.baseline import Doubt, Persistence, Trail
from camera_registry.model.device import Channel, Device
from camera_registry.model.health import Cause
from camera_registry.model.observation import Facts, Observation
from camera_registry.model.picture import JUDGED, Judgement, Unjudged
from camera_registry.model.policy import PicturePolicy
from camera_registry.rules.pictures import held, judge, trend, weather
from camera_registry.rules.pictures.evidence import LEAST
from camera_registry.rules.pictures.persistence import follow
from camera_registry.rules.pictures.sight import sight
from camera_registry.rules.pictures.sun import above
from camera_registry.rules.pictures.usual import by_day, learned, regime
from camera_registry.rules.pictures.weather import Newest

MEASURED = "sight"
"""The fact that holds what a picture was measured as, with its references: judged here, and not kept."""
_NOTHING: Mapping[str, Any] = {"faults": ()}
_RUNS = timedelta(seconds=90)
"""A clock that shows the same again after so long stands still, with or without seconds."""
_SAME = timedelta(seconds=2)


def _fair(by_day: bool | None) -> bool:
    """No weather."""
    return False


def take_in(
    seen: Observation,
    before: Facts,
    policy: PicturePolicy,
    device: Device,
    zone: tzinfo,
    channel: Channel | None = None,
    may_be_weather: Callable[[bool | None], bool] = _fair,
) -> Observation:
    """The observation with its picture judged; as it was where no picture was measured against anything.

    ``before`` are the facts known from earlier runs; ``zone`` is that of the cameras' local time, ``channel`` what is
    registered of the picture's; ``may_be_weather`` says whether what it shows by day (True) or by night may be the
    weather. Facts that come instead of ``sight``: ``baselines`` (the version of what is accepted and masked),
    ``judgement`` (faults with score, tiles and evidence, scores, not_checked, number of references, regime, whether it
    was taken ``by_day``, the measures that are learned, what the burnt-in ``clock`` shows and when it did, the
    ``imprint`` that the next picture is held against), ``watched`` (by cause, its ``Trail``), ``again_in`` (seconds
    after which a second look would help to believe what was just seen; None: none needed) and ``trend`` (see
    ``rules.pictures.trend``).
    """
    found = seen.facts.get(MEASURED)
    if not isinstance(found, Mapping):
        return seen
    at = seen.at.astimezone(zone)
    times = [datetime.fromisoformat(text).astimezone(zone) for text in found["reference_times"]]
    sun, suns = above(device, at), [above(device, taken) for taken in times]
    last = judged(before) or _NOTHING
    clock, shown = _clock(found["clock"], seen.at, last)
    imprint = found.get("imprint")
    between = held.between(imprint, seen.at, seen.facts, last.get(held.KEPT), before)
    registered = None if channel is None else channel.may_move
    may_move = policy.may_move if registered is None else registered
    view = sight({**found, "clock": clock, "between": between}, [at], times, sun=sun, suns=suns, may_move=may_move)
    judgement = judge(view, policy.limits)
    measures = view.frames[-1].measures
    light = regime(measures, at.hour + at.minute / 60, sun) if measures else None
    other = before.get("baselines", "") != found["baselines"]
    worth, sketch = trend.values(view, judgement), None if other else trend.sketch(before)
    deny, by_itself = True, judgement
    if sketch is not None:
        judgement, deny = trend.add(judgement, sketch, light, worth, policy.lens)
    says = _says(judgement, frozenset(JUDGED) if times else policy.alone)
    if judgement is not by_itself and says[Cause.DIRTY]:
        # What has crept up over weeks is sure, however little it is.
        says = {**says, Cause.DIRTY: 1.0}
    if not deny and says[Cause.DIRTY] == 0:
        says = {**says, Cause.DIRTY: None}
    known = trails(before)
    if other:
        # Against others another thing is asked: what is not yet believed begins anew, what is must be seen still.
        known = {cause: trail for cause, trail in known.items() if trail.since is not None and says[cause]}
    day = by_day(at.hour + at.minute / 60, sun)
    held_back = policy.weather.causes if may_be_weather(day) else ()
    needs = {cause: policy.persistence_of(cause, weather=cause in held_back) for cause in JUDGED}
    after = {
        cause: follow(known.get(cause), seen.at, says[cause], need, day, weather=cause in held_back)
        for cause, need in needs.items()
    }
    watched = {cause: trail for cause, trail in after.items() if trail is not None}
    pauses = (_pause(trail, seen.at, says[cause], needs[cause]) for cause, trail in watched.items())
    if sketch is not None and _is_over(Cause.DIRTY, known, watched):
        sketch = trend.wiped(sketch)
    if worth is not None and light is not None:
        sketch = trend.follow(sketch, at, light, worth, policy.lens)
    rest = {name: value for name, value in seen.facts.items() if name != MEASURED}
    rest |= {
        "baselines": found["baselines"],
        "watched": {cause.value: _as_json(trail) for cause, trail in watched.items()},
        "again_in": min((pause for pause in pauses if pause is not None), default=None),
        "judgement": _told(judgement, len(times))
        | {
            "regime": light,
            "by_day": day,
            "measures": learned(measures or {}),
            "clock": shown,
            held.KEPT: held.keep(imprint, seen.at),
        },
        trend.FACT: sketch,
    }
    return replace(seen, facts=rest)


def _clock(
    read: Mapping[str, float] | None, at: datetime, before: Mapping[str, Any]
) -> tuple[Mapping[str, float] | None, Mapping[str, str] | None]:
    """The measures of a burnt-in clock, with whether it stands still since the last picture; and what it shows, for the
    next one."""
    if read is None or "seconds_off" not in read or read["sure"] < LEAST:
        return read, None
    shown = at + timedelta(seconds=read["seconds_off"])
    kept = {"at": at.isoformat(), "shows": shown.isoformat()}
    last = before.get("clock")
    if last is None or at - datetime.fromisoformat(last["at"]) < _RUNS:
        # Of pictures in quick succession the first is the one to hold the later ones against.
        return read, last or kept
    still = abs(shown - datetime.fromisoformat(last["shows"])) <= _SAME
    return {**read, "stopped": float(still)}, kept


def shifted(facts: Facts, step: timedelta) -> Facts:
    """The facts of a run by a clock that was set by ``step``: when pictures that count were taken, and when the
    burnt-in clock and the imprint were taken. Since when a fault is there is history, and stays as it was told."""
    told = dict(facts)
    if known := trails(facts):
        moved = {
            cause: replace(
                trail,
                seen=tuple((at + step, sure) for at, sure in trail.seen),
                doubts=tuple(replace(one, since=one.since + step, last=one.last + step) for one in trail.doubts),
            )
            for cause, trail in known.items()
        }
        told["watched"] = {cause.value: _as_json(trail) for cause, trail in moved.items()}
    if spells := weather.kept(facts):
        told[weather.FACT] = weather.as_json(
            replace(one, since=one.since + step, last=one.last + step) for one in spells
        )
    judgement = judged(facts)
    if judgement is not None:
        dated = {name: judgement[name] for name in ("clock", held.KEPT) if judgement.get(name)}
        told["judgement"] = {**judgement, **{name: _later(one, step) for name, one in dated.items()}}
    return told


def _later(dated: Mapping[str, Any], step: timedelta) -> Mapping[str, Any]:
    return {**dated, "at": (datetime.fromisoformat(dated["at"]) + step).isoformat()}


def believed(facts: Facts) -> tuple[dict[Cause, datetime], bool]:
    """What the pictures of a channel are enough to believe, worst first, each with when it was first seen; and whether
    something else is still believed that the newest one denies, so that nothing can be said until the next one."""
    held = [(cause, trail) for cause, trail in trails(facts).items() if trail.since is not None]
    told = {cause: trail.since for cause, trail in held if trail.since is not None and not trail.clean}
    return told, len(told) < len(held)


def judged(facts: Facts) -> Mapping[str, Any] | None:
    """The newest judgement of a channel, as ``take_in`` left it; None: there is none yet."""
    judgement = facts.get("judgement")
    return judgement if isinstance(judgement, Mapping) else None


def too_masked(facts: Facts) -> bool:
    """Whether so much of the newest picture is masked that the rest does not stand for the whole: the lamps of a night
    may be behind the mask."""
    judgement = judged(facts)
    return judgement is not None and bool(judgement["not_checked"].get(Cause.NO_SIGNAL.value) == Unjudged.MASKED)


def doubts(facts: Facts) -> list[Cause]:
    """What the newest judgement of a channel finds wrong with its picture, believed yet or not; worst first."""
    return [Cause(one["cause"]) for one in (judged(facts) or _NOTHING)["faults"]]


def newest(facts: Facts, area: str, at: datetime, causes: Container[Cause]) -> Newest | None:
    """What the newest picture of a channel says of the weather over its area, which makes these causes; None: none was
    judged yet. ``at`` is when it was taken. What was held against nothing says nothing."""
    judgement = judged(facts)
    if judgement is None:
        return None
    found = [cause for one in judgement["faults"] if (cause := Cause(one["cause"])) in causes]
    known = noticed(facts) if found else {}
    shows = any(known.get(cause) is None for cause in found)
    return Newest(area, at, judgement.get("by_day") if judgement.get("references") else None, shows)


def evidence(facts: Facts, cause: Cause) -> str:
    """The numbers by which the newest judgement of a channel finds a cause, and what has crept up to it; empty where it
    does not."""
    if cause is Cause.DIRTY and (crept := trend.sentence(facts)):
        return crept
    told = (one["evidence"] for one in (judged(facts) or _NOTHING)["faults"] if one["cause"] == cause)
    return ", ".join(f"{name} {value:.3g}" for numbers in told for name, value in numbers.items())


def trails(facts: Facts) -> dict[Cause, Trail]:
    """What pictures of a channel have said of each cause, in the order of JUDGED."""
    kept = facts.get("watched")
    if not isinstance(kept, Mapping):
        return {}
    return {cause: _trail(kept[cause.value]) for cause in JUDGED if cause.value in kept}


def noticed(facts: Facts) -> Mapping[Cause, datetime | None]:
    """The causes that pictures of a channel have shown of late, each with when it was first seen; None: not often
    enough yet to be believed."""
    return {cause: trail.since for cause, trail in trails(facts).items()}


def _says(judgement: Judgement, trusted: frozenset[Cause]) -> Mapping[Cause, float | None]:
    """How clearly the picture shows each cause, 0 where it does not; None where it can't tell, or is not trusted to."""
    return {cause: shows(judgement, cause) if cause in trusted else None for cause in JUDGED}


def shows(judgement: Judgement, cause: Cause) -> float | None:
    """The score of a fault that a picture shows, 0 where it is free of it; None where it can't tell."""
    scores = [fault.score for fault in judgement.faults if fault.cause is cause]
    return max(scores, default=0.0) if scores or cause in judgement.checked else None


def _is_over(cause: Cause, before: Mapping[Cause, Trail], after: Mapping[Cause, Trail]) -> bool:
    """Whether a cause was believed, and is not any more."""
    return cause in before and before[cause].since is not None and cause not in after


def _pause(trail: Trail, at: datetime, score: float | None, need: Persistence) -> float | None:
    """Seconds until another picture tells more: whether it lasts, or, of what is believed, whether it is over. None:
    what is in doubt has time."""
    if trail.since is not None:
        return 0.0 if trail.clean and not trail.doubts else None
    surely = score is not None and score > 0 and score >= need.sure
    return max(0.0, need.apart - (at - trail.seen[-1][0]).total_seconds()) if surely and trail.seen else None


def _told(judgement: Judgement, references: int) -> dict[str, Any]:
    return {
        "faults": [
            {
                "cause": fault.cause.value,
                "score": fault.score,
                "evidence": dict(fault.evidence),
                "tiles": list(fault.tiles),
            }
            for fault in judgement.faults
        ],
        "scores": {cause.value: score for cause, score in judgement.scores.items()},
        "not_checked": {cause.value: reason.value for cause, reason in judgement.not_checked.items()},
        "references": references,
    }


def _as_json(trail: Trail) -> dict[str, Any]:
    since = None if trail.since is None else trail.since.isoformat()
    told: dict[str, Any] = {"since": since, "seen": [[at.isoformat(), sure] for at, sure in trail.seen]}
    told["clean"] = trail.clean
    if trail.doubts:
        told["doubts"] = [
            [one.by_day, one.since.isoformat(), one.last.isoformat(), one.score, one.shown, one.denied, one.held]
            for one in trail.doubts
        ]
    return told


def _trail(told: Mapping[str, Any]) -> Trail:
    since = None if told["since"] is None else datetime.fromisoformat(told["since"])
    seen = tuple((datetime.fromisoformat(at), sure) for at, sure in told["seen"])
    doubts = tuple(
        Doubt(day, datetime.fromisoformat(begun), datetime.fromisoformat(last), *rest)
        for day, begun, last, *rest in told.get("doubts", ())
    )
    return Trail(since, seen, told["clean"], doubts)

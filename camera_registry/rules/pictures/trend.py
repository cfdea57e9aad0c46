"""This file follows what pictures of a channel are like from day to day: a small running sketch, and what follows.

The sketch travels with the facts of the run (``trend``), so it survives a restart and is found again by a replay. It is
plain JSON: when the view was last accepted or the lens cleaned (``begins``), the local ``day`` that goes on, when the
last picture was taken that counts (``at``), and for each of the ``lights``: ``now``, the values of today by measure;
``first``, the first days' contrast; ``until``, the last day that is over; ``contrast`` and ``clear``, the last days' up
to that one; ``usual`` and ``drift``, as in the model.

Values are written as one character each, the one whose number is a hundred times the value (0.87 is ``W``), which holds
0.35 to 1.26; a blank is a day without one. So a channel needs some 800 bytes, whatever it is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from camera_registry.model.baseline import Regime
from camera_registry.model.health import Cause
from camera_registry.model.observation import Facts
from camera_registry.model.picture import Judgement, PictureFault, Sight
from camera_registry.model.trend import MEASURES, Drift, LensPolicy, PictureDay
from camera_registry.rules.pictures import drift as drifting
from camera_registry.rules.pictures.evidence import likest, score

FACT = "trend"
APART = timedelta(minutes=10)
"""From one picture that counts to the next: looking again at once finds the same again, and a day stays small."""
FEWEST = 4
"""Pictures that make a day: the median of fewer is chance."""
_LOW, _HIGH = 35, 126
_NONE = " "


@dataclass(frozen=True, slots=True)
class _Past:
    """A day that is over, as the drift is told of it."""

    day: date
    contrast: float
    clear: float


def values(view: Sight, judgement: Judgement) -> tuple[float, ...] | None:
    """MEASURES of a picture; None where it does not count: it could not be compared, or it is in doubt for another
    reason than dirt. What fog, night, glare or a lorry has changed says nothing of the lens."""
    best = likest(view.references)
    change = None if best is None else best.change
    if view.may_move or change is None or any(fault.cause is not Cause.DIRTY for fault in judgement.faults):
        return None
    if Cause.DIRTY not in judgement.checked or "structure_high" not in change or "middle_sharpness" not in change:
        return None
    restless = view.restless or {}
    gone = sum(max(0.0, change.get(name, 0.0) - 2 * restless.get(name, 0.0)) for name in ("dulled", "lost"))
    return change["structure_high"] / max(change["gain"], 0.25), change["middle_sharpness"], 1 - gone


def follow(
    known: Mapping[str, Any] | None, at: datetime, light: Regime, seen: tuple[float, ...], policy: LensPolicy
) -> Mapping[str, Any]:
    """The sketch after a picture with these values; the same one where it does not count. ``at`` is local time."""
    today = at.date()
    if known is None or today < date.fromisoformat(known["day"]) - timedelta(days=1):
        # Days ahead, it was followed by a clock that was wrong, and would wait for them.
        known = {"begins": today.isoformat(), "day": today.isoformat(), "at": None, "lights": {}}
    day = date.fromisoformat(known["day"])
    if today < day or (known["at"] is not None and at - datetime.fromisoformat(known["at"]) < APART):
        return known
    lights: dict[str, Any] = dict(known["lights"])
    if today > day:
        lights = {name: _closed(one, day, policy) for name, one in lights.items()}
    one = lights.get(light.value, {"now": [""] * len(MEASURES)})
    now = [kept + _written(value) for kept, value in zip(one["now"], seen, strict=True)]
    lights[light.value] = {**one, "now": now}
    return {"begins": known["begins"], "day": today.isoformat(), "at": at.isoformat(), "lights": lights}


def sketch(facts: Facts) -> Mapping[str, Any] | None:
    """What was kept of a channel."""
    known = facts.get(FACT)
    return known if isinstance(known, Mapping) else None


def wiped(known: Mapping[str, Any]) -> Mapping[str, Any]:
    """The sketch of a view whose pictures show that the dirt is gone, though nobody has said so: what is usual stays,
    or dirt that somebody overlooked would become it."""
    kept = ("now", "first", "usual")
    lights = {light: {name: one[name] for name in kept if name in one} for light, one in known["lights"].items()}
    return {**known, "lights": lights}


def anew(known: Mapping[str, Any] | None, at: datetime) -> Mapping[str, Any] | None:
    """The sketch of a view whose lens was cleaned."""
    if known is None:
        return None
    today = at.date().isoformat()
    return {"begins": today, "day": max(today, known["day"]), "at": known["at"], "lights": {}}


def over(device: str, channel: str, before: Facts, after: Facts) -> Iterator[PictureDay]:
    """The days of a channel that were over between two sketches of it; also one that was cut short by beginning anew,
    as far as it went."""
    known, new = sketch(before), sketch(after)
    if known is None or (new is not None and (known["day"], known["begins"]) == (new["day"], new["begins"])):
        return
    later = new["lights"] if new is not None else {}
    for light, one in known["lights"].items():
        # What was usual may be known only with this day.
        usual = later.get(light, {}).get("usual", one.get("usual"))
        if (day := _day(device, channel, light, known, one, usual)) is not None:
            yield day


def so_far(device: str, channel: str, facts: Facts) -> Iterator[PictureDay]:
    """Today as far as it is known."""
    known = sketch(facts)
    if known is None:
        return
    for light, one in known["lights"].items():
        if (day := _day(device, channel, light, known, one, one.get("usual"))) is not None:
            yield day


def begins(facts: Facts) -> date | None:
    """From when on a channel is followed; None: it is not."""
    known = sketch(facts)
    return None if known is None else date.fromisoformat(known["begins"])


def drifts(facts: Facts) -> Mapping[Regime, Drift]:
    """What is known of the drift of a channel, by the light."""
    known = sketch(facts)
    lights = known["lights"].items() if known is not None else ()
    return {Regime(light): found for light, one in lights if (found := _drift(one)) is not None}


def add(
    judgement: Judgement, known: Mapping[str, Any], light: Regime | None, seen: tuple[float, ...] | None,
    policy: LensPolicy
) -> tuple[Judgement, bool]:  # fmt: skip
    """The judgement with dirt that has crept, where this picture still shows it; and whether it can deny that the lens
    is dirty: a picture in another light, or one that does not count, can't."""
    dirty = {name: found for name, one in known["lights"].items() if (found := _drift(one)) is not None and found.dirty}
    if not dirty or any(fault.cause is Cause.DIRTY for fault in judgement.faults):
        return judgement, True
    found = dirty.get(light.value) if light is not None and seen is not None else None
    if found is None or light is None or seen is None:
        return judgement, False
    now = seen[0] / known["lights"][light.value]["usual"]
    if now > 1 - policy.fall / 2:
        return judgement, True
    how_bad = round(score(min(found.level, 1 - policy.fall), (1 - policy.fall, policy.limit)), 3)
    told = {"contrast": round(now, 3), "level": round(found.level, 3), "a_day": round(found.a_day, 5)}
    faults = (*judgement.faults, PictureFault(Cause.DIRTY, how_bad, told))
    checked = tuple(cause for cause in judgement.checked if cause is not Cause.DIRTY)
    return Judgement(faults, checked, judgement.not_checked, {**judgement.scores, Cause.DIRTY: how_bad}), True


def sentence(facts: Facts) -> str:
    """What is to be said of the dirtiest light, in the words of logs; empty where no lens has become dirty."""
    worst = min((one for one in drifts(facts).values() if one.dirty), key=lambda one: one.level, default=None)
    if worst is None:
        return ""
    left = f"contrast is at {worst.level:.0%} of what it was on {begins(facts)}"
    if worst.a_day >= 0 or worst.due is None:
        return left
    return f"{left} and falls {-worst.a_day:.1%} a day; it will be unusable about {worst.due}"


def _closed(one: Mapping[str, Any], day: date, policy: LensPolicy) -> Mapping[str, Any]:
    """The sketch of one light after ``day``."""
    empty = {**one, "now": [""] * len(MEASURES)}
    now = _medians(one["now"])
    if now is None:
        return empty
    first = one.get("first", "")
    usual = one.get("usual")
    if usual is None:
        first += _written(now[0])
        usual = drifting.clear(_read(first)) if len(first) == drifting.FIRST else None
    past = {name: _moved(one, name, day, value) for name, value in (("contrast", now[0]), ("clear", now[2]))}
    days = list(_days(past["contrast"], past["clear"], day))
    was = _drift(one)
    found = drifting.drift(days, usual, policy, was_dirty=was is not None and was.dirty)
    if found is None and was is not None and was.dirty:
        found = was
    return {**empty, "first": first, "usual": usual, "until": day.isoformat(), **past, "drift": _as_json(found)}


def _moved(one: Mapping[str, Any], name: str, day: date, value: float) -> str:
    """The last days' values of a measure with one more day."""
    if "until" not in one:
        return _written(value)
    missed = (day - date.fromisoformat(one["until"])).days - 1
    kept: str = one[name] + _NONE * min(missed, drifting.WINDOW) + _written(value)
    return kept[-drifting.WINDOW :]


def _days(contrast: str, clear: str, until: date) -> Iterator[_Past]:
    first = until - timedelta(days=len(contrast) - 1)
    for n, (one, other) in enumerate(zip(contrast, clear, strict=True)):
        if one != _NONE:
            yield _Past(first + timedelta(days=n), ord(one) / 100, ord(other) / 100)


def _day(
    device: str, channel: str, light: str, known: Mapping[str, Any], one: Mapping[str, Any], usual: float | None
) -> PictureDay | None:
    now = _medians(one["now"])
    if now is None:
        return None
    day, begun = date.fromisoformat(known["day"]), date.fromisoformat(known["begins"])
    return PictureDay(device, channel, Regime(light), day, begun, len(one["now"][0]), *now, usual)


def _medians(now: Sequence[str]) -> tuple[float, float, float] | None:
    if len(now[0]) < FEWEST:
        return None
    contrast, sharpness, clear = (median(_read(kept)) for kept in now)
    return contrast, sharpness, clear


def _written(value: float) -> str:
    return chr(min(_HIGH, max(_LOW, round(100 * value))))


def _read(kept: str) -> list[float]:
    return [ord(one) / 100 for one in kept]


def _as_json(found: Drift | None) -> dict[str, Any] | None:
    return None if found is None else asdict(found) | {"due": found.due and found.due.isoformat()}


def _drift(one: Mapping[str, Any]) -> Drift | None:
    told = one.get("drift")
    return None if told is None else Drift(**told | {"due": told["due"] and date.fromisoformat(told["due"])})

"""This file makes one look of what was measured of a picture, and says what the last looks are enough to believe.

What is believed travels with the facts of the run (``looks``, ``believed``, ``judgement``), so it survives a restart
and is judged again with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Any

from camera_registry.model.baseline import Look
from camera_registry.model.device import Device
from camera_registry.model.health import Cause
from camera_registry.model.observation import Facts, Observation
from camera_registry.model.picture import JUDGED, Judgement
from camera_registry.model.policy import PicturePolicy
from camera_registry.rules.pictures import judge
from camera_registry.rules.pictures.persistence import holds
from camera_registry.rules.pictures.sight import sight
from camera_registry.rules.pictures.sun import elevation
from camera_registry.rules.pictures.usual import regime

KEPT = 8
"""Looks that are remembered of a channel: no cause needs more."""
MEASURED = "sight"
"""The fact that holds what a picture was measured as, with its references: judged here, and not kept."""


def take_in(seen: Observation, before: Facts, policy: PicturePolicy, device: Device, zone: tzinfo) -> Observation:
    """The observation with its picture judged; as it was where no picture was measured against anything.

    ``before`` are the facts known from earlier runs; ``zone`` is that of the cameras' local time. Facts that come
    instead of ``sight``: ``judgement`` (faults with score, tiles and evidence, scores, not_checked, regime, number of
    references), ``looks`` (the last eight), ``believed`` (cause to when it was first seen) and ``again_in``
    (seconds after which a second look would help to believe what was just seen; None: none needed).
    """
    found = seen.facts.get(MEASURED)
    if not isinstance(found, Mapping):
        return seen
    rest = {name: value for name, value in seen.facts.items() if name != MEASURED}
    at = seen.at.astimezone(zone)
    times = [datetime.fromisoformat(text).astimezone(zone) for text in found["reference_times"]]
    placed = device.latitude is not None and device.longitude is not None
    sun = elevation(at, device.latitude, device.longitude) if placed else None  # type: ignore[arg-type]
    view = sight(found, [at], times, sun=sun, may_move=policy.may_move)
    judgement = judge(view, policy.limits)
    trusted = frozenset(JUDGED) if times else policy.alone
    look, held = _look(seen.at, judgement, trusted), _times(before)
    looks = [*_looks(before), look][-KEPT:]
    if before.get("baselines", "") != found["baselines"]:
        # Against other references another thing is asked: what was seen before them counts only if it is seen still.
        looks, held = [look], {cause: since for cause, since in held.items() if cause in look.faults}
    believed = _believed(looks, held, policy)
    undecided = looks[-1].faults ^ (believed.keys() & looks[-1].checked)
    measures = view.frames[-1].measures
    hour = at.hour + at.minute / 60
    rest |= {
        "baselines": found["baselines"],
        "looks": [_as_json(look) for look in looks],
        "believed": {cause.value: since.isoformat() for cause, since in believed.items()},
        "again_in": min((_pause(policy, cause, believed) for cause in undecided), default=None),
        "judgement": _told(judgement, len(times), regime(measures, hour, sun) if measures else None),
    }
    return replace(seen, facts=rest)


def believed(facts: Facts) -> tuple[dict[Cause, datetime], bool]:
    """What the looks at a channel are enough to believe, worst first, each with when it was first seen; and whether
    something else is still believed that the newest look denies, so that nothing can be said until the next one."""
    held, looks = _times(facts), _looks(facts)
    denied = looks[-1].checked - looks[-1].faults if looks else frozenset[Cause]()
    return {cause: since for cause, since in held.items() if cause not in denied}, bool(held.keys() & denied)


def _believed(looks: Sequence[Look], before: Mapping[Cause, datetime], policy: PicturePolicy) -> dict[Cause, datetime]:
    found: dict[Cause, datetime] = {}
    for cause in JUDGED:
        held = cause in before
        now = holds(looks, cause, policy.persistence_of(cause), before=held)
        if now or (now is None and held):
            found[cause] = before.get(cause) or next(look.at for look in looks if cause in look.faults)
    return found


def _pause(policy: PicturePolicy, cause: Cause, believed: Mapping[Cause, datetime]) -> float:
    """Seconds until another look tells more: whether it lasts, or, of what is believed, whether it is over."""
    need = policy.persistence_of(cause)
    return 0.0 if cause in believed else need.seconds / max(1, need.pictures - 1)


def _look(at: datetime, judgement: Judgement, trusted: frozenset[Cause]) -> Look:
    faults = frozenset(fault.cause for fault in judgement.faults) & trusted
    return Look(at, faults, (frozenset(judgement.checked) | faults) & trusted)


def _told(judgement: Judgement, references: int, of: str | None) -> dict[str, Any]:
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
        "regime": of,
        "references": references,
    }


def _as_json(look: Look) -> dict[str, Any]:
    return {
        "at": look.at.isoformat(),
        "faults": sorted(cause.value for cause in look.faults),
        "checked": sorted(cause.value for cause in look.checked),
    }


def _looks(facts: Facts) -> list[Look]:
    kept = facts.get("looks")
    if not isinstance(kept, list):
        return []
    return [
        Look(
            datetime.fromisoformat(one["at"]),
            frozenset(Cause(cause) for cause in one["faults"]),
            frozenset(Cause(cause) for cause in one["checked"]),
        )
        for one in kept
    ]


def _times(facts: Facts) -> dict[Cause, datetime]:
    kept = facts.get("believed")
    if not isinstance(kept, Mapping):
        return {}
    return {Cause(cause): datetime.fromisoformat(since) for cause, since in kept.items()}

"""This file holds a picture against the one before it, of which only an imprint is left: is it the same exposure, sent
once more?"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from camera_registry.model.observation import Facts
from camera_registry.model.picture import Measures

KEPT = "imprint"
"""What a judgement keeps of its picture for the next one: the imprint, and ``at``, when it was taken."""


_FEWEST = 4
"""Tiles that both pictures can be told by, below which they may be the same by chance: one tile in 255 is."""


def keep(imprint: Mapping[str, Any] | None, at: datetime) -> Mapping[str, Any] | None:
    return None if imprint is None else {**imprint, "at": at.isoformat()}


def between(
    imprint: Mapping[str, Any] | None, at: datetime, facts: Facts, last: Mapping[str, Any] | None, before: Facts
) -> Measures | None:
    """What ``sequence.between`` says of frames, of this picture and the ``last`` that left an imprint; None where there
    is none. ``same`` is the share of tiles that are the same to the last bit, of those that both could be told of.
    ``facts`` and ``before``: those of both runs, with the digest of the bytes."""
    if imprint is None or last is None:
        return None
    seconds = (at - datetime.fromisoformat(last["at"])).total_seconds()
    digest = facts.get("sha256")
    if digest is not None and digest == before.get("sha256"):
        return {"identical": 1.0, "same": 1.0, "told": 1.0, "seconds": seconds}
    ours, theirs = (base64.b64decode(one["tiles"]) for one in (imprint, last))
    pairs = [(mine, other) for mine, other in zip(ours, theirs, strict=True) if mine and other]
    if len(pairs) < _FEWEST:
        return {"identical": 0.0, "same": 1.0, "told": 0.0, "seconds": seconds}
    same = sum(mine == other for mine, other in pairs) / len(pairs)
    return {"identical": 0.0, "same": same, "told": min(imprint["told"], last["told"]), "seconds": seconds}

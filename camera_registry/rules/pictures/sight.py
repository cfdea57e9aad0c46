"""This file makes a sight of what an examination found: plain JSON from another process in, values out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any

from camera_registry.model.picture import Compared, Picture, Sight
from camera_registry.rules.pictures.evidence import IN_PLACE


def sight(
    found: Mapping[str, Any],
    times: Sequence[datetime | None],
    reference_times: Sequence[datetime | None],
    *,
    sun: float | None = None,
    suns: Sequence[float | None] = (),
    may_move: bool = False,
    again: Collection[int] | None = None,
) -> Sight:
    """The sight of what ``probes.picture.examination`` found; see ``Sight`` for ``sun`` and ``may_move``. ``suns``:
    where it stood when each reference was taken, if that is known. ``again``: the places of those that have been
    ``seen_again``, if that is."""
    references = (
        Compared(_picture(told, at, then), change, tiles, None if again is None else place in again)
        for place, told, change, tiles, at, then in zip(
            count(),
            found["references"],
            found["changes"],
            found["tiles"],
            reference_times,
            suns or (None,) * len(reference_times),
        )
    )
    return Sight(
        frames=tuple(_picture(told, at) for told, at in zip(found["frames"], times, strict=True)),
        references=tuple(references),
        between=found["between"],
        clock=found["clock"],
        restless=found["restless"],
        sun=sun,
        may_move=may_move,
        masked=found.get("masked", 0.0),
        where=found.get("where", {}),
    )


def seen_again(again: Collection[int], sight: Sight) -> list[int]:
    """The places of the references that pictures have shown as they stand, with this one; so far it was ``again``."""
    changes = ((place, one.change or {}) for place, one in enumerate(sight.references))
    return [n for n, change in changes if n in again or change.get("still_agreement", 0.0) >= IN_PLACE]


def _picture(told: Mapping[str, Any], at: datetime | None, sun: float | None = None) -> Picture:
    return Picture(told.get("measures"), told.get("refused", ""), at, sun)

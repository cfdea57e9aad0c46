"""This file makes a sight of what an examination found: plain JSON from another process in, values out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from camera_registry.model.picture import Compared, Picture, Sight


def sight(
    found: Mapping[str, Any],
    times: Sequence[datetime | None],
    reference_times: Sequence[datetime | None],
    *,
    sun: float | None = None,
    suns: Sequence[float | None] = (),
    may_move: bool = False,
) -> Sight:
    """The sight of what ``probes.picture.examination`` found; see ``Sight`` for ``sun`` and ``may_move``. ``suns``:
    where it stood when each reference was taken, if that is known."""
    references = (
        Compared(_picture(told, at, then), change, tiles)
        for told, change, tiles, at, then in zip(
            found["references"],
            found["changes"],
            found["tiles"],
            reference_times,
            suns or (None,) * len(reference_times),
            strict=True,
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


def _picture(told: Mapping[str, Any], at: datetime | None, sun: float | None = None) -> Picture:
    return Picture(told.get("measures"), told.get("refused", ""), at, sun)

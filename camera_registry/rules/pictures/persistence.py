"""This file says whether a fault of pictures has been seen often and long enough to be believed, or to be over."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from camera_registry.model.baseline import Persistence, Trail


def follow(trail: Trail | None, at: datetime, shows: bool | None, need: Persistence) -> Trail | None:
    """The trail of a cause after one more picture; None: nothing of it is left to remember.

    ``shows`` None: the picture could not tell. Such ones count neither way: a lens that was covered at dusk is covered
    all night.
    """
    if shows is None:
        return trail and replace(trail, clean=0)
    if trail is not None and trail.since is not None:
        clean = 0 if shows else trail.clean + 1
        return None if clean >= need.recoveries else replace(trail, clean=clean)
    seen = trail.seen if trail is not None else ()
    if not seen or (at - seen[-1][0]).total_seconds() >= need.apart:
        seen = (*seen, (at, shows))[-need.of :]
    while seen and not seen[0][1]:
        seen = seen[1:]
    if shows and sum(showed for _, showed in seen) >= need.pictures:
        return Trail(since=seen[0][0])
    return Trail(seen=seen) if seen else None

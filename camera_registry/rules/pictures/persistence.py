"""This file says whether a fault of pictures has been seen often and long enough to be believed, or to be over."""

from __future__ import annotations

from collections.abc import Sequence

from camera_registry.model.baseline import Look, Persistence
from camera_registry.model.health import Cause


def holds(looks: Sequence[Look], cause: Cause, need: Persistence, *, before: bool) -> bool | None:
    """Whether ``cause`` holds after these looks (oldest first), where it did or did not ``before``.

    None: none of them could tell. Looks that could not check the cause count neither way: a lens that was covered at
    dusk is covered all night.
    """
    told = [look for look in looks if cause in look.checked][-max(need.of, need.recoveries) :]
    if not told:
        return None
    last = told[-need.recoveries :]
    if len(last) == need.recoveries and not any(cause in look.faults for look in last):
        return False
    seen = [look.at for look in told[-need.of :] if cause in look.faults]
    if len(seen) >= need.pictures and (seen[-1] - seen[0]).total_seconds() >= need.seconds:
        return True
    return before

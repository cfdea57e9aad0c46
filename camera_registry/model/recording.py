"""What recorders have: each recording from when until when it is known, and what it lacks in between."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Lack(StrEnum):
    """What there is instead of pictures."""

    MISSING = "missing"
    """Nothing was recorded."""
    UNKNOWN = "unknown"
    """Nobody has looked, and what has been overwritten can't be looked for any more."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without pictures; each end of it is known to within ``resolution`` seconds."""

    since: datetime
    until: datetime
    lack: Lack = Lack.MISSING
    resolution: float = 0.0


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording of a device: required from ``since`` on, known until ``until``, complete but for its gaps (oldest
    first, none touching another of its kind). ``ended``: nothing is written into it any more, and nothing is required
    after ``until``. A gap that lasts until then may go on."""

    device: str
    token: str
    name: str
    since: datetime
    until: datetime
    ended: bool = False
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class Searched:
    """What one run tells of one recording: everything from ``since`` until ``until``."""

    token: str
    name: str
    since: datetime
    until: datetime
    gaps: tuple[Gap, ...] = ()


class NotComputable(StrEnum):
    """Why the seconds that a device recorded can't be told."""

    NO_ANSWER = "no_answer"
    """It has never answered when asked for its recordings."""
    NO_SERVICE = "no_service"
    """It has no recording services."""
    NO_CLOCK = "no_clock"
    """It does not tell its clock, so its times can't be told by ours."""
    NO_PRESENCE = "no_presence"
    """It never says when it has pictures and when not."""
    SEARCHING = "searching"
    """It has not been asked for long enough."""
    NOTHING = "nothing"
    """It has nothing that it should record into."""

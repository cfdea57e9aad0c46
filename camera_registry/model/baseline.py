"""What pictures of a camera are held against: accepted ones, by their light; and how long a fault must be seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from camera_registry.model.health import Cause


class Regime(StrEnum):
    """The kinds of light in which a camera's pictures are alike. Infrared is without colours, at whatever hour."""

    DAY = "day"
    DUSK = "dusk"
    NIGHT = "night"
    INFRARED = "infrared"


@dataclass(frozen=True, slots=True)
class Spread:
    """Robust statistics of one measure: its median, and 1.4826 times the median distance from it (for a normal
    distribution, the standard deviation)."""

    middle: float
    deviation: float


@dataclass(frozen=True, slots=True)
class Persistence:
    """How long a cause must be seen before it is believed, and the longer the less clearly it shows.

    Where its score is ``sure`` or above: in ``pictures`` of the last ``of`` that count, which are those that could
    check it and come so long after the last one that counted that ``pictures`` of them take ``seconds``. It is over
    when ``recoveries`` in a row, whenever they come, are free of it. The time is what matters: a false alarm is of the
    scene, and looking again at once finds it again.

    Where it shows at all: for ``doubtful`` seconds (0: never) if its score is at the limit, and the less the nearer to
    ``sure`` it is. That is told by day or by night alone, each by its own pictures: what a lens has it has day after
    day, weather passes, and a shadow falls at its hour. Pictures that count come ``apart_in_doubt``, and those that are
    free of it count OUTWEIGHS times. ``by_night``: whether it is believed by night too.
    """

    pictures: int = 3
    of: int = 4
    seconds: float = 1800.0
    recoveries: int = 2
    sure: float = 0.0
    doubtful: float = 0.0
    by_night: bool = True

    @property
    def through_weather(self) -> Persistence:
        """What it takes while there is weather that may have made it: nobody would doubt it, for a day and a half."""
        return replace(self, seconds=max(self.seconds, WEATHERED), sure=max(self.sure, BEYOND_DOUBT))

    @property
    def apart(self) -> float:
        """Seconds from one picture that counts to the next."""
        return self.seconds / max(1, self.pictures - 1)

    @property
    def apart_in_doubt(self) -> float:
        """The same of what does not show surely."""
        return min(DOUBTS_APART, self.doubtful / DOUBTS)

    def lasting(self, score: float) -> float:
        """Seconds that what shows with this score, below ``sure``, must be seen."""
        short = (self.sure - score) / max(self.sure - LIMIT, 1e-6)
        return self.seconds + (self.doubtful - self.seconds) * min(1.0, max(0.0, short))


LIMIT = 0.5
"""The score at the limit (see ``PictureFault``)."""
BEYOND_DOUBT, WEATHERED = 0.98, 36 * 3600.0
"""The score that weather hardly makes, and seconds for which it does not make it."""
DOUBTS, DOUBTS_APART = 24, 3 * 3600.0
"""Of what does not show surely: pictures that count in the time that it must last at the limit, and the most seconds
from one to the next."""
LEAST_DOUBTS = 8
"""By how many more of them must have shown it, those that are free of it counted OUTWEIGHS times."""
OUTWEIGHS = 2
"""What shows in less than two of three pictures of a light is not of the lens."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What has shown by day, or by night, but not surely: ``since`` when, in how many pictures that count (``shown``)
    and in how many not (``denied``), ``last`` when one counted, ``score`` how clearly it has shown on the average;
    ``held``: seconds of that time in which it may have been the weather that showed."""

    by_day: bool
    since: datetime
    last: datetime
    score: float
    shown: int = 1
    denied: int = 0
    held: float = 0.0

    @property
    def weight(self) -> int:
        return self.shown - OUTWEIGHS * self.denied


@dataclass(frozen=True, slots=True)
class Trail:
    """What pictures have said of one cause of late. ``since``: when it was first seen, once it is believed; ``clean``:
    how many pictures in a row, up to the newest, have denied that. ``seen``, until it is believed: when each picture
    that counts was taken and whether it shows the cause surely, oldest first, the first of them one that does.
    ``doubts``: what has shown at all, by day and by night; of what is believed, the one by which it is."""

    since: datetime | None = None
    seen: tuple[tuple[datetime, bool], ...] = ()
    clean: int = 0
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True, slots=True)
class Baseline:
    """A picture that shows how a channel's view is meant to look in one regime: accepted by a person, or by the rules
    in a person's name (``by``). ``reason`` is why something that looks like a fault is normal here, where it is.

    ``picture`` names the file: the SHA-256 of its bytes. ``masks`` are the outlines that are painted over in it.
    """

    id: int
    device: str
    channel: str
    regime: Regime
    taken_at: datetime
    picture: str
    by: str
    accepted_at: datetime
    reason: str = ""
    masks: tuple[str, ...] = ()


class Unaccepted(StrEnum):
    """Why a picture was not accepted together with the others."""

    GONE = "gone"
    UNREADABLE = "unreadable"
    DOUBTFUL = "doubtful"
    ALONE = "alone"
    """There is no other of its view yet that would bear it out."""
    UNLIKE = "unlike"
    """It is not like the one before it: one of the two shows what does not belong there, a lorry before the lens."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A channel that was passed over, why, and what was found."""

    device: str
    channel: str
    why: Unaccepted
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms many pictures are accepted. ``of_season``: that what these causes are is in doubt counts for
    nothing, for it is the season's, as ``reason`` says."""

    reason: str = ""
    of_season: frozenset[Cause] = frozenset()


@dataclass(frozen=True, slots=True)
class Acceptance:
    """How far accepting the pictures of many channels is: of ``total``, how many are ``done`` and how many were
    ``skipped``, the first of them named in ``passed``. ``by``: for whom; ``stopped``: somebody ended it."""

    running: bool = False
    begun: datetime | None = None
    ended: datetime | None = None
    total: int = 0
    done: int = 0
    skipped: int = 0
    stopped: bool = False
    by: str = ""
    passed: tuple[Skipped, ...] = ()

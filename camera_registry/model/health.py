"""Health: aspects, states, causes and flips."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Aspect(StrEnum):
    """What is judged. Each has a state of its own; they are never folded into one boolean."""

    REACH = "reach"
    CONTROL = "control"
    STREAM = "stream"
    PICTURE = "picture"
    CLOCK = "clock"
    RECORDING = "recording"
    IDENTITY = "identity"


OF_THE_DEVICE = frozenset({Aspect.REACH, Aspect.CONTROL, Aspect.CLOCK, Aspect.IDENTITY})
"""Aspects of a device as a whole, whichever channel told of them; the others belong to the channel."""


class State(StrEnum):
    """What is held true of one aspect."""

    UNKNOWN = "unknown"
    OK = "ok"
    SUSPECT = "suspect"
    DOWN = "down"
    FLAPPING = "flapping"
    STALE = "stale"


class Status(StrEnum):
    """A device in one word, derived from its aspects by a fixed precedence."""

    DOWN = "down"
    DEGRADED = "degraded"
    UNKNOWN = "unknown"
    OK = "ok"


class Cause(StrEnum):
    """Why something does not work: a closed list, each with a text in both languages."""

    DNS = "dns"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    TLS = "tls"
    AUTH = "auth"
    PROTOCOL = "protocol"
    BUSY = "busy"
    NO_STREAM = "no_stream"
    NO_MEDIA = "no_media"
    UNDECODABLE = "undecodable"
    LOW_FRAME_RATE = "low_frame_rate"
    WRONG_STREAM = "wrong_stream"
    CLOCK_DRIFT = "clock_drift"
    NO_SIGNAL = "no_signal"
    BLACK = "black"
    FROZEN = "frozen"
    BLURRED = "blurred"
    COVERED = "covered"
    DARK = "dark"
    OVEREXPOSED = "overexposed"
    LOW_CONTRAST = "low_contrast"
    COLOUR_CAST = "colour_cast"
    NOISY = "noisy"
    STRIPED = "striped"
    CORRUPT = "corrupt"
    MOVED = "moved"
    DIRTY = "dirty"
    OSD_CLOCK = "osd_clock"
    RECORDING_GAP = "recording_gap"
    STORAGE_FAULT = "storage_fault"
    REPLACED = "replaced"
    FIRMWARE_CHANGED = "firmware_changed"
    CERTIFICATE = "certificate"
    PARENT_DOWN = "parent_down"
    POWER = "power"
    POLLER_BLIND = "poller_blind"
    INTERNAL = "internal"


LENS = (Cause.DIRTY, Cause.BLURRED, Cause.LOW_CONTRAST, Cause.COVERED)
"""Faults of the picture that cleaning a lens may mend."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a state is about: one aspect of a device, or of one of its channels (``channel`` empty: the device)."""

    device: str
    aspect: Aspect
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """An observation judged by policy: good (``cause`` None), or bad with its cause.

    What says nothing of an aspect yields no reading at all. ``began``: it rests on enough evidence to be believed at
    once, and this is when the first of that was seen.
    """

    subject: Subject
    at: datetime
    cause: Cause | None = None
    detail: str = ""
    began: datetime | None = None

    @property
    def good(self) -> bool:
        return self.cause is None


@dataclass(frozen=True, slots=True)
class AspectState:
    """What is held true of one subject, and the evidence that a change would build on.

    ``settled`` is the last confirmed state (``unknown``, ``ok``, ``down``, ``flapping`` or ``stale``) and ``since``
    when it began: a fault at its first sign, not at its confirmation. ``was`` is what was settled before the silence
    of a stale state, and ``since`` then still speaks of that. ``state`` is what is shown: ``settled``, or ``suspect``
    while bad readings wait for confirmation. ``cause`` and ``detail`` are of the fault or the suspicion.

    ``run`` counts the newest readings in a row that contradict ``settled``, ``run_at`` is the first one's time.
    ``read_at`` is the newest reading's time, ``good`` whether it was good, ``changes`` the last 20 readings, newest in
    the lowest bit, 1 where one differed from the one before it.
    """

    subject: Subject
    state: State = State.UNKNOWN
    settled: State = State.UNKNOWN
    was: State = State.UNKNOWN
    since: datetime | None = None
    cause: Cause | None = None
    detail: str = ""
    run: int = 0
    run_cause: Cause | None = None
    run_at: datetime | None = None
    read_at: datetime | None = None
    good: bool | None = None
    changes: int = 0

    @property
    def begun(self) -> datetime | None:
        """When the shown state began."""
        if self.state is State.SUSPECT:
            return self.run_at
        return self.read_at if self.state is State.STALE else self.since


@dataclass(frozen=True, slots=True)
class Flip:
    """A confirmed change of state: the unit of history.

    ``at`` is when the change began (evidence-loss start), ``confirmed_at`` when it was believed.
    """

    subject: Subject
    before: State
    after: State
    at: datetime
    confirmed_at: datetime
    cause: Cause | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for a device's status. ``blamed`` is the parent device that explains it, or empty."""

    aspect: Aspect
    cause: Cause
    since: datetime | None
    detail: str = ""
    channel: str = ""
    blamed: str = ""

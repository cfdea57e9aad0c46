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


@dataclass(frozen=True, slots=True)
class Subject:
    """What a state is about: one aspect of a device, or of one of its channels (``channel`` empty: the device)."""

    device: str
    aspect: Aspect
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """An observation judged by policy: good (``cause`` None), or bad with its cause.

    What says nothing of an aspect yields no reading at all.
    """

    subject: Subject
    at: datetime
    cause: Cause | None = None
    detail: str = ""

    @property
    def good(self) -> bool:
        return self.cause is None


@dataclass(frozen=True, slots=True)
class AspectState:
    """What is held true of one subject, and the evidence that a change would build on.

    ``since``: when the present state began (a fault: its first sign, not its confirmation). ``cause``, ``detail``:
    of a fault, or of the suspicion. ``run``: readings in a row that contradict the settled state; ``settled``: the
    last of ok, down, flapping or unknown that was confirmed. ``first_at``: time of the first reading of that run.
    ``read_at``: time of the newest reading. ``changes``: the last 20 readings, newest in the lowest bit, 1 for each
    that differed from the one before it; ``last_good``: whether the newest reading was good.
    """

    subject: Subject
    state: State = State.UNKNOWN
    since: datetime | None = None
    cause: Cause | None = None
    detail: str = ""
    settled: State = State.UNKNOWN
    run: int = 0
    first_at: datetime | None = None
    read_at: datetime | None = None
    changes: int = 0
    last_good: bool | None = None


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

"""Policy: every threshold that turns a measurement into a verdict. Settings fill it; rules read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from camera_registry.model.device import Kind
from camera_registry.model.health import Cause

FAILURES_BY_CAUSE: Mapping[Cause, int] = {Cause.AUTH: 1, Cause.REPLACED: 1, Cause.FIRMWARE_CHANGED: 1}
"""A refused password is believed at once, because asking again locks accounts; what a device says of itself is no
matter of luck."""


@dataclass(frozen=True, slots=True)
class PicturePolicy:
    """Limits for pictures. Luminance is 0 to 255, shares are 0 to 1."""

    black_luma: float = 24.0
    """Black: 95 % of the pixels are darker than this."""
    flat_share: float = 0.80
    """No signal: at least this share of the 8 x 8 blocks holds one colour without any sensor noise."""


@dataclass(frozen=True, slots=True)
class StreamPolicy:
    """Limits for streams that were played for a while."""

    rate_share: float = 0.5
    """Low frame rate: less than this share of the lowest rate that is declared. Cameras lower their rate at night."""
    rate_seconds: float = 2.0
    """Shorter measurements say nothing of the rate."""


@dataclass(frozen=True, slots=True)
class RecordingPolicy:
    """Limits for recordings, in seconds."""

    age_limit: float = 1800.0
    """The newest recording may be this old: recorders tell of a file when it is closed."""
    gap_limit: float = 1800.0
    """This much may be missing from the last 24 hours."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How sure one must be before a state changes. Durations are seconds."""

    failures: int = 3
    """Bad readings in a row that confirm a fault."""
    recoveries: int = 2
    """Good readings in a row that confirm a recovery."""
    retry: float = 10.0
    """Time between quick re-tries while a change waits for confirmation."""
    stale_intervals: float = 2.5
    """Without any reading for this many intervals a state is stale."""
    clock_limit: float = 30.0
    """Largest accepted difference between a device's clock and ours."""
    failures_by_cause: Mapping[Cause, int] = field(default_factory=lambda: dict(FAILURES_BY_CAUSE))
    """Bad readings that confirm certain causes, where it is not ``failures``."""
    flapping_start: float = 0.30
    """Flapping begins when the weighted share of changes in the last 20 readings reaches this."""
    flapping_end: float = 0.25
    """Flapping ends when that share falls below this."""
    picture: PicturePolicy = PicturePolicy()
    stream: StreamPolicy = StreamPolicy()
    recording: RecordingPolicy = RecordingPolicy()

    def failures_for(self, cause: Cause) -> int:
        return self.failures_by_cause.get(cause, self.failures)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often one probe asks, and how long it waits; seconds."""

    interval: float = 60.0
    timeout: float = 5.0


@dataclass(frozen=True, slots=True)
class PollPolicy:
    """What each kind of device is asked, and how often."""

    paces: Mapping[str, Pace]
    by_kind: Mapping[Kind, tuple[str, ...]]
    options: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """What is always asked of a probe, by its name."""

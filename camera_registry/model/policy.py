"""Policy: every threshold that turns a measurement into a verdict. Settings fill it; rules read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from camera_registry.model.baseline import Persistence
from camera_registry.model.device import Device, Kind, TrafficKind
from camera_registry.model.health import Cause
from camera_registry.model.incident import Severity
from camera_registry.model.picture import Limits
from camera_registry.model.place import Site, SiteCategory
from camera_registry.model.trend import LensPolicy

FAILURES_BY_CAUSE: Mapping[Cause, int] = {
    Cause.AUTH: 1,
    Cause.REPLACED: 1,
    Cause.FIRMWARE_CHANGED: 1,
    Cause.CERTIFICATE: 1,
}
"""A refused password is believed at once, because asking again locks accounts; that there is none to send, and what a
device says of itself, is no matter of luck."""

HOLD_BY_CAUSE: Mapping[Cause, float] = {Cause.REPLACED: 0.0, Cause.FIRMWARE_CHANGED: 0.0}
"""What a device says of itself does not pass by waiting, and comes one device at a time."""

SEVERITIES: Mapping[Cause, Severity] = {
    **dict.fromkeys(Cause, Severity.P3),
    **dict.fromkeys(
        (Cause.DNS, Cause.UNREACHABLE, Cause.TIMEOUT, Cause.REFUSED, Cause.NO_STREAM, Cause.NO_MEDIA, Cause.NO_SIGNAL),
        Severity.P2,
    ),
    **dict.fromkeys((Cause.BLACK, Cause.COVERED, Cause.MOVED, Cause.STORAGE_FAULT, Cause.RECORDING_GAP), Severity.P2),
    **dict.fromkeys((Cause.PARENT_DOWN, Cause.POWER, Cause.POLLER_BLIND), Severity.P1),
    **dict.fromkeys((Cause.CLOCK_DRIFT, Cause.OSD_CLOCK, Cause.FIRMWARE_CHANGED, Cause.CERTIFICATE), Severity.P4),
}
"""How much a cause matters by itself; a mass failure is P1 whatever its cause."""

_HOUR = 3600.0
_DAY = 24 * _HOUR
PERSISTENCE: Mapping[Cause, Persistence] = {
    Cause.NO_SIGNAL: Persistence(2, 3, 0),
    Cause.BLACK: Persistence(3, 4, 300),
    Cause.FROZEN: Persistence(2, 3, 0),
    Cause.CORRUPT: Persistence(3, 4, 300, sure=0.9, doubtful=_DAY),
    Cause.MOVED: Persistence(3, 4, _HOUR, sure=0.85, doubtful=_DAY),
    Cause.STRIPED: Persistence(3, 4, 2 * _HOUR, sure=0.9, doubtful=3 * _DAY),
    Cause.DARK: Persistence(3, 4, 2 * _HOUR, sure=0.9, doubtful=3 * _DAY),
    Cause.OVEREXPOSED: Persistence(4, 5, 6 * _HOUR, sure=0.9, doubtful=3 * _DAY),
    Cause.COVERED: Persistence(4, 5, 2 * _HOUR, sure=0.95, doubtful=10 * _DAY),
    Cause.BLURRED: Persistence(4, 5, 4 * _HOUR, sure=0.75, doubtful=4 * _DAY),
    Cause.NOISY: Persistence(4, 5, 3 * _HOUR, sure=0.9, doubtful=3 * _DAY),
    Cause.COLOUR_CAST: Persistence(4, 5, 6 * _HOUR, sure=0.85, doubtful=4 * _DAY, by_night=False),
    Cause.LOW_CONTRAST: Persistence(6, 8, _DAY, sure=0.9, doubtful=7 * _DAY),
    Cause.DIRTY: Persistence(6, 8, _DAY, sure=0.9, doubtful=10 * _DAY),
    Cause.OSD_CLOCK: Persistence(4, 5, 4 * _HOUR),
}
"""How long each cause must be seen: longer than what looks like it lasts. People and vans stand before a lens for an
hour or two, a low sun shines into it for half of one, bright clouds make a white wall nearly clip for some hours, fog
that came in the morning is gone by noon or the next day, drops dry within a day: what is on the lens itself outlasts
that. What has a cast has it by day too, and lamps make one by night alone. ``sure`` lies where what is broken to a
moderate degree scores and what is healthy in an unforeseen way seldom does: nobody needs a crew within the hour for
less (bench/RESULTS.md)."""


@dataclass(frozen=True)
class WeatherPolicy:
    """When what many cameras of an area show at once is weather. Durations are seconds.

    Of 73 simulated cameras in three areas none shows it in fair weather (the median; 0.10 at most), in fog 0.04 (0.10),
    in rain and haze 0.04 (0.08); while snow lies 0.14 by day (0.26 at the 90th percentile) and 0.02 by night (0.14).
    """

    causes: frozenset[Cause] = frozenset(
        {
            Cause.BLURRED,
            Cause.COVERED,
            Cause.OVEREXPOSED,
            Cause.DARK,
            Cause.LOW_CONTRAST,
            Cause.COLOUR_CAST,
            Cause.NOISY,
            Cause.STRIPED,
            Cause.DIRTY,
        }
    )
    """What weather makes: snow covers, dirties and blinds, fog veils, rain is noise and bands. It moves no camera and
    breaks no picture."""
    cameras: int = 20
    """So many an area must have to tell; of one that has fewer the area above it tells: who goes along a street with a
    can of paint makes no weather."""
    showing: int = 3
    """So many of them at least show it: one is chance."""
    share: float = 0.07
    """And this share of them: more than nearly ever do without snow (by night 0.05 in 95 of 100)."""
    comes: float = 2 * _HOUR
    """Where cameras begin to show it within so long, it may be weather that comes."""
    together: int = 2
    """So many of them at least."""
    share_together: float = 0.05
    """And this share of them."""
    late: float = 6 * _HOUR
    """A camera whose newest picture is older than this is not counted."""
    clears: float = _DAY
    """It lasts until so few have shown it for so long: snow is there in the morning too, before all were judged."""
    longest: float = 14 * _DAY
    """What lasts longer may be the season, and people are asked to look."""


@dataclass(frozen=True, slots=True)
class PicturePolicy:
    """Limits for pictures. Luminance is 0 to 255, shares are 0 to 1."""

    black_luma: float = 24.0
    """Black: 95 % of the pixels are darker than this."""
    flat_share: float = 0.80
    """No signal: at least this share of the 8 x 8 blocks holds one colour without any sensor noise."""
    persistence: Mapping[Cause, Persistence] = field(default_factory=lambda: dict(PERSISTENCE))
    """How long a cause must be seen in pictures that are judged in full."""
    limits: Limits = field(default_factory=Limits)
    """Where a measure becomes a fault."""
    weather: WeatherPolicy = WeatherPolicy()
    alone: frozenset[Cause] = frozenset({Cause.NO_SIGNAL, Cause.FROZEN, Cause.CORRUPT, Cause.STRIPED})
    """What is believed of a camera of which nobody has accepted a picture yet: the rest needs one to be told from a
    view that has always looked so."""
    may_move: bool = False
    """The camera tours by itself, and is nowhere wrong."""
    lens_fall: float = LensPolicy.fall
    """When what creeps over weeks is dirt: see ``LensPolicy``."""
    lens_limit: float = LensPolicy.limit

    @property
    def lens(self) -> LensPolicy:
        return LensPolicy(self.lens_fall, self.lens_limit)

    def persistence_of(self, cause: Cause, *, weather: bool = False) -> Persistence:
        """How long this must be seen. ``weather``: there is some, which may have made it."""
        need = self.persistence.get(cause, Persistence())
        return need.through_weather if weather else need


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
    unasked_factor: float = 4.0
    """So many times as long stands what a picture showed, while nobody has asked for another one since."""
    clock_limit: float = 30.0
    """Largest accepted difference between a device's clock and ours."""
    certificate_days: float = 30.0
    """A certificate that ends within so many days is due for renewal."""
    failures_by_cause: Mapping[Cause, int] = field(default_factory=lambda: dict(FAILURES_BY_CAUSE))
    """Bad readings that confirm certain causes, where it is not ``failures``."""
    hold: float = 60.0
    """Time for which a confirmed fault is held before it is an incident: meanwhile its parents are asked, and what was
    lost together is gathered."""
    hold_by_cause: Mapping[Cause, float] = field(default_factory=lambda: dict(HOLD_BY_CAUSE))
    """The same for certain causes, where it is not ``hold``."""
    flapping_start: float = 0.30
    """Flapping begins when the weighted share of changes in the last 20 readings reaches this."""
    flapping_end: float = 0.25
    """Flapping ends when that share falls below this."""
    picture: PicturePolicy = PicturePolicy()
    stream: StreamPolicy = StreamPolicy()
    recording: RecordingPolicy = RecordingPolicy()

    def failures_for(self, cause: Cause) -> int:
        return self.failures_by_cause.get(cause, self.failures)

    def hold_for(self, cause: Cause) -> timedelta:
        return timedelta(seconds=self.hold_by_cause.get(cause, self.hold))

    @property
    def recheck(self) -> timedelta:
        """The time a device gets to come back after its parent did: as long as a fault takes to be confirmed."""
        return timedelta(seconds=self.failures * self.retry)


@dataclass(frozen=True, slots=True)
class Policies:
    """The policy of each device: what all have in common, then what its kind, its site's category and it itself have
    of their own. Overrides name fields of ``Policy``; a mapping adds to the one it overrides, and the limits of one
    probe (``picture``, ``stream``, ``recording``) are a mapping of their fields."""

    base: Policy = Policy()
    by_kind: Mapping[Kind, Mapping[str, Any]] = field(default_factory=dict)
    by_site_category: Mapping[SiteCategory, Mapping[str, Any]] = field(default_factory=dict)
    by_device: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def of(self, device: Device, category: SiteCategory | None = None) -> Policy:
        """The policy of one device at a site of this category; the base itself where nothing is overridden."""
        policy = self.base
        for overrides in (
            self.by_kind.get(device.kind),
            self.by_site_category.get(category) if category else None,
            self.by_device.get(device.id),
        ):
            if overrides:
                policy = _overridden(policy, overrides)
        return policy


def _overridden(policy: Policy, overrides: Mapping[str, Any]) -> Policy:
    values = dict(overrides)
    for name in ("failures_by_cause", "hold_by_cause"):
        if name in values:
            values[name] = {**getattr(policy, name), **values[name]}
    for part in ("picture", "stream", "recording"):
        if part in values:
            values[part] = replace(getattr(policy, part), **values[part])
    return replace(policy, **values)


@dataclass(frozen=True, slots=True)
class IncidentPolicy:
    """When many faults are one incident, and how bad it is. ``window`` is seconds."""

    window: float = 60.0
    """Devices whose losses began within this time of each other were lost together."""
    minimum: int = 8
    """So many devices make a mass failure."""
    severities: Mapping[Cause, Severity] = field(default_factory=lambda: dict(SEVERITIES))

    @property
    def together(self) -> timedelta:
        return timedelta(seconds=self.window)

    def severity(self, cause: Cause, devices: int) -> Severity:
        """The severity of an incident of this cause that concerns so many devices."""
        return Severity.P1 if devices >= self.minimum else self.severities[cause]


@dataclass(frozen=True, slots=True)
class Pace:
    """How often one probe asks, and how long it waits; seconds."""

    interval: float = 60.0
    timeout: float = 5.0


@dataclass(frozen=True, slots=True)
class Intervals:
    """Seconds from one run to the next of all probes that are not costly, where they differ from the probe's own: by
    kind of device, and for what shows a site: its own in the register goes before what settings say of it by its
    identifier, and that before what they say of its category."""

    by_kind: Mapping[Kind, float] = field(default_factory=dict)
    by_site_category: Mapping[SiteCategory, float] = field(default_factory=dict)
    by_site: Mapping[str, float] = field(default_factory=dict)

    def of_site(self, site: Site) -> float | None:
        if site.interval is not None:
            return site.interval
        return self.by_site.get(site.id, self.by_site_category.get(site.category))


@dataclass(frozen=True, slots=True)
class PollPolicy:
    """What each kind of device is asked, and how often."""

    paces: Mapping[str, Pace]
    by_kind: Mapping[Kind, tuple[str, ...]]
    by_traffic_kind: Mapping[TrafficKind, tuple[str, ...]] = field(default_factory=dict)
    """In place of ``by_kind`` for traffic units of these kinds."""
    options: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """What is always asked of a probe, by its name."""
    long_down: float = 86_400.0
    """Seconds after which a device that is down, and carries no other, is asked less often."""
    long_down_factor: float = 5.0
    """By how much its intervals are longer then."""
    intervals: Intervals = field(default_factory=Intervals)

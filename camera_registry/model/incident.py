"""Incidents: one record for one outage, from the first loss to the end, whoever it was charged to.

A *fault* is what health holds against a device; an *incident* is what people are told of it, once, under its root.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from camera_registry.model.health import Aspect, Cause, Subject


class Scope(StrEnum):
    """What an incident is about: a device, or what many devices have in common that were lost together."""

    DEVICE = "device"
    PREFIX = "prefix"
    """A network: ``about`` is a /24 or a /64."""
    AREA = "area"
    POWER = "power"
    """A power source, as device files name it."""
    POLLER = "poller"
    """The poller itself sees nothing: it is blind, and says so instead of calling every device down."""


class Severity(StrEnum):
    """How much depends on it; P1 is the worst."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"


class Party(StrEnum):
    """Whom a stretch of an outage is charged to."""

    DEVICE = "device"
    PARENT = "parent"
    """A lost parent, or what the device was lost together with."""
    MAINTENANCE = "maintenance"
    UNKNOWN = "unknown"
    """Nothing was heard of the device, so nobody knows whether the outage went on."""
    PAUSE = "pause"
    """Contractor pause: the device's own time while its work order is on hold for what is not in the contractor's
    hands."""


@dataclass(frozen=True, slots=True)
class Span:
    """From ``since`` on, until the next span or the end of the outage, ``party`` is charged."""

    party: Party
    since: datetime


@dataclass(frozen=True, slots=True)
class Called:
    """From ``since`` on the fault showed under this cause."""

    cause: Cause
    since: datetime


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody has seen it. ``until``: it expires then (None: never). ``sticky``: it outlives a change of the cause;
    one that is not ends with it."""

    by: str
    at: datetime
    until: datetime | None = None
    sticky: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class Incident:
    """One outage. Never are two open about the same thing with the same cause.

    ``started`` is the first loss, ``confirmed_at`` when that was believed, ``opened_at`` when people were to know,
    ``ended`` when the first good reading of what ended it was taken. ``about`` is a device, or what ``scope`` says.
    ``symptoms`` are the subjects it shows in, the one that named the cause first. ``causes`` is the history of
    ``cause``, oldest first; ``spans`` cover the time from ``started`` to ``ended`` without a gap. ``parent`` is the
    open incident that explains this one: people are told of that. ``window`` is the maintenance window that mutes it.
    ``affected`` counts the devices lost behind it, the most at one time. ``area`` is the area at its opening.
    ``version`` grows with each change.
    """

    id: int
    scope: Scope
    about: str
    cause: Cause
    severity: Severity
    started: datetime
    confirmed_at: datetime
    opened_at: datetime
    area: str = ""
    detail: str = ""
    ended: datetime | None = None
    flapping: bool = False
    symptoms: tuple[Subject, ...] = ()
    causes: tuple[Called, ...] = ()
    spans: tuple[Span, ...] = ()
    parent: int | None = None
    window: int | None = None
    affected: int = 0
    acknowledged: Acknowledgement | None = None
    assignee: str = ""
    version: int = 1

    @property
    def open(self) -> bool:
        return self.ended is None

    @property
    def muted(self) -> bool:
        """Whether nobody is to be told of it now: a parent or a maintenance window speaks for it."""
        return self.parent is not None or self.window is not None

    @property
    def aspect(self) -> Aspect | None:
        """The aspect that named the cause; None where it is not about one device."""
        return self.symptoms[0].aspect if self.symptoms else None

    def charged(self, now: datetime) -> Mapping[Party, timedelta]:
        """How long each party was charged until ``ended``, or until ``now``. The sum is the length of the outage."""
        end = max(self.ended or now, self.started)
        borders = [min(span.since, end) for span in self.spans] + [end]
        sums: dict[Party, timedelta] = {}
        for span, begin, until in zip(self.spans, borders, borders[1:], strict=False):
            sums[span.party] = sums.get(span.party, timedelta()) + (until - begin)
        return sums


class Step(StrEnum):
    """What can happen to an incident: the steps of its time line."""

    OPENED = "opened"
    CAUSE_CHANGED = "cause_changed"
    SEVERITY_CHANGED = "severity_changed"
    FLAPPING_BEGAN = "flapping_began"
    FLAPPING_ENDED = "flapping_ended"
    EXPLAINED = "explained"
    """An open incident was found to be the consequence of another one (``other``)."""
    UNEXPLAINED = "unexplained"
    """That other one is over, and this one is not."""
    MUTED = "muted"
    """A maintenance window (``other``) has begun over it."""
    UNMUTED = "unmuted"
    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"
    """The acknowledgement was taken back, expired, or did not outlive the change of the cause."""
    ASSIGNED = "assigned"
    NOTED = "noted"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class IncidentChange:
    """One step of one incident: a row of its time line, and what notices and work orders are derived from.

    ``at`` is when it took effect, ``incident`` how it stands after the step. ``actor`` is who did it (empty: found
    by the service); ``other`` the incident or maintenance window concerned; ``text`` a note, an assignee, a detail.
    """

    step: Step
    at: datetime
    incident: Incident
    actor: str = ""
    other: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Affected:
    """A device that was lost behind an incident about something else, and is charged to it meanwhile."""

    incident: int
    device: str
    since: datetime
    until: datetime | None = None

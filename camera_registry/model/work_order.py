"""Work orders: what a crew does about an incident, by when, and whether it was mended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from camera_registry.model.health import Cause, Subject
from camera_registry.model.incident import Scope, Severity


class OrderState(StrEnum):
    """Where an order stands."""

    NEW = "new"
    """Nobody is sent yet: no contractor or crew is known for it."""
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    ON_SITE = "on_site"
    ON_HOLD = "on_hold"
    FIXED = "fixed"
    """The crew says so."""
    VERIFIED = "verified"
    """The probes agree."""
    CLOSED = "closed"
    CANCELLED = "cancelled"


UNSTARTED = frozenset({OrderState.NEW, OrderState.ASSIGNED})
"""Nobody has said yet that they go."""

OVER = frozenset({OrderState.VERIFIED, OrderState.CLOSED, OrderState.CANCELLED})
"""There is nothing left to do for a crew."""

FINAL = frozenset({OrderState.CLOSED, OrderState.CANCELLED})

NO_INCIDENT = 0
"""What stands for the incident of an order that a person opened where there is none. No incident has this number."""


class HoldReason(StrEnum):
    """Why a crew can't go on: what is not in the contractor's hands."""

    POWER_COMPANY = "power_company"
    THIRD_PARTY_LINK = "third_party_link"
    PLANNED_WINDOW = "planned_window"
    VANDALISM_CLAIM = "vandalism_claim"
    ACCESS_REFUSED = "access_refused"


class CancelReason(StrEnum):
    """Why nobody needs to go."""

    EXPLAINED = "explained"
    """Another incident turned out to be the cause: its order is the one."""
    NOT_MEASURED = "not_measured"
    """The device is not watched any more, so nothing can be proven."""
    MISTAKEN = "mistaken"
    DUPLICATE = "duplicate"
    OTHER = "other"


class Phase(StrEnum):
    """What a crew has to do by a deadline."""

    ACCEPT = "accept"
    ARRIVE = "arrive"
    REPAIR = "repair"


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds of contractor time that each phase may take, from when the order was sent."""

    accept: float
    arrive: float
    repair: float


@dataclass(frozen=True, slots=True)
class Due:
    """When each phase is overdue; None: not while the order is on hold."""

    accept: datetime | None = None
    arrive: datetime | None = None
    repair: datetime | None = None

    def of(self, phase: Phase) -> datetime | None:
        found: datetime | None = getattr(self, phase.value)
        return found


@dataclass(frozen=True, slots=True)
class Hold:
    """A pause of the contractor's clock. ``until`` None: it lasts."""

    reason: HoldReason
    by: str
    since: datetime
    until: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Rating:
    """What whoever closed an order thinks of the work: 1 to 5 stars, 5 is best."""

    stars: int
    by: str
    at: datetime
    remark: str = ""


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """One order. There is one for each cause, however often it comes back within the time set for that.

    ``incident`` is the newest incident that it is about (NO_INCIDENT: a person opened it, for none); ``scope``,
    ``about``, ``cause``, ``area`` and ``symptoms`` are that incident's, ``affected`` counts the devices lost behind it.
    ``crew`` may be empty: anybody of ``contractor`` may take it. ``sent_at`` is when the contractor's clock began: with
    the opening, each return of the fault and each change of contractor; ``due`` follows from it by ``deadlines``,
    ``calendar`` (a name) and ``holds``.

    ``accepted_at``, ``arrived_at`` and ``fixed_at`` are the crew's word since then, ``recovered_at`` when the incident
    ended: without ``fixed_at``, it recovered by itself. ``held_from`` is the state that a hold goes back to.
    ``overdue`` are the phases for which somebody was told since ``sent_at``, ``escalations`` counts all. ``repeats``
    counts how often the fault was back after it was mended. ``version`` grows with each change.
    """

    id: int
    incident: int
    scope: Scope
    about: str
    cause: Cause
    severity: Severity
    opened_at: datetime
    sent_at: datetime
    deadlines: Deadlines
    state: OrderState = OrderState.NEW
    area: str = ""
    contractor: str = ""
    crew: str = ""
    calendar: str = ""
    due: Due = Due()
    symptoms: tuple[Subject, ...] = ()
    affected: int = 0
    accepted_at: datetime | None = None
    arrived_at: datetime | None = None
    fixed_at: datetime | None = None
    recovered_at: datetime | None = None
    verified_at: datetime | None = None
    closed_at: datetime | None = None
    """When it was closed or cancelled."""
    held_from: OrderState | None = None
    holds: tuple[Hold, ...] = ()
    cancelled: CancelReason | None = None
    overdue: tuple[Phase, ...] = ()
    escalations: int = 0
    repeats: int = 0
    rating: Rating | None = None
    started: datetime | None = None
    """The first loss: when the outage that it is about now began."""
    version: int = 1

    @property
    def by_hand(self) -> bool:
        """Whether it is about no incident: a person opened it, and nothing was found since that it could be about."""
        return self.incident == NO_INCIDENT

    @property
    def unstarted(self) -> bool:
        """Whether no crew has accepted it; what it was before, if it is on hold."""
        return (self.held_from or self.state) in UNSTARTED

    @property
    def over(self) -> bool:
        return self.state in OVER

    @property
    def by_itself(self) -> bool:
        """Whether the fault went away before any crew said that it was mended."""
        return self.recovered_at is not None and self.fixed_at is None

    def pending(self) -> tuple[Phase, ...]:
        """The phases that are still to be done, as far as the crew's word goes."""
        if self.over or self.state is OrderState.FIXED:
            return ()
        done = {Phase.ACCEPT: self.accepted_at, Phase.ARRIVE: self.arrived_at, Phase.REPAIR: self.fixed_at}
        return tuple(phase for phase in Phase if done[phase] is None)

    def late(self) -> tuple[Phase, ...]:
        """The phases that are overdue and still to be done; none once the fault is gone."""
        pending = () if self.recovered_at is not None else self.pending()
        return tuple(phase for phase in pending if phase in self.overdue)


class OrderStep(StrEnum):
    """What can happen to an order: the steps of its time line."""

    OPENED = "opened"
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    ARRIVED = "arrived"
    HELD = "held"
    RESUMED = "resumed"
    FIXED = "fixed"
    NOT_FIXED = "not_fixed"
    """The crew said that it is mended, and the probes do not agree."""
    RECOVERED = "recovered"
    """The incident is over, though no crew has said so."""
    RETURNED = "returned"
    """The fault is back while the order was still open."""
    VERIFIED = "verified"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    REOPENED = "reopened"
    ESCALATED = "escalated"
    CHANGED = "changed"
    """Its incident has another cause, severity or extent."""
    NOTED = "noted"
    RATED = "rated"


@dataclass(frozen=True, slots=True)
class OrderChange:
    """One step of one order: a row of its time line, and what notices are derived from.

    ``order`` is how it stands after the step; ``actor`` who did it (empty: the service); ``values`` what a text of the
    step says besides, by name (a reason, a phase, a crew); ``note`` what somebody wrote.
    """

    step: OrderStep
    at: datetime
    order: WorkOrder
    actor: str = ""
    values: Mapping[str, str | int] = field(default_factory=dict)
    note: str = ""

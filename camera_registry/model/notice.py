"""Notices: what people are owed to be told about incidents, each to one channel, until it is delivered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from camera_registry.model.incident import Severity


class Occasion(StrEnum):
    """Why a notice is sent: a step of an incident, or something that became due."""

    OPENED = "opened"
    CAUSE_CHANGED = "cause_changed"
    SEVERITY_CHANGED = "severity_changed"
    FLAPPING_BEGAN = "flapping_began"
    FLAPPING_ENDED = "flapping_ended"
    UNEXPLAINED = "unexplained"
    UNMUTED = "unmuted"
    RESOLVED = "resolved"
    ESCALATED = "escalated"
    """Nobody has acknowledged it in time."""
    REPEATED = "repeated"
    """It is still open, and nobody has acknowledged it."""
    TEST = "test"
    """Somebody tries the channel."""
    ORDER_OPENED = "order_opened"
    """Somebody is sent, for the first time or again."""
    ORDER_ASSIGNED = "order_assigned"
    """Somebody else is sent."""
    ORDER_HELD = "order_held"
    ORDER_FIXED = "order_fixed"
    """The crew says so; the probes are asked next."""
    ORDER_OVERDUE = "order_overdue"
    """A crew has not done something by its deadline: whoever is responsible pushes."""
    ORDER_VERIFIED = "order_verified"
    ORDER_CLOSED = "order_closed"
    """Closed or cancelled."""


class NoticeState(StrEnum):
    """Where a notice stands."""

    PENDING = "pending"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"
    """The channel refused it for good; somebody may have it tried again."""
    MUTED = "muted"
    """There was nothing to tell any more, or a parent or planned work spoke for it."""


WAITING = (Occasion.ESCALATED, Occasion.REPEATED)
"""What is owed for later, and only if nobody takes care of the incident until then."""

OF_ORDERS = tuple(occasion for occasion in Occasion if occasion.value.startswith("order_"))
"""Steps of work orders; the others are of incidents."""

Values = Mapping[str, str | int | bool | None]


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to be told to one channel.

    ``key`` is the same however often it is owed, so that it is kept once. ``not_before`` is when it is due;
    ``grouping`` joins notices that may go in one message. ``batch`` is the message it goes or went in: the key by which
    a receiver knows a message that it has already. ``values`` fill the texts, which are written in the language of the
    channel. ``follows``: only for channels that were told of the incident before.
    """

    key: str
    channel: str
    occasion: Occasion
    severity: Severity
    created_at: datetime
    not_before: datetime
    incident: int | None = None
    values: Values = field(default_factory=dict)
    grouping: str = ""
    state: NoticeState = NoticeState.PENDING
    follows: bool = False
    attempts: int = 0
    error: str = ""
    batch: str = ""
    finished_at: datetime | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """What goes in one message. ``notices`` are the first of ``total``, the worst first in a digest; ``counts`` tells
    all of them by occasion and severity. ``key`` stays the same through retries and crashes."""

    key: str
    channel: str
    notices: tuple[Notice, ...]
    total: int
    counts: Mapping[tuple[Occasion, Severity], int]
    attempts: int
    digest: bool = False

    @property
    def severity(self) -> Severity:
        """The worst of them."""
        return min(severity for _, severity in self.counts)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt to send a message: a row of the delivery log. ``result`` is delivered, retry or failed."""

    batch: str
    channel: str
    at: datetime
    took: float
    result: str
    notices: int
    error: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True)
class Owing:
    """What is owed to one channel: how many notices, how many failed for good, and when the next is due."""

    pending: int
    failed: int
    next: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a channel does, for people. ``failures`` in a row, and why the last one; ``kind`` is empty where a channel is
    no longer in the settings and only its debts are left."""

    name: str
    kind: str
    owing: Owing
    failures: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of the local day, in minutes since midnight, in which only what is ``unless`` or worse is told. A span may
    cross midnight."""

    begins: int
    ends: int


@dataclass(frozen=True, slots=True)
class Audience:
    """Which incidents a channel is told of, and when.

    ``severity`` is the least it hears of; ``areas`` (with all beneath them), ``causes`` and ``site_categories`` leave
    everything in when empty. ``after``: seconds that an incident may stay unacknowledged before this channel hears of
    it (0: at once). ``repeat``: seconds after which an unacknowledged one is told again (0: never). ``group_wait``:
    seconds that a notice waits for others of its kind. ``digest``: so many waiting notices go as one digest (0: never).
    """

    channel: str
    severity: Severity = Severity.P4
    areas: frozenset[str] = frozenset()
    causes: frozenset[str] = frozenset()
    site_categories: frozenset[str] = frozenset()
    after: float = 0
    repeat: float = 0
    group_wait: float = 20
    digest: int = 50
    resolved: bool = True
    quiet: tuple[Quiet, ...] = ()
    quiet_unless: Severity = Severity.P1
    zone: str = "UTC"
    orders: frozenset[Occasion] = frozenset({Occasion.ORDER_OVERDUE})
    """Which steps of work orders it is told; the incident's own notice carries the order's number anyway."""

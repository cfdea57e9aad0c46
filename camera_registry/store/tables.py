"""The tables, in one place: what ``migrations`` builds step by step, and what every statement names.

Items of the register have the fields of the vocabulary plus ``version`` (grows with each edit) and ``changed_at``.
References between items are checked when a transaction commits, so a batch may come in any order.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, LargeBinary, String, Table, Text
from sqlmodel import Field, SQLModel

from camera_registry.model.device import Kind, Life, TlsUse, TrafficKind
from camera_registry.model.discovery import ProposalKind, ProposalState
from camera_registry.model.health import Aspect, Cause, State
from camera_registry.model.incident import Scope, Severity, Step
from camera_registry.model.maintenance import WindowKind
from camera_registry.model.notice import NoticeState, Occasion
from camera_registry.model.people import Role
from camera_registry.model.place import SiteCategory
from camera_registry.store.columns import Instant, Json, Reference, Word, Words

_BIG = BigInteger().with_variant(Integer, "sqlite")


def _key() -> Any:
    return Field(sa_column=Column(String, primary_key=True))


def _text() -> Any:
    return Field(default="", sa_column=Column(Text, nullable=False))


def _reference(target: str, *, index: bool = False, required: bool = False) -> Any:
    key = ForeignKey(target, deferrable=True, initially="DEFERRED")
    return Field(default="", sa_column=Column(Reference, key, index=index, nullable=not required))


def _instant(*, optional: bool = False, index: bool = False) -> Any:
    return Field(sa_column=Column(Instant, nullable=optional, index=index))


def _word(words: Any, *, optional: bool = False) -> Any:
    return Field(sa_column=Column(Word(words), nullable=optional))


def _number() -> Any:
    return Field(default=None, sa_column=Column(Float, nullable=True))


def _words() -> Any:
    return Field(default=(), sa_column=Column(Words, nullable=False))


def _serial() -> Any:
    # SQLite gives rising numbers only to a column of exactly the type INTEGER (64 bits there).
    return Field(default=None, sa_column=Column(_BIG, primary_key=True, autoincrement=True))


class AreaRow(SQLModel, table=True):
    __tablename__ = "area"
    id: str = _key()
    name: str = _text()
    parent: str = _reference("area.id", index=True)
    level: str = _text()
    contact: str = _text()
    version: int = 1
    changed_at: datetime = _instant()


class SiteRow(SQLModel, table=True):
    __tablename__ = "site"
    id: str = _key()
    name: str = _text()
    category: SiteCategory = _word(SiteCategory)
    area: str = _reference("area.id", index=True)
    longitude: float | None = _number()
    latitude: float | None = _number()
    polygon: str = _text()
    required_availability: float | None = _number()
    hours: str = _text()
    version: int = 1
    changed_at: datetime = _instant()


class ViewRow(SQLModel, table=True):
    __tablename__ = "view"
    id: str = _key()
    site: str = _reference("site.id", index=True, required=True)
    name: str = _text()
    channels: tuple[str, ...] = _words()
    version: int = 1
    changed_at: datetime = _instant()


class DeviceRow(SQLModel, table=True):
    __tablename__ = "device"
    id: str = _key()
    kind: Kind = _word(Kind)
    name: str = _text()
    host: str = _text()
    life: Life = _word(Life)
    traffic_kind: TrafficKind | None = _word(TrafficKind, optional=True)
    national_code: str = Field(default="", sa_column=Column(Text, nullable=False, index=True))
    area: str = _reference("area.id", index=True)
    site: str = _reference("site.id", index=True)
    parent: str = _reference("device.id", index=True)
    backup_parent: str = _reference("device.id", index=True)
    parent_port: str = _text()
    credential: str = _reference("credential.id", index=True)
    onvif_credential: str = _reference("credential.id", index=True)
    snmp_credential: str = _reference("credential.id", index=True)
    probes: tuple[str, ...] = _words()
    interval: float | None = _number()
    tcp_port: int = 0
    onvif_port: int = 80
    onvif_path: str = _text()
    rtsp_port: int = 554
    http_port: int = 80
    http_path: str = _text()
    tls: TlsUse = _word(TlsUse)
    tls_port: int = 0
    certificate: str = _text()
    snmp_port: int = 0
    manufacturer: str = _text()
    model: str = _text()
    serial: str = _text()
    firmware: str = _text()
    mac: str = _text()
    longitude: float | None = _number()
    latitude: float | None = _number()
    mounting: str = _text()
    height: float | None = _number()
    azimuth: float | None = _number()
    view_angle: float | None = _number()
    view_range: float | None = _number()
    pole: str = _text()
    power_source: str = _text()
    owner: str = _text()
    contractor: str = _reference("contractor.id", index=True)
    contract_end: date | None = None
    warranty_end: date | None = None
    installed: date | None = None
    tags: tuple[str, ...] = _words()
    note: str = _text()
    version: int = 1
    changed_at: datetime = _instant()


class ChannelRow(SQLModel, table=True):
    __tablename__ = "channel"
    id: str = _key()
    device: str = _reference("device.id", index=True, required=True)
    number: int = 1
    name: str = _text()
    token: str = _text()
    rtsp_path: str = _text()
    snapshot_path: str = _text()
    version: int = 1
    changed_at: datetime = _instant()


class ContractorRow(SQLModel, table=True):
    __tablename__ = "contractor"
    id: str = _key()
    name: str = _text()
    contact: str = _text()
    version: int = 1
    changed_at: datetime = _instant()


class CrewRow(SQLModel, table=True):
    __tablename__ = "crew"
    id: str = _key()
    name: str = _text()
    contractor: str = _reference("contractor.id", index=True)
    area: str = _reference("area.id", index=True)
    contact: str = _text()
    version: int = 1
    changed_at: datetime = _instant()


class ChangeRow(SQLModel, table=True):
    """Every edit of every item; append-only."""

    __tablename__ = "change"
    __table_args__ = (Index("ix_change_item", "kind", "item", "id"),)
    id: int | None = _serial()
    kind: str
    item: str
    before: Any = Field(sa_column=Column(Json, nullable=True))
    after: Any = Field(sa_column=Column(Json, nullable=True))
    author: str
    at: datetime = _instant()


class CounterRow(SQLModel, table=True):
    """Numbers that only grow: the version of the register, the newest row of the audit trail."""

    __tablename__ = "counter"
    name: str = _key()
    value: int


class CredentialRow(SQLModel, table=True):
    """User name and password, sealed together. Nothing here can be read without the key file."""

    __tablename__ = "credential"
    id: str = _key()
    version: int
    key: str = Field(description="which key sealed it: the first digits of the key's own hash")
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    changed_at: datetime = _instant()


class StateRow(SQLModel, table=True):
    """What is held true of each aspect now."""

    __tablename__ = "aspect_state"
    device: str = _key()
    aspect: Aspect = Field(sa_column=Column(Word(Aspect), primary_key=True))
    channel: str = _key()
    state: State = _word(State)
    settled: State = _word(State)
    was: State = _word(State)
    since: datetime | None = _instant(optional=True)
    cause: Cause | None = _word(Cause, optional=True)
    detail: str = _text()
    run: int
    run_cause: Cause | None = _word(Cause, optional=True)
    run_at: datetime | None = _instant(optional=True)
    read_at: datetime | None = _instant(optional=True)
    good: bool | None = Field(sa_column=Column(Boolean, nullable=True))
    changes: int


class SeenRow(SQLModel, table=True):
    """The newest run of each probe, so that a restart still shows what devices said of themselves."""

    __tablename__ = "probe_seen"
    device: str = _key()
    channel: str = _key()
    probe: str = _key()
    at: datetime = _instant()
    took: float
    failure: Any = Field(sa_column=Column(Json, nullable=True))
    last_success: datetime | None = _instant(optional=True)
    facts: Any = Field(sa_column=Column(Json, nullable=False))


class FlipRow(SQLModel, table=True):
    """Confirmed changes of state: the history. It outlives the device it tells of."""

    __tablename__ = "flip"
    __table_args__ = (
        Index("ix_flip_device", "device", "id"),
        Index("ix_flip_subject", "device", "channel", "aspect", "at"),
    )
    id: int | None = _serial()
    device: str
    channel: str
    aspect: Aspect = _word(Aspect)
    before: State = _word(State)
    after: State = _word(State)
    at: datetime = _instant(index=True)
    confirmed_at: datetime = _instant()
    cause: Cause | None = _word(Cause, optional=True)
    detail: str = _text()


class IncidentRow(SQLModel, table=True):
    """Incidents, open and over. They outlive the devices they tell of."""

    __tablename__ = "incident"
    __table_args__ = (
        Index("ix_incident_ended", "ended", "id"),
        Index("ix_incident_about", "about", "id"),
        Index("ix_incident_area", "area", "id"),
    )
    id: int = Field(sa_column=Column(_BIG, primary_key=True, autoincrement=False))
    scope: Scope = _word(Scope)
    about: str
    cause: Cause = _word(Cause)
    severity: Severity = _word(Severity)
    started: datetime = _instant(index=True)
    confirmed_at: datetime = _instant()
    opened_at: datetime = _instant()
    area: str
    detail: str = _text()
    ended: datetime | None = _instant(optional=True)
    flapping: bool
    symptoms: Any = Field(sa_column=Column(Json, nullable=False))
    causes: Any = Field(sa_column=Column(Json, nullable=False))
    spans: Any = Field(sa_column=Column(Json, nullable=False))
    parent: int | None = Field(sa_column=Column(_BIG, nullable=True, index=True))
    window: int | None = Field(sa_column=Column("window_id", _BIG, nullable=True))
    affected: int
    acknowledged: Any = Field(sa_column=Column(Json, nullable=True))
    assignee: str
    version: int


class IncidentStepRow(SQLModel, table=True):
    """The time line of incidents: every step, never changed."""

    __tablename__ = "incident_step"
    id: int | None = _serial()
    incident: int = Field(sa_column=Column(_BIG, ForeignKey("incident.id"), nullable=False, index=True))
    step: Step = _word(Step)
    at: datetime = _instant()
    cause: Cause = _word(Cause)
    severity: Severity = _word(Severity)
    actor: str
    other: int | None = Field(sa_column=Column(_BIG, nullable=True))
    text: str = _text()


class AffectedRow(SQLModel, table=True):
    """The devices lost behind an incident about something else, each time they were."""

    __tablename__ = "incident_device"
    incident: int = Field(sa_column=Column(_BIG, ForeignKey("incident.id"), primary_key=True, autoincrement=False))
    device: str = Field(sa_column=Column(String, primary_key=True, index=True))
    since: datetime = Field(sa_column=Column(Instant, primary_key=True))
    until: datetime | None = _instant(optional=True)


class WindowRow(SQLModel, table=True):
    """Maintenance windows, cancelled ones too."""

    __tablename__ = "maintenance_window"
    id: int | None = _serial()
    kind: WindowKind = _word(WindowKind)
    cover: Any = Field(sa_column=Column(Json, nullable=False))
    begins: datetime = _instant()
    ends: datetime | None = _instant(optional=True)
    lasts: float
    schedule: str
    zone: str
    began: datetime | None = _instant(optional=True)
    reason: str = _text()
    author: str
    created_at: datetime = _instant()
    cancelled_at: datetime | None = _instant(optional=True)
    cancelled_by: str


class NoticeRow(SQLModel, table=True):
    """The outbox: what is owed to channels, and what they were told."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_due", "state", "channel", "not_before"),
        Index("ix_notice_incident", "incident", "channel"),
        Index("ix_notice_batch", "batch"),
    )
    id: int | None = _serial()
    key: str = Field(sa_column=Column(String, nullable=False, unique=True))
    channel: str
    incident: int | None = Field(sa_column=Column(_BIG, nullable=True))
    occasion: Occasion = _word(Occasion)
    severity: Severity = _word(Severity)
    created_at: datetime = _instant()
    not_before: datetime = _instant()
    grouping: str
    state: NoticeState = _word(NoticeState)
    attempts: int
    error: str = _text()
    batch: str
    digest: bool
    leased_until: datetime | None = _instant(optional=True)
    finished_at: datetime | None = _instant(optional=True)
    told: Any = Field(sa_column=Column(Json, nullable=False))


class DeliveryRow(SQLModel, table=True):
    """The delivery log: every attempt to send a message."""

    __tablename__ = "delivery"
    id: int | None = _serial()
    batch: str
    channel: str
    at: datetime = _instant(index=True)
    took: float
    result: str
    notices: int
    error: str = _text()


class AccountRow(SQLModel, table=True):
    """Somebody who signs in."""

    __tablename__ = "account"
    name: str = _key()
    role: Role = _word(Role)
    language: str
    active: bool
    password_hash: str
    created_at: datetime = _instant()


class SessionRow(SQLModel, table=True):
    """Signed-in browsers. The cookie's value is not here, only its hash."""

    __tablename__ = "session"
    token_hash: str = _key()
    account: str = Field(
        sa_column=Column(String, ForeignKey("account.name", ondelete="CASCADE"), nullable=False, index=True)
    )
    csrf: str
    address: str
    created_at: datetime = _instant()
    seen_at: datetime = _instant()


class TokenRow(SQLModel, table=True):
    """Keys for programs. ``prefix`` is what people see in lists; the secret is not here, only its hash."""

    __tablename__ = "token"
    prefix: str = _key()
    token_hash: str = Field(sa_column=Column(String, nullable=False, unique=True))
    name: str
    role: Role = _word(Role)
    created_by: str
    created_at: datetime = _instant()
    expires_at: datetime | None = _instant(optional=True)
    used_at: datetime | None = _instant(optional=True)


class SetupRow(SQLModel, table=True):
    """One-time set-up tokens, until the first administrator exists."""

    __tablename__ = "setup"
    token_hash: str = _key()
    created_at: datetime = _instant()


class LoginFailureRow(SQLModel, table=True):
    """Failed sign-ins in a row, per account and per address (``subject`` says which)."""

    __tablename__ = "login_failure"
    subject: str = _key()
    failures: int
    at: datetime = _instant()


class ProposalRow(SQLModel, table=True):
    """What a search proposed to change in the register, and what people made of it."""

    __tablename__ = "proposal"
    id: int | None = _serial()
    key: str = Field(sa_column=Column(String, nullable=False, unique=True))
    kind: ProposalKind = _word(ProposalKind)
    device: str
    address: str
    fingerprint: str
    evidence: Any = Field(sa_column=Column(Json, nullable=False))
    state: ProposalState = Field(sa_column=Column(Word(ProposalState), nullable=False, index=True))
    reason: str = _text()
    first_seen: datetime = _instant()
    last_seen: datetime = _instant()
    decided_at: datetime | None = _instant(optional=True)
    decided_by: str = _text()


class AuditRow(SQLModel, table=True):
    """Who did what; append-only, each row sealed with the hash of the one before."""

    __tablename__ = "audit"
    id: int = Field(sa_column=Column(_BIG, primary_key=True, autoincrement=False))
    at: datetime = _instant(index=True)
    actor: str
    action: str
    about: str = Field(index=True)
    detail: str = _text()
    previous: str
    hash: str


def table(row: type[SQLModel]) -> Table:
    """The core table behind a row class."""
    found = row.__table__  # type: ignore[attr-defined]  # SQLModel sets it on classes with table=True
    assert isinstance(found, Table)
    return found


METADATA = SQLModel.metadata

ITEMS: dict[str, Table] = {
    "area": table(AreaRow),
    "site": table(SiteRow),
    "view": table(ViewRow),
    "device": table(DeviceRow),
    "channel": table(ChannelRow),
    "contractor": table(ContractorRow),
    "crew": table(CrewRow),
}
"""The table of each kind of item, by the kind's name."""

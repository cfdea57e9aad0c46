"""The tables, but those of incidents and orders: what ``migrations`` builds step by step, and what statements name.

Items of the register have the fields of the vocabulary plus ``version`` (grows with each edit) and ``changed_at``.
References between items are checked when a transaction commits, so a batch may come in any order.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, Column, ForeignKey, Index, LargeBinary, String, Table, Text
from sqlmodel import Field, SQLModel

from camera_registry.model.baseline import Regime
from camera_registry.model.device import Kind, Life, TlsUse, TrafficKind
from camera_registry.model.discovery import ProposalKind, ProposalState
from camera_registry.model.health import Aspect, Cause, State
from camera_registry.model.people import Role
from camera_registry.model.place import SiteCategory
from camera_registry.store import (
    attachment_tables,
    fields,
    incident_tables,
    order_tables,
    picture_tables,
    rate_tables,
    recording_tables,
)
from camera_registry.store.columns import Json, Word


class AreaRow(SQLModel, table=True):
    __tablename__ = "area"
    id: str = fields.key()
    name: str = fields.text()
    parent: str = fields.reference("area.id", index=True)
    level: str = fields.text()
    contact: str = fields.text()
    version: int = 1
    changed_at: datetime = fields.instant()


class SiteRow(SQLModel, table=True):
    __tablename__ = "site"
    id: str = fields.key()
    name: str = fields.text()
    category: SiteCategory = fields.word(SiteCategory)
    area: str = fields.reference("area.id", index=True)
    longitude: float | None = fields.number()
    latitude: float | None = fields.number()
    polygon: str = fields.text()
    required_availability: float | None = fields.number()
    hours: str = fields.text()
    interval: float | None = fields.number()
    version: int = 1
    changed_at: datetime = fields.instant()


class BuildingRow(SQLModel, table=True):
    __tablename__ = "building"
    id: str = fields.key()
    name: str = fields.text()
    polygon: str = fields.text()
    version: int = 1
    changed_at: datetime = fields.instant()


class ViewRow(SQLModel, table=True):
    __tablename__ = "view"
    id: str = fields.key()
    site: str = fields.reference("site.id", index=True, required=True)
    name: str = fields.text()
    channels: tuple[str, ...] = fields.words()
    version: int = 1
    changed_at: datetime = fields.instant()


class DeviceRow(SQLModel, table=True):
    __tablename__ = "device"
    id: str = fields.key()
    kind: Kind = fields.word(Kind)
    name: str = fields.text()
    host: str = fields.text()
    life: Life = fields.word(Life)
    traffic_kind: TrafficKind | None = fields.word(TrafficKind, optional=True)
    national_code: str = Field(default="", sa_column=Column(Text, nullable=False, index=True))
    area: str = fields.reference("area.id", index=True)
    site: str = fields.reference("site.id", index=True)
    parent: str = fields.reference("device.id", index=True)
    backup_parent: str = fields.reference("device.id", index=True)
    parent_port: str = fields.text()
    credential: str = fields.reference("credential.id", index=True)
    onvif_credential: str = fields.reference("credential.id", index=True)
    snmp_credential: str = fields.reference("credential.id", index=True)
    probes: tuple[str, ...] = fields.words()
    interval: float | None = fields.number()
    tcp_port: int = 0
    onvif_port: int = 80
    onvif_path: str = fields.text()
    rtsp_port: int = 554
    http_port: int = 80
    http_path: str = fields.text()
    tls: TlsUse = fields.word(TlsUse)
    tls_port: int = 0
    certificate: str = fields.text()
    snmp_port: int = 0
    manufacturer: str = fields.text()
    model: str = fields.text()
    serial: str = fields.text()
    firmware: str = fields.text()
    mac: str = fields.text()
    longitude: float | None = fields.number()
    latitude: float | None = fields.number()
    mounting: str = fields.text()
    height: float | None = fields.number()
    azimuth: float | None = fields.number()
    view_angle: float | None = fields.number()
    view_range: float | None = fields.number()
    pole: str = fields.text()
    power_source: str = fields.text()
    owner: str = fields.text()
    contractor: str = fields.reference("contractor.id", index=True)
    contract_end: date | None = None
    warranty_end: date | None = None
    installed: date | None = None
    tags: tuple[str, ...] = fields.words()
    note: str = fields.text()
    version: int = 1
    changed_at: datetime = fields.instant()


class ChannelRow(SQLModel, table=True):
    __tablename__ = "channel"
    id: str = fields.key()
    device: str = fields.reference("device.id", index=True, required=True)
    number: int = 1
    name: str = fields.text()
    token: str = fields.text()
    rtsp_path: str = fields.text()
    snapshot_path: str = fields.text()
    masks: tuple[str, ...] = fields.words()
    osd_box: str = fields.text()
    osd_format: str = fields.text()
    osd_zone: str = fields.text()
    may_move: bool | None = None
    version: int = 1
    changed_at: datetime = fields.instant()


class ContractorRow(SQLModel, table=True):
    __tablename__ = "contractor"
    id: str = fields.key()
    name: str = fields.text()
    contact: str = fields.text()
    version: int = 1
    changed_at: datetime = fields.instant()


class CrewRow(SQLModel, table=True):
    __tablename__ = "crew"
    id: str = fields.key()
    name: str = fields.text()
    contractor: str = fields.reference("contractor.id", index=True)
    area: str = fields.reference("area.id", index=True)
    contact: str = fields.text()
    version: int = 1
    changed_at: datetime = fields.instant()


class ChangeRow(SQLModel, table=True):
    """Every edit of every item; append-only."""

    __tablename__ = "change"
    __table_args__ = (Index("ix_change_item", "kind", "item", "id"),)
    id: int | None = fields.serial()
    kind: str
    item: str
    before: Any = Field(sa_column=Column(Json, nullable=True))
    after: Any = Field(sa_column=Column(Json, nullable=True))
    author: str
    at: datetime = fields.instant()


class CounterRow(SQLModel, table=True):
    """Numbers that only grow: the version of the register, the newest row of the audit trail."""

    __tablename__ = "counter"
    name: str = fields.key()
    value: int


class CredentialRow(SQLModel, table=True):
    """User name and password, sealed together. Nothing here can be read without the key file."""

    __tablename__ = "credential"
    id: str = fields.key()
    version: int
    key: str = Field(description="which key sealed it: the first digits of the key's own hash")
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    changed_at: datetime = fields.instant()


class StateRow(SQLModel, table=True):
    """What is held true of each aspect now."""

    __tablename__ = "aspect_state"
    device: str = fields.key()
    aspect: Aspect = Field(sa_column=Column(Word(Aspect), primary_key=True))
    channel: str = fields.key()
    state: State = fields.word(State)
    settled: State = fields.word(State)
    was: State = fields.word(State)
    since: datetime | None = fields.instant(optional=True)
    cause: Cause | None = fields.word(Cause, optional=True)
    detail: str = fields.text()
    run: int
    run_cause: Cause | None = fields.word(Cause, optional=True)
    run_at: datetime | None = fields.instant(optional=True)
    read_at: datetime | None = fields.instant(optional=True)
    good: bool | None = Field(sa_column=Column(Boolean, nullable=True))
    changes: int


class SeenRow(SQLModel, table=True):
    """The newest run of each probe, so that a restart still shows what devices said of themselves."""

    __tablename__ = "probe_seen"
    device: str = fields.key()
    channel: str = fields.key()
    probe: str = fields.key()
    at: datetime = fields.instant()
    took: float
    failure: Any = Field(sa_column=Column(Json, nullable=True))
    last_success: datetime | None = fields.instant(optional=True)
    facts: Any = Field(sa_column=Column(Json, nullable=False))


class FlipRow(SQLModel, table=True):
    """Confirmed changes of state: the history. It outlives the device it tells of."""

    __tablename__ = "flip"
    __table_args__ = (
        Index("ix_flip_device", "device", "id"),
        Index("ix_flip_subject", "device", "channel", "aspect", "at", "after"),
    )
    id: int | None = fields.serial()
    device: str
    channel: str
    aspect: Aspect = fields.word(Aspect)
    before: State = fields.word(State)
    after: State = fields.word(State)
    at: datetime = fields.instant(index=True)
    confirmed_at: datetime = fields.instant()
    cause: Cause | None = fields.word(Cause, optional=True)
    detail: str = fields.text()


class AccountRow(SQLModel, table=True):
    """Somebody who signs in."""

    __tablename__ = "account"
    name: str = fields.key()
    role: Role = fields.word(Role)
    language: str
    active: bool
    password_hash: str
    created_at: datetime = fields.instant()
    crew: str = fields.reference("crew.id", index=True)


class SessionRow(SQLModel, table=True):
    """Signed-in browsers. The cookie's value is not here, only its hash."""

    __tablename__ = "session"
    token_hash: str = fields.key()
    account: str = Field(
        sa_column=Column(String, ForeignKey("account.name", ondelete="CASCADE"), nullable=False, index=True)
    )
    csrf: str
    address: str
    created_at: datetime = fields.instant()
    seen_at: datetime = fields.instant()


class TokenRow(SQLModel, table=True):
    """Keys for programs. ``prefix`` is what people see in lists; the secret is not here, only its hash."""

    __tablename__ = "token"
    prefix: str = fields.key()
    token_hash: str = Field(sa_column=Column(String, nullable=False, unique=True))
    name: str
    role: Role = fields.word(Role)
    created_by: str
    created_at: datetime = fields.instant()
    expires_at: datetime | None = fields.instant(optional=True)
    used_at: datetime | None = fields.instant(optional=True)


class SetupRow(SQLModel, table=True):
    """One-time set-up tokens, until the first administrator exists."""

    __tablename__ = "setup"
    token_hash: str = fields.key()
    created_at: datetime = fields.instant()


class LoginFailureRow(SQLModel, table=True):
    """Failed sign-ins in a row, per account and per address (``subject`` says which)."""

    __tablename__ = "login_failure"
    subject: str = fields.key()
    failures: int
    at: datetime = fields.instant()


class ProposalRow(SQLModel, table=True):
    """What a search proposed to change in the register, and what people made of it."""

    __tablename__ = "proposal"
    id: int | None = fields.serial()
    key: str = Field(sa_column=Column(String, nullable=False, unique=True))
    kind: ProposalKind = fields.word(ProposalKind)
    device: str
    address: str
    fingerprint: str
    evidence: Any = Field(sa_column=Column(Json, nullable=False))
    state: ProposalState = Field(sa_column=Column(Word(ProposalState), nullable=False, index=True))
    reason: str = fields.text()
    first_seen: datetime = fields.instant()
    last_seen: datetime = fields.instant()
    decided_at: datetime | None = fields.instant(optional=True)
    decided_by: str = fields.text()


class BaselineRow(SQLModel, table=True):
    """Pictures that were accepted as showing how a view is meant to look; the files lie beside the database."""

    __tablename__ = "baseline"
    __table_args__ = (Index("ix_baseline_channel", "device", "channel"),)
    id: int | None = fields.serial()
    device: str
    channel: str
    regime: Regime = fields.word(Regime)
    taken_at: datetime = fields.instant()
    picture: str
    by: str
    accepted_at: datetime = fields.instant()
    reason: str = fields.text()
    masks: tuple[str, ...] = fields.words()


class MaskingRow(SQLModel, table=True):
    """Channels whose kept pictures must be looked through, for their masks or they themselves have changed."""

    __tablename__ = "masking"
    device: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)


class AuditRow(SQLModel, table=True):
    """Who did what; append-only, each row sealed with the hash of the one before."""

    __tablename__ = "audit"
    id: int = Field(sa_column=Column(fields.BIG, primary_key=True, autoincrement=False))
    at: datetime = fields.instant(index=True)
    actor: str
    action: str
    about: str = Field(index=True)
    detail: str = fields.text()
    previous: str
    hash: str


def table(row: type[SQLModel]) -> Table:
    """The core table behind a row class."""
    found = row.__table__  # type: ignore[attr-defined]  # SQLModel sets it on classes with table=True
    assert isinstance(found, Table)
    return found


METADATA = incident_tables.IncidentRow.metadata
"""All tables, those of incidents and of work orders too."""
assert order_tables.WorkOrderRow.metadata is METADATA
assert picture_tables.PictureDayRow.metadata is METADATA
assert rate_tables.RateDayRow.metadata is METADATA
assert attachment_tables.AttachmentRow.metadata is METADATA
assert recording_tables.RecordingRow.metadata is METADATA

ITEMS: dict[str, Table] = {
    "area": table(AreaRow),
    "site": table(SiteRow),
    "view": table(ViewRow),
    "device": table(DeviceRow),
    "channel": table(ChannelRow),
    "contractor": table(ContractorRow),
    "crew": table(CrewRow),
    "building": table(BuildingRow),
}
"""The table of each kind of item, by the kind's name."""

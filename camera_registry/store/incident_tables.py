"""The tables of incidents, of planned work, and of what people are told of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, String
from sqlmodel import Field, SQLModel

from camera_registry.model.health import Cause
from camera_registry.model.incident import Scope, Severity, Step
from camera_registry.model.maintenance import WindowKind
from camera_registry.model.notice import NoticeState, Occasion
from camera_registry.store import fields
from camera_registry.store.columns import Instant, Json


class IncidentRow(SQLModel, table=True):
    """Incidents, open and over. They outlive the devices they tell of."""

    __tablename__ = "incident"
    __table_args__ = (
        Index("ix_incident_ended", "ended", "id"),
        Index("ix_incident_about", "about", "id"),
        Index("ix_incident_area", "area", "id"),
    )
    id: int = Field(sa_column=Column(fields.BIG, primary_key=True, autoincrement=False))
    scope: Scope = fields.word(Scope)
    about: str
    cause: Cause = fields.word(Cause)
    severity: Severity = fields.word(Severity)
    started: datetime = fields.instant(index=True)
    confirmed_at: datetime = fields.instant()
    opened_at: datetime = fields.instant()
    area: str
    detail: str = fields.text()
    ended: datetime | None = fields.instant(optional=True)
    flapping: bool
    symptoms: Any = Field(sa_column=Column(Json, nullable=False))
    causes: Any = Field(sa_column=Column(Json, nullable=False))
    spans: Any = Field(sa_column=Column(Json, nullable=False))
    parent: int | None = Field(sa_column=Column(fields.BIG, nullable=True, index=True))
    window: int | None = Field(sa_column=Column("window_id", fields.BIG, nullable=True))
    affected: int
    acknowledged: Any = Field(sa_column=Column(Json, nullable=True))
    assignee: str
    version: int


class IncidentStepRow(SQLModel, table=True):
    """The time line of incidents: every step, never changed."""

    __tablename__ = "incident_step"
    id: int | None = fields.serial()
    incident: int = Field(sa_column=Column(fields.BIG, ForeignKey("incident.id"), nullable=False, index=True))
    step: Step = fields.word(Step)
    at: datetime = fields.instant()
    cause: Cause = fields.word(Cause)
    severity: Severity = fields.word(Severity)
    actor: str
    other: int | None = Field(sa_column=Column(fields.BIG, nullable=True))
    text: str = fields.text()


class AffectedRow(SQLModel, table=True):
    """The devices lost behind an incident about something else, each time they were."""

    __tablename__ = "incident_device"
    incident: int = Field(
        sa_column=Column(fields.BIG, ForeignKey("incident.id"), primary_key=True, autoincrement=False)
    )
    device: str = Field(sa_column=Column(String, primary_key=True, index=True))
    since: datetime = Field(sa_column=Column(Instant, primary_key=True))
    until: datetime | None = fields.instant(optional=True)


class WindowRow(SQLModel, table=True):
    """Maintenance windows, cancelled ones too."""

    __tablename__ = "maintenance_window"
    id: int | None = fields.serial()
    kind: WindowKind = fields.word(WindowKind)
    cover: Any = Field(sa_column=Column(Json, nullable=False))
    begins: datetime = fields.instant()
    ends: datetime | None = fields.instant(optional=True)
    lasts: float
    schedule: str
    zone: str
    began: datetime | None = fields.instant(optional=True)
    reason: str = fields.text()
    author: str
    created_at: datetime = fields.instant()
    cancelled_at: datetime | None = fields.instant(optional=True)
    cancelled_by: str


class NoticeRow(SQLModel, table=True):
    """The outbox: what is owed to channels, and what they were told."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_due", "state", "channel", "not_before"),
        Index("ix_notice_incident", "incident", "channel"),
        Index("ix_notice_batch", "batch"),
    )
    id: int | None = fields.serial()
    key: str = Field(sa_column=Column(String, nullable=False, unique=True))
    channel: str
    incident: int | None = Field(sa_column=Column(fields.BIG, nullable=True))
    occasion: Occasion = fields.word(Occasion)
    severity: Severity = fields.word(Severity)
    created_at: datetime = fields.instant()
    not_before: datetime = fields.instant()
    grouping: str
    state: NoticeState = fields.word(NoticeState)
    attempts: int
    error: str = fields.text()
    batch: str
    digest: bool
    leased_until: datetime | None = fields.instant(optional=True)
    finished_at: datetime | None = fields.instant(optional=True)
    told: Any = Field(sa_column=Column(Json, nullable=False))


class DeliveryRow(SQLModel, table=True):
    """The delivery log: every attempt to send a message."""

    __tablename__ = "delivery"
    id: int | None = fields.serial()
    batch: str
    channel: str
    at: datetime = fields.instant(index=True)
    took: float
    result: str
    notices: int
    error: str = fields.text()

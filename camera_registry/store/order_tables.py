"""The tables of work orders."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index
from sqlmodel import Field, SQLModel

from camera_registry.model.health import Cause
from camera_registry.model.incident import Scope, Severity
from camera_registry.model.work_order import CancelReason, OrderState, OrderStep
from camera_registry.store import fields
from camera_registry.store.columns import Json


class WorkOrderRow(SQLModel, table=True):
    """Work orders, those that are over too. They outlive devices, crews and contractors."""

    __tablename__ = "work_order"
    __table_args__ = (
        Index("ix_work_order_state", "state", "id"),
        Index("ix_work_order_crew", "crew", "id"),
        Index("ix_work_order_contractor", "contractor", "opened_at"),
        Index("ix_work_order_about", "about", "id"),
    )
    id: int = Field(sa_column=Column(fields.BIG, primary_key=True, autoincrement=False))
    incident: int | None = Field(sa_column=Column(fields.BIG, ForeignKey("incident.id"), nullable=True, index=True))
    """None: a person opened it, for none."""
    scope: Scope = fields.word(Scope)
    about: str
    cause: Cause = fields.word(Cause)
    severity: Severity = fields.word(Severity)
    opened_at: datetime = fields.instant(index=True)
    sent_at: datetime = fields.instant()
    deadlines: Any = Field(sa_column=Column(Json, nullable=False))
    state: OrderState = fields.word(OrderState)
    area: str
    contractor: str
    crew: str
    calendar: str
    accept_due: datetime | None = fields.instant(optional=True)
    arrive_due: datetime | None = fields.instant(optional=True)
    repair_due: datetime | None = fields.instant(optional=True)
    symptoms: Any = Field(sa_column=Column(Json, nullable=False))
    affected: int
    accepted_at: datetime | None = fields.instant(optional=True)
    arrived_at: datetime | None = fields.instant(optional=True)
    fixed_at: datetime | None = fields.instant(optional=True)
    recovered_at: datetime | None = fields.instant(optional=True)
    verified_at: datetime | None = fields.instant(optional=True)
    closed_at: datetime | None = fields.instant(optional=True)
    held_from: OrderState | None = fields.word(OrderState, optional=True)
    holds: Any = Field(sa_column=Column(Json, nullable=False))
    cancelled: CancelReason | None = fields.word(CancelReason, optional=True)
    overdue: tuple[str, ...] = fields.words()
    escalations: int
    repeats: int
    rating: Any = Field(sa_column=Column(Json, nullable=True))
    started: datetime | None = fields.instant(optional=True)
    version: int


class WorkOrderStepRow(SQLModel, table=True):
    """The time line of work orders: every step, never changed. ``details`` fill the text of the step."""

    __tablename__ = "work_order_step"
    id: int | None = fields.serial()
    work_order: int = Field(sa_column=Column(fields.BIG, ForeignKey("work_order.id"), nullable=False, index=True))
    step: OrderStep = fields.word(OrderStep)
    at: datetime = fields.instant()
    state: OrderState = fields.word(OrderState)
    actor: str
    details: Any = Field(sa_column=Column(Json, nullable=False))
    note: str = fields.text()

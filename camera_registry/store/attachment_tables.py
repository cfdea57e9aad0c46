"""The tables of what crews and other systems say of work orders."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, ForeignKey, String, UniqueConstraint
from sqlmodel import Field, SQLModel

from camera_registry.model.attachment import AttachmentKind
from camera_registry.store import fields


class AttachmentRow(SQLModel, table=True):
    """Photographs of orders. The files are elsewhere, and go sooner."""

    __tablename__ = "attachment"
    __table_args__ = (UniqueConstraint("order_id", "sha256"),)
    id: int | None = fields.serial()
    order: int = Field(sa_column=Column("order_id", fields.BIG, ForeignKey("work_order.id"), nullable=False))
    kind: AttachmentKind = fields.word(AttachmentKind)
    author: str
    at: datetime = fields.instant()
    size: int
    width: int
    height: int
    sha256: str


class OrderReferenceRow(SQLModel, table=True):
    """What another system calls an order."""

    __tablename__ = "order_reference"
    order: int = Field(
        sa_column=Column("order_id", fields.BIG, ForeignKey("work_order.id"), primary_key=True, autoincrement=False)
    )
    reference: str = Field(sa_column=Column(String, nullable=False, index=True))

"""The tables of rates: sums by device and day, up to which evidence they hold, and the figures of frozen reports."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column
from sqlmodel import Field, SQLModel

from camera_registry.store import fields
from camera_registry.store.columns import Instant, Json


class RateDayRow(SQLModel, table=True):
    """Microseconds of one device on one day of a zone, by whom they belong to (``model.rates.Sums``)."""

    __tablename__ = "rate_day"
    __table_args__ = ({"sqlite_with_rowid": False},)
    zone: str = fields.key()
    day: datetime = Field(sa_column=Column(Instant, primary_key=True, autoincrement=False))
    device: str = fields.key()
    idle: int = Field(sa_column=Column(BigInteger, nullable=False))
    maintenance: int = Field(sa_column=Column(BigInteger, nullable=False))
    online_good: int = Field(sa_column=Column(BigInteger, nullable=False))
    online_bad: int = Field(sa_column=Column(BigInteger, nullable=False))
    online_parent: int = Field(sa_column=Column(BigInteger, nullable=False))
    online_unknown: int = Field(sa_column=Column(BigInteger, nullable=False))
    intact_good: int = Field(sa_column=Column(BigInteger, nullable=False))
    intact_bad: int = Field(sa_column=Column(BigInteger, nullable=False))
    intact_parent: int = Field(sa_column=Column(BigInteger, nullable=False))
    intact_unknown: int = Field(sa_column=Column(BigInteger, nullable=False))
    recording_good: int = Field(sa_column=Column(BigInteger, nullable=False))
    recording_bad: int = Field(sa_column=Column(BigInteger, nullable=False))
    recording_parent: int = Field(sa_column=Column(BigInteger, nullable=False))
    recording_unknown: int = Field(sa_column=Column(BigInteger, nullable=False))
    outages: int = Field(sa_column=Column(BigInteger, nullable=False))


class RateMarkRow(SQLModel, table=True):
    """A day whose sums are kept: the newest flip that they hold, and a digest of what was kept out of them."""

    __tablename__ = "rate_mark"
    zone: str = fields.key()
    day: datetime = Field(sa_column=Column(Instant, primary_key=True, autoincrement=False))
    flip: int = Field(sa_column=Column(BigInteger, nullable=False))
    digest: str


class FreezeRow(SQLModel, table=True):
    """The figures of a report's period as they were frozen; never changed."""

    __tablename__ = "freeze"
    report: str = fields.key()
    begins: datetime = Field(sa_column=Column(Instant, primary_key=True, autoincrement=False))
    ends: datetime = Field(sa_column=Column(Instant, primary_key=True, autoincrement=False))
    zone: str = fields.key()
    frozen_at: datetime = fields.instant()
    frozen_by: str = fields.text()
    version: str = fields.text()
    figures: Any = Field(sa_column=Column(Json, nullable=False))

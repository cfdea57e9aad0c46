"""The tables of what recorders have: each recording from when until when it is known, and what it lacks in between."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from camera_registry.model.recording import Lack
from camera_registry.store import fields
from camera_registry.store.columns import Instant, Word


class RecordingRow(SQLModel, table=True):
    """One recording: required from ``since`` on, known until ``until``. ``ended``: nothing is written into it any more,
    and nothing is required after that."""

    __tablename__ = "recording"
    device: str = fields.key()
    token: str = fields.key()
    name: str = fields.text()
    since: datetime = fields.instant()
    until: datetime = fields.instant()
    ended: bool


class RecordingGapRow(SQLModel, table=True):
    """A time of a recording without pictures, or of which nothing is known. Those of one recording do not touch."""

    __tablename__ = "recording_gap"
    device: str = fields.key()
    token: str = fields.key()
    since: datetime = Field(sa_column=Column(Instant, primary_key=True, autoincrement=False))
    until: datetime = fields.instant()
    lack: Lack = Field(sa_column=Column(Word(Lack), nullable=False))
    resolution: float

"""The table of what pictures were like from day to day."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Column, Integer
from sqlmodel import Field, SQLModel

from camera_registry.model.baseline import Regime
from camera_registry.store import fields
from camera_registry.store.columns import Day, Word


class PictureDayRow(SQLModel, table=True):
    """The medians of one channel, light and local day (``model.trend.PictureDay``). Measures are in thousandths and
    days in numbers: there are ten million rows of a city, and a float takes four times the room."""

    __tablename__ = "picture_day"
    __table_args__ = {"sqlite_with_rowid": False}
    device: str = fields.key()
    channel: str = fields.key()
    regime: Regime = Field(sa_column=Column(Word(Regime), primary_key=True))
    day: date = Field(sa_column=Column(Day, primary_key=True, autoincrement=False))
    begins: date = Field(sa_column=Column(Day, nullable=False))
    pictures: int = Field(sa_column=Column(Integer, nullable=False))
    contrast: int = Field(sa_column=Column(Integer, nullable=False))
    sharpness: int = Field(sa_column=Column(Integer, nullable=False))
    clear: int = Field(sa_column=Column(Integer, nullable=False))
    usual: int | None = Field(sa_column=Column(Integer, nullable=True))

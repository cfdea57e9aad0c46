"""Keeps what pictures were like from day to day, as long as is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, delete, select

from camera_registry.model.trend import MEASURES, PictureDay
from camera_registry.store.picture_tables import PictureDayRow
from camera_registry.store.statements import upsert
from camera_registry.store.tables import table

_DAYS = table(PictureDayRow)
_KEY = ("device", "channel", "regime", "day")
_TOO_OLD = delete(_DAYS).where(*(_DAYS.c[name] == bindparam(f"of_{name}") for name in _KEY[:3]),
                               _DAYS.c.day < bindparam("before"))  # fmt: skip
MOST = 400
"""Days that are kept where nothing else is asked for."""


def save(tx: Connection, days: Iterable[PictureDay], keep: int = MOST) -> None:
    """Write days that are over, and throw out what is ``keep`` days older of the same channels and lights: found by
    the key, so that no sweep has to look through all."""
    whole = list(days)
    upsert(tx, _DAYS, [_row(one) for one in whole])
    if whole:
        names = [{f"of_{name}": getattr(one, name) for name in _KEY[:3]} for one in whole]
        befores = (one.day - timedelta(days=keep) for one in whole)
        tx.execute(_TOO_OLD, [{**name, "before": before} for name, before in zip(names, befores, strict=True)])


def of(tx: Connection, device: str, since: date) -> list[PictureDay]:
    """The days of a device from ``since`` on: by channel and light, oldest first."""
    query = select(_DAYS).where(_DAYS.c.device == device, _DAYS.c.day >= since)
    return [_day(row) for row in tx.execute(query.order_by(*(_DAYS.c[name] for name in _KEY)))]


def between(tx: Connection, begins: date, ends: date) -> list[Sequence[PictureDay]]:
    """The days of every device from ``begins`` until ``ends``, not included: one list for each channel and light,
    oldest first, of what came after its view was last accepted or its lens cleaned."""
    query = select(_DAYS).where(and_(_DAYS.c.day >= begins, _DAYS.c.day < ends))
    rows = tx.execute(query.order_by(*(_DAYS.c[name] for name in _KEY)))
    groups = (list(map(_day, some)) for _, some in groupby(rows, key=lambda row: (row.device, row.channel, row.regime)))
    return [[one for one in some if one.begins == some[-1].begins] for some in groups]


def _row(one: PictureDay) -> dict[str, Any]:
    plain = {name: getattr(one, name) for name in (*_KEY, "begins", "pictures")}
    usual = None if one.usual is None else round(1000 * one.usual)
    return plain | {name: round(1000 * getattr(one, name)) for name in MEASURES} | {"usual": usual}


def _day(row: Row[Any]) -> PictureDay:
    usual = None if row.usual is None else row.usual / 1000
    contrast, sharpness, clear = (getattr(row, name) / 1000 for name in MEASURES)
    return PictureDay(
        row.device,
        row.channel,
        row.regime,
        row.day,
        row.begins,
        row.pictures,
        contrast,
        sharpness,
        clear,
        usual,
    )

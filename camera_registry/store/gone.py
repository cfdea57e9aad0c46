"""Forgets what devices and channels had measured once they have been out of the register for long: their recordings
with gaps, and what their pictures were like from day to day. Flips, edits and what is frozen stay."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, select

from camera_registry.store.picture_tables import PictureDayRow
from camera_registry.store.recording_tables import RecordingGapRow, RecordingRow
from camera_registry.store.statements import batches
from camera_registry.store.tables import ITEMS, ChangeRow, table

_CHANGES = table(ChangeRow)
_DAYS = table(PictureDayRow)
_OF_DEVICES = (table(RecordingGapRow), table(RecordingRow), _DAYS)
_OF_A_CHANNEL = delete(_DAYS).where(_DAYS.c.device == bindparam("of"), _DAYS.c.channel == bindparam("named"))


def sweep(tx: Connection, before: datetime) -> int:
    """Forget those that were taken out before this time and have not come back; returns how many rows that were."""
    count = 0
    for batch in batches(_gone(tx, "device", before)):
        for kept in _OF_DEVICES:
            count += tx.execute(delete(kept).where(kept.c.device.in_(batch))).rowcount
    # A channel may leave its device behind; which one that was stands in the edit.
    for id in _gone(tx, "channel", before):
        query = select(_CHANGES.c.before).where(_removals("channel"), _CHANGES.c.item == id)
        for device in {row.before["device"] for row in tx.execute(query)}:
            count += tx.execute(_OF_A_CHANNEL, {"of": device, "named": id}).rowcount
    return count


def _gone(tx: Connection, kind: str, before: datetime) -> list[str]:
    here = select(ITEMS[kind].c.id)
    query = select(_CHANGES.c.item).where(_removals(kind), _CHANGES.c.item.not_in(here)).group_by(_CHANGES.c.item)
    return list(tx.execute(query.having(func.max(_CHANGES.c.at) < before)).scalars())


def _removals(kind: str) -> ColumnElement[bool]:
    return (_CHANGES.c.kind == kind) & _CHANGES.c.after.is_(None)

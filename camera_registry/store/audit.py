"""The audit trail: append-only, each row sealed with the hash of the one before, so that an edit of it shows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select

from camera_registry.store.columns import clean, json_text, microseconds
from camera_registry.store.statements import counter, insert, set_counter
from camera_registry.store.tables import AuditRow, table

_AUDIT = table(AuditRow)
_HEAD = "audit"
_BEFORE_ALL = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing done: ``action`` is a word of ours, ``about`` what it was done to, ``detail`` JSON values."""

    action: str
    about: str
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """An entry as it is kept."""

    id: int
    at: datetime
    actor: str
    action: str
    about: str
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What ``verify`` found: ``rows`` rows read, and the first broken one, if any. ``head`` is the newest row's hash:
    kept elsewhere, it shows later that the whole chain was not written anew."""

    rows: int
    broken: int | None = None
    reason: str = ""
    head: str = ""


def append(
    tx: Connection, actor: str, action: str, about: str, detail: Mapping[str, object] | None, at: datetime
) -> None:
    """Add one row."""
    append_many(tx, [Entry(action, about, detail or {})], actor, at)


def append_many(tx: Connection, entries: Sequence[Entry], actor: str, at: datetime) -> None:
    """Add rows in this order. Only one transaction writes at a time, so the chain has no forks."""
    newest = tx.execute(select(_AUDIT.c.id, _AUDIT.c.hash).order_by(_AUDIT.c.id.desc()).limit(1)).first()
    number, previous = (0, _BEFORE_ALL) if newest is None else (newest.id, newest.hash)
    actor = clean(actor)
    rows: list[dict[str, object]] = []
    for entry in entries:
        number += 1
        row: dict[str, object] = {
            "id": number,
            "at": at,
            "actor": actor,
            "action": entry.action,
            "about": clean(entry.about),
            "detail": json_text(entry.detail),
            "previous": previous,
        }
        previous = _seal(row)
        rows.append({**row, "hash": previous})
    insert(tx, _AUDIT, rows)
    set_counter(tx, _HEAD, number)


def trail(
    tx: Connection, *, about: str = "", actor: str = "", before_id: int | None = None, limit: int = 100
) -> list[Record]:
    """Rows, newest first."""
    query = select(_AUDIT).order_by(_AUDIT.c.id.desc()).limit(limit)
    if about:
        query = query.where(_AUDIT.c.about == about)
    if actor:
        query = query.where(_AUDIT.c.actor == actor)
    if before_id is not None:
        query = query.where(_AUDIT.c.id < before_id)
    return [Record(row.id, row.at, row.actor, row.action, row.about, row.detail) for row in tx.execute(query)]


def verify(tx: Connection) -> Verdict:
    """Walk the whole chain and name the first row that is missing or not as it was written."""
    expected, previous = 1, _BEFORE_ALL
    for row in tx.execute(select(_AUDIT).order_by(_AUDIT.c.id)).mappings().yield_per(1000):
        if row["id"] != expected:
            return Verdict(expected - 1, expected, f"row {expected} is missing")
        if row["previous"] != previous:
            return Verdict(expected, expected, f"row {expected} does not follow the row before it")
        if row["hash"] != _seal(dict(row)):
            return Verdict(expected, expected, f"row {expected} was changed after it was written")
        expected, previous = expected + 1, row["hash"]
    if (newest := counter(tx, _HEAD)) >= expected:
        return Verdict(expected - 1, expected, f"rows {expected} to {newest} are missing at the end")
    return Verdict(expected - 1, head=previous)


def _seal(row: Mapping[str, object]) -> str:
    at = row["at"]
    assert isinstance(at, datetime)
    sealed = [row["id"], microseconds(at), row["actor"], row["action"], row["about"], row["detail"], row["previous"]]
    return hashlib.sha256(json_text(sealed).encode()).hexdigest()

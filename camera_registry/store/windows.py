"""Keeps maintenance windows: who plans to work on what, when and why."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, or_, select, update

from camera_registry.model.maintenance import Cover, Window, WindowKind
from camera_registry.store import audit, register
from camera_registry.store.columns import clean
from camera_registry.store.incident_tables import WindowRow
from camera_registry.store.tables import table

_WINDOWS = table(WindowRow)


def create(tx: Connection, window: Window) -> Window:
    """Keep a new window; returns it with its number."""
    made = tx.execute(_WINDOWS.insert().values(_row(window)).returning(_WINDOWS.c.id)).scalar_one()
    _tell(tx, made, "create", window.author, window.created_at, {"kind": window.kind.value, "reason": window.reason})
    stored = get(tx, made)
    assert stored is not None
    return stored


def cancel(tx: Connection, id: int, *, author: str, at: datetime) -> Window | None:
    """End a window now, or call it off; None when there is none. One that was cancelled before stays as it was."""
    stored = get(tx, id)
    if stored is not None and stored.cancelled_at is None:
        tx.execute(update(_WINDOWS).where(_WINDOWS.c.id == id).values(cancelled_at=at, cancelled_by=clean(author)))
        _tell(tx, id, "cancel", author, at, {})
    return get(tx, id)


def set_off(tx: Connection, id: int, at: datetime) -> None:
    """Note when a flexible window began."""
    tx.execute(update(_WINDOWS).where(_WINDOWS.c.id == id, _WINDOWS.c.began.is_(None)).values(began=at))


def get(tx: Connection, id: int) -> Window | None:
    """One window, or None."""
    row = tx.execute(select(_WINDOWS).where(_WINDOWS.c.id == id)).mappings().first()
    return None if row is None else _window(row)


def load(tx: Connection, now: datetime) -> list[Window]:
    """Every window that is or may come into force."""
    over = or_(_WINDOWS.c.cancelled_at.is_(None), _WINDOWS.c.cancelled_at > now)
    query = select(_WINDOWS).where(over).order_by(_WINDOWS.c.id)
    windows = [_window(row) for row in tx.execute(query).mappings()]
    # A flexible window, and the last turn of a recurring one, may outlast their borders.
    return [one for one in windows if one.ends is None or one.ends + one.lasts > now]


def page(tx: Connection, *, before_id: int | None = None, limit: int = 100) -> list[Window]:
    """Windows, newest first, cancelled ones too."""
    query = select(_WINDOWS).order_by(_WINDOWS.c.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(_WINDOWS.c.id < before_id)
    return [_window(row) for row in tx.execute(query).mappings()]


def _tell(tx: Connection, id: int, action: str, actor: str, at: datetime, detail: dict[str, object]) -> None:
    audit.append(tx, actor, f"window.{action}", f"window/{id}", detail, at)
    # The service follows the register, and windows with it.
    register.touch(tx)


def _row(window: Window) -> dict[str, object]:
    cover = window.cover
    return {
        "kind": window.kind,
        "cover": {
            "devices": list(cover.devices),
            "tags": list(cover.tags),
            "areas": list(cover.areas),
            "parents": list(cover.parents),
        },
        "begins": window.begins,
        "ends": window.ends,
        "lasts": window.lasts.total_seconds(),
        "schedule": window.schedule,
        "zone": window.zone,
        "began": window.began,
        "reason": clean(window.reason),
        "author": clean(window.author),
        "created_at": window.created_at,
        "cancelled_at": window.cancelled_at,
        "cancelled_by": window.cancelled_by,
    }


def _window(row: RowMapping) -> Window:
    return Window(
        row["id"],
        WindowKind(row["kind"]),
        Cover(**{name: tuple(named) for name, named in row["cover"].items()}),
        row["begins"],
        row["ends"],
        row["reason"],
        row["author"],
        row["created_at"],
        timedelta(seconds=row["lasts"]),
        row["schedule"],
        row["zone"],
        row["began"],
        row["cancelled_at"],
        row["cancelled_by"],
    )

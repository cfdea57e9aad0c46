"""Keeps figures of reports for good, by report and period: what comes late is told beside them, never into them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from camera_registry.rules.availability import Period
from camera_registry.store import audit
from camera_registry.store.rate_tables import FreezeRow
from camera_registry.store.statements import insert
from camera_registry.store.tables import table

_FREEZES = table(FreezeRow)
_HEAD = ("report", "begins", "ends", "zone", "frozen_at", "frozen_by", "version")


@dataclass(frozen=True, slots=True)
class Freeze:
    """Which figures were frozen, when and by whom, and the version of the data that they rested on. ``zone`` is empty
    where only the stretch was kept, by which older releases named a freeze."""

    report: str
    begins: datetime
    ends: datetime
    zone: str
    at: datetime
    by: str
    version: str


def keep(
    tx: Connection,
    report: str,
    period: Period,
    version: str,
    figures: Mapping[str, Any],
    told: Mapping[str, object],
    *,
    author: str,
    at: datetime,
) -> bool:
    """Keep the figures of a report's period; False when there are some already, which stay. ``told`` goes into the
    audit trail beside the version."""
    if kept(tx, report, period) is not None:
        return False
    row = {"report": report, "begins": period.begins, "ends": period.ends, "zone": period.zone.key}
    told_by = {"frozen_at": at, "frozen_by": author, "version": version, "figures": figures}
    insert(tx, _FREEZES, [row | told_by])
    about = f"report/{report}/{period.name}/{period.zone.key}"
    audit.append(tx, author, "report.freeze", about, {"version": version, **told}, at)
    return True


def kept(tx: Connection, report: str, period: Period) -> tuple[Freeze, Any] | None:
    """What was kept of a report's period, with its figures; None: nothing."""
    query = select(_FREEZES).where(
        _FREEZES.c.report == report,
        _FREEZES.c.begins == period.begins,
        _FREEZES.c.ends == period.ends,
        _FREEZES.c.zone.in_((period.zone.key, "")),
    )
    row = tx.execute(query.order_by(_FREEZES.c.zone.desc())).first()
    return None if row is None else (Freeze(*(getattr(row, name) for name in _HEAD)), row.figures)


def every(tx: Connection) -> list[Freeze]:
    """All that is frozen, the newest period first."""
    query = select(*(_FREEZES.c[name] for name in _HEAD))
    return [Freeze(*row) for row in tx.execute(query.order_by(_FREEZES.c.begins.desc(), _FREEZES.c.report))]

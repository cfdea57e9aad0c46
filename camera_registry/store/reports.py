"""Finds what reports tell besides rates, and keeps the figures of those that are frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from camera_registry.model.health import Aspect, Cause, State
from camera_registry.model.observation import Facts
from camera_registry.model.rates import SUMS, Sums
from camera_registry.model.work_order import WorkOrder
from camera_registry.store import audit, orders
from camera_registry.store.orders import Wanted
from camera_registry.store.rate_tables import FrozenRow
from camera_registry.store.statements import insert
from camera_registry.store.tables import FlipRow, SeenRow, table

_FLIPS = table(FlipRow)
_SEEN = table(SeenRow)
_FROZEN = table(FrozenRow)
_MOST = 1_000_000
LENS = (Cause.DIRTY, Cause.BLURRED, Cause.LOW_CONTRAST, Cause.COVERED)
"""Faults of the picture that cleaning a lens may mend."""


@dataclass(frozen=True, slots=True)
class Told:
    """How often something was said of a device in a period, and when last."""

    device: str
    times: int
    last: datetime


@dataclass(frozen=True, slots=True)
class Frozen:
    """The figures of a report as they were frozen."""

    name: str
    at: datetime
    by: str
    version: str
    sums: Mapping[str, Sums]


def flapping(tx: Connection, begins: datetime, ends: datetime) -> list[Told]:
    """Devices that began to flap in a period, the worst first."""
    return _told(tx, begins, ends, _FLIPS.c.after == State.FLAPPING)


def dirty_lenses(tx: Connection, begins: datetime, ends: datetime) -> list[Told]:
    """Devices whose picture had a fault that cleaning may mend, the worst first."""
    return _told(tx, begins, ends, (_FLIPS.c.aspect == Aspect.PICTURE) & _FLIPS.c.cause.in_(LENS))


def _told(tx: Connection, begins: datetime, ends: datetime, which: Any) -> list[Told]:
    times = func.count().label("times")
    query = (
        select(_FLIPS.c.device, times, func.max(_FLIPS.c.at))
        .where(_FLIPS.c.at >= begins, _FLIPS.c.at < ends, which)
        .group_by(_FLIPS.c.device)
        .order_by(times.desc(), _FLIPS.c.device)
    )
    return [Told(*row) for row in tx.execute(query)]


def opened(tx: Connection, begins: datetime, ends: datetime) -> list[WorkOrder]:
    """The work orders that were opened in a period."""
    return orders.page(tx, Wanted(since=begins, until=ends), limit=_MOST)


def said(tx: Connection) -> dict[str, Facts]:
    """What each device said of itself last, over ONVIF."""
    query = select(_SEEN.c.device, _SEEN.c.facts).where(_SEEN.c.probe == "onvif")
    return {row.device: row.facts for row in tx.execute(query)}


def freeze(tx: Connection, name: str, version: str, sums: Mapping[str, Sums], *, author: str, at: datetime) -> bool:
    """Keep the figures of a report for good; False when they are kept already, and stay as they are."""
    figures = {device: [getattr(one, part) for part in SUMS] for device, one in sums.items()}
    return keep(tx, name, version, figures, {"devices": len(sums)}, author=author, at=at)


def frozen(tx: Connection, name: str) -> Frozen | None:
    """What was kept under that name, or None."""
    row = kept(tx, name)
    if row is None:
        return None
    sums = {device: Sums(*parts) for device, parts in row.figures.items()}
    return Frozen(row.name, row.frozen_at, row.frozen_by, row.version, sums)


def keep(
    tx: Connection,
    name: str,
    version: str,
    figures: Mapping[str, Any],
    told: Mapping[str, object],
    *,
    author: str,
    at: datetime,
) -> bool:
    """Keep figures under a name for good; False when there are some already, which stay. ``told`` goes into the audit
    trail beside the version."""
    if kept(tx, name) is not None:
        return False
    row = {"name": name, "frozen_at": at, "frozen_by": author, "version": version, "figures": figures}
    insert(tx, _FROZEN, [row])
    audit.append(tx, author, "report.freeze", f"report/{name}", {"version": version, **told}, at)
    return True


def kept(tx: Connection, name: str) -> Any | None:
    """The row that was kept under that name, or None."""
    return tx.execute(select(_FROZEN).where(_FROZEN.c.name == name)).first()

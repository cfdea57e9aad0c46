"""Finds what reports tell besides rates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from camera_registry.model.health import LENS, Aspect, State
from camera_registry.model.observation import Facts
from camera_registry.model.work_order import WorkOrder
from camera_registry.store import orders
from camera_registry.store.orders import Wanted
from camera_registry.store.tables import FlipRow, SeenRow, table

_FLIPS = table(FlipRow)
_SEEN = table(SeenRow)
_MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Told:
    """How often something was said of a device in a period, and when last."""

    device: str
    times: int
    last: datetime


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

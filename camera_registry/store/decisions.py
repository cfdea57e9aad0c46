"""Reads what was decided back from where it is kept, to be compared with what a log says, and remembers how far the
store has followed that log."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from camera_registry.store import health, incidents, orders, outbox
from camera_registry.store.statements import counter, set_counter

_LOG = "observation_log"


def mark(tx: Connection, n: int) -> None:
    """Note that the store has what followed from record ``n`` of the log; 0: the service runs without one."""
    if marked(tx) != n:
        set_counter(tx, _LOG, n)


def marked(tx: Connection) -> int:
    """The last record of the log whose consequences are stored."""
    return counter(tx, _LOG)


def newest(tx: Connection) -> dict[str, int]:
    """The number of the newest row of each kind that has numbers."""
    return {
        "flip": health.newest_flip(tx),
        "incident": incidents.newest(tx),
        "step": incidents.newest_step(tx),
        "order": orders.newest(tx),
        "order_step": orders.newest_step(tx),
        "notice": outbox.newest(tx),
    }


def load(
    tx: Connection, after: Mapping[str, int], incidents_too: Collection[int] = (), orders_too: Collection[int] = ()
) -> Mapping[str, Sequence[Any]]:
    """What is kept and newer than the newest row of before, by kind; and older incidents and orders, as they are."""
    incident = after.get("incident", 0)
    return {
        "flip": health.flips_after(tx, after.get("flip", 0)),
        "incident": incidents.opened_after(tx, incident, incidents_too),
        "step": incidents.steps_after(tx, after.get("step", 0)),
        "affected": incidents.affected_after(tx, incident),
        "order": orders.opened_after(tx, after.get("order", 0), orders_too),
        "order_step": orders.steps_after(tx, after.get("order_step", 0)),
        "notice": outbox.owed_after(tx, after.get("notice", 0)),
    }

"""Reads what was decided back from where it is kept, to be compared with what a log says, and remembers how far the
store has followed that log."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from camera_registry.store import health, incidents, outbox
from camera_registry.store.statements import counter, set_counter

_LOG = "observation_log"

Read = Callable[[Connection, Mapping[str, int]], Sequence[Any]]
"""Reads decisions of one kind: those after the newest row of before, by kind."""

KEPT: Mapping[str, Read] = {
    "flip": lambda tx, after: health.flips_after(tx, after.get("flip", 0)),
    "incident": lambda tx, after: incidents.opened_after(tx, after.get("incident", 0)),
    "step": lambda tx, after: incidents.steps_after(tx, after.get("step", 0)),
    "affected": lambda tx, after: incidents.affected_after(tx, after.get("incident", 0)),
    "notice": lambda tx, after: outbox.owed_after(tx, after.get("notice", 0)),
}


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
        "notice": outbox.newest(tx),
    }


def load(tx: Connection, after: Mapping[str, int]) -> Mapping[str, Sequence[Any]]:
    """What is kept and newer than ``after``, by kind."""
    return {kind: read(tx, after) for kind, read in KEPT.items()}

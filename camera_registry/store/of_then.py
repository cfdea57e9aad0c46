"""Finds what the register said in the course of a period, by the edits that are kept of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, select

from camera_registry.model.register import KINDS
from camera_registry.rules.of_then import Edit
from camera_registry.store.tables import ChangeRow, table

_CHANGES = table(ChangeRow)


def edits(tx: Connection, since: datetime, kinds: Iterable[str] = tuple(KINDS)) -> list[Edit]:
    """The edits after a moment, newest first."""
    columns = (_CHANGES.c.kind, _CHANGES.c.item, _CHANGES.c.at, _CHANGES.c.before)
    query = select(*columns).where(_CHANGES.c.at > since, _CHANGES.c.kind.in_(list(kinds)))
    return [Edit(*row) for row in tx.execute(query.order_by(_CHANGES.c.id.desc()))]

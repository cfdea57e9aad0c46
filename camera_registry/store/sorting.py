"""This file says in which order lists of what is stored are read, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, select, tuple_


class Sorting(StrEnum):
    """What comes first."""

    WORST = "worst"
    """The most severe; of these, what has lasted longest."""
    DUE = "due"
    """What is due first."""
    NEWEST = "newest"
    """What was found last."""


def page_of(
    tx: Connection,
    rows: Table,
    conditions: Sequence[ColumnElement[bool]],
    keys: Sequence[ColumnElement[Any]],
    behind: int | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Rows in the order of ``keys``, none of which is ever null, behind the row of that number. Without keys: the
    newest first."""
    number = rows.c.id
    query = select(rows).where(*conditions).limit(limit)
    if not keys:
        query = query.order_by(number.desc())
        return tx.execute(query if behind is None else query.where(number < behind)).mappings().all()
    place = (*keys, number)
    query = query.order_by(*place)
    if behind is not None:
        # As it stands now: a row that has moved since is followed by what follows it there.
        last = tx.execute(select(*place).where(number == behind)).first()
        if last is None:
            return ()
        query = query.where(tuple_(*place) > tuple(last))
    return tx.execute(query).mappings().all()

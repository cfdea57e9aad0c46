"""Statements that both databases take, written once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable, Row, RowMapping, Select, Table, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from camera_registry.store.tables import ITEMS, CounterRow, table

T = TypeVar("T")

_COUNTER = table(CounterRow)
_BATCH = 500
"""Values in one IN list: well below what either database takes."""


def upsert(tx: Connection, target: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, or overwrite those with the same primary key. Every row has every column."""
    if not rows:
        return
    tx.execute(_upsert(target, tuple(rows[0]), tx.dialect.name), rows)


@cache
def _upsert(target: Table, columns: tuple[str, ...], dialect: str) -> Executable:
    """Composing it costs more than a small batch of rows, and there are a dozen of them."""
    key = [column.name for column in target.primary_key]
    statement: Any = (postgresql if dialect == "postgresql" else sqlite).insert(target)
    overwritten = {name: statement.excluded[name] for name in columns if name not in key}
    upserting: Executable = statement.on_conflict_do_update(index_elements=key, set_=overwritten)
    return upserting


def insert(tx: Connection, target: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append rows in one go."""
    if rows:
        tx.execute(target.insert(), rows)


def batches(values: Iterable[T], size: int = _BATCH) -> Iterator[list[T]]:
    """``values`` in lists of at most ``size``."""
    batch: list[T] = []
    for value in values:
        batch.append(value)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def rows_after(tx: Connection, target: Table, id: int, besides: Collection[int] = ()) -> list[RowMapping]:
    """The rows with higher numbers, and some with lower ones, by their numbers."""
    older = [
        row
        for batch in batches(one for one in besides if one <= id)
        for row in tx.execute(select(target).where(target.c.id.in_(batch))).mappings()
    ]
    newer = tx.execute(select(target).where(target.c.id > id).order_by(target.c.id)).mappings()
    return [*sorted(older, key=lambda row: int(row["id"])), *newer]


def rows(tx: Connection, query: Select[Any]) -> Iterator[Sequence[Any]]:
    """What is found, a thousand rows at a time: taken one by one, many rows cost half as much again."""
    for some in tx.execute(query).partitions(1_000):
        yield from some


def rows_by_id(tx: Connection, target: Table, ids: Collection[str]) -> dict[str, Row[Any]]:
    """The rows with these ids, by id."""
    return {row.id: row for batch in batches(ids) for row in tx.execute(select(target).where(target.c.id.in_(batch)))}


def counter(tx: Connection, name: str) -> int:
    """A number that only grows; 0 before its first use."""
    return tx.execute(select(_COUNTER.c.value).where(_COUNTER.c.name == name)).scalar() or 0


def set_counter(tx: Connection, name: str, value: int) -> None:
    """Move a number on. Only one transaction writes at a time, so reading it first is safe."""
    upsert(tx, _COUNTER, [{"name": name, "value": value}])


def subtree(area: str) -> Select[tuple[str]]:
    """The ids of an area and of everything below it; a loop in the tree does not hang it (UNION drops repeats)."""
    areas = ITEMS["area"]
    below = select(literal(area).label("id")).cte("below", recursive=True)
    below = below.union(select(areas.c.id).where(areas.c.parent == below.c.id))
    return select(below.c.id)


def containing(column: Any, text: str) -> Any:
    """Whether a column contains ``text``, whatever its case; ``%`` and ``_`` stand for themselves."""
    return func.lower(column).contains(text.lower(), autoescape=True)

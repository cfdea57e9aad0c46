"""Reads and edits the register: areas, sites, views, devices, channels, contractors and crews.

``apply`` is the one way in for edits, whoever makes them. Within one transaction it refuses what would leave the
register untrue, writes the items that differ, keeps a change of each, and adds rows to the audit trail.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import lru_cache
from sys import intern
from typing import Any, cast

from sqlalchemy import Connection, RowMapping, delete, or_, select

from camera_registry.model.device import Channel
from camera_registry.model.register import KINDS, Change, Item, Register, kind_of
from camera_registry.rules.inventory.differences import differing
from camera_registry.store import audit, masking, references
from camera_registry.store.errors import Outdated
from camera_registry.store.statements import (
    batches,
    containing,
    counter,
    insert,
    rows,
    rows_by_id,
    set_counter,
    subtree,
    upsert,
)
from camera_registry.store.tables import ITEMS, ChangeRow, SeenRow, StateRow, table

_CHANGES = table(ChangeRow)
_VERSION = "register"
_NUMBERS = (int, float, date)
_FIELDS = {name: tuple(field.name for field in fields(cls)) for name, cls in KINDS.items()}


_Edition = tuple[int, datetime]
"""Which edit of an item this is: numbers alone don't tell, for one that was removed and comes again begins anew."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An item with its version, for people who edit it: ``version`` is what If-Match compares."""

    item: Item
    version: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class StoredChange:
    """A change with its number; numbers grow in the order of the edits."""

    id: int
    change: Change


def load_register(tx: Connection, kinds: Iterable[str] = tuple(KINDS)) -> Register:
    """Everything registered, or only what is of these kinds."""
    found = {
        kind: {row["id"]: _item(kind, row) for row in tx.execute(select(ITEMS[kind])).mappings()} for kind in kinds
    }
    return Register(**{_plural(kind): cast(Any, items) for kind, items in found.items()})


class Reader:
    """Reads the whole register again and again, each time only the items that were edited since. What was not is the
    same object as before, so that whoever compares two registers is done with it at once."""

    def __init__(self) -> None:
        self._editions: dict[str, dict[str, _Edition]] = {kind: {} for kind in KINDS}
        self._items: dict[str, dict[str, Item]] = {kind: {} for kind in KINDS}

    def load(self, tx: Connection) -> Register:
        """Everything registered, as it is now."""
        found = {kind: self._load(tx, kind) for kind in KINDS}
        self._editions = {kind: editions for kind, (editions, _) in found.items()}
        self._items = {kind: items for kind, (_, items) in found.items()}
        return Register(**{_plural(kind): cast(Any, items) for kind, items in self._items.items()})

    def _load(self, tx: Connection, kind: str) -> tuple[dict[str, _Edition], dict[str, Item]]:
        target, before, known = ITEMS[kind], self._editions[kind], self._items[kind]
        editions: dict[str, _Edition] = {}
        items: dict[str, Item] = {}
        # An import gives thousands of items the same one.
        alike: dict[_Edition, _Edition] = {}
        edition = target.c.version, target.c.changed_at
        whole = select(*edition, *(target.c[name] for name in _FIELDS[kind]))
        queries = [whole]
        if before:
            edited: list[str] = []
            for id, version, changed_at in rows(tx, select(target.c.id, *edition)):
                seen = before.get(id)
                if seen == (version, changed_at):
                    editions[id], items[id] = seen, known[id]
                else:
                    edited.append(id)
            queries = [whole.where(target.c.id.in_(batch)) for batch in batches(edited)]
        for version, changed_at, *values in (row for query in queries for row in rows(tx, query)):
            item = _made(kind, values)
            told = version, changed_at
            editions[item.id], items[item.id] = alike.setdefault(told, told), item
        return editions, items


def version(tx: Connection) -> int:
    """A number that grows with each edit of anything in the register."""
    return counter(tx, _VERSION)


def touch(tx: Connection) -> None:
    """Move the version of the register on: something that it uses has changed, and readers must look again."""
    set_counter(tx, _VERSION, version(tx) + 1)


def get(tx: Connection, kind: str, id: str) -> Stored | None:
    """One item, or None."""
    row = tx.execute(select(ITEMS[kind]).where(ITEMS[kind].c.id == id)).mappings().first()
    return None if row is None else _stored(kind, row)


def ever(tx: Connection, kind: str, id: str) -> bool:
    """Whether there is such an item, or was."""
    return get(tx, kind, id) is not None or bool(changes_of(tx, kind, id, limit=1))


def page(
    tx: Connection,
    kind: str,
    *,
    q: str = "",
    area: str = "",
    after: str = "",
    limit: int = 100,
) -> list[Stored]:
    """Items of one kind by id, those after the id ``after`` first. Filters that a kind has no column for are ignored.

    ``q`` is looked for in id and name, and in a device's address and national code; ``area`` takes its subtree along.
    """
    target = ITEMS[kind]
    query = select(target).where(target.c.id > after).order_by(target.c.id).limit(limit)
    if q:
        searched = [target.c[name] for name in ("id", "name", "host", "national_code") if name in target.c]
        query = query.where(or_(*(containing(column, q) for column in searched)))
    if area and kind == "area":
        query = query.where(target.c.id.in_(subtree(area)))
    elif area and "area" in target.c:
        query = query.where(target.c.area.in_(subtree(area)))
    return [_stored(kind, row) for row in tx.execute(query).mappings()]


def apply(
    tx: Connection,
    items: Iterable[Item],
    removed: Iterable[tuple[str, str]] = (),
    *,
    author: str,
    at: datetime,
    expected: Mapping[tuple[str, str], int] | None = None,
) -> int:
    """Put these items into the register and take the ``removed`` (kind, id) out; returns how many really changed.

    A removed device takes its channels and its present states along; its changes and flips stay. ``expected`` names
    the versions that the author has seen (0: the item must not exist yet). Raises Refused, Outdated.
    """
    wanted = {(kind_of(item), item.id): item for item in items}
    gone = references.with_channels(tx, dict.fromkeys(removed))
    before = _present(tx, [*wanted, *gone])
    _check_versions(before, expected or {})
    edits = [
        _Edit(
            kind, id, _item(kind, row) if (row := before.get((kind, id))) else None, item, row["version"] if row else 0
        )
        for (kind, id), item in wanted.items()
    ]
    edits = [edit for edit in edits if edit.old != edit.new]
    edits += [_Edit(kind, id, _item(kind, row), None, 0) for kind, id in gone if (row := before.get((kind, id)))]
    if not edits:
        return 0
    references.check(tx, [edit.new for edit in edits if edit.new is not None], gone)
    for kind, target in ITEMS.items():
        upsert(tx, target, [edit.row(at) for edit in edits if edit.kind == kind and edit.new is not None])
        for batch in batches([edit.id for edit in edits if edit.kind == kind and edit.new is None]):
            tx.execute(delete(target).where(target.c.id.in_(batch)))
            if kind == "device":
                for evidence in (table(StateRow), table(SeenRow)):
                    tx.execute(delete(evidence).where(evidence.c.device.in_(batch)))
    channels = [(edit.old, edit.new) for edit in edits if edit.kind == "channel"]
    masking.owe(tx, cast("list[tuple[Channel | None, Channel | None]]", channels))
    changes = [edit.change(author, at) for edit in edits]
    insert(tx, _CHANGES, [_change_row(change) for change in changes])
    audit.append_many(tx, [_audit_entry(change) for change in changes], author, at)
    touch(tx)
    return len(edits)


def changes_of(
    tx: Connection, kind: str, id: str, *, before_id: int | None = None, limit: int = 100
) -> list[StoredChange]:
    """The edits of one item, newest first, also of one that is gone."""
    query = select(_CHANGES).where(_CHANGES.c.kind == kind, _CHANGES.c.item == id)
    if before_id is not None:
        query = query.where(_CHANGES.c.id < before_id)
    rows = tx.execute(query.order_by(_CHANGES.c.id.desc()).limit(limit))
    return [StoredChange(row.id, Change(row.kind, row.item, row.before, row.after, row.author, row.at)) for row in rows]


@dataclass(frozen=True, slots=True)
class _Edit:
    kind: str
    id: str
    old: Item | None
    new: Item | None
    version: int

    def row(self, at: datetime) -> dict[str, object]:
        values = {name: getattr(self.new, name) for name in _FIELDS[self.kind]}
        return {**values, "version": self.version + 1, "changed_at": at}

    def change(self, author: str, at: datetime) -> Change:
        return Change(self.kind, self.id, *differing(self.old, self.new), author, at)


def _present(tx: Connection, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], RowMapping]:
    wanted: dict[str, list[str]] = {}
    for kind, id in keys:
        wanted.setdefault(kind, []).append(id)
    return {
        (kind, id): row._mapping  # noqa: SLF001 - SQLAlchemy's public name begins with an underscore
        for kind, ids in wanted.items()
        for id, row in rows_by_id(tx, ITEMS[kind], ids).items()
    }


def _check_versions(before: Mapping[tuple[str, str], RowMapping], expected: Mapping[tuple[str, str], int]) -> None:
    for (kind, id), seen in expected.items():
        row = before.get((kind, id))
        now = 0 if row is None else row["version"]
        if now != seen:
            raise Outdated("gone" if row is None else "outdated", record=kind, id=id, now=now, seen=seen)


def _item(kind: str, row: RowMapping) -> Item:
    return _made(kind, [row[name] for name in _FIELDS[kind]])


def _made(kind: str, values: Iterable[Any]) -> Item:
    """The item whose fields have these values, in their order."""
    # A city has few different words in its files, and the driver makes a new text of each: shared, they weigh nothing.
    shared: list[Any] = [
        intern(value) if type(value) is str else _alike(value) if type(value) in _NUMBERS else value for value in values
    ]
    return KINDS[kind](*shared)


@lru_cache(4096, typed=True)
def _alike(value: Any) -> Any:
    return value


def _stored(kind: str, row: RowMapping) -> Stored:
    return Stored(_item(kind, row), row["version"], row["changed_at"])


def _plural(kind: str) -> str:
    return f"{kind}s"


def _change_row(change: Change) -> dict[str, object]:
    return {
        "kind": change.kind,
        "item": change.id,
        "before": change.before,
        "after": change.after,
        "author": change.author,
        "at": change.at,
    }


def _audit_entry(change: Change) -> audit.Entry:
    action = "create" if change.before is None else "remove" if change.after is None else "edit"
    named = sorted({*(change.before or ()), *(change.after or ())})
    return audit.Entry(f"register.{action}", f"{change.kind}/{change.id}", {"fields": named})

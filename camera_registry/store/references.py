"""Refuses edits that would leave a reference to nothing, or a tree that bites its tail; each with its own sentence.

The database holds the same by foreign keys; this file is here because a foreign key does not say which.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection, Table, select

from camera_registry.model.place import View
from camera_registry.model.register import Item, kind_of
from camera_registry.rules.inventory.loops import above, loops
from camera_registry.store.errors import Refused, Untrue
from camera_registry.store.statements import batches
from camera_registry.store.tables import ITEMS, METADATA, AccountRow, table

Key = tuple[str, str]

_SHOWN = 5


def with_channels(tx: Connection, removed: Mapping[Key, None]) -> dict[Key, None]:
    """``removed`` and the channels of the devices in it: a channel does not outlive its device."""
    channels = ITEMS["channel"]
    devices = [id for kind, id in removed if kind == "device"]
    found = dict(removed)
    for batch in batches(devices):
        for id in tx.execute(select(channels.c.id).where(channels.c.device.in_(batch))).scalars():
            found["channel", id] = None
    return found


def check(tx: Connection, written: Sequence[Item], removed: Collection[Key]) -> None:
    """Raises Untrue with every reason against these edits."""
    problems = [*_dangling(tx, written, removed), *_still_used(tx, written, removed), *_loops(tx, written)]
    if problems:
        raise Untrue(problems)


def _references(target: Table) -> dict[str, str]:
    """Column name to the table it refers to."""
    return {column.name: key.column.table.name for column in target.columns for key in column.foreign_keys}


def _dangling(tx: Connection, written: Sequence[Item], removed: Collection[Key]) -> Iterable[Refused]:
    named: dict[Key, list[tuple[str, str, str]]] = {}
    for item in written:
        kind = kind_of(item)
        for column, referred in _references(ITEMS[kind]).items():
            if id := getattr(item, column):
                named.setdefault((referred, id), []).append((kind, item.id, column))
        if isinstance(item, View):
            for id in item.channels:
                named.setdefault(("channel", id), []).append(("view", item.id, "channels"))
    known = {(kind_of(item), item.id) for item in written}
    missing = [key for key in named if key not in known]
    for kind in {kind for kind, _ in missing}:
        target = METADATA.tables[kind]
        for batch in batches(id for other, id in missing if other == kind):
            known.update((kind, id) for id in tx.execute(select(target.c.id).where(target.c.id.in_(batch))).scalars())
    gone = set(removed)
    for (kind, id), places in named.items():
        if (kind, id) not in known or (kind, id) in gone:
            yield from (
                Refused("dangling", user=user, user_id=user_id, column=column, record=kind, id=id)
                for user, user_id, column in places
            )


def _still_used(tx: Connection, written: Sequence[Item], removed: Collection[Key]) -> Iterable[Refused]:
    # An item that is written in the same edit refers to what it says now, and _dangling has looked at that.
    settled = {(kind_of(item), item.id) for item in written} | set(removed)
    for kind, target in {**ITEMS, "account": table(AccountRow)}.items():
        (key,) = target.primary_key
        for column, referred in _references(target).items():
            for batch in batches(id for other, id in removed if other == referred):
                query = select(key, target.c[column]).where(target.c[column].in_(batch)).order_by(key)
                users: dict[str, list[str]] = {}
                for user, used in tx.execute(query):
                    if (kind, user) not in settled:
                        users.setdefault(used, []).append(user)
                yield from (_used(referred, used, kind, ids) for used, ids in users.items())
    channels = {id for kind, id in removed if kind == "channel"}
    if channels:
        views = ITEMS["view"]
        for view, shown in tx.execute(select(views.c.id, views.c.channels)):
            if ("view", view) not in settled:
                yield from (_used("channel", id, "view", [view]) for id in sorted(channels & set(shown)))


def _used(kind: str, id: str, user: str, users: Sequence[str]) -> Refused:
    key = "used" if len(users) <= _SHOWN else "used_by_many"
    return Refused(key, record=kind, id=id, user=user, users=", ".join(users[:_SHOWN]), more=len(users) - _SHOWN)


def _loops(tx: Connection, written: Sequence[Item]) -> Iterable[Refused]:
    for kind in ("area", "device"):
        edited = {item.id: above(item) for item in written if kind_of(item) == kind}
        if any(edited.values()):
            target = ITEMS[kind]
            columns = [target.c[name] for name in ("id", "parent", "backup_parent") if name in target.c]
            parents = {row.id: above(row) for row in tx.execute(select(*columns))}
            parents.update(edited)
            for chain in loops(parents, edited):
                yield Refused("ring", record=kind, ring=" > ".join((*chain, chain[0])))

"""Reads what coverage is computed from: the register as it was, the flips of what is needed, and planned work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, select, true

from camera_registry.model.device import Life
from camera_registry.model.health import Flip, State, Subject
from camera_registry.model.place import Building
from camera_registry.model.register import KINDS, Change, Item, Register
from camera_registry.rules.coverage import steps
from camera_registry.rules.coverage.period import History, channels_of
from camera_registry.rules.coverage.planned import planned_spans
from camera_registry.rules.coverage.sight import NEEDED
from camera_registry.rules.inventory.differences import plain
from camera_registry.rules.maintenance import plan
from camera_registry.store import windows
from camera_registry.store.register import load_register
from camera_registry.store.tables import ITEMS, ChangeRow, FlipRow, StateRow, table

_CHANGES, _FLIPS, _STATES = table(ChangeRow), table(FlipRow), table(StateRow)

_FIELDS: Mapping[str, Mapping[str, object]] = {
    "site": {"hours": ""},
    "view": {"site": "", "channels": []},
    "channel": {"device": ""},
    "device": {"life": Life.ACTIVE.value},
}
"""What coverage depends on in the register, with what a new item has."""
_MOST_WINDOWS = 100_000


def gather(tx: Connection, since: datetime, until: datetime) -> tuple[Register, History]:
    """The register of today, and all that coverage from ``since`` to ``until`` follows from."""
    register = load_register(tx)
    return register, history(tx, register, since, until)


def history(tx: Connection, register: Register, since: datetime, until: datetime, site: str = "") -> History:
    """All that coverage from ``since`` to ``until`` follows from, of one ``site`` if named. Planned work covers the
    devices that it would cover by the ``register`` of today."""
    changes = _changes(tx, since)
    items = {kind: _items(kind, getattr(register, f"{kind}s"), changes.get(kind, {})) for kind in _FIELDS}
    devices = _narrow(items, site) if site else None
    planned = plan(windows.page(tx, limit=_MOST_WINDOWS), register.devices, register.area_parents(), register.parents())
    return History(
        items["site"],
        items["view"],
        items["channel"],
        items["device"],
        _states(tx, since, until, devices),
        planned_spans(planned, since, until),
    )


def _narrow(items: dict[str, dict[str, steps.Steps[Mapping[str, object] | None]]], site: str) -> list[str]:
    """Leave only one site, and what it ever needed: its views, their channels; gives those channels' devices."""
    items["site"] = {id: one for id, one in items["site"].items() if id == site}
    views = items["view"].items()
    items["view"] = {id: one for id, one in views if any(value and value["site"] == site for value in one.values)}
    held = [value for one in items["view"].values() for value in one.values if value]
    named = {channel for value in held for channel in channels_of(value)}
    items["channel"] = {id: one for id, one in items["channel"].items() if id in named}
    return sorted({str(value["device"]) for one in items["channel"].values() for value in one.values if value})


def _changes(tx: Connection, since: datetime) -> dict[str, dict[str, list[Change]]]:
    """The changes since a moment, newest first, by kind and identifier: only those of what coverage depends on."""
    query = select(_CHANGES).where(_CHANGES.c.at > since, _CHANGES.c.kind.in_(_FIELDS)).order_by(_CHANGES.c.id.desc())
    found: dict[str, dict[str, list[Change]]] = {}
    for row in tx.execute(query):
        wanted = _FIELDS[row.kind]
        if row.before is None or row.after is None or not wanted.keys().isdisjoint(row.before):
            change = Change(row.kind, row.item, row.before, row.after, row.author, row.at)
            found.setdefault(row.kind, {}).setdefault(row.item, []).append(change)
    return found


def _items(
    kind: str, present: Mapping[str, Item], changes: Mapping[str, list[Change]]
) -> dict[str, steps.Steps[Mapping[str, object] | None]]:
    blank = _FIELDS[kind]
    assert set(blank) <= {field.name for field in fields(KINDS[kind])}
    return {
        id: steps.item(
            {name: plain(getattr(present[id], name)) for name in blank} if id in present else None,
            changes.get(id, ()),
            blank,
        )
        for id in {**present, **changes}
    }


def _states(
    tx: Connection, since: datetime, until: datetime, devices: Sequence[str] | None
) -> dict[Subject, steps.Steps[State]]:
    """The state of each subject over the period, of these devices if named. The last flip before it says what stood at
    its beginning."""
    flips: dict[Subject, list[Flip]] = {}
    needed = and_(_FLIPS.c.aspect.in_(NEEDED), true() if devices is None else _FLIPS.c.device.in_(devices))
    names = ("device", "channel", "aspect")
    last = (
        select(*(_FLIPS.c[name] for name in names), func.max(_FLIPS.c.at).label("at"))
        .where(needed, _FLIPS.c.at <= since)
        .group_by(*(_FLIPS.c[name] for name in names))
        .subquery()
    )
    joined = and_(*(_FLIPS.c[name] == last.c[name] for name in (*names, "at")))
    columns = [_FLIPS.c[name] for name in (*names, "before", "after", "at", "confirmed_at")]
    before = select(*columns).join(last, joined)
    within = select(*columns).where(needed, _FLIPS.c.at > since, _FLIPS.c.at < until)
    for query in (before, within):
        for row in tx.execute(query):
            subject = Subject(row.device, row.aspect, row.channel)
            flips.setdefault(subject, []).append(Flip(subject, row.before, row.after, row.at, row.confirmed_at))
    found = {subject: steps.states(known) for subject, known in flips.items()}
    return found | _held(tx, found, since, devices)


def _held(
    tx: Connection, known: Mapping[Subject, Any], since: datetime, devices: Sequence[str] | None
) -> dict[Subject, steps.Steps[State]]:
    """What is held now of subjects that have not flipped in the period nor before it, if it began by then: states that
    were taken over without their history."""
    wanted = true() if devices is None else _STATES.c.device.in_(devices)
    query = select(_STATES).where(_STATES.c.aspect.in_(NEEDED), _STATES.c.since <= since, wanted)
    return {
        subject: steps.constant(row.settled)
        for row in tx.execute(query)
        if (subject := Subject(row.device, row.aspect, row.channel)) not in known
    }


def buildings(tx: Connection) -> list[Building]:
    """Every building."""
    target = ITEMS["building"]
    return [Building(row.id, row.name, row.polygon) for row in tx.execute(select(target).order_by(target.c.id))]

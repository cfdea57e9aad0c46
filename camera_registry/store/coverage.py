"""Reads what coverage is computed from: the register as it was, the flips of what is needed, and planned work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, func, select, true

from camera_registry.model.device import Life
from camera_registry.model.health import Flip, State, Subject
from camera_registry.model.place import Building
from camera_registry.model.register import KINDS, Item
from camera_registry.rules import maintenance
from camera_registry.rules import of_then as rules
from camera_registry.rules.coverage import steps
from camera_registry.rules.coverage.hours import Span
from camera_registry.rules.coverage.period import History, channels_of
from camera_registry.rules.coverage.sight import NEEDED
from camera_registry.rules.inventory.differences import plain
from camera_registry.rules.of_then import Edit, Then
from camera_registry.store import of_then, windows
from camera_registry.store.register import load_register
from camera_registry.store.tables import ITEMS, FlipRow, StateRow, table

_FLIPS, _STATES = table(FlipRow), table(StateRow)

_FIELDS: Mapping[str, Mapping[str, object]] = {
    "site": {"hours": ""},
    "view": {"site": "", "channels": []},
    "channel": {"device": ""},
    "device": {"life": Life.ACTIVE.value, "contractor": "", "parent": "", "backup_parent": ""},
}
"""What coverage depends on in the register, with what a new item has."""
_INSTANT = timedelta(microseconds=1)
_STOPPED = timedelta(minutes=2)
"""So old, the newest evidence of all says that nobody measured: times are written half a minute late."""


def gather(tx: Connection, since: datetime, until: datetime, site: str = "") -> tuple[Then, History]:
    """What the register said from ``since`` until ``until``, and all that coverage in that time follows from, of one
    ``site`` if named. A moment is a period without length."""
    present = load_register(tx)
    edits = of_then.edits(tx, since)
    # What was edited at a period's end is not in it, what was edited at a moment is.
    then = rules.then(present, edits, until if since < until else until + _INSTANT)
    items = {kind: _items(kind, getattr(present, f"{kind}s"), then.of(kind)) for kind in _FIELDS}
    devices = _narrow(items, site) if site else None
    planned: dict[str, list[Span]] = {}
    end = max(until, since + _INSTANT)
    for one in maintenance.reached(windows.load(tx, since), present, edits, since, end):
        planned.setdefault(one.device, []).append((one.begins, one.ends))
    return then, History(
        items["site"],
        items["view"],
        items["channel"],
        items["device"],
        _states(tx, since, until, devices),
        planned,
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


def _items(
    kind: str, present: Mapping[str, Item], edits: Mapping[str, Sequence[Edit]]
) -> dict[str, steps.Steps[Mapping[str, object] | None]]:
    blank = _FIELDS[kind]
    assert set(blank) <= {field.name for field in fields(KINDS[kind])}
    return {
        id: steps.item(
            {name: plain(getattr(present[id], name)) for name in blank} if id in present else None,
            edits.get(id, ()),
            blank,
        )
        for id in {**present, **edits}
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
    found |= _held(tx, found, since, devices)
    heard = tx.execute(select(func.max(_STATES.c.read_at))).scalar()
    if heard is None or until - heard < _STOPPED:
        return found
    # After its newest evidence the service measured nothing; once it runs again, flips say so themselves.
    return {subject: held.ending(heard, State.STALE) for subject, held in found.items()}


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

"""Finds what is kept out of rates, from what the store knows: lives, maintenance, lost parents, and our own silence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, or_, select

from camera_registry.model.device import Device, Kind, Life
from camera_registry.model.incident import Scope
from camera_registry.model.rates import Excluded, Exclusion
from camera_registry.model.recording import Recording
from camera_registry.model.register import Register
from camera_registry.rules import availability, maintenance
from camera_registry.rules.availability import LifeChange, Period
from camera_registry.rules.coverage.hours import in_force
from camera_registry.store import incidents, of_then, recordings, windows
from camera_registry.store.incident_tables import AffectedRow
from camera_registry.store.incidents import Wanted
from camera_registry.store.of_then import Spell
from camera_registry.store.tables import ChangeRow, StateRow, table

_CHANGES = table(ChangeRow)
_STATES = table(StateRow)
_AFFECTED = table(AffectedRow)
_MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Basis:
    """What rates of a period rest on besides flips: the devices of the time, what is kept out of their account, and
    until when there is evidence at all."""

    devices: Mapping[str, Device]
    excluded: tuple[Excluded, ...]
    recordings: tuple[Recording, ...]
    off: tuple[Excluded, ...]
    """Hours in which nothing need be recorded."""
    spells: Mapping[str, Sequence[Spell]]
    """Of devices that the register has told apart since the period began."""
    heard: datetime | None


def basis(tx: Connection, register: Register, period: Period) -> Basis:
    """Find it for a period. Devices that were removed in it or later are among them, as they were last."""
    begins, ends = period.begins, period.ends
    devices = dict(register.devices)
    changes: dict[str, list[LifeChange]] = {}
    for change, removed in _life_changes(tx, begins):
        changes.setdefault(change.device, []).append(change)
        if removed is not None and change.device not in devices:
            devices[change.device] = removed
    found: list[Excluded] = []
    for id in devices:
        now = register.devices[id].life if id in register.devices else None
        found += availability.idle(id, now, changes.get(id, ()), begins, ends)
    found += _maintenance(tx, register, begins, ends)
    found += _parents(tx, begins, ends)
    heard = tx.execute(select(func.max(_STATES.c.read_at))).scalar()
    if heard is not None and heard < ends:
        found += (Excluded(id, max(heard, begins), ends, Exclusion.SILENT) for id in devices)
    known = [one for one in found if one.device in devices]
    recorded = tuple(one for one in recordings.load(tx) if one.device in devices and one.since < ends)
    asked = sorted({one.device for one in recorded})
    return Basis(
        devices,
        tuple(availability.joined(known, begins, ends)),
        recorded,
        tuple(_off_hours(register, [devices[id] for id in asked], period)),
        of_then.spells(tx, devices, begins, ends),
        heard,
    )


def _off_hours(register: Register, recorders: Iterable[Device], period: Period) -> Iterator[Excluded]:
    """When the sites of these devices need not be covered, by the hours and sites of the register as it is now."""
    for device in recorders:
        site = register.sites.get(device.site)
        if site is None or not site.hours:
            continue
        spans = in_force(site.hours, period.zone, period.begins, period.ends)
        borders = [period.begins, *(at for span in spans for at in span), period.ends]
        for begin, end in zip(borders[::2], borders[1::2], strict=True):
            if begin < end:
                yield Excluded(device.id, begin, end, Exclusion.HOURS, site.id)


def _life_changes(tx: Connection, begins: datetime) -> Iterator[tuple[LifeChange, Device | None]]:
    """Every change of life since then, in order; with the device as it was, where that change removed it."""
    told = or_(_CHANGES.c.before.is_(None), _CHANGES.c.after.is_(None), func.instr(_CHANGES.c.after, '"life"') > 0)
    if tx.dialect.name == "postgresql":
        told = or_(_CHANGES.c.before.is_(None), _CHANGES.c.after.is_(None), func.strpos(_CHANGES.c.after, '"life"') > 0)
    query = select(_CHANGES).where(_CHANGES.c.kind == "device", _CHANGES.c.at > begins, told)
    query = query.order_by(_CHANGES.c.at, _CHANGES.c.id)
    for row in tx.execute(query):
        was = None if row.before is None else _life(row.before)
        life = None if row.after is None else _life(row.after)
        if was is not life:
            yield LifeChange(row.item, row.at, was, life), None if row.after is not None else _removed(row)


def _life(values: Mapping[str, Any]) -> Life:
    return Life(values.get("life", Life.ACTIVE))


def _removed(row: Any) -> Device:
    kept = row.before
    words = ("name", "area", "site", "contractor", "manufacturer", "model")
    return Device(row.item, Kind(kept["kind"]), **{name: kept.get(name, "") for name in words})


def _maintenance(tx: Connection, register: Register, begins: datetime, ends: datetime) -> Iterator[Excluded]:
    """By what windows cover in the register as it is now."""
    kept = windows.load(tx, begins)
    planned = maintenance.plan(kept, register.devices, register.area_parents(), register.parents())
    for one in planned:
        for begin, end in availability.turns(one.window, begins, ends):
            for device in one.covered:
                yield Excluded(device, begin, end, Exclusion.MAINTENANCE, str(one.window.id))


def _parents(tx: Connection, begins: datetime, ends: datetime) -> Iterator[Excluded]:
    over = or_(_AFFECTED.c.until.is_(None), _AFFECTED.c.until > begins)
    for row in tx.execute(select(_AFFECTED).where(_AFFECTED.c.since < ends, over)):
        yield Excluded(row.device, row.since, row.until or ends, Exclusion.PARENT, str(row.incident))
    for incident in incidents.page(tx, Wanted(since=begins, until=ends), limit=_MOST):
        if incident.scope is Scope.DEVICE:
            for since, until in availability.charged_to_parents(incident, ends):
                yield Excluded(incident.about, since, until, Exclusion.PARENT, str(incident.parent or incident.id))

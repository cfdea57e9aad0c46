"""Finds what is kept out of rates, from what the store knows: lives, maintenance, lost parents, and our own silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, or_, select

from camera_registry.model.device import Life
from camera_registry.model.incident import Scope
from camera_registry.model.rates import Excluded, Exclusion
from camera_registry.model.recording import Recording
from camera_registry.model.register import Register
from camera_registry.rules import availability, maintenance, of_then
from camera_registry.rules.availability import Period
from camera_registry.rules.coverage import steps
from camera_registry.rules.coverage.hours import in_force
from camera_registry.rules.coverage.steps import Steps
from camera_registry.rules.of_then import Spell
from camera_registry.store import incidents, recordings, windows
from camera_registry.store.incident_tables import AffectedRow
from camera_registry.store.incidents import Wanted
from camera_registry.store.of_then import edits
from camera_registry.store.tables import StateRow, table

_STATES = table(StateRow)
_AFFECTED = table(AffectedRow)
_MOST = 1_000_000
_LIFE = {"life": Life.ACTIVE}
_HOURS = {"hours": ""}
"""What a new device, and a new site, has of what is asked for."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What rates of a period rest on besides flips: the register of the time, with whatever was taken out meanwhile,
    what is kept out of devices' account, and until when there is evidence at all."""

    register: Register
    excluded: tuple[Excluded, ...]
    recordings: tuple[Recording, ...]
    off: tuple[Excluded, ...]
    """Hours in which nothing need be recorded."""
    spells: Mapping[str, Sequence[Spell]]
    heard: datetime | None


def basis(tx: Connection, present: Register, period: Period) -> Basis:
    """Find it for a period. Devices that were removed in it are among them, those that came later are not."""
    begins, ends = period.begins, period.ends
    then = of_then.then(present, edits(tx, begins), ends)
    devices = then.last.devices
    spells = of_then.spells(then, begins, ends)
    lives = then.of("device")
    found: list[Excluded] = []
    for id in devices:
        now = present.devices.get(id)
        held = steps.item(None if now is None else {"life": now.life}, lives.get(id, ()), _LIFE)
        found += availability.idle(id, held, begins, ends)
    found += maintenance.reached(windows.load(tx, begins), present, then.edits, begins, ends)
    found += _parents(tx, begins, ends)
    heard = tx.execute(select(func.max(_STATES.c.read_at))).scalar()
    if heard is not None and heard < ends:
        found += (Excluded(id, max(heard, begins), ends, Exclusion.SILENT) for id in devices)
    known = [one for one in found if one.device in devices]
    recorded = tuple(one for one in recordings.load(tx) if one.device in devices and one.since < ends)
    asked = sorted({one.device for one in recorded})
    sites = then.of("site")
    hours = {
        id: steps.item({"hours": present.sites[id].hours} if id in present.sites else None, sites.get(id, ()), _HOURS)
        for id in {*present.sites, *sites}
    }
    return Basis(
        then.last,
        tuple(availability.joined(known, begins, ends)),
        recorded,
        tuple(one for id in asked for spell in spells[id] for one in _off_hours(spell, hours, period.zone)),
        spells,
        heard,
    )


def _off_hours(
    spell: Spell, sites: Mapping[str, Steps[Mapping[str, object] | None]], zone: ZoneInfo
) -> Iterator[Excluded]:
    """When the site of a device need not be covered, by the site that it had and its hours of the time."""
    hours = sites.get(spell.device.site)
    if hours is None:
        return
    for begins, ends in pairwise([spell.begins, *hours.between(spell.begins, spell.ends), spell.ends]):
        value = hours.at(begins)
        if value is None or not value["hours"]:
            continue
        spans = in_force(str(value["hours"]), zone, begins, ends)
        borders = [begins, *(at for span in spans for at in span), ends]
        for begin, end in zip(borders[::2], borders[1::2], strict=True):
            if begin < end:
                yield Excluded(spell.device.id, begin, end, Exclusion.HOURS, spell.device.site)


def _parents(tx: Connection, begins: datetime, ends: datetime) -> Iterator[Excluded]:
    over = or_(_AFFECTED.c.until.is_(None), _AFFECTED.c.until > begins)
    for row in tx.execute(select(_AFFECTED).where(_AFFECTED.c.since < ends, over)):
        yield Excluded(row.device, row.since, row.until or ends, Exclusion.PARENT, str(row.incident))
    for incident in incidents.page(tx, Wanted(since=begins, until=ends), limit=_MOST):
        if incident.scope is Scope.DEVICE:
            for since, until in availability.charged_to_parents(incident, ends):
                yield Excluded(incident.about, since, until, Exclusion.PARENT, str(incident.parent or incident.id))

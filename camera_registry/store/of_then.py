"""Finds what the register said of devices in the course of a period, by walking its kept changes back from now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from camera_registry.model.device import Device, Kind
from camera_registry.store.tables import ChangeRow, table

_CHANGES = table(ChangeRow)
FIELDS = ("area", "site", "contractor", "manufacturer", "model", "kind")
"""What rates are told by."""
_ALWAYS = ("manufacturer", "model")
"""What a device has had all along, though its file did not say it yet."""

Spell = tuple[datetime, datetime, Device]
"""From when until when a device was as this file says."""


def spells(
    tx: Connection, devices: Mapping[str, Device], begins: datetime, ends: datetime
) -> dict[str, Sequence[Spell]]:
    """The spells of each of these devices that has changed since ``begins``, oldest first, the period without a gap.
    ``devices`` are as they are now, or were last."""
    query = select(_CHANGES).where(
        _CHANGES.c.kind == "device",
        _CHANGES.c.at > begins,
        _CHANGES.c.before.is_not(None),
        _CHANGES.c.after.is_not(None),
    )
    changes: dict[str, list[Any]] = {}
    for row in tx.execute(query.order_by(_CHANGES.c.id.desc())):
        if row.item in devices and not row.before.keys().isdisjoint(FIELDS):
            changes.setdefault(row.item, []).append(row)
    return {id: _spells(devices[id], found, begins, ends) for id, found in changes.items()}


def _spells(device: Device, changes: Sequence[Any], begins: datetime, ends: datetime) -> Sequence[Spell]:
    found: list[Spell] = []
    until = ends
    for change in changes:
        before = {name: change.before[name] for name in FIELDS if name in change.before}
        filled = {name for name in _ALWAYS if before.get(name) == ""}
        values: dict[str, Any] = {name: told for name, told in before.items() if name not in filled}
        if "kind" in values:
            values["kind"] = Kind(values["kind"])
        was = replace(device, **values)
        if was == device:
            continue
        if change.at < until:
            found.append((change.at, until, device))
            until = change.at
        device = was
    return [(begins, until, device), *reversed(found)]

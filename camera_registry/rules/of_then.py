"""This file tells what the register said in the course of a period, by undoing its kept edits from now back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any, cast

from camera_registry.model.device import Device
from camera_registry.model.place import Area
from camera_registry.model.register import KINDS, Item, Register
from camera_registry.rules.inventory.differences import typed
from camera_registry.rules.places import way_up

FIELDS = ("area", "site", "contractor", "manufacturer", "model", "kind")
"""What rates are told by."""
_ALWAYS = ("manufacturer", "model")
"""What a device has had all along, though its file did not say it yet."""


Lay = Callable[[str], Sequence[tuple[datetime, tuple[str, ...]]]]
"""Tells of an area what held it, the smallest first, each with since when."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What stood in an item before an edit, of the fields that differ, as JSON values; None: it was not registered. An
    item that the edit took out has all that it had besides defaults."""

    kind: str
    id: str
    at: datetime
    before: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Spell:
    """From when until when a device was as this file says, and the areas that held it, the smallest first."""

    begins: datetime
    ends: datetime
    device: Device
    areas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Then:
    """The register just before a period ended (``end``), and with what was taken out in its course, as that was last
    (``last``). ``edits`` are those since it began, newest first."""

    end: Register
    last: Register
    edits: Sequence[Edit]

    def of(self, kind: str) -> dict[str, list[Edit]]:
        """The edits of the items of one kind."""
        found: dict[str, list[Edit]] = {}
        for edit in self.edits:
            if edit.kind == kind:
                found.setdefault(edit.id, []).append(edit)
        return found


def then(present: Register, edits: Sequence[Edit], ends: datetime) -> Then:
    """What the register said until ``ends``, not included; ``edits`` are those since the period began, newest first."""
    items: dict[str, dict[str, Item]] = {kind: dict(getattr(present, f"{kind}s")) for kind in KINDS}
    for edit in edits:
        if edit.at >= ends:
            _undo(items[edit.kind], edit)
    end = _register(items)
    for edit in edits:
        # What is not there any more, and was before this edit, is what it took out.
        if edit.at < ends and _whole(edit) and edit.id not in items[edit.kind]:
            _undo(items[edit.kind], edit)
    return Then(end, _register(items), edits)


def _register(items: Mapping[str, Mapping[str, Item]]) -> Register:
    return Register(**{f"{kind}s": cast(Any, dict(found)) for kind, found in items.items()})


def _undo(items: dict[str, Any], edit: Edit) -> None:
    if edit.before is None:
        items.pop(edit.id, None)
    elif _whole(edit):
        items[edit.id] = KINDS[edit.kind](**typed(KINDS[edit.kind], edit.before))
    elif edit.id in items:
        items[edit.id] = replace(items[edit.id], **typed(KINDS[edit.kind], edit.before))


def _whole(edit: Edit) -> bool:
    """Whether the edit took the item out: only then its identifier differs."""
    return edit.before is not None and "id" in edit.before


def eras(
    present: Register, edits: Sequence[Edit], begins: datetime, ends: datetime
) -> Iterator[tuple[datetime, datetime, Mapping[str, Device], Mapping[str, Area]]]:
    """The parts of a period in which devices and areas stood as told, the newest first, each from when until when.
    ``edits`` are those to be told apart, newest first; what is told is the present, edited, until the next is asked
    for."""
    items: dict[str, dict[str, Any]] = {"device": dict(present.devices), "area": dict(present.areas)}
    until = ends
    for at, alike in groupby((one for one in edits if one.kind in items), key=lambda edit: edit.at):
        if begins < at < until:
            yield at, until, items["device"], items["area"]
            until = at
        for edit in alike:
            _undo(items[edit.kind], edit)
    if begins < until:
        yield begins, until, items["device"], items["area"]


def spells(then: Then, begins: datetime, ends: datetime) -> dict[str, Sequence[Spell]]:
    """The spells of each device of the period, oldest first, without a gap: cut where the register told another thing
    of it, and where its area came to lie elsewhere."""
    trees = list(_trees(then, begins, ends))
    ways: dict[str, list[tuple[datetime, tuple[str, ...]]]] = {}

    def lay(area: str) -> Sequence[tuple[datetime, tuple[str, ...]]]:
        if area not in ways:
            found: list[tuple[datetime, tuple[str, ...]]] = []
            for since, parents in trees:
                way = tuple(way_up(area, parents))
                if not found or found[-1][1] != way:
                    found.append((since, way))
            ways[area] = found
        return ways[area]

    edits = {
        id: [one for one in found if one.before is not None and not one.before.keys().isdisjoint(FIELDS)]
        for id, found in then.of("device").items()
    }
    found: dict[str, Sequence[Spell]] = {}
    for id, device in then.last.devices.items():
        own = _device_spells(device, edits.get(id, ()), begins, ends)
        found[id] = [piece for spell in own for piece in _cut(spell, lay)]
    return found


def _trees(then: Then, begins: datetime, ends: datetime) -> Iterator[tuple[datetime, Mapping[str, str]]]:
    """The trees of areas of the period, the oldest first, each with since when it held."""
    parents = dict(then.last.area_parents())
    found: list[tuple[datetime, Mapping[str, str]]] = []
    within = (one for one in then.edits if one.kind == "area" and begins < one.at < ends)
    for at, alike in groupby(within, key=lambda edit: edit.at):
        moved = [one for one in alike if one.before is not None and "parent" in one.before and one.id in parents]
        if any(parents[one.id] != one.before["parent"] for one in moved if one.before):
            found.append((at, dict(parents)))
            parents |= {one.id: str(one.before["parent"]) for one in moved if one.before}
    yield begins, parents
    yield from reversed(found)


def _device_spells(device: Device, edits: Iterable[Edit], begins: datetime, ends: datetime) -> list[Spell]:
    """``device`` is as it was at last."""
    found: list[Spell] = []
    until = ends
    for edit in edits:
        if edit.at >= ends or edit.before is None:
            continue
        told = typed(Device, edit.before)
        if _whole(edit):
            told = {name: getattr(Device(**told), name) for name in FIELDS}
        values = {name: told[name] for name in FIELDS if name in told and (told[name] or name not in _ALWAYS)}
        was = replace(device, **values)
        if was == device:
            continue
        if edit.at < until:
            found.append(Spell(edit.at, until, device))
            until = edit.at
        device = was
    return [Spell(begins, until, device), *reversed(found)]


def _cut(spell: Spell, lay: Lay) -> Iterator[Spell]:
    ways = lay(spell.device.area)
    for place, (since, way) in enumerate(ways):
        until = ways[place + 1][0] if place + 1 < len(ways) else spell.ends
        begins, ends = max(since, spell.begins), min(until, spell.ends)
        if begins < ends:
            yield Spell(begins, ends, spell.device, way)

"""What the service remembers at one moment: taken within a turn of the loop, told elsewhere, and remembered again.

The store keeps less than this: not who waits to be confirmed, what is held but not told, nor whose opinion counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from camera_registry.model.health import AspectState, Flip, Subject
from camera_registry.model.incident import Affected, Incident, IncidentChange
from camera_registry.model.maintenance import Window
from camera_registry.model.observation import ProbeSeen
from camera_registry.model.register import KINDS, Register
from camera_registry.model.roster import Entry, Run
from camera_registry.model.work_order import OrderChange, WorkOrder
from camera_registry.rules.blindness import Sight
from camera_registry.rules.dispatch.book import OrderBook
from camera_registry.rules.incidents.book import Book, Fault, Group, GroupKey, Held, Outage
from camera_registry.rules.opinions import Opinion
from camera_registry.rules.pictures.weather import Spell
from camera_registry.service.changes import Changes

AT_ONCE = 50
"""Devices, faults or incidents in one part: none takes long to tell."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of one device, besides its file; in the order in which it became known."""

    device: str
    entry: Entry | None
    states: tuple[AspectState, ...]
    seen: tuple[ProbeSeen, ...]
    opinions: tuple[tuple[Subject, tuple[tuple[Run, Opinion], ...]], ...]
    learned: Mapping[str, object]
    long_down: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """Changes that wait to be stored, as far as anything is decided in them."""

    flips: tuple[Flip, ...] = ()
    folded: int = 0
    incidents: tuple[Incident, ...] = ()
    steps: tuple[IncidentChange, ...] = ()
    affected: tuple[Affected, ...] = ()
    set_off: Mapping[int, datetime] = field(default_factory=dict)
    orders: tuple[WorkOrder, ...] = ()
    order_steps: tuple[OrderChange, ...] = ()

    @classmethod
    def of(cls, changes: Changes) -> Waiting:
        return cls(
            tuple(changes.flips),
            changes.folded,
            tuple(changes.incidents.values()),
            tuple(changes.steps),
            tuple(changes.affected.values()),
            dict(changes.set_off),
            tuple(changes.orders.values()),
            tuple(changes.order_steps),
        )

    def changes(self) -> Changes:
        """The changes that wait."""
        return Changes(
            flips=list(self.flips),
            folded=self.folded,
            incidents={one.id: one for one in self.incidents},
            steps=list(self.steps),
            affected={(one.incident, one.device, one.since): one for one in self.affected},
            set_off=dict(self.set_off),
            orders={one.id: one for one in self.orders},
            order_steps=list(self.order_steps),
        )


@dataclass(frozen=True, slots=True)
class OfLedger:
    """What a ledger remembers besides its devices: whose turn it is, who is lost, who came back and when, what its
    lookout has seen, and the weather."""

    turn: int
    down: tuple[str, ...]
    back: Mapping[str, datetime]
    sight: Sight
    asked: datetime | None
    waiting: Waiting
    spells: tuple[Spell, ...] = ()


@dataclass(frozen=True, slots=True)
class OfBooks:
    """What the books of incidents and orders hold besides their lists. ``same``: nothing around the incidents has
    changed since they were last looked at. ``windows`` are those of the casebook, with when they were set off."""

    at: datetime
    last_id: int
    blind: int | None
    wake: datetime | None
    same: bool
    windows: tuple[Window, ...]
    last_order: int
    order_wake: datetime | None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of everything that is remembered in lists; put together in their order, parts make the whole."""

    register: tuple[Register, ...] = ()
    devices: tuple[Known, ...] = ()
    held: tuple[tuple[str, tuple[tuple[Subject, Held], ...]], ...] = ()
    faults: tuple[tuple[str, tuple[Fault, ...]], ...] = ()
    incidents: tuple[Incident, ...] = ()
    groups: tuple[tuple[GroupKey, Group], ...] = ()
    affected: tuple[Affected, ...] = ()
    over: tuple[tuple[str, Outage], ...] = ()
    orders: tuple[WorkOrder, ...] = ()


@dataclass(frozen=True, slots=True)
class Lists:
    """The lists of a moment, as they are held: none of them changes afterwards."""

    register: Register
    devices: Sequence[Known]
    book: Book
    orders: OrderBook

    def parts(self) -> Iterator[Part]:
        """Everything, in parts that are soon told."""
        for kind in KINDS:
            name = f"{kind}s"
            for some in _some(getattr(self.register, name).items()):
                yield Part(register=(Register(**{name: dict(some)}),))
        book = self.book
        lists: dict[str, Iterable[Any]] = {
            "devices": map(_plain, self.devices),
            "held": ((device, tuple(held.items())) for device, held in book.held.items()),
            "faults": book.faults.items(),
            "incidents": book.incidents.values(),
            "groups": book.groups.items(),
            "affected": book.affected.values(),
            "over": book.over.items(),
            "orders": self.orders.orders.values(),
        }
        for name, values in lists.items():
            for some in _some(values):
                yield Part(**{name: some})


def joined(parts: Iterable[Part]) -> Part:
    """The whole of these parts."""
    lists: dict[str, list[Any]] = {one.name: [] for one in fields(Part)}
    for part in parts:
        for name, values in lists.items():
            values.extend(getattr(part, name))
    return Part(**{name: tuple(values) for name, values in lists.items()})


def register_of(whole: Part) -> Register:
    """The register that was followed."""
    kinds: dict[str, dict[str, Any]] = {f"{kind}s": {} for kind in KINDS}
    for piece in whole.register:
        for name, items in kinds.items():
            items.update(getattr(piece, name))
    return Register(**kinds)


def book_of(whole: Part, besides: OfBooks) -> Book:
    """The book of incidents as it was, but for what surrounds it."""
    return Book(
        besides.at,
        besides.last_id,
        {device: dict(held) for device, held in whole.held},
        dict(whole.faults),
        {one.id: one for one in whole.incidents},
        dict(whole.groups),
        {(one.incident, one.device): one for one in whole.affected},
        dict(whole.over),
        besides.blind,
        besides.wake,
    )


def orders_of(whole: Part, besides: OfBooks) -> OrderBook:
    """The book of orders as it was."""
    return OrderBook({one.id: one for one in whole.orders}, besides.last_order, besides.order_wake)


def _plain(known: Known) -> Known:
    """A device's memory with its facts as they are written down."""
    return replace(known, seen=tuple(replace(run, facts=dict(run.facts)) for run in known.seen))


def _some(values: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    some: list[Any] = []
    for value in values:
        some.append(value)
        if len(some) == AT_ONCE:
            yield tuple(some)
            some = []
    if some:
        yield tuple(some)

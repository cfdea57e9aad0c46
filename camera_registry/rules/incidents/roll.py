"""This file keeps the roll of faults while a fold goes on, and notes whose have changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from camera_registry.model.health import Subject
from camera_registry.rules.incidents import index
from camera_registry.rules.incidents.book import Book, Fault, Fleet, Held
from camera_registry.rules.incidents.index import Index


class Roll:
    """Copies of what a book holds against devices, and of their faults. With an index of the book only those are looked
    at that this call can concern; without one, ``all``."""

    def __init__(self, book: Book, fleet: Fleet, known: Index | None) -> None:
        self.held: dict[str, Mapping[Subject, Held]] = dict(book.held)
        self.faults = dict(book.faults)
        self.changed: set[str] = set()
        self.all = known is None
        self.index = known.copy() if known is not None else index.index(book.held, book.faults, fleet)
        self._fleet = fleet
        self._indexed = dict(book.faults)
        """The faults that the index knows of."""

    def among(self, devices: AbstractSet[str]) -> list[tuple[str, tuple[Fault, ...]]]:
        """The faults of these devices, or of all, in the order in which they are known."""
        if self.all:
            return list(self.faults.items())
        return [(device, known) for device, known in self.faults.items() if device in devices]

    def put(self, device: str, before: Sequence[Fault], after: Sequence[Fault]) -> None:
        """Put these faults of a device in place of those of before, one for one."""
        if any(new is not old for new, old in zip(after, before, strict=True)):
            self.faults[device] = tuple(after)
            self.changed.add(device)

    def mend(self, fault: Fault, better: Fault) -> None:
        """Put one fault in place of another of the same device and cause."""
        known = self.faults[fault.device]
        self.put(fault.device, known, [better if one.cause is fault.cause else one for one in known])

    def index_again(self) -> None:
        """Bring the index up to date with what was done to faults."""
        for device in self.changed:
            before, after = self._indexed.get(device, ()), self.faults.get(device, ())
            if before is not after:
                self.index.change(device, before, after, self._fleet)
                self._indexed[device] = after

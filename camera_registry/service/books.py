"""The books: what is known of incidents, and of the work orders about them, folded together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from camera_registry.model.incident import IncidentChange
from camera_registry.model.notice import Notice
from camera_registry.model.work_order import OrderChange
from camera_registry.service.casebook import Casebook
from camera_registry.service.changes import Changes
from camera_registry.service.dispatcher import Dispatcher
from camera_registry.service.memory import OfBooks, Part, book_of, orders_of


@dataclass(frozen=True, slots=True)
class Books:
    """The casebook and the dispatcher of one service."""

    casebook: Casebook
    dispatcher: Dispatcher

    def fold(self, changes: Changes, now: datetime) -> None:
        """Fold the flips of these changes into incidents, and let orders follow them."""
        folded = self.casebook.fold(changes, now, self.dispatcher.holds)
        self.dispatcher.fold(folded, self.casebook.incidents, changes, now)

    def memory(self) -> OfBooks:
        """What the books hold besides their lists, as it is now."""
        book, orders = self.casebook.book, self.dispatcher.book
        same = self.casebook.same(self.dispatcher.holds)
        windows = self.casebook.windows
        return OfBooks(book.at, book.last_id, book.blind, book.wake, same, windows, orders.last_id, orders.wake)

    def recall(self, besides: OfBooks, whole: Part) -> None:
        """Take both up as they were; after ``follow``."""
        book = book_of(whole, besides)
        self.dispatcher.recall(orders_of(whole, besides), book.incidents)
        self.casebook.recall(book, self.dispatcher.holds, same=besides.same)

    def owed(self, steps: Iterable[IncidentChange] = (), order_steps: Iterable[OrderChange] = ()) -> list[Notice]:
        """The notices that follow from these steps."""
        steps = tuple(steps)
        return self.casebook.owed(steps, order_steps, self.dispatcher.by_incident() if steps else None)

"""The casebook: the one owner of open incidents while the service runs. It decides nothing itself (rules do) and writes
nothing (the recorder does)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from camera_registry.model.health import AspectState
from camera_registry.model.incident import Affected, Incident, IncidentChange, Step
from camera_registry.model.maintenance import Window
from camera_registry.model.notice import Audience, Notice, NoticeState, Occasion
from camera_registry.model.policy import IncidentPolicy
from camera_registry.model.register import Register
from camera_registry.model.work_order import Hold, OrderChange, WorkOrder
from camera_registry.rules import maintenance, notices, order_notices
from camera_registry.rules.incidents.book import Book, Fleet, Folded
from camera_registry.rules.incidents.fold import around, fold
from camera_registry.rules.incidents.restore import restore
from camera_registry.service.changes import Changes
from camera_registry.service.ledger import Ledger

_Step = TypeVar("_Step", IncidentChange, OrderChange)

AHEAD = timedelta(minutes=1)
"""Later than the book by more than this is no time that has come: the book is folded every few seconds."""


class Casebook:
    """The book of incidents in memory. Not thread-safe: it belongs to the event loop."""

    def __init__(self, ledger: Ledger, policy: IncidentPolicy, now: datetime) -> None:
        self.audiences: Sequence[Audience] = ()
        """Whom notices are owed to."""
        self._ledger = ledger
        self.register = Register()
        """The register that is followed."""
        self._book = Book(now)
        self._fleet = Fleet(heard=ledger.state, policy=ledger.policy_of, rules=policy)

    def load(
        self,
        states: Iterable[AspectState],
        incidents: Iterable[Incident],
        affected: Iterable[Affected],
        last_id: int,
        now: datetime,
    ) -> None:
        """Take up what the store kept. Comes before ``follow``; nobody is told anything by it."""
        self._book = restore(states, incidents, affected, last_id, self._fleet, now)
        if self._book.blind is not None:
            self._ledger.lookout.resume(self._book.incidents[self._book.blind].started)

    def follow(self, register: Register, windows: Sequence[Window], policy: IncidentPolicy) -> None:
        """Take up the register, planned work and policy as they are now."""
        self.register = register
        area_parents, parents = register.area_parents(), register.parents()
        self._fleet = replace(
            self._fleet,
            devices=register.devices,
            parents=parents,
            area_parents=area_parents,
            rules=policy,
            windows=maintenance.plan(windows, register.devices, area_parents, parents),
        )

    @property
    def book(self) -> Book:
        """The book as it is now."""
        return self._book

    @property
    def policy(self) -> IncidentPolicy:
        """The policy in force."""
        return self._fleet.rules

    @property
    def windows(self) -> tuple[Window, ...]:
        """Planned work as it is now, with when it was set off."""
        return tuple(one.window for one in self._fleet.windows)

    def same(self, holds: Mapping[int, tuple[Hold, ...]]) -> bool:
        """Whether nothing that surrounds the incidents has changed since they were last looked at."""
        return around(self._surrounded(holds), self._book.at) == self._book.around

    def recall(self, book: Book, holds: Mapping[int, tuple[Hold, ...]], *, same: bool) -> None:
        """Take the book up as it was; after ``follow``."""
        self._book = replace(book, around=around(self._surrounded(holds), book.at) if same else ())

    def _surrounded(self, holds: Mapping[int, tuple[Hold, ...]]) -> Fleet:
        return replace(self._fleet, blind=self._ledger.lookout.blind, holds=holds)

    def fold(self, changes: Changes, now: datetime, holds: Mapping[int, tuple[Hold, ...]] | None = None) -> Folded:
        """Fold the flips of these changes that were not folded yet, and note beside them what follows. ``holds``: for
        which incidents work orders are or were on hold."""
        self._book, folded = fold(self._book, changes.flips[changes.folded :], self._surrounded(holds or {}), now)
        changes.folded = len(changes.flips)
        changes.incidents.update({incident.id: incident for incident in folded.incidents})
        changes.steps += folded.changes
        changes.affected.update({(one.incident, one.device, one.since): one for one in folded.affected})
        changes.set_off.update(folded.set_off)
        for id, began in folded.set_off:
            self._fleet = replace(
                self._fleet,
                windows=tuple(
                    replace(one, window=replace(one.window, began=began)) if one.window.id == id else one
                    for one in self._fleet.windows
                ),
            )
        return folded

    def owed(
        self,
        steps: Iterable[IncidentChange],
        order_steps: Iterable[OrderChange] = (),
        orders: Mapping[int, WorkOrder] | None = None,
    ) -> list[Notice]:
        """The notices that follow from these steps. ``orders``: the work orders by their incidents."""
        now = self._book.at
        told = notices.owed(_past(steps, now), self.audiences, self.register, orders)
        return told + order_notices.owed(_past(order_steps, now), self.audiences, self.register, self.incidents)

    def standing(self, audience: Audience) -> list[Notice]:
        """What a channel that has forgotten everything is to be told: the open incidents that concern it."""
        steps = [IncidentChange(Step.OPENED, one.opened_at, one) for one in self._book.incidents.values()]
        owed = notices.owed(steps, [audience], self.register)
        return [one for one in owed if one.occasion is Occasion.OPENED and one.state is NoticeState.PENDING]

    def get(self, id: int) -> Incident | None:
        """One open incident."""
        return self._book.incidents.get(id)

    def put(self, incident: Incident) -> None:
        """Take up what somebody did to an open incident."""
        # Looked at again at once: an acknowledgement may expire before anything else happens.
        incidents = {**self._book.incidents, incident.id: incident}
        self._book = replace(self._book, incidents=incidents, wake=self._book.at)
        waiting = self._ledger.changes.incidents
        if incident.id in waiting:
            waiting[incident.id] = incident

    @property
    def incidents(self) -> Mapping[int, Incident]:
        """Every open incident, by its number."""
        return self._book.incidents

    def covered(self, now: datetime) -> set[str]:
        """The devices that are in a maintenance window."""
        return {
            device
            for one in self._fleet.windows
            if maintenance.turn(one.window, now) is not None
            for device in one.covered
        }

    def covering(self, device: str, now: datetime) -> Window | None:
        """The maintenance window that a device is in."""
        covering = (one.window for one in self._fleet.windows if device in one.covered)
        return next((window for window in covering if maintenance.turn(window, now) is not None), None)


def _past(steps: Iterable[_Step], now: datetime) -> Iterator[_Step]:
    """The steps; one of tomorrow, for the clock was set back since, is told now."""
    return (step if step.at <= now + AHEAD else replace(step, at=now) for step in steps)

"""This file holds what has changed and waits to be written and shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from camera_registry.model.baseline import Regime
from camera_registry.model.health import AspectState, Flip, Subject
from camera_registry.model.incident import Affected, Incident, IncidentChange
from camera_registry.model.observation import ProbeSeen
from camera_registry.model.roster import Run
from camera_registry.model.trend import PictureDay
from camera_registry.model.work_order import OrderChange, WorkOrder


@dataclass(slots=True)
class Changes:
    """What is to be written and shown. Keyed, so that changes which wait for a slow database don't pile up; only
    flips and steps of incidents and orders do, and none of them is dropped. ``moved`` states and runs seen ``again``
    are as they were, at a later time; ``folded`` flips are in the book of incidents already; ``set_off`` says when
    flexible maintenance windows began; ``days`` are those of pictures that are over."""

    states: dict[Subject, AspectState] = field(default_factory=dict)
    seen: dict[tuple[str, Run], ProbeSeen] = field(default_factory=dict)
    moved: dict[Subject, AspectState] = field(default_factory=dict)
    again: dict[tuple[str, Run], ProbeSeen] = field(default_factory=dict)
    flips: list[Flip] = field(default_factory=list)
    folded: int = 0
    incidents: dict[int, Incident] = field(default_factory=dict)
    steps: list[IncidentChange] = field(default_factory=list)
    affected: dict[tuple[int, str, datetime], Affected] = field(default_factory=dict)
    set_off: dict[int, datetime] = field(default_factory=dict)
    orders: dict[int, WorkOrder] = field(default_factory=dict)
    order_steps: list[OrderChange] = field(default_factory=list)
    days: dict[tuple[str, str, Regime, date], PictureDay] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)

    def rows(self) -> Iterator[object]:
        """Everything that has a row to be written; devices that are only to be shown anew have none."""
        yield from (self.states, self.seen, self.flips, self.incidents, self.affected, self.set_off, self.orders)
        yield from (self.days, self.moved, self.again)

    def stir(self, device: str, runs: Iterable[tuple[ProbeSeen, bool]], states: Iterable[AspectState]) -> None:
        """Add runs of a device, each with whether anything but its time is new, and the states that they feed. What is
        written whole anyway is so as it is now."""
        for state in states:
            (self.states if state.subject in self.states else self.moved)[state.subject] = state
        for run, new in runs:
            key = (device, (run.probe, run.channel))
            (self.seen if new or key in self.seen else self.again)[key] = run

    def under(self, newer: Changes) -> Changes:
        """These changes with newer ones on top."""
        return Changes(
            self.states | newer.states,
            self.seen | newer.seen,
            self.moved | newer.moved,
            self.again | newer.again,
            self.flips + newer.flips,
            self.folded + newer.folded,
            self.incidents | newer.incidents,
            self.steps + newer.steps,
            self.affected | newer.affected,
            self.set_off | newer.set_off,
            self.orders | newer.orders,
            self.order_steps + newer.order_steps,
            self.days | newer.days,
            self.touched | newer.touched,
            (self.gone - newer.touched) | newer.gone,
        )

    def without(self, device: str) -> Changes:
        """These changes where nothing of a device is to be written any more, but for what was decided of it."""
        return replace(
            self,
            states={subject: state for subject, state in self.states.items() if subject.device != device},
            seen={key: run for key, run in self.seen.items() if key[0] != device},
            moved={subject: state for subject, state in self.moved.items() if subject.device != device},
            again={key: run for key, run in self.again.items() if key[0] != device},
            touched=self.touched - {device},
            gone=self.gone | {device},
        )

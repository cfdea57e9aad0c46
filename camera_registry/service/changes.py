"""This file holds what has changed and waits to be written and shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from camera_registry.model.health import AspectState, Flip, Subject
from camera_registry.model.incident import Affected, Incident, IncidentChange
from camera_registry.model.observation import ProbeSeen
from camera_registry.model.roster import Run


@dataclass(slots=True)
class Changes:
    """What is to be written and shown. Keyed, so that changes which wait for a slow database don't pile up; only
    flips and steps of incidents do, and none of them is dropped. ``folded`` flips are in the book of incidents
    already; ``set_off`` says when flexible maintenance windows began."""

    states: dict[Subject, AspectState] = field(default_factory=dict)
    seen: dict[tuple[str, Run], ProbeSeen] = field(default_factory=dict)
    flips: list[Flip] = field(default_factory=list)
    folded: int = 0
    incidents: dict[int, Incident] = field(default_factory=dict)
    steps: list[IncidentChange] = field(default_factory=list)
    affected: dict[tuple[int, str, datetime], Affected] = field(default_factory=dict)
    set_off: dict[int, datetime] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)

    def under(self, newer: Changes) -> Changes:
        """These changes with newer ones on top."""
        return Changes(
            self.states | newer.states,
            self.seen | newer.seen,
            self.flips + newer.flips,
            self.folded + newer.folded,
            self.incidents | newer.incidents,
            self.steps + newer.steps,
            self.affected | newer.affected,
            self.set_off | newer.set_off,
            self.touched | newer.touched,
            (self.gone - newer.touched) | newer.gone,
        )

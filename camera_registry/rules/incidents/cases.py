"""This file keeps the open incidents while a fold goes on, and writes down each step that they take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from camera_registry.model.health import Aspect, Cause
from camera_registry.model.incident import (
    Affected,
    Called,
    Incident,
    IncidentChange,
    Party,
    Scope,
    Severity,
    Span,
    Step,
)
from camera_registry.model.policy import IncidentPolicy
from camera_registry.model.work_order import Hold
from camera_registry.rules.incidents.book import Book, Fault
from camera_registry.rules.incidents.pausing import paused, unpaused


@dataclass(frozen=True, slots=True)
class Closed:
    """The open incidents (the very mapping of before, if nothing changed), the steps, the incidents that differ, and
    the devices that came behind one or left it."""

    still: Mapping[int, Incident]
    steps: tuple[IncidentChange, ...]
    changed: tuple[Incident, ...]
    moved: tuple[Affected, ...]


class Cases:
    """Copies of a book's incidents and of the devices behind them, and what was done to them since."""

    def __init__(self, book: Book, policy: IncidentPolicy, now: datetime) -> None:
        self.incidents = dict(book.incidents)
        self.affected = dict(book.affected)
        self.last_id = book.last_id
        self._before = book.incidents
        self._policy = policy
        self._now = now
        self._steps: list[IncidentChange] = []
        self._moved: dict[tuple[int, str, datetime], Affected] = {}

    def make(self, incident: Incident) -> int:
        """Open an incident, whose number is given here."""
        self.last_id += 1
        made = replace(
            incident,
            id=self.last_id,
            severity=self._severity(incident, 1),
            causes=incident.causes or (Called(incident.cause, incident.started),),
            version=0,
        )
        self.incidents[made.id] = made
        self.tell(Step.OPENED, self._now, made.id, text=made.detail)
        return made.id

    def resolve(self, id: int, at: datetime, text: str = "") -> None:
        """End an incident, never before it began."""
        incident = self.incidents[id]
        ended = max(at, incident.started)
        first, *later = incident.spans
        self.incidents[id] = replace(incident, ended=ended, spans=(first, *(one for one in later if one.since < ended)))
        self.tell(Step.RESOLVED, ended, id, text=text)

    def follow(self, fault: Fault) -> None:
        """Let the incident of a fault say what the fault says."""
        assert fault.incident is not None
        was = self.incidents[fault.incident]
        parent = fault.behind if fault.explained and fault.behind != was.id else None
        new = replace(
            was,
            cause=fault.cause,
            started=fault.started,
            detail=fault.detail,
            flapping=fault.flapping,
            symptoms=fault.symptoms,
            causes=fault.causes,
            spans=fault.spans,
            parent=parent,
            window=fault.window,
        )
        if new == was:
            return
        self.incidents[was.id] = new
        if was.version == 0:
            return  # opened in this call: as it is now is how it begins
        if new.cause is not was.cause:
            self.tell(Step.CAUSE_CHANGED, new.causes[-1].since, was.id, text=new.detail)
            self._weigh(was.id, self._severity(new, 1 + new.affected))
            if new.acknowledged is not None and not new.acknowledged.sticky:
                self.incidents[was.id] = replace(self.incidents[was.id], acknowledged=None)
                self.tell(Step.UNACKNOWLEDGED, self._now, was.id)
        if new.flapping is not was.flapping:
            self.tell(Step.FLAPPING_BEGAN if new.flapping else Step.FLAPPING_ENDED, self._now, was.id)
        if new.parent != was.parent:
            found = new.parent is not None
            self.tell(
                Step.EXPLAINED if found else Step.UNEXPLAINED, self._now, was.id, new.parent if found else was.parent
            )
        if new.window != was.window:
            begun = new.window is not None
            self.tell(Step.MUTED if begun else Step.UNMUTED, self._now, was.id, new.window if begun else was.window)

    def pause(self, holds: Mapping[int, Sequence[Hold]]) -> None:
        """Charge the holds of work orders to nobody's device."""
        for id, held in holds.items():
            incident = self.incidents.get(id)
            if incident is not None and incident.open:
                spans = paused(unpaused(incident.spans), held)
                if spans != incident.spans:
                    self.incidents[id] = replace(incident, spans=spans)

    def affect(
        self,
        current: Mapping[tuple[int, str], datetime],
        ends: Mapping[str, datetime],
        among: Container[str] | None,
    ) -> None:
        """Take down which devices are lost behind which incident, since when; ``ends`` says when others were back. Only
        devices ``among`` these were looked at (None: all of them)."""
        for key, since in current.items():
            if key not in self.affected:
                self._move(Affected(*key, since))
        for key, one in list(self.affected.items()):
            if (among is None or key[1] in among) and key not in current:
                over = self.incidents[key[0]].ended if key[0] in self.incidents else None
                self._move(replace(one, until=max(one.since, ends.get(key[1]) or over or self._now)))
        if among is not None and not self._moved:
            return
        lost = Counter(id for id, _ in self.affected)
        for id, number in lost.items():
            incident = self.incidents[id]
            if number > incident.affected:
                self.incidents[id] = replace(incident, affected=number)
                devices = number + (incident.scope is Scope.DEVICE)
                worse = min(incident.severity, self._severity(incident, devices))
                self._weigh(id, worse)

    def expire(self) -> None:
        """End the acknowledgements whose time has come."""
        for id, incident in list(self.incidents.items()):
            seen = incident.acknowledged
            if seen is not None and seen.until is not None and seen.until <= self._now and incident.open:
                self.incidents[id] = replace(incident, acknowledged=None)
                self.tell(Step.UNACKNOWLEDGED, seen.until, id)

    def tell(self, step: Step, at: datetime, id: int, other: int | None = None, text: str = "") -> None:
        self._steps.append(IncidentChange(step, at, self.incidents[id], other=other, text=text))

    def close(self) -> Closed:
        """What is left of it; each step with its incident as it stands after all of them."""
        before = self._before
        # Nearly all of them are the very same: to compare each field of thousands would take longer than all else.
        differ = [id for id, one in self.incidents.items() if one is not (was := before.get(id)) and one != was]
        for id in differ:
            self.incidents[id] = replace(self.incidents[id], version=self.incidents[id].version + 1)
        told = tuple(replace(step, incident=self.incidents[step.incident.id]) for step in self._steps)
        changed = tuple(self.incidents[id] for id in sorted(differ))
        still = {id: one for id, one in self.incidents.items() if one.open} if changed else self._before
        return Closed(still, told, changed, tuple(self._moved.values()))

    def _severity(self, incident: Incident, devices: int) -> Severity:
        """The severity by policy. That a device gets no power is no worse than that it does not answer: what weighs
        more is a supply, for what hangs on it."""
        usual = self._policy.severity(incident.cause, devices)
        unfed = incident.cause is Cause.POWER and incident.aspect is Aspect.REACH
        return max(usual, self._policy.severity(Cause.UNREACHABLE, devices)) if unfed else usual

    def _weigh(self, id: int, severity: Severity) -> None:
        incident = self.incidents[id]
        if severity is not incident.severity:
            self.incidents[id] = replace(incident, severity=severity)
            if incident.version:
                self.tell(Step.SEVERITY_CHANGED, self._now, id, text=severity.value)

    def _move(self, affected: Affected) -> None:
        key = affected.incident, affected.device
        self._moved[*key, affected.since] = affected
        if affected.until is None:
            self.affected[key] = affected
        else:
            del self.affected[key]


def opening(
    scope: Scope, about: str, cause: Cause, started: datetime, confirmed_at: datetime, opened_at: datetime
) -> Incident:
    """An incident as it is opened, but for its number and severity."""
    party = Party.UNKNOWN if scope is Scope.POLLER else Party.DEVICE
    spans = (Span(party, started),)
    return Incident(0, scope, about, cause, Severity.P3, started, confirmed_at, opened_at, spans=spans)

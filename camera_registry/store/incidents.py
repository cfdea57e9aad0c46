"""Keeps incidents, their time lines, and the devices that were lost behind them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, or_, select

from camera_registry.model.health import Aspect, Cause, Subject
from camera_registry.model.incident import (
    Acknowledgement,
    Affected,
    Called,
    Incident,
    IncidentChange,
    Party,
    Severity,
    Span,
    Step,
)
from camera_registry.store.columns import clean, instant, microseconds
from camera_registry.store.incident_tables import AffectedRow, IncidentRow, IncidentStepRow
from camera_registry.store.sorting import Sorting, page_of
from camera_registry.store.statements import insert, rows_after, subtree, upsert
from camera_registry.store.tables import table

_INCIDENTS = table(IncidentRow)
_STEPS = table(IncidentStepRow)
_AFFECTED = table(AffectedRow)
_PLAIN = tuple(
    field.name
    for field in fields(Incident)
    if field.name not in ("detail", "symptoms", "causes", "spans", "acknowledged", "window")
)
"""What has a column of its own name and type."""


@dataclass(frozen=True, slots=True)
class StoredStep:
    """A row of a time line; numbers grow in the order in which steps were stored."""

    id: int
    incident: int
    step: Step
    at: datetime
    cause: Cause
    severity: Severity
    actor: str
    other: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which incidents are meant; what is left empty asks for nothing.

    ``area`` takes its subtree along; ``device`` means those about it and those it was lost behind; ``parent`` those
    explained by one; ``roots`` leaves out what another one explains. ``since`` (included) and ``until`` mean those
    that were open at some time in between.
    """

    open: bool | None = None
    area: str = ""
    device: str = ""
    cause: Cause | None = None
    severity: Severity | None = None
    parent: int | None = None
    roots: bool = False
    since: datetime | None = None
    until: datetime | None = None


def save(
    tx: Connection,
    incidents: Iterable[Incident],
    changes: Iterable[IncidentChange] = (),
    affected: Iterable[Affected] = (),
) -> None:
    """Write one batch: incidents as they stand now, each at most once; the steps that led there; devices behind them.

    Whatever is owed because of a step (notices, work orders) belongs into the same transaction.
    """
    upsert(tx, _INCIDENTS, [_row(incident) for incident in incidents])
    insert(tx, _STEPS, [_step_row(change) for change in changes])
    rows = [{"incident": a.incident, "device": a.device, "since": a.since, "until": a.until} for a in affected]
    upsert(tx, _AFFECTED, rows)


def load_open(tx: Connection) -> list[Incident]:
    """Every open incident, for a start."""
    query = select(_INCIDENTS).where(_INCIDENTS.c.ended.is_(None)).order_by(_INCIDENTS.c.id)
    return [_incident(row) for row in tx.execute(query).mappings()]


def load_affected(tx: Connection) -> list[Affected]:
    """The devices that are charged to another incident at present, for a start."""
    return [_affected(row) for row in tx.execute(select(_AFFECTED).where(_AFFECTED.c.until.is_(None))).mappings()]


def newest(tx: Connection) -> int:
    """The highest number given to an incident so far; 0: none."""
    return tx.execute(select(func.max(_INCIDENTS.c.id))).scalar() or 0


def get(tx: Connection, id: int) -> Incident | None:
    """One incident, or None."""
    row = tx.execute(select(_INCIDENTS).where(_INCIDENTS.c.id == id)).mappings().first()
    return None if row is None else _incident(row)


def page(
    tx: Connection,
    wanted: Wanted,
    *,
    sorting: Sorting = Sorting.NEWEST,
    before_id: int | None = None,
    limit: int = 100,
) -> list[Incident]:
    """Incidents, newest or worst first. The next page is what has ``before_id`` = the last one's id."""
    one = _INCIDENTS.c
    conditions = [
        getattr(one, name) == value for name in ("cause", "severity", "parent") if (value := getattr(wanted, name))
    ]
    if wanted.open is not None:
        conditions.append(one.ended.is_(None) if wanted.open else one.ended.is_not(None))
    if wanted.area:
        conditions.append(one.area.in_(subtree(wanted.area)))
    if wanted.device:
        behind = select(_AFFECTED.c.incident).where(_AFFECTED.c.device == wanted.device)
        conditions.append(or_(one.about == wanted.device, one.id.in_(behind)))
    if wanted.roots:
        conditions.append(one.parent.is_(None))
    if wanted.since is not None:
        conditions.append(or_(one.ended.is_(None), one.ended >= wanted.since))
    if wanted.until is not None:
        conditions.append(one.started < wanted.until)
    keys = (one.severity, one.started) if sorting is Sorting.WORST else ()
    return [_incident(row) for row in page_of(tx, _INCIDENTS, conditions, keys, before_id, limit)]


def time_line(tx: Connection, incident: int, *, limit: int = 1000) -> list[StoredStep]:
    """The steps of one incident, oldest first."""
    query = select(_STEPS).where(_STEPS.c.incident == incident).order_by(_STEPS.c.id).limit(limit)
    return [StoredStep(**row) for row in tx.execute(query).mappings()]


def affected(tx: Connection, incident: int, *, limit: int = 1000) -> list[Affected]:
    """The devices lost behind one incident, in the order in which they were lost."""
    query = select(_AFFECTED).where(_AFFECTED.c.incident == incident)
    query = query.order_by(_AFFECTED.c.since, _AFFECTED.c.device).limit(limit)
    return [_affected(row) for row in tx.execute(query).mappings()]


def opened_after(tx: Connection, id: int, besides: Collection[int] = ()) -> list[Incident]:
    """Every incident with a higher number, and some older ones, as they stand."""
    return [_incident(row) for row in rows_after(tx, _INCIDENTS, id, besides)]


def affected_after(tx: Connection, id: int) -> list[Affected]:
    """The devices lost behind incidents with a higher number."""
    one = _AFFECTED.c
    query = select(_AFFECTED).where(one.incident > id).order_by(one.incident, one.device, one.since)
    return [_affected(row) for row in tx.execute(query).mappings()]


def newest_step(tx: Connection) -> int:
    """The number of the newest step; 0: there is none."""
    return tx.execute(select(func.max(_STEPS.c.id))).scalar() or 0


def steps_after(tx: Connection, id: int) -> list[StoredStep]:
    """Every step that was stored after one, oldest first."""
    return [StoredStep(**row) for row in rows_after(tx, _STEPS, id)]


def _row(incident: Incident) -> dict[str, object]:
    seen = incident.acknowledged
    return {
        **{name: getattr(incident, name) for name in _PLAIN},
        "detail": clean(incident.detail),
        "symptoms": [[one.device, one.aspect.value, one.channel] for one in incident.symptoms],
        "causes": [[called.cause.value, microseconds(called.since)] for called in incident.causes],
        "spans": [[span.party.value, microseconds(span.since)] for span in incident.spans],
        "window_id": incident.window,
        "acknowledged": None
        if seen is None
        else {
            "by": clean(seen.by),
            "at": microseconds(seen.at),
            "until": None if seen.until is None else microseconds(seen.until),
            "sticky": seen.sticky,
            "note": clean(seen.note),
        },
    }


def _incident(row: RowMapping) -> Incident:
    seen: Any = row["acknowledged"]
    return Incident(
        **{name: row[name] for name in _PLAIN},
        detail=row["detail"],
        symptoms=tuple(Subject(device, Aspect(aspect), channel) for device, aspect, channel in row["symptoms"]),
        causes=tuple(Called(Cause(cause), instant(since)) for cause, since in row["causes"]),
        spans=tuple(Span(Party(party), instant(since)) for party, since in row["spans"]),
        window=row["window_id"],
        acknowledged=None
        if seen is None
        else Acknowledgement(
            seen["by"],
            instant(seen["at"]),
            None if seen["until"] is None else instant(seen["until"]),
            seen["sticky"],
            seen["note"],
        ),
    )


def _step_row(change: IncidentChange) -> dict[str, object]:
    incident = change.incident
    return {
        "incident": incident.id,
        "step": change.step,
        "at": change.at,
        "cause": incident.cause,
        "severity": incident.severity,
        "actor": clean(change.actor),
        "other": change.other,
        "text": clean(change.text),
    }


def _affected(row: RowMapping) -> Affected:
    return Affected(row["incident"], row["device"], row["since"], row["until"])

"""Keeps work orders and their time lines."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, case, func, literal, or_, select

from camera_registry.model.health import Aspect, Cause, Subject
from camera_registry.model.work_order import (
    FINAL,
    NO_INCIDENT,
    OVER,
    Deadlines,
    Due,
    Hold,
    HoldReason,
    OrderChange,
    OrderState,
    OrderStep,
    Phase,
    Rating,
    WorkOrder,
)
from camera_registry.store import audit
from camera_registry.store.columns import Instant, clean, instant, microseconds
from camera_registry.store.incident_tables import IncidentRow
from camera_registry.store.order_tables import WorkOrderRow, WorkOrderStepRow
from camera_registry.store.sorting import Sorting, page_of
from camera_registry.store.statements import batches, insert, rows_after, subtree, upsert
from camera_registry.store.tables import table

_ORDERS = table(WorkOrderRow)
_STEPS = table(WorkOrderStepRow)
_INCIDENTS = table(IncidentRow)
_ONE = _ORDERS.c
_PLAIN = tuple(
    field.name
    for field in fields(WorkOrder)
    if field.name not in ("incident", "deadlines", "due", "symptoms", "holds", "overdue", "rating")
)
"""What has a column of its own name and type."""
_NEVER = datetime(9000, 1, 1, tzinfo=UTC)

SERVICE = "dispatch"
"""Whose name stands in the audit trail under what orders do by themselves."""


@dataclass(frozen=True, slots=True)
class StoredStep:
    """A row of a time line; numbers grow in the order in which steps were stored."""

    id: int
    work_order: int
    step: OrderStep
    at: datetime
    state: OrderState
    actor: str
    details: Mapping[str, str | int]
    note: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders are meant; what is left empty asks for nothing.

    ``area`` takes its subtree along. ``crew`` with ``contractor`` means the crew's own and those that any crew of the
    contractor may take, as somebody of the role ``crew`` sees them. ``overdue`` is the time by which a phase that is
    still to be done was due. ``open`` leaves out what is over: verified, closed, cancelled. ``since`` (included) and
    ``until`` are about the opening.
    """

    open: bool | None = None
    states: frozenset[OrderState] = frozenset()
    contractor: str = ""
    crew: str = ""
    area: str = ""
    about: str = ""
    incident: int | None = None
    cause: Cause | None = None
    overdue: datetime | None = None
    since: datetime | None = None
    until: datetime | None = None


def save(tx: Connection, orders: Iterable[WorkOrder], changes: Iterable[OrderChange] = ()) -> None:
    """Write one batch: orders as they stand now, each at most once, and the steps that led there, which go into the
    audit trail too. Belongs into the transaction that keeps the incidents."""
    upsert(tx, _ORDERS, [_row(order) for order in orders])
    changes = list(changes)
    insert(tx, _STEPS, [_step_row(change) for change in changes])
    for (actor, at), done in groupby(changes, key=lambda change: (change.actor, change.at)):
        audit.append_many(tx, [_entry(change) for change in done], actor or SERVICE, at)


def load(tx: Connection, since: datetime) -> list[WorkOrder]:
    """Every order that may still change by itself, for a start: what is not over, what was closed after ``since``, and
    whatever is about an open incident."""
    still = or_(
        _ONE.state.not_in(FINAL),
        _ONE.closed_at >= since,
        _ONE.incident.in_(select(_INCIDENTS.c.id).where(_INCIDENTS.c.ended.is_(None))),
    )
    return [_order(row) for row in tx.execute(select(_ORDERS).where(still).order_by(_ONE.id)).mappings()]


def newest(tx: Connection) -> int:
    """The highest number given to an order so far; 0: none."""
    return tx.execute(select(func.max(_ONE.id))).scalar() or 0


def get(tx: Connection, id: int) -> WorkOrder | None:
    """One order, or None."""
    row = tx.execute(select(_ORDERS).where(_ONE.id == id)).mappings().first()
    return None if row is None else _order(row)


def expired(tx: Connection, ids: Iterable[int], before: datetime) -> list[int]:
    """Those of these orders that were closed or cancelled before a time, or that there are not."""
    known: dict[int, bool] = {}
    for some in batches(ids):
        for row in tx.execute(select(_ONE.id, _ONE.closed_at, _ONE.state).where(_ONE.id.in_(some))):
            known[row.id] = row.state in FINAL and row.closed_at is not None and row.closed_at < before
        known.update({id: True for id in some if id not in known})
    return [id for id, over in known.items() if over]


def page(
    tx: Connection,
    wanted: Wanted,
    *,
    sorting: Sorting = Sorting.NEWEST,
    before_id: int | None = None,
    limit: int = 100,
) -> list[WorkOrder]:
    """Orders, newest, worst or due first. The next page is what has ``before_id`` = the last one's id."""
    keys: Mapping[Sorting, Sequence[ColumnElement[Any]]] = {
        Sorting.WORST: (_ONE.severity, _ONE.opened_at),
        Sorting.DUE: (_next_due(), _ONE.severity),
    }
    found = page_of(tx, _ORDERS, _conditions(wanted), keys.get(sorting, ()), before_id, limit)
    return [_order(row) for row in found]


def _next_due() -> ColumnElement[datetime]:
    """When the next phase that is still to be done is due; what is not due at all comes last."""
    never = literal(_NEVER, Instant)
    idle = _ONE.state.in_(OVER | {OrderState.FIXED})
    phases = (
        (_ONE.accepted_at, _ONE.accept_due),
        (_ONE.arrived_at, _ONE.arrive_due),
        (_ONE.fixed_at, _ONE.repair_due),
    )
    first, *others = (case((or_(idle, done.is_not(None), due.is_(None)), never), else_=due) for done, due in phases)
    for due in others:
        first = case((first <= due, first), else_=due)
    return first


def time_line(tx: Connection, order: int, *, limit: int = 1000) -> list[StoredStep]:
    """The steps of one order, oldest first."""
    query = select(_STEPS).where(_STEPS.c.work_order == order).order_by(_STEPS.c.id).limit(limit)
    return [StoredStep(**row) for row in tx.execute(query).mappings()]


def opened_after(tx: Connection, id: int, besides: Collection[int] = ()) -> list[WorkOrder]:
    """Every order with a higher number, and some older ones, as they stand."""
    return [_order(row) for row in rows_after(tx, _ORDERS, id, besides)]


def steps_after(tx: Connection, id: int) -> list[StoredStep]:
    """Every step that was stored after one, oldest first."""
    return [StoredStep(**row) for row in rows_after(tx, _STEPS, id)]


def newest_step(tx: Connection) -> int:
    """The number of the newest step; 0: there is none."""
    return tx.execute(select(func.max(_STEPS.c.id))).scalar() or 0


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    given = ("about", "incident", "cause")
    conditions = [_ONE[name] == value for name in given if (value := getattr(wanted, name))]
    if wanted.open is not None:
        conditions.append(_ONE.state.not_in(OVER) if wanted.open else _ONE.state.in_(OVER))
    if wanted.states:
        conditions.append(_ONE.state.in_(wanted.states))
    if wanted.crew and wanted.contractor:
        free = and_(_ONE.crew == "", _ONE.contractor == wanted.contractor)
        conditions.append(or_(_ONE.crew == wanted.crew, free))
    elif wanted.crew:
        conditions.append(_ONE.crew == wanted.crew)
    elif wanted.contractor:
        conditions.append(_ONE.contractor == wanted.contractor)
    if wanted.area:
        conditions.append(_ONE.area.in_(subtree(wanted.area)))
    if wanted.overdue is not None:
        conditions.append(_overdue(wanted.overdue))
    if wanted.since is not None:
        conditions.append(_ONE.opened_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(_ONE.opened_at < wanted.until)
    return conditions


def _overdue(now: datetime) -> ColumnElement[bool]:
    late = [
        and_(_ONE.accepted_at.is_(None), _ONE.accept_due <= now),
        and_(_ONE.arrived_at.is_(None), _ONE.arrive_due <= now),
        _ONE.repair_due <= now,
    ]
    working = _ONE.state.not_in(OVER | {OrderState.FIXED})
    return and_(working, _ONE.recovered_at.is_(None), or_(*late))


def _row(order: WorkOrder) -> dict[str, object]:
    limits, rating = order.deadlines, order.rating
    return {
        **{name: getattr(order, name) for name in _PLAIN},
        "incident": None if order.by_hand else order.incident,
        "deadlines": [limits.accept, limits.arrive, limits.repair],
        **{f"{phase.value}_due": order.due.of(phase) for phase in Phase},
        "symptoms": [[one.device, one.aspect.value, one.channel] for one in order.symptoms],
        "holds": [
            {
                "reason": hold.reason.value,
                "by": clean(hold.by),
                "since": microseconds(hold.since),
                "until": None if hold.until is None else microseconds(hold.until),
                "note": clean(hold.note),
            }
            for hold in order.holds
        ],
        "overdue": tuple(phase.value for phase in order.overdue),
        "rating": None
        if rating is None
        else {
            "stars": rating.stars,
            "by": clean(rating.by),
            "at": microseconds(rating.at),
            "remark": clean(rating.remark),
        },
    }


def _order(row: RowMapping) -> WorkOrder:
    rating: Any = row["rating"]
    return WorkOrder(
        **{name: row[name] for name in _PLAIN},
        incident=NO_INCIDENT if row["incident"] is None else row["incident"],
        deadlines=Deadlines(*row["deadlines"]),
        due=Due(**{phase.value: row[f"{phase.value}_due"] for phase in Phase}),
        symptoms=tuple(Subject(device, Aspect(aspect), channel) for device, aspect, channel in row["symptoms"]),
        holds=tuple(
            Hold(
                HoldReason(hold["reason"]),
                hold["by"],
                instant(hold["since"]),
                None if hold["until"] is None else instant(hold["until"]),
                hold["note"],
            )
            for hold in row["holds"]
        ),
        overdue=tuple(Phase(phase) for phase in row["overdue"]),
        rating=None
        if rating is None
        else Rating(rating["stars"], rating["by"], instant(rating["at"]), rating["remark"]),
    )


def _entry(change: OrderChange) -> audit.Entry:
    detail = {**change.values, **({"note": clean(change.note)} if change.note else {})}
    return audit.Entry(f"order.{change.step.value}", f"order/{change.order.id}", detail)


def _step_row(change: OrderChange) -> dict[str, object]:
    return {
        "work_order": change.order.id,
        "step": change.step,
        "at": change.at,
        "state": change.order.state,
        "actor": clean(change.actor),
        "details": dict(change.values),
        "note": clean(change.note),
    }

"""What a ticket platform calls our orders, and which of its reports were carried out."""

from __future__ import annotations

from sqlalchemy import Connection, select

from camera_registry.store.attachment_tables import OrderReferenceRow
from camera_registry.store.columns import clean
from camera_registry.store.orders import StoredStep, time_line
from camera_registry.store.statements import upsert
from camera_registry.store.tables import table

_REFERENCES = table(OrderReferenceRow)

EVENT = "event"
"""The detail of a step that holds the platform's number of the report that led to it. It is written by the transaction
that takes the step, so a report is carried out once, whatever dies in between."""


def reference_of(tx: Connection, order: int) -> str:
    """What the platform calls an order; empty: it has not said."""
    query = select(_REFERENCES.c.reference).where(_REFERENCES.c.order_id == order)
    return tx.execute(query).scalar() or ""


def order_of(tx: Connection, reference: str) -> int | None:
    """The newest order that the platform calls so."""
    same = _REFERENCES.c.reference == clean(reference)
    return tx.execute(select(_REFERENCES.c.order_id).where(same).order_by(_REFERENCES.c.order_id.desc())).scalar()


def set_reference(tx: Connection, order: int, reference: str) -> None:
    """Keep what the platform calls an order."""
    upsert(tx, _REFERENCES, [{"order_id": order, "reference": clean(reference)}])


def carried_out(tx: Connection, order: int, event: str) -> StoredStep | None:
    """The step that a report has led to, if it came before."""
    return next((step for step in time_line(tx, order) if step.details.get(EVENT) == clean(event)), None)

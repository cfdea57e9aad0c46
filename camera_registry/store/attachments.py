"""What is known of the photographs of work orders."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, func, select

from camera_registry.model.attachment import Attachment
from camera_registry.store import audit
from camera_registry.store.attachment_tables import AttachmentRow
from camera_registry.store.errors import Refused
from camera_registry.store.tables import table

_ATTACHMENTS = table(AttachmentRow)
_OWN = ("kind", "author", "at", "size", "width", "height", "sha256")


def add(tx: Connection, attachment: Attachment, most: int) -> Attachment:
    """Keep it and give it its number. One that is kept already (sent twice over a bad line) is returned as it is.
    Raises Refused for the one that would be more than ``most`` of its order."""
    same = _ATTACHMENTS.c.sha256 == attachment.sha256
    kept = tx.execute(select(_ATTACHMENTS).where(_ATTACHMENTS.c.order_id == attachment.order, same)).first()
    if kept is not None:
        return _attachment(kept)
    if count(tx, attachment.order) >= most:
        raise Refused("too_many_photographs", order=attachment.order, most=most)
    row = {"order_id": attachment.order, **{name: getattr(attachment, name) for name in _OWN}}
    key = tx.execute(_ATTACHMENTS.insert(), row).inserted_primary_key
    assert key is not None
    made = replace(attachment, id=key[0])
    detail = {"attachment": made.id, "kind": made.kind.value, "sha256": made.sha256, "size": made.size}
    audit.append(tx, made.author, "order.attach", f"order/{made.order}", detail, made.at)
    return made


def count(tx: Connection, order: int) -> int:
    """How many photographs an order has."""
    query = select(func.count()).select_from(_ATTACHMENTS).where(_ATTACHMENTS.c.order_id == order)
    return tx.execute(query).scalar() or 0


def of(tx: Connection, order: int) -> list[Attachment]:
    """The photographs of an order, oldest first."""
    rows = tx.execute(select(_ATTACHMENTS).where(_ATTACHMENTS.c.order_id == order).order_by(_ATTACHMENTS.c.id))
    return [_attachment(row) for row in rows]


def get(tx: Connection, order: int, id: int) -> Attachment | None:
    """One photograph of this order."""
    row = tx.execute(select(_ATTACHMENTS).where(_ATTACHMENTS.c.order_id == order, _ATTACHMENTS.c.id == id)).first()
    return None if row is None else _attachment(row)


def _attachment(row: Row[Any]) -> Attachment:
    return Attachment(row.id, row.order_id, **{name: getattr(row, name) for name in _OWN})

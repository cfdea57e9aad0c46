"""Keeps which channels' pictures must be looked through, as their privacy masks or they themselves have changed: owed
in the transaction that changes the register, settled when nothing of what is kept shows more than it may."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, select

from camera_registry.model.device import Channel
from camera_registry.store import audit
from camera_registry.store.statements import insert
from camera_registry.store.tables import ITEMS, MaskingRow, table

_OWED = table(MaskingRow)
_CHANNELS = ITEMS["channel"]
ACTOR = "system"


def owe(tx: Connection, edits: Iterable[tuple[Channel | None, Channel | None]]) -> None:
    """Note the channels among these (before, after) whose kept pictures may show what they must not from now on. A
    channel that is gone leaves pictures that no mask would ever reach again."""
    due: dict[tuple[str, str], None] = {}
    for old, new in edits:
        if old is not None and (new is None or new.device != old.device):
            due[old.device, old.id] = None
        if new is not None and (new.device, new.masks) != (old and old.device, old.masks if old else ()) and new.masks:
            due[new.device, new.id] = None
    known = set(owed(tx)) if due else set()
    insert(
        tx, _OWED, [{"device": device, "channel": channel} for device, channel in due if (device, channel) not in known]
    )


def owed(tx: Connection) -> list[tuple[str, str]]:
    """The (device, channel) that are yet to be looked through."""
    return [(row.device, row.channel) for row in tx.execute(select(_OWED).order_by(_OWED.c.device, _OWED.c.channel))]


def owes(tx: Connection, device: str, channel: str | None = None) -> bool:
    """Whether a channel, or any of a device, is yet to be looked through: then nobody may see what is kept of it. The
    register may have been edited a moment ago by another process."""
    of_it = _OWED.c.device == device
    query = select(_OWED.c.device).where(of_it if channel is None else of_it & (_OWED.c.channel == channel))
    return tx.execute(query.limit(1)).first() is not None


def settle(tx: Connection, channel: Channel, masked: int, removed: int, at: datetime) -> None:
    """Note that so many of a channel's pictures have been masked as ``channel`` says, and so many removed; told in the
    audit trail where there were any. What has changed since then stays owed."""
    device = channel.device
    query = select(_CHANNELS.c.masks).where((_CHANNELS.c.id == channel.id) & (_CHANNELS.c.device == device))
    if (tx.execute(query).scalar() or ()) == channel.masks:
        tx.execute(delete(_OWED).where((_OWED.c.device == device) & (_OWED.c.channel == channel.id)))
    if masked or removed:
        detail = {"channel": channel.id, "masked": masked, "removed": removed}
        audit.append(tx, ACTOR, "picture.mask", f"device/{device}", detail, at)

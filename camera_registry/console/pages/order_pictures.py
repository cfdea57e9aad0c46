"""The pictures of a work order, side by side: what was found, and what was left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from camera_registry.console.routing import Asked
from camera_registry.console.snapshots import PICTURES, PictureKind
from camera_registry.model.attachment import AttachmentKind
from camera_registry.model.incident import Scope
from camera_registry.model.work_order import WorkOrder
from camera_registry.rules.access import Action, may
from camera_registry.store import attachments

_CHANNELS = 4
"""Of a recorder, so many are pictured."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture. ``what`` is its kind, ``by`` who took it (empty: the camera); ``src`` empty: it is kept no more."""

    side: AttachmentKind
    what: StrEnum
    at: datetime
    src: str
    by: str = ""


async def pictures(asked: Asked[Any, Any], order: WorkOrder) -> Sequence[Shown]:
    """What crews photographed and what the camera itself showed, as far as whoever asks may see it; oldest first."""
    if not may(asked.user, Action.SEE_PHOTOGRAPHS, order):
        return ()
    settings, now = asked.deps.settings().photographs, asked.deps.now()
    gone = now - timedelta(days=settings.keep_days)
    taken = [
        Shown(
            one.kind,
            one.kind,
            one.at,
            f"/api/v1/orders/{order.id}/attachments/{one.id}" if one.at > gone else "",
            one.author,
        )
        for one in await asked.deps.store.read(attachments.of, order.id)
    ]
    return sorted([*await camera_pictures(asked, order), *taken], key=lambda one: one.at)


async def camera_pictures(asked: Asked[Any, Any], order: WorkOrder) -> list[Shown]:
    """The camera's own: the last good one before the fault, the last faulty one, and the first good ones after it."""
    if order.scope is not Scope.DEVICE:
        return []
    entry = asked.deps.board.get(order.about)
    channels = sorted({one.channel for one in order.symptoms if one.device == order.about and one.channel})
    channels = channels or [channel.id for channel in entry.channels] if entry else [""]
    mended = order.fixed_at or order.recovered_at
    found = []
    times = await asked.request.app[PICTURES].times(order.about, (channels or [""])[:_CHANNELS])
    for channel, kept in times.items():
        for kind in (PictureKind.LAST_GOOD, PictureKind.LAST_FAULTY):
            at = kept.get(kind)
            if at is None:
                continue
            after = kind is PictureKind.LAST_GOOD and mended is not None and at > mended
            src = f"/api/v1/orders/{order.id}/picture?{urlencode({'kind': kind.value, 'channel': channel})}"
            found.append(Shown(AttachmentKind.AFTER if after else AttachmentKind.BEFORE, kind, at, src))
    return found

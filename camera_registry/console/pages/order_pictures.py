"""The pictures of a work order, side by side: what was found, and what was left."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from camera_registry.console import photographs
from camera_registry.console.photographs import OrderPicture
from camera_registry.console.routing import Asked
from camera_registry.model.attachment import AttachmentKind
from camera_registry.model.work_order import WorkOrder
from camera_registry.rules.access import Action, may
from camera_registry.store import attachments


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
    """The camera's own: the last good one before the fault, the one of the fault, and the first good one after it."""
    deps = asked.deps
    src = f"/api/v1/orders/{order.id}/picture?"
    found = []
    for side, shot in ((AttachmentKind.BEFORE, OrderPicture.BEFORE), (AttachmentKind.AFTER, OrderPicture.AFTER)):
        at = await asyncio.to_thread(photographs.taken, deps.proofs, order, shot)
        if at is not None:
            found.append(Shown(side, shot, at, src + urlencode({"kind": shot.value})))
    for channel, at in (await photographs.last_good(asked, order)).items():
        named = urlencode({"kind": OrderPicture.LAST_GOOD.value, "channel": channel})
        found.append(Shown(AttachmentKind.BEFORE, OrderPicture.LAST_GOOD, at, src + named))
    return found

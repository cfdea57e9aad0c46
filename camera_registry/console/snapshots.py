"""Kept pictures, read beside the event loop; each look at one leaves a row in the audit trail before it is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

from aiohttp import web

from camera_registry.store import Store, Transaction, audit, masking
from camera_registry.store.pictures import Picture, PictureKind, Pictures

__all__ = ["PICTURES", "PictureKind", "Snapshots"]


class Snapshots:
    """The kept pictures, for those who may see them."""

    def __init__(self, store: Store, pictures: Pictures) -> None:
        self._store = store
        self._pictures = pictures

    async def times(self, device: str, channels: Sequence[str]) -> Mapping[str, Mapping[PictureKind, datetime]]:
        """When the kept pictures of these channels were taken. Tells nothing of what they show, so it is no look."""

        def read() -> Mapping[str, Mapping[PictureKind, datetime]]:
            return {channel: self._pictures.times(device, channel) for channel in channels}

        return await asyncio.to_thread(read)

    async def look(
        self, device: str, channel: str, kind: PictureKind, *, user: str, address: str, at: datetime
    ) -> Picture | None:
        """A picture, or None, also of what a mask has been registered for that is not in it yet. If the look can't be
        written down, there is none (Unavailable)."""
        picture = await asyncio.to_thread(self._pictures.read, device, channel, kind)
        if picture is None:
            return None
        detail = {"kind": kind.value, "channel": channel, "taken": picture.at.isoformat(), "address": address}

        def note(tx: Transaction) -> bool:
            if masking.owes(tx, device, channel):
                return False
            audit.append(tx, user, "snapshot.view", f"device/{device}", detail, at)
            return True

        return picture if await self._store.write(note) else None


PICTURES = web.AppKey("pictures", Snapshots)

"""The link inside one process: two queues. The roster is as long as the register; observations are bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from camera_registry.model.observation import Observation
from camera_registry.model.roster import RosterChange

BATCHES = 256
"""Batches that may wait for the recorder before a poller waits too."""


class LocalLink:
    """Both ends of the two wires: a poller takes it for its Roster and Sink, the core talks and listens."""

    def __init__(self) -> None:
        self._changes: asyncio.Queue[RosterChange] = asyncio.Queue()
        self._batches: asyncio.Queue[Sequence[Observation]] = asyncio.Queue(BATCHES)

    def tell(self, change: RosterChange) -> None:
        """Core: hand a change of the roster to the poller."""
        self._changes.put_nowait(change)

    async def changes(self) -> AsyncIterator[RosterChange]:
        """Poller: the roster, change by change."""
        while True:
            yield await self._changes.get()

    async def put(self, batch: Sequence[Observation]) -> None:
        """Poller: hand over observations; waits while the recorder is far behind."""
        await self._batches.put(batch)

    async def take(self) -> list[Observation]:
        """Core: every observation that waits, at least one."""
        taken = list(await self._batches.get())
        while not self._batches.empty():
            taken.extend(self._batches.get_nowait())
        return taken

    @property
    def waiting(self) -> int:
        """Batches that wait for the recorder."""
        return self._batches.qsize()

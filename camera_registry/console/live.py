"""Tells open pages that devices changed; the pages fetch what they show.

Changes are gathered for a moment and told once, however many devices flip. Each client has a short queue; one that does
not read is let go, and its browser comes back by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from camera_registry.board import Board

_GATHER = 1.0
"""Seconds between the first change and the event that tells of it, on a small board."""
_LARGE = 5000
"""Devices on a board at which twice as long is waited; 11,000 make it three seconds."""
_QUEUE = 16
_MOST_NAMED = 200
"""An event names at most so many devices; beyond, it says only that many changed."""
_MOST_CLIENTS = 500


class TooMany(Exception):
    """No more streams can be served."""


@dataclass(frozen=True, slots=True)
class Event:
    """The board's revision, and the devices that changed since the event before (None: more than can be named)."""

    revision: int
    devices: tuple[str, ...] | None


_Queue = asyncio.Queue[Event | None]


class Live:
    """Fans the board's changes out to the open pages."""

    def __init__(self, board: Board, *, gather: float = _GATHER) -> None:
        self._board = board
        self._gather = gather
        self._clients: set[_Queue] = set()
        self._touched: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._unlisten: Callable[[], None] | None = None

    def start(self) -> None:
        self._unlisten = self._board.listen(self._changed)

    def stop(self) -> None:
        """End every stream."""
        if self._unlisten is not None:
            self._unlisten()
            self._unlisten = None
        if self._timer is not None:
            self._timer.cancel()
        for client in tuple(self._clients):
            self._let_go(client)

    def __len__(self) -> int:
        return len(self._clients)

    @asynccontextmanager
    async def open(self, heartbeat: float) -> AsyncIterator[AsyncIterator[Event | None]]:
        """A stream of events, with None after each ``heartbeat`` seconds of silence. It ends when the client fell
        behind or the service stops. Raises TooMany."""
        if len(self._clients) >= _MOST_CLIENTS:
            raise TooMany
        queue: _Queue = asyncio.Queue(_QUEUE)
        self._clients.add(queue)
        try:
            yield self._told(queue, heartbeat)
        finally:
            self._clients.discard(queue)

    async def _told(self, queue: _Queue, heartbeat: float) -> AsyncIterator[Event | None]:
        while queue in self._clients:
            try:
                async with asyncio.timeout(heartbeat):
                    event = await queue.get()
            except TimeoutError:
                yield None
            else:
                if event is None:
                    return
                yield event

    def _changed(self, devices: tuple[str, ...]) -> None:
        if not self._clients:
            return
        if len(self._touched) <= _MOST_NAMED:
            self._touched.update(devices[: _MOST_NAMED + 1])
        if self._timer is None:
            # On a large board something always changes, and each page that is told of it asks anew.
            gather = self._gather * (1 + len(self._board) / _LARGE)
            self._timer = asyncio.get_running_loop().call_later(gather, self._tell)

    def _tell(self) -> None:
        self._timer = None
        named = tuple(sorted(self._touched)) if len(self._touched) <= _MOST_NAMED else None
        self._touched.clear()
        event = Event(self._board.revision, named)
        for client in tuple(self._clients):
            try:
                client.put_nowait(event)
            except asyncio.QueueFull:
                self._let_go(client)

    def _let_go(self, client: _Queue) -> None:
        """Empty a client's queue and end its stream, which it will notice at its next turn."""
        self._clients.discard(client)
        while not client.empty():
            client.get_nowait()
        client.put_nowait(None)

"""This file holds how many may ask one host at once, whoever they are: the poller, a person who probes now, a look for
the broken link, a search for devices. A camera has few connections, and a recorder is one host for all its channels."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class Places:
    """``per_host`` places at each host. They belong to the event loop.

    A place is taken before a deadline begins to run: who has to wait for others must not be told that a device is slow.
    """

    def __init__(self, per_host: int) -> None:
        self.per_host = per_host
        self._taken: dict[str, int] = {}
        self._waiting: dict[str, deque[Callable[[], bool]]] = {}

    def take(self, host: str) -> bool:
        """Take a place if one is free. Who took one gives it back."""
        taken = self._taken.get(host, 0)
        if taken >= self.per_host:
            return False
        self._taken[host] = taken + 1
        return True

    def when_free(self, host: str, begin: Callable[[], bool]) -> None:
        """Call ``begin`` with a place taken, once one is free; it answers whether it has use for that still."""
        self._waiting.setdefault(host, deque()).append(begin)

    def give_back(self, host: str) -> None:
        """End the use of a place. The next who waits has it at once."""
        waiting = self._waiting.get(host)
        while waiting and self._taken[host] <= self.per_host:
            begin = waiting.popleft()
            if not waiting:
                self._waiting.pop(host, None)
            if begin():
                return
            waiting = self._waiting.get(host)
        self._taken[host] -= 1
        if not self._taken[host]:
            del self._taken[host]

    @asynccontextmanager
    async def place(self, host: str) -> AsyncIterator[None]:
        """A place at ``host``, waited for if need be."""
        if not self.take(host):
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.when_free(host, lambda: _call(turn))
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self.give_back(host)
                raise
        try:
            yield
        finally:
            self.give_back(host)


def _call(turn: asyncio.Future[None]) -> bool:
    if turn.done():
        return False
    turn.set_result(None)
    return True

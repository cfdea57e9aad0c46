"""This file measures the machine itself, in the same run, so that figures of two machines can be compared as ratios."""

from __future__ import annotations

import asyncio
import json
import time
from typing import cast

ROUNDS = 20_000
_SAMPLE = {"device": "cam-7", "took": 0.031, "facts": {"codec": "h264", "size": [1920, 1080], "name": "北门"}}


def interpreter() -> float:
    """Microseconds of CPU for one round of interpreted work: a small JSON text written, read and walked."""
    begun = time.process_time()
    for _ in range(ROUNDS):
        for key, value in json.loads(json.dumps(_SAMPLE)).items():
            str(key) + str(value)
    return (time.process_time() - begun) / ROUNDS * 1e6


async def bare_exchange(host: str, port: int, request: bytes, times: int, at_once: int) -> float:
    """Milliseconds of CPU for one connection, one prepared request and its answer read to the end, nothing parsed.

    This is the floor of the event loop in use: what any probe of one exchange costs before it does anything.
    """
    loop = asyncio.get_running_loop()
    slots = asyncio.Semaphore(at_once)

    async def once() -> None:
        async with slots:
            done = loop.create_future()
            transport, _ = await loop.create_connection(lambda: _Bare(request, done), host, port)
            try:
                await done
            finally:
                transport.close()

    begun = time.process_time()
    await asyncio.gather(*(once() for _ in range(times)))
    return (time.process_time() - begun) / times * 1e3


class _Bare(asyncio.Protocol):
    """Sends a request and waits for the end of the connection."""

    def __init__(self, request: bytes, done: asyncio.Future[None]) -> None:
        self._request = request
        self._done = done

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are transports by what they do, not by their class.
        cast("asyncio.Transport", transport).write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(None)

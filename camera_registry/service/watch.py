"""Self-watch: how late this process itself is. A monitor that can't keep time must be the first to say so."""

from __future__ import annotations

import asyncio
from typing import Protocol

EVERY = 0.5
"""Seconds between looks at the event loop."""


class Meter(Protocol):
    """Where the self-watch tells what it sees."""

    def loop_lagged(self, lag: float) -> None: ...


async def watch_loop(meter: Meter) -> None:
    """Measure how late the event loop wakes a sleeper, seconds, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + EVERY
        await asyncio.sleep(EVERY)
        meter.loop_lagged(max(0.0, loop.time() - due))

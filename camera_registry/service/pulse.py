"""The pulse of the service: whether each of its loops still turns, and the heartbeat that stops when one does not."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from camera_registry.channels import Heartbeat
from exporters.base import DeliveryError
from exporters.posting import Poster

log = logging.getLogger(__name__)

PATIENCE = 60.0
"""Seconds without a turn after which a loop has stalled; each turns every few seconds when nothing happens."""
LOOPS = ("recorder", "poller", "housekeeper", "notifier")


class Pulse:
    """When each loop turned last, seconds of a clock that never jumps. A start counts as a turn."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._turned = dict.fromkeys(LOOPS, clock())

    def beat(self, loop: str) -> None:
        """This loop has turned."""
        self._turned[loop] = self._clock()

    @property
    def stalled(self) -> list[str]:
        """The loops that have not turned for too long."""
        now = self._clock()
        return [loop for loop, turned in self._turned.items() if now - turned > PATIENCE]


async def send_heartbeats(pulse: Pulse, settings: Callable[[], Heartbeat]) -> None:
    """Call the heartbeat's address each interval while every loop turns, until cancelled.

    Whoever waits there raises the alarm when it stops: for a stalled loop, a dead process and a dead machine alike.
    """
    poster = Poster(timeout=10)
    try:
        while True:
            wanted = settings()
            stalled = pulse.stalled
            if stalled:
                log.error("no heartbeat is sent: %s turns no more", ", ".join(stalled))
            elif wanted.url:
                try:
                    await poster.post(wanted.url, b"{}", {})
                except DeliveryError as error:
                    log.warning("the heartbeat did not arrive: %s", error.detail)
            await asyncio.sleep(wanted.interval)
    finally:
        await poster.close()

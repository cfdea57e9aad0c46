"""One clock for all that is recorded: UTC that runs evenly, and notices when the system's clock was set."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

STEP = timedelta(seconds=2)
"""A smaller difference is drift, and followed without a word."""


class SteadyClock:
    """UTC, anchored to the system's clock and carried on by the monotonic one.

    Setting the system's clock neither fires nor loses anything: ``resync`` tells by how much it was set, and whoever
    holds times of evidence shifts them by that.
    """

    def __init__(self) -> None:
        self._anchor()

    def utc(self) -> datetime:
        """The present time, aware UTC."""
        return self._wall + timedelta(seconds=time.monotonic() - self._steady)

    def resync(self) -> timedelta:
        """Follow the system's clock again; the step it made since, or zero."""
        before = self.utc()
        self._anchor()
        step = self._wall - before
        return step if abs(step) >= STEP else timedelta()

    def _anchor(self) -> None:
        self._wall = datetime.now(UTC)
        self._steady = time.monotonic()

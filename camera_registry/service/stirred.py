"""What has only moved its newest time, and when that is to be written: seldom, and for many at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from heapq import heappop, heappush

from camera_registry.model.roster import Run
from camera_registry.service.changes import Changes
from camera_registry.service.watched import Watched


class Stirred:
    """Kept by the ledger as observations come, and like it of the event loop. The runs are noted with their device."""

    def __init__(self) -> None:
        self._due: list[tuple[datetime, str]] = []
        """A heap."""

    def add(self, watched: Watched, run: Run, at: datetime) -> None:
        """A run of this device came back at that time."""
        if not watched.stirred:
            heappush(self._due, (at + watched.patience, watched.device.id))
        if run not in watched.stirred:
            watched.stirred += (run,)

    def shift(self, step: timedelta) -> None:
        """The clock was set by ``step``."""
        self._due = [(due + step, device) for due, device in self._due]

    def take(self, all_watched: Mapping[str, Watched], now: datetime | None, changes: Changes) -> None:
        """Add to these changes what has waited for long enough; ``now`` None: everything."""
        while self._due and (now is None or self._due[0][0] <= now):
            _, device = heappop(self._due)
            watched = all_watched.get(device)
            if watched is not None and watched.stirred:
                changes.stir(device, watched.stirred_runs(whole=now is None), watched.moved())
                watched.stirred = watched.restated = ()

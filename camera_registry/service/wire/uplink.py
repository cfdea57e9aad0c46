"""What a process that polls has to send: observations with how late each began, and what its poller counts."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from itertools import islice

from camera_registry.link import codec
from camera_registry.link.pipe import Pipe
from camera_registry.model.observation import Observation


class Uplink:
    """The poller's sink and its meter: what is counted goes the way of what is seen, so neither is told twice."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._lags: deque[float] = deque()
        self._missed: Counter[str] = Counter()

    def polled(self, seen: Observation, lag: float) -> None:
        """One run is over; observations are put in the same order."""
        self._lags.append(lag)

    def missed(self, probe: str, runs: int) -> None:
        """Runs that were due and did not happen."""
        self._missed[probe] += runs

    def take_missed(self) -> Counter[str]:
        """Those since this was asked last."""
        taken, self._missed = self._missed, Counter()
        return taken

    async def put(self, batch: Sequence[Observation]) -> None:
        """Send observations; waits while the service is far behind. Raises ConnectionError."""
        for piece in codec.pieces(batch):
            rows, pictures = codec.observed(piece)
            lags = list(islice(self._lags, len(piece)))
            for _ in piece:
                self._lags.popleft()
            await self._pipe.send("seen", (rows, lags), pictures)

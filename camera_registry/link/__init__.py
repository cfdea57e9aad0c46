"""The two wires between the core and a poller: the roster flows down, observations flow up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from camera_registry.model.observation import Observation
from camera_registry.model.roster import RosterChange


class Roster(Protocol):
    """What a poller is told to do, as a stream of changes."""

    def changes(self) -> AsyncIterator[RosterChange]: ...


class Sink(Protocol):
    """Where a poller's observations go. ``put`` waits while the receiver is behind (bounded, never drops silently)."""

    async def put(self, batch: Sequence[Observation]) -> None: ...

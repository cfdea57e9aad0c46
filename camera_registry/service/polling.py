"""What the service has of whoever polls, be it in its own process or in others, and on what conditions that does so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from camera_registry.model.observation import Observation
from camera_registry.model.roster import Target, Task
from camera_registry.rules.schedule import FIRST
from probes.base import Step
from probes.places import Places


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a poller may do, as the settings have it: networks in CIDR text, and the gateway's host and port (0: none
    named). ``first``: devices a second that it may ask for the first time."""

    slots: int
    per_host: int
    networks: tuple[str, ...]
    gateway: tuple[str, int] | None = None
    first: float = FIRST


class Polling(Protocol):
    """What the service has of a poller, whether that runs in its own process or in others."""

    beat: Callable[[], None]
    places: Places

    @property
    def slots(self) -> int:
        """Runs that may be under way at once."""
        ...

    @property
    def room(self) -> int:
        """How many may be under way now: fewer while the machine is busy."""
        ...

    @property
    def slots_used(self) -> int:
        """Runs under way."""
        ...

    @property
    def tasks(self) -> int:
        """What is on the agenda."""
        ...

    async def run(self) -> None:
        """Poll until cancelled."""
        ...

    async def ask(self, target: Target, task: Task, steps: list[Step]) -> Observation:
        """One run that somebody waits for; ``steps`` is filled with what happened."""
        ...

    def take_up(self, conditions: Conditions) -> None:
        """Go on by these."""
        ...

    def renew(self) -> None:
        """The credentials are others now."""
        ...

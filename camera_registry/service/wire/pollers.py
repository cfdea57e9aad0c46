"""The fleet divided among processes that poll it; for the service they are one poller.

A device belongs to the share that its host is dealt to, so that what holds for a host (its places, whose turn it is)
holds in one process. Slots and decoding processes are dealt evenly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b

from camera_registry.link import Roster, Sink
from camera_registry.model.observation import Observation
from camera_registry.model.roster import Drop, Put, RosterChange, Target, Task
from camera_registry.rules.capacity import part
from camera_registry.service.poller import STOOD_STILL
from camera_registry.service.polling import Conditions
from camera_registry.service.wire.gate import Gate
from camera_registry.service.wire.share import Meter, Share, Sources
from camera_registry.service.wire.terms import Setup
from probes.base import Step
from probes.places import Places


class Pollers:
    """Follows a roster, has its processes run probes, fills a sink."""

    def __init__(
        self,
        roster: Roster,
        sink: Sink,
        sources: Sources,
        setup: Setup,
        processes: int,
        meter: Meter,
        gate: Gate | None = None,
    ) -> None:
        """``gate``: where processes come to that are started by others; None: they are ours."""
        self.slots = setup.conditions.slots
        self.places = Places(setup.conditions.per_host)
        """Those of searches alone: each process has its own."""
        self.beat: Callable[[], None] = lambda: None
        """Called each second in which the loops of all processes have turned not long ago."""
        self._roster = roster
        self._sources = sources
        self._of: dict[str, Share] = {}
        """By device, where it is polled."""
        share = replace(
            setup,
            conditions=_dealt(setup.conditions, processes),
            picture_processes=part(setup.picture_processes, processes),
        )
        self.shares = [
            Share(f"polling process {n}", share, sources, sink, meter, gate) for n in range(1, processes + 1)
        ]

    @property
    def room(self) -> int:
        return sum(share.status.room for share in self.shares)

    @property
    def slots_used(self) -> int:
        return sum(share.status.slots_used for share in self.shares)

    @property
    def tasks(self) -> int:
        return sum(share.status.tasks for share in self.shares)

    @property
    def running(self) -> int:
        """Processes that poll now."""
        return sum(bool(share.pid) for share in self.shares)

    @property
    def pids(self) -> dict[str, int]:
        """Those processes, by the number of their share."""
        return {str(number): share.pid for number, share in enumerate(self.shares, 1) if share.pid}

    @property
    def replaced(self) -> int:
        """Processes that had to be replaced."""
        return sum(share.restarts for share in self.shares)

    @property
    def waiting(self) -> int:
        """Pictures that wait to be measured there; what follows are counts, and processor seconds, of their desks."""
        return sum(share.status.pictures_waiting for share in self.shares)

    @property
    def measured(self) -> int:
        return sum(share.pictures for share in self.shares)

    @property
    def restarts(self) -> int:
        return sum(share.picture_restarts for share in self.shares)

    @property
    def spent(self) -> float:
        return sum(share.picture_seconds for share in self.shares)

    async def run(self) -> None:
        """Poll until cancelled; no process is left then."""
        async with asyncio.TaskGroup() as group:
            for share in self.shares:
                group.create_task(share.run(), name="wire-share")
            group.create_task(self._follow(), name="wire-roster")
            group.create_task(self._look(), name="wire-look")

    async def ask(self, target: Target, task: Task, steps: list[Step]) -> Observation:
        """One run that somebody waits for, within the limits of all others; it is judged like any."""
        return await self._share(target.host).ask(target, task, steps)

    def take_up(self, conditions: Conditions) -> None:
        """Go on by these settings, here and after a restart."""
        self.slots, self.places.per_host = conditions.slots, conditions.per_host
        dealt = _dealt(conditions, len(self.shares))
        for share in self.shares:
            share.setup = replace(share.setup, conditions=dealt)
            share.take_up(dealt)

    def renew(self) -> None:
        """The credentials are others now."""
        for share in self.shares:
            share.renew()

    async def _follow(self) -> None:
        async for change in self._roster.changes():
            self._deal(change)

    def _deal(self, change: RosterChange) -> None:
        if isinstance(change, Put):
            target = change.entry.target
            before, share = self._of.get(target.device), self._share(target.host)
            self._of[target.device] = share
            if before is not None and before is not share:
                before.tell(Drop(target.device))
                for quiet in self._sources.left_alone(target.device):
                    share.tell(quiet)
            share.tell(change)
        elif (polled := self._of.get(change.device)) is not None:
            polled.tell(change)
            if isinstance(change, Drop):
                del self._of[change.device]

    async def _look(self) -> None:
        while True:
            if all(share.turns(STOOD_STILL) for share in self.shares):
                self.beat()
            await asyncio.sleep(1)

    def _share(self, host: str) -> Share:
        digest = blake2b(host.encode(), digest_size=8).digest()
        return self.shares[int.from_bytes(digest, "big") % len(self.shares)]


def _dealt(conditions: Conditions, processes: int) -> Conditions:
    return replace(conditions, slots=part(conditions.slots, processes), first=conditions.first / processes)

"""The discoverer: searches the device networks when it is time or somebody asks, and keeps what that proposes."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from camera_registry.model.discovery import Findings, Oversight, Progress
from camera_registry.model.register import Register
from camera_registry.settings import Settings
from camera_registry.store import Store, StoreError, proposals
from probes.discovery.search import Plan, Search
from probes.guard import AddressGuard, look_up_all
from probes.places import Places

log = logging.getLogger(__name__)

LOOK_EVERY = 5.0
"""Seconds between looks at the schedule and at how many proposals are open."""


class Discoverer:
    """One search at a time. ``open`` proposals wait for somebody; ``last`` is when a search last ended."""

    def __init__(
        self,
        guard: AddressGuard,
        store: Store,
        settings: Callable[[], Settings],
        register: Callable[[], Register],
        now: Callable[[], datetime],
        places: Places,
    ) -> None:
        self.open = 0
        self.last: datetime | None = None
        self._guard = guard
        self._store = store
        self._settings = settings
        self._register = register
        self._now = now
        self._places = places
        self._search: Search | None = None
        self._begun: datetime | None = None
        self._ended: datetime | None = None
        self._trouble = ""
        self._stopped = False
        self._findings = Findings((), {})
        self._running: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()

    @property
    def progress(self) -> Progress:
        """How far the search under way is, or how the last one ended."""
        search = self._search
        if search is None:
            return Progress(ended=self.last)
        why = Counter(one.why for one in search.ignored)
        return Progress(
            running=self._ended is None,
            begun=self._begun,
            ended=self._ended,
            position=search.position,
            total=search.size,
            met=len(search.sightings),
            ignored=len(search.ignored),
            trouble=self._trouble,
            stopped=self._stopped,
            outside=why[Oversight.OUTSIDE],
            elsewhere=why[Oversight.ELSEWHERE],
            known=len(self._findings.known),
            others=self._findings.others,
            proposed=len(self._findings.proposals),
        )

    def start(self, *, resume: bool = False) -> bool:
        """Have a search begun; False while one is under way. ``resume``: go on where the last one was stopped, if it
        walked the same networks. Raises ``rules.scanning.TooWide``."""
        if self.progress.running:
            return False
        plan = plan_of(self._settings())
        before = self._search
        if resume and before is not None and before.plan.networks == plan.networks and before.position < before.size:
            plan = plan_of(self._settings(), start=before.position)
        self._search = Search(plan, self._guard, self._now, self._places)
        self._begun, self._ended, self._trouble, self._stopped = self._now(), None, "", False
        self._findings = Findings((), {})
        self._wanted.set()
        return True

    def stop(self) -> None:
        """End the search under way; what it has met so far is kept."""
        if self._running is not None:
            self._stopped = True
            self._running.cancel()
        elif self._wanted.is_set():
            self._wanted.clear()
            self._stopped, self._ended = True, self._now()

    async def run(self) -> None:
        """Search when it is time, until cancelled."""
        while True:
            try:
                await self._look()
            except StoreError as error:
                log.warning("discovery waits for the store: %s", error)
            try:
                async with asyncio.timeout(LOOK_EVERY):
                    await self._wanted.wait()
            except TimeoutError:
                continue
            self._wanted.clear()
            await self._to_the_end()

    async def _look(self) -> None:
        self.open = await self._store.read(proposals.open_count)
        self.last = await self._store.read(proposals.last_search)
        settings = self._settings()
        due = self.last is None or self._now() - self.last >= timedelta(seconds=settings.discovery.every)
        if settings.discovery.enabled and settings.devices.networks and due:
            try:
                self.start()
            except ValueError as error:
                log.warning("[discovery] networks: %s", error)

    async def _to_the_end(self) -> None:
        search = self._search
        assert search is not None
        self._running = asyncio.create_task(search.run(), name="search")
        try:
            await asyncio.wait({self._running})
        finally:
            running, self._running = self._running, None
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        if not running.cancelled() and (error := running.exception()) is not None:
            # A search that fails must not end the monitor.
            log.error("the search of the device networks ended early: %s", error, exc_info=error)
            self._trouble = str(error) or type(error).__name__
        await self._keep(search)
        self._ended = self._now()

    async def _keep(self, search: Search) -> None:
        addresses = await look_up_all(device.host for device in self._register().devices.values())
        while True:
            try:
                findings, _ = await self._store.write(proposals.propose, search.sightings, addresses, self._now())
                self.open = await self._store.read(proposals.open_count)
            except StoreError as error:
                log.warning("what was discovered waits for the store: %s", error)
                await asyncio.sleep(LOOK_EVERY)
                continue
            self._findings = findings
            log.info(
                "the device networks were searched: %d proposals, %d devices as registered, %d other hosts",
                len(findings.proposals),
                len(findings.known),
                findings.others,
            )
            return


def plan_of(settings: Settings, *, start: int = 0) -> Plan:
    """The search that the settings describe."""
    wished = settings.discovery
    return Plan(
        networks=(wished.networks or settings.devices.networks) if wished.scan else (),
        interfaces=wished.asked_by(),
        ports=wished.ports,
        rate=wished.rate,
        at_once=wished.at_once,
        timeout=wished.timeout,
        start=start,
        discovery_port=wished.port,
    )

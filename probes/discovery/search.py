"""This file searches the device networks: a question to all, then one address after the other at a steady pace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import chain
from pathlib import Path

from camera_registry.model.discovery import Ignored, Oversight, Sighting
from camera_registry.rules.scanning import Walk
from probes.discovery.identity import Stranger
from probes.discovery.inquirer import IGNORED, Hint, Inquirer, inquirer
from probes.guard import AddressGuard
from probes.places import Places
from probes.wire import soap, soap_requests, wsdiscovery
from probes.wire.wsdiscovery import mac_text

PORTS = (80, 8000, 8080, 8899, 2020, 554)
LISTEN = 2.0
"""Seconds for which answers to a question to all are waited for."""
GREETING = 1.0
"""Seconds that one host has to answer a WS-Discovery question before its ports are asked."""
BREATH = 512
"""Addresses that are walked past before others get their turn."""
NEIGHBOURS = Path("/proc/net/arp")


class SearchError(Exception):
    """This machine can't search; the message says why."""


PER_HOST = 2
"""Connections to one host at once, where nobody else asks it: a camera has few."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to search and how. ``networks`` are CIDR text (none: no scan), ``rate`` addresses a second, ``at_once``
    addresses under way, ``timeout`` seconds for each port, ``start`` the place of the walk to begin at.

    ``interfaces``: IPv4 addresses of ours by which a question to all goes out; an empty text lets the system choose,
    no entry asks nobody. ``discovery_port`` is WS-Discovery's.
    """

    networks: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()
    ports: tuple[int, ...] = PORTS
    rate: float = 20.0
    at_once: int = 64
    timeout: float = 2.0
    start: int = 0
    seed: int = 0
    listen: float = LISTEN
    discovery_port: int = wsdiscovery.PORT


class Search:
    """One search. What it has met so far can be read at any time, also after it was cancelled.

    Only addresses that ``guard`` allows are sent anything. Raises ``rules.scanning.TooWide``.
    """

    def __init__(
        self, plan: Plan, guard: AddressGuard, now: Callable[[], datetime], places: Places | None = None
    ) -> None:
        self.plan = plan
        self.sightings: list[Sighting] = []
        self.ignored: list[Ignored] = []
        self._guard = guard
        self._now = now
        self._places = places or Places(PER_HOST)
        self._walk = Walk(plan.networks, plan.seed)
        self._asked: set[str] = set()
        self._next = plan.start
        self._under_way: set[int] = set()

    @property
    def position(self) -> int:
        """The place of the walk from which a search that was stopped would go on: all before it has been asked."""
        return min(self._under_way, default=self._next)

    @property
    def size(self) -> int:
        """How many addresses the walk has."""
        return len(self._walk)

    async def run(self) -> None:
        """Search to the end; cancel it to stop, and it leaves nothing open. Raises SearchError."""
        if not soap_requests.prepared(soap.DEVICE):
            await asyncio.to_thread(soap_requests.prepare, soap.DEVICE)
        try:
            hints = await self._ask_everybody()
            async with inquirer(self._guard, self.plan.discovery_port) as asker, asyncio.TaskGroup() as group:
                slots = asyncio.Semaphore(self.plan.at_once)
                async for place, address in self._paced(hints):
                    await slots.acquire()
                    if place is not None:
                        self._next = place + 1
                        self._under_way.add(place)
                    run = group.create_task(self._look(address, hints.get(address), asker))
                    run.add_done_callback(partial(self._looked, place, slots))
        except OSError as error:
            raise SearchError(f"no datagram can be sent from here: {error.strerror or error}") from error
        except ExceptionGroup as group_error:
            raise SearchError(str(_first(group_error))) from group_error

    async def _ask_everybody(self) -> dict[str, Hint]:
        """Answers to a question to all, by host."""
        if not self.plan.interfaces:
            return {}
        async with AsyncExitStack() as stack:
            askers = [
                await stack.enter_async_context(inquirer(self._guard, self.plan.discovery_port, interface))
                for interface in self.plan.interfaces
            ]
            rounds = await asyncio.gather(*(asker.ask_all(self.plan.listen) for asker in askers))
        found: dict[str, Hint] = {}
        for hints, strangers in rounds:
            found.update(hints)
            self._note(strangers)
        return found

    async def _paced(self, hints: Iterable[str]) -> AsyncIterator[tuple[int | None, str]]:
        """Each address when its time has come, never two of them closer than the pace allows: first those that have
        answered already, then the walk. With its place on the walk, if it is there."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        for place, address in chain(((None, host) for host in hints), self._walking()):
            if address in self._asked or not self._guard.allows(address):
                if place is not None:
                    self._next = place + 1
                    if place % BREATH == 0:
                        await asyncio.sleep(0)
                continue
            if place is None:
                self._asked.add(address)  # not to be asked again on the walk
            await asyncio.sleep(due - loop.time())
            # What was late stays late: a pace that is caught up with is none.
            due = max(due, loop.time()) + 1 / self.plan.rate
            yield place, address

    def _walking(self) -> Iterator[tuple[int, str]]:
        for place in range(self.plan.start, len(self._walk)):
            yield place, self._walk[place]

    async def _look(self, address: str, hint: Hint | None, asker: Inquirer) -> None:
        if hint is None and ":" not in address:
            hint = await asker.ask(address, min(GREETING, self.plan.timeout))
        if hint is not None:
            self._note(Ignored(address, other, Oversight.ELSEWHERE) for other in hint.elsewhere)
        stranger = Stranger(address, self._guard, self.plan.timeout, self._places)
        found = await stranger.describe(Sighting(address, self._now()), self.plan.ports, hint)
        if found is not None:
            self.sightings.append(found if found.mac else replace(found, mac=neighbours().get(address, "")))

    def _looked(self, place: int | None, slots: asyncio.Semaphore, run: asyncio.Task[None]) -> None:
        slots.release()
        if place is not None and not run.cancelled():
            self._under_way.discard(place)

    def _note(self, seen: Iterable[Ignored]) -> None:
        for one in seen:
            if len(self.ignored) < IGNORED:
                self.ignored.append(one)


def neighbours(table: Path | None = None) -> dict[str, str]:
    """MAC addresses of hosts in the networks that this machine stands in, by IPv4 address: its own ARP table.

    Empty where the system keeps none.
    """
    try:
        lines = (table or NEIGHBOURS).read_text(encoding="ascii", errors="replace").splitlines()[1:]
    except OSError:
        return {}
    rows = (line.split() for line in lines)
    return {row[0]: mac for row in rows if len(row) > 3 and (mac := mac_text(row[3]))}


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first of the errors that ended a search; groups may stand in groups."""
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error

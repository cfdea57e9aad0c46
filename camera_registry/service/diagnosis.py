"""Looks on the spot for what is broken on the way to a device that does not answer: gateway, parent, host.

It connects and hangs up, and sends nothing. It asks in order and stops at the first broken link; what it learned of a
gateway, a parent or a host holds for a few seconds for all who ask, so 300 cameras behind a dead switch cost one look
at the switch. It carries no policy and no database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from camera_registry.model.chain import Link, LinkSeen, LinkState, Way
from camera_registry.model.observation import Failure, FailureKind, Observation
from camera_registry.model.roster import Parent, Target
from probes.base import Tools, observe
from probes.catalog import load
from probes.places import Places

KNOCK = 1.0
"""Seconds in which a port must answer. A network that takes longer is as good as none."""

PATIENCE = 5.0
"""Seconds for one look as a whole. What is not known by then is asked further, for the next failure."""

SHARED = 15.0
"""Seconds for which what was found of a gateway, a parent or a host holds."""

AT_ONCE = 8
"""Looks under way at once. More of them wait for the next failure of their device."""

PORTS = 3
"""Ports of one host that are tried before it is called silent."""

USUAL = (80, 443, 22)
"""Where a gateway is tried whose port nobody named. A refusal is an answer too."""

_ECHO = "icmp"
_OURSELVES = ("127.", "::1")
"""This machine answers pings to these itself, whatever stands behind its ports."""
_LATER = "chain.later"


class Diagnosis:
    """Looks for the broken link, for one poller."""

    def __init__(self, tools: Tools, places: Places) -> None:
        self.gateway: tuple[str, int] | None = None
        """Host and port (0: not known) that must answer as long as the poller itself is connected."""
        self._tools = tools
        self._places = places
        self._known: dict[str, tuple[float, asyncio.Task[LinkSeen]]] = {}
        self._begun: dict[tuple[str, int], FailureKind] = {}

    async def explain(self, seen: Observation, target: Target, port: int) -> Observation:
        """``seen`` with the way to the device, if it begins to fail to be reached at ``port``, or in another manner
        than before. The caller holds a place at the device's host."""
        key, failure = (target.device, port), seen.failure
        if failure is None or not failure.unanswered:
            self._begun.pop(key, None)
            return seen
        if self._begun.get(key) is failure.kind:
            return seen
        links: tuple[LinkSeen, ...] | None = None
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                links = await self._look(target, port, failure, asyncio.get_running_loop().time() - seen.took)
        if links is None:
            return seen
        self._begun[key] = failure.kind
        return replace(seen, failure=replace(failure, way=Way(self._tools.now(), links)))

    def forget(self, device: str) -> None:
        """A device is no longer polled."""
        for key in [key for key in self._begun if key[0] == device]:
            del self._begun[key]

    async def stop(self) -> None:
        """Give up what is under way."""
        looks = [look for _, look in self._known.values()]
        for look in looks:
            look.cancel()
        await asyncio.gather(*looks, return_exceptions=True)

    async def _look(self, target: Target, port: int, failure: Failure, begun: float) -> tuple[LinkSeen, ...] | None:
        """Gateway, parent and host, as far as the first that is broken; None if there is too much to do just now.
        ``begun`` is when the run that failed did: a host that answered before may have died since."""
        found: list[LinkSeen] = []
        if self.gateway is not None:
            host, port_there = self.gateway
            ask = partial(self._knock, Link.GATEWAY, host, (port_there,) if port_there else USUAL, host)
            found.append(await self._once(f"gateway {host}", ask))
        if target.parents and not _broken(found):
            found.append(await self._ask_parents(target.parents))
        if failure.kind is not FailureKind.DNS and not _broken(found):
            # SNMP is asked by datagrams: nothing that listens there for a connection.
            told = (other for protocol, other in target.ports.items() if protocol != "snmp" and other not in (0, port))
            others = tuple(dict.fromkeys(told))
            ask = partial(self._knock, Link.HOST, target.host, others, target.host)
            found.append(await self._once(target.host, ask, begun))
        return None if any(seen.key == _LATER for seen in found) else tuple(found)

    async def _ask_parents(self, parents: Sequence[Parent]) -> LinkSeen:
        """The nearest parent that answers proves those above it; of those that don't, the farthest is where a crew must
        go."""
        nearest, *above = parents
        found = await self._ask_parent(nearest)
        if found.state is LinkState.BROKEN:
            for seen in await asyncio.gather(*map(self._ask_parent, above)):
                if seen.state is not LinkState.BROKEN:
                    break
                found = seen
        return found

    async def _ask_parent(self, parent: Parent) -> LinkSeen:
        return await self._once(f"{parent.host} {parent.port}", partial(self._knock_at_parent, parent))

    async def _knock_at_parent(self, parent: Parent) -> LinkSeen:
        if not self._places.take(parent.host):
            return LinkSeen(Link.PARENT, LinkState.NOT_ASKED, _LATER)
        try:
            ports = (parent.port,) if parent.port else ()
            return await self._knock(Link.PARENT, parent.host, ports, parent.device)
        finally:
            self._places.give_back(parent.host)

    async def _once(
        self, key: str, ask: Callable[[], Coroutine[None, None, LinkSeen]], well_since: float = 0.0
    ) -> LinkSeen:
        """What ``ask`` finds, or what it found a moment ago for somebody else; that all is well, if since then."""
        loop = asyncio.get_running_loop()
        known = self._known.get(key)
        if known is not None and known[0] - SHARED < well_since and known[1].done():
            known = known if known[1].result().state is LinkState.BROKEN else None
        if known is None or known[0] < loop.time():
            self._known = {one: kept for one, kept in self._known.items() if kept[0] >= loop.time()}
            if sum(not look.done() for _, look in self._known.values()) >= AT_ONCE:
                return LinkSeen(Link.HOST, LinkState.NOT_ASKED, _LATER)
            known = self._known[key] = (loop.time() + SHARED, loop.create_task(ask()))
        seen = await asyncio.shield(known[1])
        if seen.key == _LATER:
            self._known.pop(key, None)
        return seen

    async def _knock(self, link: Link, host: str, ports: Sequence[int], who: str) -> LinkSeen:
        """Whether anything of a host answers: a port that is open or refuses, or an echo."""
        begun = asyncio.get_running_loop().time()
        target = Target(who, host)

        def found(state: LinkState, key: str, **values: object) -> LinkSeen:
            took = round(asyncio.get_running_loop().time() - begun, 3)
            return LinkSeen(link, state, key, {"who": who, **values}, took)

        silent: list[str] = []
        for port in ports[:PORTS]:
            failure = (await self._observe("tcp", target, port=port)).failure
            if failure is None or failure.kind is FailureKind.REFUSED:
                return found(LinkState.OK, "chain.refuses" if failure else "chain.answers", port=port)
            if failure.kind is not FailureKind.INTERNAL:
                silent.append(str(port))
        if not host.startswith(_OURSELVES):
            failure = (await self._observe(_ECHO, target)).failure
            if failure is None:
                return found(LinkState.OK, "chain.echo")
            if failure.kind is not FailureKind.INTERNAL:
                silent.append(_ECHO)
        if silent:
            return found(LinkState.BROKEN, "chain.silent", tried=", ".join(silent))
        return found(LinkState.NOT_ASKED, "chain.nothing_to_ask")

    async def _observe(self, probe: str, target: Target, **options: object) -> Observation:
        return await observe(probe, load(probe), target, options, self._tools, timeout=KNOCK)


def _broken(found: Sequence[LinkSeen]) -> bool:
    return bool(found) and found[-1].state is LinkState.BROKEN

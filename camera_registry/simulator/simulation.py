"""A fleet that is being served: real sockets on loopback, one for each protocol, and all devices behind them."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from types import TracebackType
from typing import Self

from camera_registry.simulator import beacon, silence, sockets
from camera_registry.simulator.access import Gate
from camera_registry.simulator.agent import Agents
from camera_registry.simulator.beacon import Beacon
from camera_registry.simulator.connection import IDLE, Connection, Premises
from camera_registry.simulator.dial import Dial
from camera_registry.simulator.http import HttpConnection
from camera_registry.simulator.https import HttpsConnection
from camera_registry.simulator.live import Counts, LiveDevice
from camera_registry.simulator.management import ManagementConnection
from camera_registry.simulator.member import Ports
from camera_registry.simulator.papers import Paper, context_for
from camera_registry.simulator.plan import Fleet
from camera_registry.simulator.rtsp import RtspConnection
from camera_registry.simulator.scene import VARIANTS, Look
from camera_registry.simulator.script import Event
from camera_registry.simulator.silence import Audible, FullQueues, Silence
from camera_registry.simulator.stills import still_of
from camera_registry.simulator.video import video_of

log = logging.getLogger(__name__)

ANY_PORTS = Ports(0, 0, 0, 0, 0)

SWEEP = 10.0
"""Seconds between looks for idle connections."""

PROTOCOLS: tuple[tuple[str, type[Connection]], ...] = (
    ("http", HttpConnection),
    ("rtsp", RtspConnection),
    ("tcp", ManagementConnection),
    ("https", HttpsConnection),
)


@dataclass(frozen=True)
class Sockets:
    """The listening sockets of one process, in the order of PROTOCOLS, and the one for datagrams."""

    http: socket.socket
    rtsp: socket.socket
    tcp: socket.socket
    https: socket.socket
    snmp: socket.socket

    @property
    def ports(self) -> Ports:
        return Ports(*(sock.getsockname()[1] for sock in (*self.all, self.snmp)))

    @property
    def all(self) -> tuple[socket.socket, ...]:
        return self.http, self.rtsp, self.tcp, self.https

    def close(self) -> None:
        for sock in (*self.all, self.snmp):
            sock.close()


def open_sockets(ports: Ports, share: int = 1) -> list[Sockets]:
    """Sockets for ``share`` processes that serve one fleet together. Raises ``sockets.ListenError``."""
    opened: list[list[socket.socket]] = []
    try:
        for protocol, _ in PROTOCOLS:
            opened.append(sockets.listen(getattr(ports, protocol), protocol, f"--{protocol}-port", share))
        opened.append(sockets.listen_for_datagrams(ports.snmp, "snmp", "--snmp-port", share))
    except sockets.ListenError:
        for sock in (sock for group in opened for sock in group):
            sock.close()
        raise
    return [Sockets(*group) for group in zip(*opened, strict=True)]


def prepare(fleet: Fleet) -> None:
    """Draw and encode all that a healthy fleet shows, so that no first caller waits (about a second of CPU)."""
    shown = {member.scene + channel for member in fleet.members for channel in range(1, member.channels + 1)}
    for variant in {scene % VARIANTS for scene in shown}:
        still_of(variant, Look.NORMAL)
    video_of(Look.NORMAL, 1)
    for maker in {member.maker.name for member in fleet.members if member.encrypts}:
        context_for(maker, Paper.OWN)


class Simulation:
    """Serves a fleet in the running loop: ``async with Simulation(fleet) as simulation``.

    ``ports``: 0 takes any free one, and ``simulation.ports`` tells which. Of processes that serve one fleet together
    all share the ``secret``, so that a nonce of one is good for the other, and one ``leads``.
    """

    def __init__(
        self,
        fleet: Fleet,
        ports: Ports = ANY_PORTS,
        *,
        opened: Sockets | None = None,
        secret: bytes | None = None,
        leads: bool = True,
    ) -> None:
        self.fleet = fleet
        self._asked = ports
        self._opened = opened
        self._live = {member.id: LiveDevice(member) for member in fleet.members}
        self._premises = Premises(
            devices={device.member.device.host: device for device in self._live.values()},
            ports=ports,
            gate=Gate(secret),
            noise=Random(fleet.seed),  # noqa: S311 - noise, not secrets
        )
        beneath = {parent: [self._live[child] for child in children] for parent, children in fleet.children.items()}
        self._agents = Agents(self._premises.devices, beneath)
        self._servers: list[asyncio.Server] = []
        self._sweeper: asyncio.TimerHandle | None = None
        self._script: list[asyncio.TimerHandle] = []
        self.faults = Dial(fleet, self._live, self._darken)
        self._leads = leads
        self._silence: Silence | None = None
        self._beacon: Beacon | None = None

    @property
    def ports(self) -> Ports:
        return self._premises.ports

    def inventory_csv(self) -> str:
        """The fleet in the import format, with the ports it is served on."""
        return self.fleet.inventory_csv(self.ports)

    def counts(self, device: str) -> Counts:
        """What this device was asked so far."""
        return self._live[device].counts

    def totals(self) -> Counts:
        """The counts of all devices together."""
        total = Counts()
        for device in self._live.values():
            counts = device.counts
            for operation, number in counts.requests.items():
                total.requests[operation] = total.requests.get(operation, 0) + number
            total.failed_authentications += counts.failed_authentications
            total.forbidden += counts.forbidden
            total.open_sessions += counts.open_sessions
            total.abandoned_sessions += counts.abandoned_sessions
        return total

    @property
    def connections(self) -> int:
        """Connections that are open now."""
        return len(self._premises.connections)

    def play(self, events: Iterable[Event], begun: float, tell: Callable[[Event], None]) -> None:
        """Let these events happen, counted from the loop's time ``begun``; ``tell`` hears of each."""
        loop = asyncio.get_running_loop()
        for event in events:
            self._script.append(loop.call_at(begun + event.at, self._happen, event, tell))

    def _happen(self, event: Event, tell: Callable[[Event], None]) -> None:
        if event.ends:
            self.faults.clear(event.devices, event.fault)
        else:
            self.faults.set(event.devices, event.fault, **event.options)
        tell(event)

    async def start(self) -> None:
        """Listen. Raises ``sockets.ListenError`` when a port is taken."""
        loop = asyncio.get_running_loop()
        self._opened = self._opened or open_sockets(self._asked)[0]
        self._premises.ports = self._opened.ports
        self._silence = silence.choose(self._opened.all)
        if isinstance(self._silence, FullQueues) and not self._leads:
            self._silence = None  # the leader's full queues stand before all processes' own
        for (_, protocol), sock in zip(PROTOCOLS, self._opened.all, strict=True):
            factory = partial(protocol, self._premises, loop)
            self._servers.append(await loop.create_server(factory, sock=sock, backlog=sockets.BACKLOG))
        self._agents.start(self._opened.snmp)
        if self._leads:
            self._light()
        self._sweeper = loop.call_later(SWEEP, self._sweep)

    def _light(self) -> None:
        """Answer Probes, too. A fleet that can't be discovered is still a fleet."""
        try:
            sock = beacon.listen(self._asked.discovery)
        except sockets.ListenError as error:
            log.warning("%s; the fleet can't be discovered", error)
            return
        self._premises.ports = replace(self._premises.ports, discovery=sock.getsockname()[1])
        self._beacon = Beacon(sock, self._premises.devices, self._premises.ports)

    async def stop(self) -> None:
        """Close everything and wait until it is closed."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for handle in self._script:
            handle.cancel()
        if self._beacon is not None:
            self._beacon.close()
        self.faults.clear_all()
        self._agents.stop()
        for server in self._servers:
            server.close()
        await self._premises.vacate()
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()
        if self._opened is not None:
            self._opened.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _sweep(self) -> None:
        """Hang up on clients that have said nothing for long; a device without power cannot even do that."""
        loop = asyncio.get_running_loop()
        before = loop.time() - IDLE
        for connection in list(self._premises.connections):
            if connection.heard < before and not connection.silent:
                connection.transport.abort()
        self._sweeper = loop.call_later(SWEEP, self._sweep)

    def _darken(self, addresses: frozenset[int]) -> None:
        """Make these addresses silent and no others: new connections in the kernel, open ones here."""
        if self._silence is not None:
            try:
                self._silence.only(addresses)
            except (Audible, OSError) as error:
                log.warning("dark devices accept connections and never answer, instead of keeping silent: %s", error)
        for connection in list(self._premises.connections):
            if connection.device.faults.dark and not connection.silent:
                connection.silence()
            elif connection.silent and not connection.device.faults.dark:
                # It has power again and knows nothing of this connection: the client learns that by a reset.
                connection.transport.abort()

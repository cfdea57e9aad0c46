"""This file says what an attack is, and runs a probe against one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from camera_registry.model.observation import FailureKind, Observation
from camera_registry.model.people import Credential
from camera_registry.model.roster import Target
from probes.base import Pictures, Tools, observe
from probes.catalog import load
from probes.guard import AddressGuard
from probes.memory import Memory
from tests.probes.loopback import Handler, listening

CANARY = "canary/7f3a 9c21&+ä'\\pass"
"""A password that must be seen nowhere. Its odd characters change wherever it is quoted."""
USER = "admin"
ELSEWHERE = "127.66.0.1"
"""Where attacks send us: a host that nobody registered."""

PORTS = {"onvif": "onvif", "rtsp": "rtsp", "snapshot": "http"}


@dataclass(frozen=True)
class Attack:
    """``kinds``: the failures that tell the truth of it. ``waits``: it lasts until the deadline."""

    name: str
    probe: str
    handler: Handler
    kinds: frozenset[FailureKind] = frozenset()
    waits: bool = False
    options: Mapping[str, object] = field(default_factory=dict)


class Trap:
    """Listens where attacks send us, over TCP and UDP on one port, and counts who comes."""

    def __init__(self, host: str = ELSEWHERE) -> None:
        self.host = host
        self.port = 0
        self.visits: list[str] = []

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"

    @asynccontextmanager
    async def set(self) -> AsyncIterator[Trap]:
        server = await asyncio.start_server(self._come, self.host, 0)
        self.port = server.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Mailbox(self), (self.host, self.port))
        try:
            yield self
        finally:
            transport.close()
            server.close()

    async def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits.append(f"tcp from {writer.get_extra_info('peername')}")
        writer.close()


class _Mailbox(asyncio.DatagramProtocol):
    def __init__(self, trap: Trap) -> None:
        self._trap = trap

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._trap.visits.append(f"udp from {addr}")


async def suffer(attack: Attack, timeout: float, pictures: Pictures | None = None) -> Observation:
    """One run of the attacked probe, with a password, against a server of its own; all of loopback may be reached."""
    tools = Tools(AddressGuard(["127.0.0.0/8"]), Memory(), {"login": Credential("login", USER, CANARY)}.get, pictures)
    async with listening(attack.handler) as port:
        target = Target("device-1", "127.0.0.1", {PORTS[attack.probe]: port}, "login")
        return await observe(attack.probe, load(attack.probe), target, attack.options, tools, timeout=timeout)

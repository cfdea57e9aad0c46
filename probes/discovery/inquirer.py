"""This file asks WS-Discovery questions over UDP, of one address or of all that a network interface reaches."""

from __future__ import annotations

import asyncio
import socket
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from camera_registry.model.discovery import Ignored, Oversight
from probes.guard import AddressGuard
from probes.wire import WireError, wsdiscovery
from probes.wire.wsdiscovery import Match

REPEATS, REPEAT_AFTER = 2, 0.7
"""A question to all is put this often, seconds apart: datagrams get lost. Each time under an id of its own, because who
has heard an id does not answer it again; later than the half second in which answers are spread (section 3.1.3)."""
WAITING_BYTES = 4 * 1024 * 1024
"""Of answers that may wait to be read, if the system allows so much: thousands answer within half a second."""

LARGEST = 65_535
"""Bytes of a datagram."""
AT_ONCE = 64
"""Datagrams that are read before others have their turn."""
ANSWERS_PER_HOST = 8
"""Datagrams that are read of one host for one question; what it sends beyond is dropped unread."""
HOSTS = 20_000
"""Hosts that one question to all may bring to light."""
IGNORED = 1000
"""Oversights that are told one by one."""


@dataclass(frozen=True, slots=True)
class Hint:
    """Where and what a host says that it is. ``port`` 0: it does not say. ``elsewhere`` are other hosts that it named:
    they are told to people, and not contacted."""

    match: Match
    port: int = 0
    path: str = ""
    elsewhere: tuple[str, ...] = ()


@dataclass(slots=True)
class _Question:
    ids: frozenset[str]
    done: asyncio.Future[Hint]
    read: int = 0


@dataclass(slots=True)
class _Round:
    """A question to all, and what came of it so far."""

    ids: set[str] = field(default_factory=set)
    read: Counter[str] = field(default_factory=Counter)
    hints: dict[str, Hint] = field(default_factory=dict)
    outside: dict[str, None] = field(default_factory=dict)


class Inquirer:
    """One UDP socket and the questions that wait for their answers on it."""

    def __init__(self, guard: AddressGuard, port: int, sock: socket.socket) -> None:
        self._guard = guard
        self._port = port
        self._sock = sock
        self._asked: dict[str, _Question] = {}
        self._round: _Round | None = None

    def read(self) -> None:
        """Take in what has come, a part of it at a time, so that others have their turn."""
        with suppress(OSError):  # nothing more waits
            for _ in range(AT_ONCE):
                data, source = self._sock.recvfrom(LARGEST)
                self._heard(data, source[0])

    def _send(self, data: bytes, address: str) -> None:
        # What can't be sent meets silence, which says the same.
        with suppress(OSError):
            self._sock.sendto(data, (address, self._port))

    def _heard(self, data: bytes, host: str) -> None:
        question, everybody = self._asked.get(host), self._round
        if question is not None:
            question.read += 1
            if question.read <= ANSWERS_PER_HOST and not question.done.done():
                hint = _read(data, host, question.ids)
                if hint is not None:
                    question.done.set_result(hint)
        elif everybody is not None:
            if host not in everybody.read and len(everybody.read) >= HOSTS:
                return
            everybody.read[host] += 1
            known = everybody.hints.get(host)
            if everybody.read[host] <= ANSWERS_PER_HOST and (known is None or not known.port):
                self._take(data, host, everybody)

    def _take(self, data: bytes, host: str, everybody: _Round) -> None:
        hint = _read(data, host, everybody.ids)
        if hint is None:
            return
        if not self._guard.allows(host):
            everybody.outside[host] = None
            return
        if hint.port or host not in everybody.hints:
            everybody.hints[host] = hint

    async def ask(self, address: str, seconds: float) -> Hint | None:
        """What this one host answers within ``seconds``; None for silence. Only an address that the guard allows."""
        assert self._guard.allows(address)
        ids, probes = _probes()
        question = self._asked[address] = _Question(ids, asyncio.get_running_loop().create_future())
        try:
            for probe in probes:
                self._send(probe, address)
            async with asyncio.timeout(seconds):
                return await question.done
        except TimeoutError:
            return None
        finally:
            del self._asked[address]

    async def ask_all(self, seconds: float) -> tuple[dict[str, Hint], list[Ignored]]:
        """Everybody's answers that came within ``seconds``, by host; and whom they came from besides, unwanted."""
        everybody = self._round = _Round()
        pauses = [min(REPEAT_AFTER, seconds / REPEATS)] * (REPEATS - 1)
        try:
            for pause in (*pauses, seconds - sum(pauses)):
                ids, probes = _probes()
                everybody.ids |= ids
                for probe in probes:
                    self._send(probe, wsdiscovery.GROUP)
                await asyncio.sleep(pause)
        finally:
            self._round = None
        strangers = list(everybody.outside)[:IGNORED]
        return everybody.hints, [Ignored(host, host, Oversight.OUTSIDE) for host in strangers]


@asynccontextmanager
async def inquirer(guard: AddressGuard, port: int = wsdiscovery.PORT, interface: str = "") -> AsyncIterator[Inquirer]:
    """An inquirer for as long as it is needed. ``interface`` is the IPv4 address of the one that questions to all go
    out by; empty: the system chooses. Raises OSError for an address that is not this machine's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WAITING_BYTES)
        # Questions to all stay in their own network: no router passes them on.
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        if interface:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
        sock.bind((interface, 0))
        made = Inquirer(guard, port, sock)
        # Read by hand: a datagram transport of uvloop that is closed may keep its loop from ever closing.
        loop = asyncio.get_running_loop()
        loop.add_reader(sock, made.read)
        try:
            yield made
        finally:
            loop.remove_reader(sock)


def _probes() -> tuple[frozenset[str], Sequence[bytes]]:
    """A fresh Probe for each type, and their ids."""
    ids = [f"urn:uuid:{uuid.uuid4()}" for _ in wsdiscovery.TYPES]
    return frozenset(ids), [
        wsdiscovery.write_probe(id, types) for id, types in zip(ids, wsdiscovery.TYPES, strict=True)
    ]


def _read(data: bytes, host: str, ids: Collection[str]) -> Hint | None:
    """What ``host`` says of itself, if this answers one of ``ids``."""
    try:
        relates, matches = wsdiscovery.read_matches(data)
    except WireError:
        return None
    if relates not in ids or not matches:
        return None
    own = [match for match in matches if any(address.host == host for address in match.addresses)]
    match = (own or matches)[0]
    addresses = sorted(match.addresses, key=lambda address: (address.host != host, address.scheme != "http"))
    elsewhere = dict.fromkeys(
        address.host for one in matches for address in one.addresses if address.host not in ("", host)
    )
    if not addresses or addresses[0].scheme != "http":
        return Hint(match, elsewhere=tuple(elsewhere)[:ANSWERS_PER_HOST])
    first = addresses[0]
    return Hint(match, first.port or 80, first.path, tuple(elsewhere)[:ANSWERS_PER_HOST])

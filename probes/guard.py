"""The address guard: probes connect to resolved addresses inside the configured networks, and to nothing else."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network

_LOOKUPS = 16
"""Host names that are looked up at once."""


class Forbidden(Exception):
    """An address outside the device networks."""

    def __init__(self, address: str) -> None:
        super().__init__(f"{address} is outside the device networks ([devices] networks in the settings)")
        self.address = address


class Unresolved(Exception):
    """A host name without an address; ``said`` is what the system says of it."""

    def __init__(self, host: str, said: str) -> None:
        super().__init__(f"host name {host!r} has no address: {said}")
        self.said = said


class AddressGuard:
    """Resolves hosts and lets through only addresses inside ``networks`` (CIDR text, IPv4 or IPv6).

    The *resolved* address is what is checked and connected to, so a name cannot change its mind in between.
    """

    def __init__(self, networks: Iterable[str]) -> None:
        self.networks: tuple[Network, ...] = ()
        self._allowed: dict[str, bool] = {}
        self.allow(networks)

    def allow(self, networks: Iterable[str]) -> None:
        """Let these networks through from now on, and no others."""
        self.networks = tuple(ip_network(text, strict=False) for text in networks)
        self._allowed.clear()

    def allows(self, address: str) -> bool:
        """Whether the literal address may be connected to."""
        known = self._allowed.get(address)
        if known is None:
            parsed = ip_address(address)
            if parsed.version == 6 and parsed.ipv4_mapped is not None:
                parsed = parsed.ipv4_mapped
            known = any(parsed in network for network in self.networks if network.version == parsed.version)
            if len(self._allowed) > 100_000:
                self._allowed.clear()
            self._allowed[address] = known
        return known

    async def resolve(self, host: str, port: int) -> str:
        """The address to connect to. Raises Unresolved, or Forbidden when no address lies inside the networks."""
        if self._allowed.get(host):
            return host
        addresses = [host] if is_literal(host) else await look_up(host, port)
        for address in addresses:
            if self.allows(address):
                return address
        raise Forbidden(addresses[0])


async def look_up_all(hosts: Iterable[str]) -> dict[str, list[str]]:
    """The addresses of each host name; none for a name that is not known now. Literal addresses are left out."""
    found: dict[str, list[str]] = {}
    slots = asyncio.Semaphore(_LOOKUPS)

    async def one(host: str) -> None:
        async with slots:
            try:
                found[host] = await look_up(host, 0)
            except Unresolved:
                found[host] = []

    async with asyncio.TaskGroup() as group:
        for host in {host for host in hosts if host and not is_literal(host)}:
            group.create_task(one(host))
    return found


def is_literal(host: str) -> bool:
    """Whether a host is named by its address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


async def look_up(host: str, port: int) -> list[str]:
    """The addresses of a host name, in the order to try them. Raises Unresolved."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unresolved(host, str(error)) from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))

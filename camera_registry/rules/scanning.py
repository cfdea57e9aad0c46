"""This file decides which addresses a scan asks, and in which order: each once, far from the one before.

The order is a walk around the ring of all addresses in steps of about the golden section, so that at any time the scan
has touched every network evenly and none of them densely. It is computed, not stored: a /16 costs no memory, and a scan
goes on from any place.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, collapse_addresses, ip_network
from math import gcd

MOST_ADDRESSES = 1 << 20
"""At 20 addresses a second, more than half a day."""

_SECTION = 0.6180339887498949


class TooWide(ValueError):
    """The networks hold more addresses than one scan should ask."""


def outside(networks: Iterable[str], allowed: Iterable[str]) -> list[str]:
    """Those of ``networks`` (CIDR text) that do not lie whole inside one of ``allowed``."""
    within = [ip_network(text, strict=False) for text in allowed]
    return [
        text
        for text in networks
        for network in [ip_network(text, strict=False)]
        if not any(network.network_address in one and network.broadcast_address in one for one in within)
    ]


class Walk:
    """The addresses of ``networks`` (CIDR text) in the order of ``seed``; the same arguments give the same order.

    Network and broadcast addresses of IPv4 are left out. Raises TooWide.
    """

    def __init__(self, networks: Iterable[str], seed: int = 0) -> None:
        parsed = [ip_network(text, strict=False) for text in dict.fromkeys(networks)]
        four = collapse_addresses(network for network in parsed if isinstance(network, IPv4Network))
        six = collapse_addresses(network for network in parsed if isinstance(network, IPv6Network))
        self._spans: list[tuple[int, int, type[IPv4Address | IPv6Address]]] = []
        for narrow in four:
            ends = narrow.prefixlen < 31
            self._spans.append((int(narrow.network_address) + ends, narrow.num_addresses - 2 * ends, IPv4Address))
        self._spans += [(int(wide.network_address), wide.num_addresses, IPv6Address) for wide in six]
        self.size = sum(size for _, size, _ in self._spans)
        if self.size > MOST_ADDRESSES:
            raise TooWide(
                f"{self.size:,} addresses are too many for one scan (at most {MOST_ADDRESSES:,}): name smaller networks"
            )
        self._step = max(1, int(self.size * _SECTION))
        while gcd(self._step, self.size) > 1:
            self._step += 1
        self._begin = seed % self.size if self.size else 0

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, place: int) -> str:
        """The address at this place of the walk. Raises IndexError behind its end."""
        if not 0 <= place < self.size:
            raise IndexError(place)
        number = (self._begin + place * self._step) % self.size
        for first, size, kind in self._spans:
            if number < size:
                return str(kind(first + number))
            number -= size
        raise AssertionError("every number lies in a span")

"""The plan of a simulated fleet: a pure function of its size and its seed, from the city down to each camera's serial.

Devices are laid out in blocks: a switch and up to forty units beneath it, on an address range of its own of 64, so that
one prefix says "this switch and all beneath it".
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network, ip_network
from typing import Self

from camera_registry.model.people import Contractor, Crew
from camera_registry.model.place import Area, Site, View
from camera_registry.model.register import Register
from camera_registry.simulator import city, inventory
from camera_registry.simulator.member import BLOCK, RANGE, Member, Ports
from camera_registry.texts.errors import TellableError

LOOPBACK = IPv4Network("127.0.0.0/8")
RESERVED = IPv4Network("127.0.0.0/16")
"""Kept free for servers: 127.0.0.1 is where the service under test listens."""


class PlanError(TellableError):
    """A fleet of this size can't be made here; the message says why and what to do."""

    section = "plan_error"


@dataclass(frozen=True)
class Fleet:
    """A whole fleet and the city around it."""

    members: tuple[Member, ...]
    areas: tuple[Area, ...]
    sites: tuple[Site, ...]
    views: tuple[View, ...]
    contractors: tuple[Contractor, ...]
    crews: tuple[Crew, ...]
    seed: int

    @classmethod
    def plan(cls, devices: int, seed: int = 1, network: str = "127.0.0.0/8") -> Self:
        """Plan ``devices`` polled devices inside ``network``. The same arguments give the same fleet, always.

        Raises PlanError for a network that is not loopback, or too small.
        """
        if devices < 1:
            raise PlanError("few", given=devices)
        bases = addresses(network, -(-devices // BLOCK))
        rng = random.Random(seed)  # noqa: S311 - a plan must repeat, nothing is kept secret by it
        built = city.build(devices, bases, rng)
        return cls(
            members=tuple(built.members),
            areas=tuple(built.areas),
            sites=tuple(built.sites),
            views=tuple(built.views),
            contractors=city.contractors(),
            crews=tuple(built.crews),
            seed=seed,
        )

    @cached_property
    def by_id(self) -> Mapping[str, Member]:
        return {member.id: member for member in self.members}

    @cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        """Parent to the devices directly beneath it."""
        found: dict[str, list[str]] = {}
        for member in self.members:
            if member.device.parent:
                found.setdefault(member.device.parent, []).append(member.id)
        return {parent: tuple(ids) for parent, ids in found.items()}

    def beneath(self, device: str) -> tuple[str, ...]:
        """The device itself and all that hangs on it, directly or not."""
        found = [device]
        for parent in found:  # grows while it is read: a walk, breadth first
            found.extend(self.children.get(parent, ()))
        return tuple(found)

    @cached_property
    def _area_parents(self) -> Mapping[str, str]:
        return {area.id: area.parent for area in self.areas}

    def areas_of(self, area: str) -> tuple[str, ...]:
        """The area and all that it lies in, up to the city."""
        found = [area]
        while parent := self._area_parents[found[-1]]:
            found.append(parent)
        return tuple(found)

    def register(self, ports: Ports) -> Register:
        """What the register would hold of this fleet, served on these ports."""
        devices = {member.id: member.on(ports) for member in self.members}
        channels = {channel.id: channel for member in self.members for channel in member.channel_files()}
        return Register(
            areas={area.id: area for area in self.areas},
            sites={site.id: site for site in self.sites},
            views={view.id: view for view in self.views},
            devices=devices,
            channels=channels,
            contractors={contractor.id: contractor for contractor in self.contractors},
            crews={crew.id: crew for crew in self.crews},
        )

    def inventory_csv(self, ports: Ports) -> str:
        """The fleet in the import format, passwords of its devices included."""
        logins = {member.id: (member.username, member.password) for member in self.members}
        return inventory.write(self.register(ports), logins)


def addresses(network: str, blocks: int) -> tuple[int, ...]:
    """The first address of each block's range, as numbers. Raises PlanError."""
    try:
        within = ip_network(network)
    except ValueError as error:
        raise PlanError("no_network", network=network, why=error) from error
    if not isinstance(within, IPv4Network) or not LOOPBACK.supernet_of(within):
        raise PlanError("not_loopback", network=network)
    first = int(within.network_address)
    if within.supernet_of(RESERVED):
        first = int(RESERVED.broadcast_address) + 1
    room = (int(within.broadcast_address) + 1 - first) // RANGE
    if room < blocks:
        raise PlanError("narrow", network=network, room=room * BLOCK, needed=blocks * BLOCK)
    return tuple(first + RANGE * block for block in range(blocks))

"""This file finds what faults have in common where no topology is drawn: one power source, one network, one area.

Devices that were lost within a minute of each other, for one cause, have more than that in common; what it is can only
be suspected, and the narrowest thing is suspected first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import lru_cache
from ipaddress import ip_address, ip_network

from camera_registry.model.device import Life
from camera_registry.model.health import Cause
from camera_registry.model.incident import Scope
from camera_registry.rules.incidents.book import Fault, Fleet, GroupKey
from camera_registry.rules.incidents.faults import LOSSES
from camera_registry.rules.places import way_up


def keys(fault: Fault, fleet: Fleet) -> Iterator[GroupKey]:
    """What this fault may have in common with others, the narrowest first."""
    device = fleet.devices.get(fault.device)
    if device is None:
        return
    if fault.cause in LOSSES or fault.unfed:
        if device.power_source:
            yield Scope.POWER, device.power_source, Cause.POWER
        if network := prefix(device.host):
            yield Scope.PREFIX, network, fault.cause
        if device.area:
            yield Scope.AREA, device.area, fault.cause
    else:
        # What is wrong with the devices themselves (a password changed everywhere) knows no border but the city's.
        yield from ((Scope.AREA, area, fault.cause) for area in way_up(device.area, fleet.area_parents))


def together(faults: Sequence[Fault], fleet: Fleet) -> Iterator[tuple[GroupKey, list[Fault]]]:
    """Faults that are one, by what they have in common; each fault in one group at most."""
    shared: dict[GroupKey, list[Fault]] = {}
    for fault in sorted(faults, key=lambda fault: (fault.started, fault.device)):
        for key in keys(fault, fleet):
            shared.setdefault(key, []).append(fault)
    taken: set[str] = set()
    for key in sorted(shared, key=lambda key: (list(Scope).index(key[0]), -_depth(key, fleet), key)):
        free = [fault for fault in shared[key] if fault.device not in taken]
        members = _run(free, _enough(key, free, fleet), fleet.rules.together)
        if members:
            taken.update(fault.device for fault in members)
            yield key, members


@lru_cache(maxsize=65_536)
def prefix(host: str) -> str:
    """The /24 or /64 of an address; empty for a host name."""
    try:
        address = ip_address(host)
    except ValueError:
        return ""
    return str(ip_network((address, 24 if address.version == 4 else 64), strict=False))


def _depth(key: GroupKey, fleet: Fleet) -> int:
    """Losses are looked for in the areas where they are; other causes in the largest area first."""
    return 0 if key[2] in LOSSES else -len(way_up(key[1], fleet.area_parents))


def _enough(key: GroupKey, faults: Sequence[Fault], fleet: Fleet) -> int:
    """How many devices must be lost together. Two are enough where they are all that hang on one power source."""
    if key[0] is Scope.POWER and len(faults) > 1:
        supplied = Counter(
            device.power_source for device in fleet.devices.values() if device.life is Life.ACTIVE and device.host
        )
        return min(fleet.rules.minimum, supplied[key[1]])
    return fleet.rules.minimum


def _run(faults: Sequence[Fault], enough: int, window: timedelta) -> list[Fault]:
    """The faults (sorted by start) around the first ``enough`` that began within ``window``."""
    for first in range(len(faults) - enough + 1):
        last = faults[first + enough - 1].started
        if enough > 1 and last - faults[first].started <= window:
            return [fault for fault in faults[first:] if fault.started <= last + window]
    return []

"""The register as a whole, and what may change in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from camera_registry.model.device import Channel, Device
from camera_registry.model.people import Contractor, Crew
from camera_registry.model.place import Area, Building, Site, View

Item = Area | Site | View | Device | Channel | Contractor | Crew | Building

KINDS: Mapping[str, type[Item]] = {
    "area": Area,
    "site": Site,
    "view": View,
    "device": Device,
    "channel": Channel,
    "contractor": Contractor,
    "crew": Crew,
    "building": Building,
}
"""What an item is called wherever its kind is written down: in changes, addresses of the API, inventory files."""

_NAMES = {cls: name for name, cls in KINDS.items()}


def kind_of(item: Item) -> str:
    """The name of this item's kind."""
    return _NAMES[type(item)]


@dataclass(frozen=True, slots=True)
class Register:
    """Everything registered, by identifier."""

    areas: Mapping[str, Area] = field(default_factory=dict)
    sites: Mapping[str, Site] = field(default_factory=dict)
    views: Mapping[str, View] = field(default_factory=dict)
    devices: Mapping[str, Device] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=dict)
    contractors: Mapping[str, Contractor] = field(default_factory=dict)
    crews: Mapping[str, Crew] = field(default_factory=dict)
    buildings: Mapping[str, Building] = field(default_factory=dict)

    def parents(self) -> dict[str, tuple[str, ...]]:
        """What each device stands behind."""
        return {device.id: device.parents for device in self.devices.values()}

    def area_parents(self) -> dict[str, str]:
        """The area that each area lies in; empty: it is the largest."""
        return {area.id: area.parent for area in self.areas.values()}


@dataclass(frozen=True, slots=True)
class Change:
    """One edit of the register as it is kept: which item, what stood before and after, who and when.

    ``before`` and ``after`` hold only the fields that differ, as JSON values; a new item has no ``before``.
    """

    kind: str
    id: str
    before: Mapping[str, object] | None
    after: Mapping[str, object] | None
    author: str
    at: datetime

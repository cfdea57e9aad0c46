"""What can be asked for: which report, of which period, of which part of the city."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from camera_registry.model.device import Device
from camera_registry.model.place import Site
from camera_registry.model.register import Register
from camera_registry.rules.availability import NoPeriod, Period, between, month, name_of, zone_of
from camera_registry.rules.places import way_up


class Kind(StrEnum):
    """Which report."""

    AVAILABILITY = "availability"
    CONTRACTORS = "contractors"
    FILES = "files"
    COVERAGE = "coverage"

    @property
    def over_time(self) -> bool:
        """Whether it tells of a period, and not of now."""
        return self is not Kind.FILES


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for. ``month`` or ``begins`` and ``ends``; ``area`` takes its subtree along."""

    kind: Kind
    month: str = ""
    begins: datetime | None = None
    ends: datetime | None = None
    zone: str = ""
    area: str = ""
    contractor: str = ""

    def period(self, zone: str, now: datetime) -> Period:
        """The period, by the clock of its own zone or of ``zone``. Raises NoPeriod."""
        place = zone_of(self.zone or zone)
        if self.begins is not None and self.ends is not None:
            return between(self.begins, self.ends, place, now)
        return month(self.month, place, now)

    def named(self, zone: str) -> str:
        """What its period is called; empty: it tells of now. Raises NoPeriod."""
        if self.begins is None or self.ends is None:
            return self.month
        place = zone_of(self.zone or zone)
        begins, ends = (one if one.tzinfo else one.replace(tzinfo=place) for one in (self.begins, self.ends))
        return name_of(begins, ends, place)

    def ended(self, zone: str, now: datetime) -> Period:
        """The same, if it is over: what goes on has no figures that could be kept. Raises NoPeriod."""
        period = self.period(zone, now)
        if period.ends >= now:
            raise NoPeriod("open")
        return period

    def wants(self, device: Device, areas: Sequence[str]) -> bool:
        """Whether a device is among those asked for; ``areas`` hold it."""
        return (not self.contractor or device.contractor == self.contractor) and (not self.area or self.area in areas)

    def sites(self, known: Register) -> list[Site]:
        """The sites in the area that is asked for."""
        parents = known.area_parents()
        return [
            site
            for site in known.sites.values()
            if not self.area or (bool(site.area) and self.area in way_up(site.area, parents))
        ]

    def check(self, ever: Callable[[str, str], bool]) -> None:
        """Raises NoPeriod for an area or a contractor that never was; ``ever`` tells, by kind and id, what was."""
        for kind, id in (("area", self.area), ("contractor", self.contractor)):
            if id and not ever(kind, id):
                raise NoPeriod(kind, id=id)

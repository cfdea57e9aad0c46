"""Makes reports: measures, finds what else is told, and puts it into a document. What the command line and the console
share; it blocks, so the console runs it on a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from camera_registry.model.device import Device, Life
from camera_registry.model.policy import PollPolicy
from camera_registry.model.register import Register
from camera_registry.model.trend import LensPolicy
from camera_registry.rules import device_files
from camera_registry.rules.availability import NoPeriod, Period, between, month, zone_of
from camera_registry.rules.coverage.month import begin, preceding
from camera_registry.rules.coverage.period import sum_up
from camera_registry.rules.coverage.points import Topology, singles
from camera_registry.rules.geometry.extent import fields, shapes
from camera_registry.rules.geometry.extent import measure as measure_ground
from camera_registry.rules.places import way_up
from camera_registry.store import Store, baselines, picture_days, register, reports
from camera_registry.store import coverage as coverage_store
from camera_registry.store.measuring import Measured, Step, measure, unwatched
from camera_registry.texts import Texts
from exporters.report import availability, contractors, coverage, files
from exporters.report.availability import Besides
from exporters.report.document import Document
from exporters.report.lenses import Lenses, first_day
from exporters.report.wording import Writing

_INSTANT = timedelta(microseconds=1)


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

    def wants(self, known: Register, device: Device) -> bool:
        """Whether a device is among those asked for."""
        if self.contractor and device.contractor != self.contractor:
            return False
        return not self.area or (bool(device.area) and self.area in way_up(device.area, known.area_parents()))

    def check(self, known: Register) -> None:
        """Raises NoPeriod for an area or a contractor that is not there."""
        if self.area and self.area not in known.areas:
            raise NoPeriod("area", id=self.area)
        if self.contractor and self.contractor not in known.contractors:
            raise NoPeriod("contractor", id=self.contractor)


@dataclass(frozen=True, slots=True)
class Desk:
    """Where reports are made: the store, the policy by which devices are asked, the zone where none is named, and when
    a lens is dirty."""

    store: Store
    polls: PollPolicy
    zone: str
    now: Callable[[], datetime]
    lens: LensPolicy = field(default_factory=LensPolicy)

    def make(self, order: Order, words: Texts, step: Step = unwatched) -> Document:
        """The report. Raises NoPeriod, StoreError, or what ``step`` raises."""
        now = self.now()
        known = self.store.read_now(register.load_register)
        order.check(known)
        asked = ", ".join(filter(None, (order.area, order.contractor)))
        writing = Writing(words, now, self._intervals(words), asked)
        if order.kind is Kind.FILES:
            return self._files(order, known, writing)
        if order.kind is Kind.COVERAGE:
            return self._coverage(order, known, writing, now)
        measured = self.measured(order, now, step)
        period = measured.period
        if order.kind is Kind.CONTRACTORS:
            opened = self.store.read_now(reports.opened, period.begins, period.ends)
            if order.contractor:
                opened = [one for one in opened if one.contractor == order.contractor]
            if order.area:
                parents = known.area_parents()
                opened = [one for one in opened if order.area in way_up(one.area, parents)]
            return contractors.document(measured, opened, writing)
        besides = Besides(
            self.store.read_now(reports.flapping, period.begins, period.ends),
            self._lenses(period),
            self.store.read_now(reports.frozen, frozen_name(period)),
        )
        return availability.document(measured, besides, writing)

    def _lenses(self, period: Period) -> Lenses:
        ends = period.ends.astimezone(period.zone).date()
        return Lenses(
            self.store.read_now(picture_days.between, first_day(ends), ends),
            frozenset((one.device, one.channel) for one in self.store.read_now(baselines.load)),
            self.store.read_now(reports.dirty_lenses, period.begins, period.ends),
            self.lens,
        )

    def measured(self, order: Order, now: datetime, step: Step = unwatched) -> Measured:
        """The sums that the report tells."""
        whole = not (order.area or order.contractor)
        return measure(self.store, order.period(self.zone, now), step, None if whole else order.wants)

    def freeze(self, order: Order, author: str) -> tuple[str, bool]:
        """Keep the figures of all devices in that period for good: under which name, and False when they were kept
        before. Raises NoPeriod while the period is not over."""
        now = self.now()
        period = order.period(self.zone, now)
        if period.ends >= now:
            raise NoPeriod("open")
        found = measure(self.store, period)
        name = frozen_name(period)
        done = self.store.write_now(reports.freeze, name, found.version, found.sums, author=author, at=now)
        return name, done

    def _files(self, order: Order, known: Register, writing: Writing) -> Document:
        chosen = {id: device for id, device in known.devices.items() if order.wants(known, device)}
        some = Register(known.areas, known.sites, known.views, chosen, known.channels, known.contractors, known.crews)
        findings = device_files.audit(chosen.values(), self.store.read_now(reports.said))
        return files.document(some, findings, self.store.read_now(register.version), writing, zone_of(self.zone))

    def _coverage(self, order: Order, known: Register, writing: Writing, now: datetime) -> Document:
        period = order.period(self.zone, now)
        since, until, zone = period.begins, period.ends, period.zone
        earlier = begin(preceding(order.month), zone) if order.month else since - (until - since)
        parents = known.area_parents()
        sites = [
            site
            for site in known.sites.values()
            if not order.area or (bool(site.area) and order.area in way_up(site.area, parents))
        ]
        chosen = {site.id for site in sites}
        history = self.store.read_now(coverage_store.history, known, earlier, until)
        topology = Topology(known.devices)
        # The register names who may see something; what is out of service sees nothing.
        seeing = [device for device in known.devices.values() if device.life is Life.ACTIVE]
        extents, unmeasured = measure_ground(sites, fields(seeing, shapes(known.buildings.values())))
        found = coverage.Audit(
            since,
            until,
            zone,
            [one for one in sum_up(history, zone, since, until) if one.site in chosen],
            [one for one in sum_up(history, zone, earlier, since) if one.site in chosen],
            {
                seen.site.id: points
                for seen in history.standing(known, zone, until - _INSTANT)
                if seen.site.id in chosen and (points := singles(seen, topology))
            },
            extents,
            unmeasured,
            self.store.read_now(register.version),
        )
        return coverage.document(found, known, writing)

    def _intervals(self, words: Texts) -> str:
        """The seconds between two looks, probe by probe."""
        told = sorted((name, pace.interval) for name, pace in self.polls.paces.items())
        return ", ".join(words("report.intervals", probe=probe, seconds=f"{seconds:g}") for probe, seconds in told)


def frozen_name(period: Period) -> str:
    """Under which name the figures of a period are kept: two reports of the same stretch share them."""
    return f"{period.begins.isoformat()}/{period.ends.isoformat()}"

"""Makes reports: measures, finds what else is told, and puts it into a document. What the command line and the console
share; it blocks, so the console runs it on a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from camera_registry.model.policy import PollPolicy
from camera_registry.model.register import Register
from camera_registry.model.trend import LensPolicy
from camera_registry.model.work_order import WorkOrder
from camera_registry.rules import device_files
from camera_registry.rules.availability import Period, zone_of
from camera_registry.rules.coverage.standing import without_views
from camera_registry.rules.places import way_up
from camera_registry.rules.progress import Step, unwatched
from camera_registry.store import Store, baselines, frozen_rates, picture_days, recordings, register, reports
from camera_registry.store.measuring import Measured, measure
from camera_registry.texts import Texts
from exporters.report import availability, contractors, coverage, covering, files
from exporters.report.availability import Besides
from exporters.report.document import Document
from exporters.report.lenses import Lenses, first_day
from exporters.report.order import Kind, Order
from exporters.report.wording import Writing


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
        order.check(lambda kind, id: self.store.read_now(register.ever, kind, id))
        asked = ", ".join(filter(None, (order.area, order.contractor)))
        writing = Writing(words, now, self._intervals(words), asked)
        if order.kind is Kind.FILES:
            return self._files(order, writing)
        if order.kind is Kind.COVERAGE:
            return coverage.document(*covering.audit(self.store, order, self.zone, now, step), writing)
        measured = self.measured(order, now, step)
        period = measured.period
        if order.kind is Kind.CONTRACTORS:
            frozen = self.store.read_now(frozen_rates.frozen_scorecard, period)
            return contractors.document(
                measured, self._orders(order, period, measured.register), frozen, order, writing
            )
        besides = Besides(
            self.store.read_now(reports.flapping, period.begins, period.ends),
            self._lenses(period),
            self.store.read_now(frozen_rates.frozen, period),
            self.store.read_now(recordings.missing, period.begins, period.ends),
            self.store.read_now(recordings.not_computable),
        )
        return availability.document(measured, besides, writing)

    def _orders(self, order: Order, period: Period, known: Register) -> list[WorkOrder]:
        opened = self.store.read_now(reports.opened, period.begins, period.ends)
        if order.contractor:
            opened = [one for one in opened if one.contractor == order.contractor]
        if order.area:
            parents = known.area_parents()
            opened = [one for one in opened if order.area in way_up(one.area, parents)]
        return opened

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

    def freeze(self, order: Order, author: str, step: Step = unwatched) -> tuple[Period, bool]:
        """Keep the figures of that period for good, of all devices, contractors or sites, whatever part of the city was
        asked for: which period, and False when they were kept before. Raises NoPeriod while the period is not over,
        StoreError, or what ``step`` raises."""
        now = self.now()
        period = order.ended(self.zone, now)
        if order.kind is Kind.COVERAGE:
            return period, covering.freeze(self.store, period, author, now, step)
        found = measure(self.store, period, step)
        if order.kind is Kind.CONTRACTORS:
            opened = self.store.read_now(reports.opened, period.begins, period.ends)
            held = contractors.scorecard(found, opened, now)
            return period, self.store.write_now(
                frozen_rates.freeze_scorecard, period, found.version, held, author=author, at=now
            )
        return period, self.store.write_now(
            frozen_rates.freeze, period, found.version, found.sums, author=author, at=now
        )

    def _files(self, order: Order, writing: Writing) -> Document:
        known = self.store.read_now(register.load_register)
        parents = known.area_parents()
        chosen = {id: one for id, one in known.devices.items() if order.wants(one, way_up(one.area, parents))}
        some = replace(known, devices=chosen)
        findings = device_files.audit(chosen.values(), self.store.read_now(reports.said))
        bare = [] if order.contractor else without_views(order.sites(known), known.views.values())
        return files.document(some, findings, bare, self.store.read_now(register.version), writing, zone_of(self.zone))

    def _intervals(self, words: Texts) -> str:
        """The seconds between two looks, probe by probe."""
        told = sorted((name, pace.interval) for name, pace in self.polls.paces.items())
        return ", ".join(
            words("report.intervals", probe=words(f"command.probe.of.{probe}"), seconds=f"{seconds:g}")
            for probe, seconds in told
        )

"""Finds what the audit of coverage tells: the period and the one before, charges, single points, ground, and figures
that were frozen."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from camera_registry.model.device import Life
from camera_registry.model.register import Register
from camera_registry.rules.availability import Period, name_of
from camera_registry.rules.coverage import charge
from camera_registry.rules.coverage.month import begin, preceding
from camera_registry.rules.coverage.period import History, only_views, sum_up
from camera_registry.rules.coverage.points import Single, Topology, singles
from camera_registry.rules.coverage.standing import without_views
from camera_registry.rules.progress import Count, Step, unwatched
from camera_registry.store import Store, frozen_coverage, register
from camera_registry.store import coverage as stored
from exporters.report.coverage import Audit
from exporters.report.order import Order

_INSTANT = timedelta(microseconds=1)


def audit(store: Store, order: Order, zone: str, now: datetime, step: Step = unwatched) -> tuple[Audit, Register]:
    """What is to be told, with the register of the time. Raises NoPeriod, StoreError, or what ``step`` raises."""
    # Much to load, and a service makes this report once a month.
    from camera_registry.rules.geometry.extent import fields, measure, shapes  # noqa: PLC0415

    period = order.period(zone, now)
    since, until = period.begins, period.ends
    earlier = begin(preceding(order.month), period.zone) if order.month else since - (until - since)
    before_it = Period(earlier, since, period.zone, name_of(earlier, since, period.zone))
    step(0, 1)
    version = store.read_now(register.version)
    then, history = store.read_now(stored.gather, earlier, until)
    known = then.end
    sites = order.sites(known)
    seeing = [device for device in known.devices.values() if device.life is Life.ACTIVE]
    count = Count(step, 2 * len(history.sites) + len(seeing) + len(sites))
    chosen = {site.id for site in order.sites(then.last)}
    whole = [one for one in sum_up(history, period.zone, since, until, count.tick) if one.site in chosen]
    before = [one for one in sum_up(history, period.zone, earlier, since, count.tick) if one.site in chosen]
    charges = charge.charges(history, whole)
    frozen = store.read_now(frozen_coverage.frozen, period)
    only: Collection[str] | None = None
    if order.contractor:
        owed = [*charges.items(), *((frozen.charged or {}).items() if frozen else ())]
        only = charge.kept_views(history, order.contractor, since, until) | {
            view for (_, view), found in owed if order.contractor in found
        }
        whole, before = only_views(whole, only), only_views(before, only)
        sites = [site for site in sites if site.id in {one.site for one in whole}]
    extents, unmeasured = measure(sites, fields(seeing, shapes(known.buildings.values()), count.tick), count.tick)
    # A frozen month is of its whole: one that is still open is not found.
    found = Audit(
        period,
        whole,
        before,
        charges,
        _singles(history, known, period.zone, until, {site.id for site in sites}, only),
        extents,
        unmeasured,
        version,
        () if order.contractor else without_views(sites, known.views.values()),
        only,
        frozen,
        store.read_now(frozen_coverage.frozen, before_it),
        not (order.area or order.contractor),
    )
    return found, then.last


def freeze(store: Store, period: Period, author: str, now: datetime, step: Step = unwatched) -> bool:
    """Keep the figures of every site for good; False when they were kept before."""
    _, history = store.read_now(stored.gather, period.begins, period.ends)
    version = str(store.read_now(register.version))
    found = sum_up(history, period.zone, period.begins, period.ends, Count(step, len(history.sites)).tick)
    charges = charge.charges(history, found)
    return store.write_now(frozen_coverage.freeze, period, version, found, charges, author=author, at=now)


def _singles(
    history: History,
    known: Register,
    zone: ZoneInfo,
    until: datetime,
    chosen: Collection[str],
    only: Collection[str] | None,
) -> dict[str, Sequence[Single]]:
    topology = Topology(known.devices)
    found: dict[str, Sequence[Single]] = {}
    for seen in history.standing(known, zone, until - _INSTANT):
        if seen.site.id not in chosen:
            continue
        points = [
            point for point in singles(seen, topology) if only is None or any(view in only for view in point.views)
        ]
        if points:
            found[seen.site.id] = points
    return found

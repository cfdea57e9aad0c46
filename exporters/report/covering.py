"""Finds what the audit of coverage tells: the period and the one before, charges, single points, ground, and figures
that were frozen."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from camera_registry.model.device import Life
from camera_registry.model.register import Register
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


def audit(store: Store, order: Order, known: Register, zone: str, now: datetime, step: Step = unwatched) -> Audit:
    """What is to be told. Raises NoPeriod, StoreError, or what ``step`` raises."""
    # Much to load, and a service makes this report once a month.
    from camera_registry.rules.geometry.extent import fields, measure, shapes  # noqa: PLC0415

    period = order.period(zone, now)
    since, until = period.begins, period.ends
    earlier = begin(preceding(order.month), period.zone) if order.month else since - (until - since)
    sites = order.sites(known)
    seeing = [device for device in known.devices.values() if device.life is Life.ACTIVE]
    step(0, 1)
    version = store.read_now(register.version)
    history = store.read_now(stored.history, known, earlier, until)
    count = Count(step, 2 * len(history.sites) + len(seeing) + len(sites))
    chosen = {site.id for site in sites}
    whole = [one for one in sum_up(history, period.zone, since, until, count.tick) if one.site in chosen]
    before = [one for one in sum_up(history, period.zone, earlier, since, count.tick) if one.site in chosen]
    charges = charge.charges(history, known.devices, whole)
    only: Collection[str] | None = None
    if order.contractor:
        only = charge.kept_views(history, known.devices, order.contractor) | {
            view for (_, view), owed in charges.items() if order.contractor in owed
        }
        whole, before = only_views(whole, only), only_views(before, only)
        sites = [site for site in sites if site.id in {one.site for one in whole}]
    extents, unmeasured = measure(sites, fields(seeing, shapes(known.buildings.values()), count.tick), count.tick)
    # A frozen month is of its whole: one that is still open can't be frozen, so it has no name to be found by.
    return Audit(
        since,
        until,
        period.zone,
        whole,
        before,
        charges,
        _singles(history, known, period.zone, until, {site.id for site in sites}, only),
        extents,
        unmeasured,
        version,
        () if order.contractor else without_views(sites, known.views.values()),
        only,
        store.read_now(frozen_coverage.frozen, frozen_name(since, until, period.zone)),
        store.read_now(frozen_coverage.frozen, frozen_name(earlier, since, period.zone)),
        not (order.area or order.contractor),
    )


def freeze(
    store: Store, order: Order, known: Register, zone: str, now: datetime, author: str, step: Step = unwatched
) -> tuple[str, bool]:
    """Keep the figures of every site for good: under which name, and False when they were kept before. Raises
    NoPeriod."""
    period = order.ended(zone, now)
    since, until = period.begins, period.ends
    version = str(store.read_now(register.version))
    history = store.read_now(stored.history, known, since, until)
    found = sum_up(history, period.zone, since, until, Count(step, len(history.sites)).tick)
    name = frozen_name(since, until, period.zone)
    done = store.write_now(frozen_coverage.freeze, name, version, found, author=author, at=now)
    return name, done


def frozen_name(since: datetime, until: datetime, zone: ZoneInfo) -> str:
    """Under which name the figures of a period are kept. Hours in force are told by the clock of a zone."""
    return f"coverage/{since.isoformat()}/{until.isoformat()}/{zone.key}"


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

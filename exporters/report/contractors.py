"""Writes the scorecard of contractors: their devices' rates, their work orders, and every minute that is not theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from camera_registry.model.device import Device, Kind
from camera_registry.model.rates import Excluded, Exclusion, Measure, Sums
from camera_registry.model.work_order import WorkOrder
from camera_registry.rules.performance import Score, score
from camera_registry.rules.places import way_up
from camera_registry.store.freezes import Freeze
from camera_registry.store.frozen_rates import Scorecard
from camera_registry.store.measuring import Measured, Piece
from exporters.report.document import Cell, Chart, ChartKind, Document, Section, Table, ratio
from exporters.report.order import Order
from exporters.report.wording import Writing, cells, length


def scorecard(measured: Measured, orders: Sequence[WorkOrder], now: datetime) -> Scorecard:
    """What contractors are held to, each device's time by whose it was."""
    sums: dict[str, dict[str, Sums]] = {order.contractor: {} for order in orders}
    work: dict[str, list[WorkOrder]] = {}
    for piece in measured.pieces:
        own = sums.setdefault(piece.device.contractor, {})
        own[piece.device.id] = own.get(piece.device.id, Sums()) + piece.sums
    for order in orders:
        work.setdefault(order.contractor, []).append(order)
    return Scorecard(sums, {id: score(work.get(id, ()), now) for id in sums})


def document(
    measured: Measured,
    orders: Sequence[WorkOrder],
    frozen: tuple[Freeze, Scorecard] | None,
    asked: Order,
    writing: Writing,
) -> Document:
    """The scorecard; of what was ``asked`` for, with what was ``frozen`` of the whole."""
    words = writing.words
    names = {one.id: one.name for one in measured.register.contractors.values()}
    found = scorecard(measured, orders, writing.now)
    rates: list[tuple[Cell, ...]] = []
    work: list[tuple[Cell, ...]] = []
    for id in sorted(found.sums):
        who: tuple[Cell, ...] = (id or words("report.nowhere"), names.get(id, ""))
        rates.append((*who, len(found.sums[id]), *cells(found.total(id))))
        work.append((*who, *_work(found.work[id])))
    chart = Chart(ChartKind.BAR, words("report.chart.contractors"), "contractors", "contractor", ("online", "intact"))
    columns = writing.columns("contractor", "name", "devices")
    tables = (
        Table("contractors", words("report.table.contractors"), (*columns, *writing.sums()), tuple(rates)),
        Table(
            "work_orders", words("report.table.work_orders"), writing.columns("contractor", "name", *_WORK), tuple(work)
        ),
    )
    formulas = ("online", "intact", "recording", "closing", "on_time", "repair", "repeats")
    facts = writing.facts(measured, formulas)
    return Document(
        "contractors",
        words("report.title.contractors", period=measured.period.name),
        words.language,
        measured.period.zone,
        facts if frozen is None else (*facts, writing.frozen(frozen[0], measured.period)),
        (
            Section(words("report.section.contractors"), (), (chart,), tables),
            *(() if frozen is None else (_corrections(found, frozen[1], asked, names, writing),)),
            Section(
                words("orders_by.section"), (), (), tuple(_grouping(measured, orders, by, writing) for by in _GROUPINGS)
            ),
            Section(
                words("report.section.excluded"),
                (words("report.excluded"),),
                (),
                (_excluded(measured, writing), _holds(measured, orders, writing)),
            ),
        ),
        tuple(words(f"report.note.{note}") for note in ("channels", "flapping", "silence", "first", "then")),
        (words("report.sign.made"), words("report.sign.contractor")),
    )


def _corrections(now: Scorecard, was: Scorecard, asked: Order, names: Mapping[str, str], writing: Writing) -> Section:
    """What has changed since the figures were frozen: each figure of a contractor, and the devices behind it. Frozen
    is the whole city, so of a part of it nothing can be told."""
    words = writing.words
    if asked.area:
        return Section(words("report.section.corrections"), (words("scorecard_frozen.part"),))
    figures, devices = writing.columns("devices", *(one.name for one in writing.sums()), *_WORK), []
    changed: list[tuple[Cell, ...]] = []
    for id in sorted({*now.sums, *was.sums} if not asked.contractor else {asked.contractor}):
        who: tuple[Cell, ...] = (id or words("report.nowhere"), names.get(id, ""))
        before, after = (
            (len(one.sums.get(id, ())), *cells(one.total(id)), *_work(one.work.get(id, Score()))) for one in (was, now)
        )
        changed += [
            (*who, column.title, old, new)
            for column, old, new in zip(figures, before, after, strict=True)
            if old != new
        ]
        then, these = was.sums.get(id, {}), now.sums.get(id, {})
        for device in sorted({*then, *these}):
            old_sums, new_sums = then.get(device, Sums()), these.get(device, Sums())
            if old_sums != new_sums:
                both = [(one.rate(Measure.ONLINE), length(one.online_bad)) for one in (old_sums, new_sums)]
                (old_rate, old_bad), (new_rate, new_bad) = both
                devices.append((who[0], device, ratio(old_rate), ratio(new_rate), old_bad, new_bad))
    tables = (
        Table(
            "corrections",
            words("report.table.corrections"),
            writing.columns("contractor", "name", "figure", "frozen", "now"),
            tuple(changed),
        ),
        Table(
            "corrected_devices",
            words("scorecard_frozen.devices"),
            writing.columns("contractor", "device", "frozen_online", "online", "frozen_bad", "online_bad"),
            tuple(devices),
        ),
    )
    told = words("scorecard_frozen.changed" if changed or devices else "report.no_corrections")
    return Section(words("report.section.corrections"), (told,), (), tables)


_GROUPINGS = ("area", "cause", "site", "manufacturer", "model", "kind", "device")


def _grouping(measured: Measured, orders: Sequence[WorkOrder], by: str, writing: Writing) -> Table:
    """Orders by what they have in common: by their own area, with those below it, and cause; else by their device as
    it was when they were opened. One about several devices, or none of these, is nobody's."""
    parents = measured.register.area_parents()
    then: dict[str, list[Piece]] = {}
    for piece in measured.pieces:
        then.setdefault(piece.device.id, []).append(piece)

    def keys(order: WorkOrder) -> Iterable[str]:
        if by == "area":
            return way_up(order.area, parents) if order.area else ("",)
        if by == "cause":
            return (writing.words.name(order.cause),)
        device = next((one.device for one in then.get(order.about, ()) if order.opened_at < one.ends), None)
        if device is None:
            return ("",)
        value = device.id if by == "device" else getattr(device, by)
        return (writing.words.name(value) if isinstance(value, Kind) else value,)

    members: dict[str, list[WorkOrder]] = {}
    for order in orders:
        for key in keys(order):
            members.setdefault(key, []).append(order)
    rows = tuple(
        (key or writing.words("report.nowhere"), *_work(score(found, writing.now)))
        for key, found in sorted(members.items())
    )
    title = writing.words("orders_by.table", by=writing.words(f"orders_by.{by}"))
    return Table(f"work_orders_by_{by}", title, writing.columns("group", *_WORK), rows)


_WORK = (
    "sent", "cancelled", "done", "closing_rate", "on_time", "on_time_rate", "mean_repair", "repeats", "repeat_rate",
    "held", "stars",
)  # fmt: skip


def _work(found: Score) -> tuple[Cell, ...]:
    return (
        found.sent,
        found.cancelled,
        found.done,
        ratio(found.closing_rate),
        found.on_time,
        ratio(found.on_time_rate),
        found.mean_repair,
        found.repeats,
        ratio(found.repeat_rate),
        found.held,
        found.stars / found.rated if found.rated else None,
    )


def _excluded(measured: Measured, writing: Writing) -> Table:
    """Every stretch, with why. Time that only the service itself missed is the same for all, and told in one line."""
    rows: list[tuple[Cell, ...]] = []

    def same(told: tuple[Excluded, Device]) -> tuple[datetime, datetime, Exclusion, str]:
        return told[0].begins, told[0].ends, told[0].why, told[0].about

    stretches = sorted(measured.excluded, key=lambda told: (*same(told), told[1].id))
    for (begins, ends, why, about), alike in groupby(stretches, key=same):
        devices = [device for _, device in alike]
        told = _about(why, about, writing)
        if why is Exclusion.SILENT:
            everyone = writing.words("report.all_devices", n=len(devices))
            rows.append(("", everyone, begins, ends, ends - begins, writing.words.name(why), told))
            continue
        rows += [
            (one.contractor, one.id, begins, ends, ends - begins, writing.words.name(why), told) for one in devices
        ]
    columns = writing.columns("contractor", "device", "begins", "ends", "length", "why", "about")
    return Table("excluded", writing.words("report.table.excluded"), columns, tuple(rows))


def _about(why: Exclusion, about: str, writing: Writing) -> str:
    return writing.words(f"report.about.{why.value}", about=writing.words.entries.get(f"life.{about}", about))


def _holds(measured: Measured, orders: Sequence[WorkOrder], writing: Writing) -> Table:
    """Every pause of the contractors' clocks."""
    rows = tuple(
        (
            order.contractor,
            order.about,
            hold.since,
            hold.until,
            (hold.until or max(writing.now, hold.since)) - hold.since,
            writing.words.name(hold.reason),
            writing.words("report.about.hold", order=order.id, by=hold.by, note=hold.note),
        )
        for order in orders
        for hold in order.holds
        if (hold.until or writing.now) - hold.since > timedelta() and hold.since < measured.period.ends
    )
    columns = writing.columns("contractor", "device", "begins", "ends", "length", "why", "about")
    return Table("holds", writing.words("report.table.holds"), columns, rows)

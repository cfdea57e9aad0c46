"""Writes the scorecard of contractors: their devices' rates, their work orders, and every minute that is not theirs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from camera_registry.model.device import Device, Kind
from camera_registry.model.rates import Excluded, Exclusion, Sums
from camera_registry.model.work_order import WorkOrder
from camera_registry.rules.performance import score
from camera_registry.rules.places import way_up
from camera_registry.store.measuring import Measured, Piece
from exporters.report.document import Cell, Chart, ChartKind, Document, Ratio, Section, Table
from exporters.report.wording import Writing, cells


def document(measured: Measured, orders: Sequence[WorkOrder], writing: Writing) -> Document:
    """The scorecard."""
    words = writing.words
    names = {one.id: one.name for one in measured.register.contractors.values()}
    members: dict[str, list[Piece]] = {order.contractor: [] for order in orders}
    for piece in measured.pieces:
        members.setdefault(piece.device.contractor, []).append(piece)
    rates, work = [], []
    for id in sorted(members):
        who: tuple[Cell, ...] = (id or words("report.nowhere"), names.get(id, ""))
        total = sum((piece.sums for piece in members[id]), Sums())
        rates.append((*who, len({piece.device.id for piece in members[id]}), *cells(total)))
        work.append((*who, *_work([one for one in orders if one.contractor == id], writing.now)))
    chart = Chart(ChartKind.BAR, words("report.chart.contractors"), "contractors", "contractor", ("online", "intact"))
    columns = writing.columns("contractor", "name", "devices")
    tables = (
        Table("contractors", words("report.table.contractors"), (*columns, *writing.sums()), tuple(rates)),
        Table(
            "work_orders", words("report.table.work_orders"), writing.columns("contractor", "name", *_WORK), tuple(work)
        ),
    )
    return Document(
        "contractors",
        words("report.title.contractors", period=measured.period.name),
        words.language,
        measured.period.zone,
        writing.facts(measured, ("online", "intact", "recording", "closing", "on_time", "repair", "repeats")),
        (
            Section(words("report.section.contractors"), (), (chart,), tables),
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
        (key or writing.words("report.nowhere"), *_work(found, writing.now)) for key, found in sorted(members.items())
    )
    title = writing.words("orders_by.table", by=writing.words(f"orders_by.{by}"))
    return Table(f"work_orders_by_{by}", title, writing.columns("group", *_WORK), rows)


_WORK = (
    "sent", "cancelled", "done", "closing_rate", "on_time", "on_time_rate", "mean_repair", "repeats", "repeat_rate",
    "held", "stars",
)  # fmt: skip


def _work(orders: Sequence[WorkOrder], now: datetime) -> tuple[Cell, ...]:
    found = score(orders, now)
    return (
        found.sent,
        found.cancelled,
        found.done,
        _ratio(found.closing_rate),
        found.on_time,
        _ratio(found.on_time_rate),
        found.mean_repair,
        found.repeats,
        _ratio(found.repeat_rate),
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


def _ratio(value: float | None) -> Ratio | None:
    return None if value is None else Ratio(value)

"""Writes the availability report: rates of the whole, by day, by groups, by device; the worst, and corrections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from camera_registry.model.rates import Measure, Sums
from camera_registry.model.recording import NotComputable
from camera_registry.store.frozen_rates import FrozenRates
from camera_registry.store.measuring import Measured, Piece
from camera_registry.store.recordings import Missing
from camera_registry.store.reports import Told
from exporters.report.document import Cell, Chart, ChartKind, Document, Section, Table, ratio
from exporters.report.lenses import Lenses
from exporters.report.lenses import section as lens_section
from exporters.report.wording import Writing, cells, length

_WORST = 50
_MOST_GAPS = 500
_GROUPINGS = ("area", "site", "contractor", "manufacturer", "model", "kind")


@dataclass(frozen=True, slots=True)
class Besides:
    """What the report tells besides rates."""

    flapping: Sequence[Told] = ()
    lenses: Lenses = field(default_factory=Lenses)
    frozen: FrozenRates | None = None
    gaps: Sequence[Missing] = ()
    """Gaps of recordings, the longest first."""
    not_computable: Mapping[str, NotComputable] = field(default_factory=dict)
    """Devices that are asked for recordings, and why it can't be told what they recorded."""


def document(measured: Measured, besides: Besides, writing: Writing) -> Document:
    """The report."""
    words = writing.words
    total = sum(measured.sums.values(), Sums())
    facts = writing.facts(measured, ("online", "intact", "recording"))
    frozen = besides.frozen
    if frozen is not None:
        facts += (writing.frozen(frozen.freeze, measured.period),)
    whole = Table(
        "total",
        words("report.table.total"),
        (*writing.columns("devices"), *writing.sums()),
        ((len(measured.sums), *cells(total)),),
    )
    days = Table(
        "days",
        words("report.table.days"),
        (*writing.columns("day"), *writing.sums()),
        tuple((at.astimezone(measured.period.zone).date(), *cells(sums)) for at, sums in measured.days.items()),
    )
    chart = Chart(ChartKind.LINE, words("report.chart.days"), "days", "day", ("online", "intact"))
    groups = tuple(_grouping(measured, by, writing) for by in _GROUPINGS)
    sections = [
        Section(words("report.section.total"), (), (chart,), (whole, days)),
        Section(words("report.section.groups"), (), (), groups),
        Section(words("report.section.worst"), (), (), _worst(measured, besides, writing)),
        Section(words("recorded.section"), (words("recorded.about"),), (), _recorded(measured, besides, writing)),
        lens_section(measured, besides.lenses, writing),
        Section(words("report.section.devices"), (), (), (_devices(measured, writing),)),
    ]
    if frozen is not None:
        sections.insert(1, _corrections(measured, frozen, writing))
    return Document(
        "availability",
        words("report.title.availability", period=measured.period.name),
        words.language,
        measured.period.zone,
        facts,
        tuple(sections),
        tuple(words(f"report.note.{note}") for note in ("channels", "flapping", "silence", "first", "then")),
        (words("report.sign.made"), words("report.sign.checked")),
    )


def _grouping(measured: Measured, by: str, writing: Writing) -> Table:
    """Sums by what devices have in common; an area has those of its subtree."""
    register = measured.register

    def keys(piece: Piece) -> Iterable[str]:
        return (piece.areas or ("",)) if by == "area" else (str(getattr(piece.device, by)),)

    members: dict[str, list[Piece]] = {}
    for piece in measured.pieces:
        for key in keys(piece):
            members.setdefault(key, []).append(piece)
    names: Mapping[str, str] = {
        "area": {one.id: one.name for one in register.areas.values()},
        "site": {one.id: one.name for one in register.sites.values()},
        "contractor": {one.id: one.name for one in register.contractors.values()},
        "kind": {device.kind.value: writing.words.name(device.kind) for device in measured.devices.values()},
    }.get(by, {})
    rows = [
        (
            key or writing.words("report.nowhere"),
            names.get(key, ""),
            len({piece.device.id for piece in pieces}),
            *cells(sum((piece.sums for piece in pieces), Sums())),
        )
        for key, pieces in sorted(members.items())
    ]
    columns = (*writing.columns("group", "name", "devices"), *writing.sums())
    return Table(f"by_{by}", writing.words(f"report.table.by_{by}"), columns, tuple(rows))


def _device(measured: Measured, id: str) -> tuple[Cell, ...]:
    device = measured.devices.get(id)
    return (id, device.name, device.area, device.contractor) if device else (id, "", "", "")


_OF_A_DEVICE = ("device", "name", "area", "contractor")


def _devices(measured: Measured, writing: Writing) -> Table:
    rows = tuple((*_device(measured, id), *cells(measured.sums.get(id, Sums()))) for id in sorted(measured.devices))
    columns = (*writing.columns(*_OF_A_DEVICE), *writing.sums())
    return Table("devices", writing.words("report.table.devices"), columns, rows)


def _worst(measured: Measured, besides: Besides, writing: Writing) -> tuple[Table, ...]:
    lost = sorted(measured.sums, key=lambda id: (-measured.sums[id].online_bad, id))[:_WORST]
    rows = tuple(
        (
            *_device(measured, id),
            length(measured.sums[id].online_bad),
            measured.sums[id].outages,
            ratio(measured.sums[id].rate(Measure.ONLINE)),
        )
        for id in lost
        if measured.sums[id].online_bad
    )
    words = writing.words
    return (
        Table(
            "worst",
            words("report.table.worst", n=_WORST),
            writing.columns(*_OF_A_DEVICE, "online_bad", "outages", "online"),
            rows,
        ),
        _told("flapping", besides.flapping, measured, writing),
    )


def _told(name: str, told: Sequence[Told], measured: Measured, writing: Writing) -> Table:
    rows = tuple(
        (*_device(measured, one.device), one.times, one.last) for one in told if one.device in measured.devices
    )
    columns = writing.columns(*_OF_A_DEVICE, "times", "last")
    note = writing.words(f"report.table_note.{name}")
    return Table(name, writing.words(f"report.table.{name}"), columns, rows, note=note)


def _recorded(measured: Measured, besides: Besides, writing: Writing) -> tuple[Table, ...]:
    """Gaps of recordings, and devices of which none can be told."""
    words = writing.words
    gaps = [one for one in besides.gaps if one.device in measured.devices]
    rows = tuple(
        (
            *_device(measured, one.device),
            one.recording,
            one.since,
            None if one.open else one.until,
            one.until - one.since,
            round(one.resolution),
        )
        for one in gaps[:_MOST_GAPS]
    )
    whys = tuple(
        (*_device(measured, id), words.name(why))
        for id, why in sorted(besides.not_computable.items())
        if id in measured.devices
    )
    columns = writing.columns(*_OF_A_DEVICE, "recording_name", "begins", "ends", "length", "resolution")
    note = words("recorded.note", n=_MOST_GAPS, of=len(gaps))
    return (
        Table("recording_gaps", words("recorded.gaps"), columns, rows, note=note),
        Table("not_computable", words("recorded.not_computable"), writing.columns(*_OF_A_DEVICE, "why"), whys),
    )


def _corrections(measured: Measured, frozen: FrozenRates, writing: Writing) -> Section:
    """What has changed since the figures were frozen: late data, edits of windows and of lives."""
    rows = []
    for id in sorted(measured.sums):
        now, then = measured.whole[id], frozen.sums.get(id)
        if then == now:
            continue
        was = (then or Sums()).rate(Measure.ONLINE)
        rows.append(
            (
                *_device(measured, id),
                ratio(was),
                ratio(now.rate(Measure.ONLINE)),
                length((then or Sums()).online_bad),
                length(now.online_bad),
            )
        )
    words = writing.words
    before = sum((frozen.sums[id] for id in measured.sums if id in frozen.sums), Sums())
    columns = writing.columns(*_OF_A_DEVICE, "frozen_online", "online", "frozen_bad", "online_bad")
    table = Table("corrections", words("report.table.corrections"), columns, tuple(rows))
    whole = Table("frozen", words("report.table.frozen"), writing.sums(), (cells(before),))
    paragraph = words("report.corrections" if rows else "report.no_corrections")
    return Section(words("report.section.corrections"), (paragraph,), (), (whole, table))

"""Writes the audit of key-site coverage: each site against the period before, spans without any usable view, single
points of failure, and how much of its ground is in a field of view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from camera_registry.model.register import Register
from camera_registry.rules.coverage.period import SitePeriod, Totals
from camera_registry.rules.coverage.points import Single
from camera_registry.rules.geometry.extent import Extent, Unmeasured
from camera_registry.texts import Texts
from exporters.report.document import Cell, Chart, ChartKind, Column, Document, Fact, Ratio, Section, Table
from exporters.report.wording import Writing

_WIDE = {"site": 18, "name": 26, "area": 16, "views": 40, "why": 40, "point": 26, "begin": 20, "end": 20}


@dataclass(frozen=True, slots=True)
class Audit:
    """What is told: the period and the one before, worst first; by site the single points of failure as its last moment
    left them; fields of view as the register has them at the end (``extents``), whatever worked."""

    since: datetime
    until: datetime
    zone: ZoneInfo
    sites: Sequence[SitePeriod]
    before: Sequence[SitePeriod]
    singles: Mapping[str, Sequence[Single]]
    extents: Sequence[Extent]
    unmeasured: Sequence[Unmeasured]
    version: int


def document(audit: Audit, register: Register, writing: Writing) -> Document:
    """The audit as a document."""
    words = writing.words
    total = sum((one.totals for one in audit.sites), Totals())
    earlier = sum((one.totals for one in audit.before), Totals())
    local = [at.astimezone(audit.zone) for at in (audit.since, audit.until)]
    facts: list[tuple[str, Cell]] = [
        ("period", f"{local[0]:%Y-%m-%d %H:%M:%S} – {local[1]:%Y-%m-%d %H:%M:%S}"),
        ("zone", audit.zone.key),
        ("formula", words("coverage_report.formula")),
        ("interval", writing.intervals),
        ("coverage", _ratio(total)),
        ("difference", _difference(total, earlier)),
        ("sites", len(audit.sites)),
        ("dark_sites", sum(bool(one.dark) for one in audit.sites)),
        ("unknown", Ratio(total.unknown / total.required) if total.required else None),
        ("version", audit.version),
        ("made", writing.now),
    ]
    if writing.asked:
        facts.insert(1, ("asked", writing.asked))
    chart = Chart(ChartKind.BAR, words("coverage_report.chart"), "sites", "site", ("coverage", "before"))
    return Document(
        "coverage",
        words("coverage_report.title"),
        words.language,
        audit.zone,
        tuple(Fact(name, words(f"coverage_report.fact.{name}"), value) for name, value in facts),
        (
            Section(words("coverage_report.section.sites"), (), (chart,), (_sites(audit, register, words),)),
            Section(words("coverage_report.section.dark"), (), (), (_dark(audit, register, words),)),
            Section(words("coverage_report.section.points"), (), (), (_points(audit, register, words),)),
            Section(words("coverage_report.section.ground"), (), (), (_ground(audit, register, words),)),
        ),
        (words("coverage_report.note.planned"), words("coverage_report.note.ground")),
        (words("report.sign.made"), words("report.sign.checked")),
    )


def _sites(audit: Audit, register: Register, words: Texts) -> Table:
    before = {one.site: one.totals for one in audit.before}
    rows: list[tuple[Cell, ...]] = [
        (
            one.site,
            _name(register, one.site),
            _area(register, one.site),
            len(one.views),
            _ratio(one.totals),
            _ratio(before.get(one.site, Totals())),
            _difference(one.totals, before.get(one.site, Totals())),
            one.totals.uncovered,
            one.dark_time,
            one.totals.planned,
            one.totals.unknown,
        )
        for one in audit.sites
    ]
    text = ("site", "name", "area")
    numbers = ("count", "coverage", "before", "difference", "uncovered", "dark", "planned", "unknown")
    return _table("sites", text, numbers, rows, words)


def _dark(audit: Audit, register: Register, words: Texts) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (one.site, _name(register, one.site), begin, end, end - begin) for one in audit.sites for begin, end in one.dark
    ]
    return _table("dark", ("site", "name", "begin", "end"), ("length",), rows, words)


def _points(audit: Audit, register: Register, words: Texts) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            site,
            _name(register, site),
            f"{words.name(single.point.kind)} {single.point.id}",
            words("coverage_report.all_views") if single.whole else ", ".join(single.views),
        )
        for site, found in audit.singles.items()
        for single in found
    ]
    return _table("points", ("site", "name", "point", "views"), (), rows, words)


def _ground(audit: Audit, register: Register, words: Texts) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (one.site, _name(register, one.site), "", one.size, Ratio(one.once), Ratio(one.twice), Ratio(1 - one.once))
        for one in audit.extents
    ]
    rows += [
        (one.id, _name(register, one.id), words(f"coverage.flaw_{one.flaw}", where=one.where), None, None, None, None)
        for one in audit.unmeasured
    ]
    return _table("ground", ("site", "name", "why"), ("size", "once", "twice", "blind"), rows, words)


def _table(
    id: str, text: Sequence[str], numbers: Sequence[str], rows: Sequence[tuple[Cell, ...]], words: Texts
) -> Table:
    columns = tuple(
        Column(name, words(f"coverage_report.column.{name}"), _WIDE.get(name, 14), numeric=name in numbers)
        for name in (*text, *numbers)
    )
    return Table(id, words(f"coverage_report.section.{id}"), columns, tuple(rows))


def _ratio(totals: Totals) -> Ratio | None:
    return None if totals.ratio is None else Ratio(totals.ratio)


def _difference(now: Totals, before: Totals) -> str | None:
    """In points of a per cent; what is not known has no difference."""
    if now.ratio is None or before.ratio is None:
        return None
    return f"{(now.ratio - before.ratio) * 100:+.3f}"


def _name(register: Register, site: str) -> str:
    found = register.sites.get(site)
    return found.name if found else ""


def _area(register: Register, site: str) -> str:
    found = register.sites.get(site)
    return found.area if found else ""

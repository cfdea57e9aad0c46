"""Writes the audit of key-site coverage: each site against the period before, spans without any usable view, single
points of failure, and how much of its ground is in a field of view."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from camera_registry.model.coverage import Point
from camera_registry.model.place import Site
from camera_registry.model.register import Register
from camera_registry.rules.availability import Period, name_of
from camera_registry.rules.coverage.charge import Charges
from camera_registry.rules.coverage.demand import Demand, Kept, demand
from camera_registry.rules.coverage.period import SitePeriod, Totals
from camera_registry.rules.coverage.points import Single, weakest
from camera_registry.store.frozen_coverage import FrozenCoverage, FrozenSite
from camera_registry.texts import Texts
from exporters.report.document import Cell, Chart, ChartKind, Column, Document, Fact, Ratio, Section, Table, ratio
from exporters.report.wording import Writing

if TYPE_CHECKING:
    from camera_registry.rules.geometry.extent import Extent, Unmeasured

_WIDE = {
    "site": 18, "name": 26, "area": 16, "view": 20, "contractor": 18, "views": 40, "why": 40, "point": 26,
    "begin": 20, "end": 20, "kept": 30, "flaw": 44, "remedy": 44, "points": 44, "of_sites": 44,
}  # fmt: skip
_WEAKEST = 30
"""Single points of failure on a printed page."""
_NAMED = 4
"""Sites of one of them that are named there."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What is told: the period and the one before, worst first; uncovered time by whom it is charged to; by site the
    single points of failure as its last moment left them; fields of view as the register has them at the end
    (``extents``), whatever worked; sites of which nothing is required (``bare``); the views asked for (``only``; None:
    all); figures of this period and of the one before as they were frozen."""

    period: Period
    sites: Sequence[SitePeriod]
    before: Sequence[SitePeriod]
    charges: Mapping[tuple[str, str], Charges]
    singles: Mapping[str, Sequence[Single]]
    extents: Sequence[Extent]
    unmeasured: Sequence[Unmeasured]
    version: int
    bare: Sequence[Site] = ()
    only: Collection[str] | None = None
    frozen: FrozenCoverage | None = None
    frozen_before: FrozenCoverage | None = None
    whole: bool = True
    """Of the whole city, not of an area or a contractor."""

    def earlier(self) -> dict[str, Totals]:
        """By site, the period before: as it was frozen, if it was."""
        if self.frozen_before is None:
            return {one.site: one.totals for one in self.before}
        here = {one.site for one in self.sites} | {one.site for one in self.before}
        return {id: one.totals(self.only) for id, one in self.frozen_before.sites.items() if id in here}


def document(audit: Audit, register: Register, writing: Writing) -> Document:
    """The audit as a document."""
    words = writing.words
    total = sum((one.totals for one in audit.sites), Totals())
    earlier = sum(audit.earlier().values(), Totals())
    period = audit.period
    local = [at.astimezone(period.zone) for at in (period.begins, period.ends)]
    facts: list[tuple[str, Cell]] = [
        ("period", f"{period.name} ({local[0]:%Y-%m-%d %H:%M:%S} – {local[1]:%Y-%m-%d %H:%M:%S})"),
        ("zone", period.zone.key),
        ("formula", words("coverage_report.formula")),
        ("interval", writing.intervals),
        ("coverage", _ratio(total)),
        ("difference", _difference(total, earlier)),
        ("sites", len(audit.sites)),
        *_kept(audit, register, words),
        ("dark_sites", sum(bool(one.dark) for one in audit.sites)),
        ("unknown", Ratio(total.unknown / total.required) if total.required else None),
        ("version", audit.version),
        ("made", writing.now),
    ]
    if writing.asked:
        facts.insert(1, ("asked", writing.asked))
    for name, frozen in (("frozen", audit.frozen), ("frozen_before", audit.frozen_before)):
        if frozen is not None:
            kept = frozen.freeze
            at = f"{kept.at.astimezone(period.zone):%Y-%m-%d %H:%M:%S}"
            of = name_of(kept.begins, kept.ends, period.zone)
            facts.append((name, words("report_frozen.told", period=of, at=at, by=kept.by, version=kept.version)))
    chart = Chart(ChartKind.BAR, words("coverage_report.chart"), "sites", "site", ("coverage", "before"))
    return Document(
        "coverage",
        words("coverage_report.title", period=period.name),
        words.language,
        period.zone,
        tuple(Fact(name, words(f"coverage_report.fact.{name}"), value) for name, value in facts),
        (
            *_flaws(audit, words),
            Section(words("coverage_report.section.sites"), (), (chart,), (_sites(audit, register, words),)),
            *_corrections(audit, register, words),
            Section(words("coverage_report.section.dark"), (), (), (_dark(audit, register, words),)),
            Section(words("coverage_report.section.charged"), (), (), _charged(audit, register, words)),
            _points(audit, register, words),
            Section(words("coverage_report.section.ground"), (), (), (_ground(audit, register, words),)),
        ),
        (
            *(words(f"coverage_report.note.{note}") for note in ("planned", "charged", "ground")),
            words("coverage_then.note"),
        ),
        (words("report.sign.made"), words("report.sign.checked")),
    )


def _sites(audit: Audit, register: Register, words: Texts) -> Table:
    before = audit.earlier()
    rows: list[tuple[Cell, ...]] = [
        (
            one.site,
            _name(register, one.site),
            _area(register, one.site),
            _demanded(audit, one, register, words),
            len(one.views),
            _ratio(one.totals),
            ratio(_demand(one, register).share),
            _ratio(before.get(one.site, Totals())),
            _difference(one.totals, before.get(one.site, Totals())),
            one.totals.uncovered,
            one.dark_time,
            one.totals.planned,
            one.totals.unknown,
        )
        for one in audit.sites
    ]
    text = ("site", "name", "area", "kept")
    numbers = ("count", "coverage", "demanded", "before", "difference", "uncovered", "dark", "planned", "unknown")
    return _table("sites", text, numbers, rows, words)


def _demand(one: SitePeriod, register: Register) -> Demand:
    found = register.sites.get(one.site)
    return demand(one.totals, found.required_availability if found else None)


def _demanded(audit: Audit, one: SitePeriod, register: Register, words: Texts) -> str:
    """Whether a site was covered as required, and by how much it was not. Of some of its views that can't be told."""
    found = _demand(one, register)
    kept = "part" if audit.only is not None and found.share is not None else found.kept.value
    return words(f"demand.{kept}", time=words.duration(found.too_long))


def _kept(audit: Audit, register: Register, words: Texts) -> list[tuple[str, Cell]]:
    """How many sites of which something is required were covered so."""
    if audit.only is not None:
        return []
    counts = Counter(_demand(one, register).kept for one in audit.sites)
    asked = counts.total() - counts[Kept.NOT_REQUIRED]
    met, missed, unknown = counts[Kept.MET], counts[Kept.MISSED], counts[Kept.UNKNOWN]
    told = words("demand.counted", n=asked, met=met, missed=missed, unknown=unknown)
    return [("kept", told)] if asked else []


def _flaws(audit: Audit, words: Texts) -> tuple[Section, ...]:
    """What makes the report less than it should be, where there is such: sites of which nothing is required."""
    if not audit.bare:
        return ()
    rows: list[tuple[Cell, ...]] = [
        (
            site.id,
            site.name,
            site.area,
            words("problem.site_without_views.what", id=site.id),
            words("problem.site_without_views.remedy"),
        )
        for site in audit.bare
    ]
    paragraph = words("coverage_report.flaws", n=len(rows))
    table = _table("without_views", ("site", "name", "area", "flaw", "remedy"), (), rows, words)
    return (Section(words("coverage_report.section.flaws"), (paragraph,), (), (table,)),)


def _corrections(audit: Audit, register: Register, words: Texts) -> tuple[Section, ...]:
    """What has changed since the figures were frozen, site by site and view by view: late data, edits of windows."""
    frozen = audit.frozen
    if frozen is None:
        return ()
    sites: list[tuple[Cell, ...]] = []
    views: list[tuple[Cell, ...]] = []
    now = {one.site: one for one in audit.sites}
    # A site that is asked for and has no figures any more was taken out of the register of that time.
    for id in [*now, *(id for id in frozen.sites if id not in now and _asked(audit, id))]:
        was, found = frozen.sites.get(id, FrozenSite(timedelta(), {})), now.get(id)
        is_now = {view.view: view.totals for view in found.views} if found else {}
        totals = found.totals if found else Totals()
        # Of some of a site's views it can't be told how long it was dark: that was kept of the whole site alone.
        dark = (was.dark, found.dark_time if found else timedelta()) if audit.only is None else (None, None)
        if was.totals(audit.only) != totals or dark[0] != dark[1]:
            sites.append((id, _name(register, id), *_both(was.totals(audit.only), totals), *dark))
        names = [view for view in (*is_now, *was.views) if audit.only is None or view in audit.only]
        views += [
            (id, view, *_both(was.views.get(view, Totals()), is_now.get(view, Totals())))
            for view in dict.fromkeys(names)
            if was.views.get(view, Totals()) != is_now.get(view, Totals())
        ]
    figures = ("frozen_coverage", "coverage", "frozen_uncovered", "uncovered")
    tables = (
        _table("corrections", ("site", "name"), (*figures, "frozen_dark", "dark"), sites, words),
        _table("corrected_views", ("site", "view"), figures, views, words),
        *(() if frozen.charged is None else (_corrected_charges(audit, frozen.charged, register, words),)),
    )
    changed = any(table.rows for table in tables)
    paragraph = words("coverage_frozen.corrections" if changed else "report.no_corrections")
    return (Section(words("coverage_report.section.corrections"), (paragraph,), (), tables),)


def _asked(audit: Audit, site: str) -> bool:
    """Whether a site without figures belongs to what was asked for: in a report of the whole city all do."""
    return audit.whole or (audit.only is None and site in {one.site for one in audit.before})


def _both(was: Totals, now: Totals) -> tuple[Cell, ...]:
    return _ratio(was), _ratio(now), was.uncovered, now.uncovered


def _dark(audit: Audit, register: Register, words: Texts) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (one.site, _name(register, one.site), begin, end, end - begin) for one in audit.sites for begin, end in one.dark
    ]
    return _table("dark", ("site", "name", "begin", "end"), ("length",), rows, words)


def _owed(
    charges: Mapping[tuple[str, str], Charges], views: Collection[tuple[str, str]]
) -> dict[str, tuple[int, timedelta]]:
    """By contractor how many of these views are charged to it, and for how long."""
    sums: dict[str, tuple[int, timedelta]] = {}
    for key, found in charges.items():
        for id, time in found.items() if key in views else ():
            count, length = sums.get(id, (0, timedelta()))
            sums[id] = count + 1, length + time
    return sums


def _corrected_charges(
    audit: Audit, frozen: Mapping[tuple[str, str], Charges], register: Register, words: Texts
) -> Table:
    """Contractors that owe another time than was frozen."""
    here = {(one.site, view.view) for one in audit.sites for view in one.views}
    sites = {site for site, _ in here}
    here |= {
        (id, view)
        for id, view in frozen
        if (id in sites or _asked(audit, id) if audit.only is None else view in audit.only)
    }
    none = (0, timedelta())
    was, now = _owed(frozen, here), _owed(audit.charges, here)
    who = _contractors(register, words)
    rows: list[tuple[Cell, ...]] = [
        (id, who.get(id, ""), was.get(id, none)[1], now.get(id, none)[1])
        for id in sorted({*was, *now})
        if was.get(id, none)[1] != now.get(id, none)[1]
    ]
    return _table("corrected_charges", ("contractor", "name"), ("frozen_charged", "charged"), rows, words)


def _contractors(register: Register, words: Texts) -> dict[str, str]:
    return {id: one.name for id, one in register.contractors.items()} | {"": words("coverage_report.nobody")}


def _charged(audit: Audit, register: Register, words: Texts) -> tuple[Table, ...]:
    """Who owes what was uncovered: by contractor, and view by view."""
    here = {(one.site, view.view): view.totals.uncovered for one in audit.sites for view in one.views}
    sums = _owed(audit.charges, here)
    who = _contractors(register, words)
    total: list[tuple[Cell, ...]] = [
        (id, who.get(id, ""), *sums[id]) for id in sorted(sums, key=lambda id: (-sums[id][1], id))
    ]
    single: list[tuple[Cell, ...]] = [
        (site, view, id, who.get(id, ""), here[site, view], time)
        for (site, view), found in audit.charges.items()
        if (site, view) in here
        for id, time in sorted(found.items())
    ]
    return (
        _table("charged", ("contractor", "name"), ("count", "charged"), total, words),
        _table("charged_views", ("site", "view", "contractor", "name"), ("uncovered", "charged"), single, words),
    )


def _points(audit: Audit, register: Register, words: Texts) -> Section:
    """What is worth building out: points of the same effect in one row, the worst first; and every single one."""
    weak = weakest(audit.singles)
    lost = {(one.site, view.view): view.totals.uncovered for one in audit.sites for view in one.views}
    groups: list[tuple[Cell, ...]] = [
        (
            words("weak_points.between").join(_point(point, words) for point in one.points),
            len(one.dark),
            len(one.sites),
            len(one.views),
            sum((lost.get(view, timedelta()) for view in one.views), timedelta()),
            _first_sites(one.sites, register, words),
        )
        for one in weak
    ]
    rows: list[tuple[Cell, ...]] = [
        (
            site,
            _name(register, site),
            _point(single.point, words),
            words("coverage_report.all_views") if single.whole else ", ".join(single.views),
        )
        for site, found in audit.singles.items()
        for single in found
    ]
    figures = ("dark_sites", "of", "count", "uncovered")
    tables = (
        replace(_table("weak_points", ("points", *figures, "of_sites"), figures, groups, words), printed=_WEAKEST),
        replace(
            _table("points", ("site", "name", "point", "views"), (), rows, words),
            title=words("coverage_report.section.points_by_site"),
            printed=0,
        ),
    )
    told = words("weak_points.told", n=len(weak), dark=len({site for one in weak for site in one.dark}))
    return Section(words("coverage_report.section.points"), (told,), (), tables)


def _point(point: Point, words: Texts) -> str:
    return f"{words.name(point.kind)} {point.id}"


def _first_sites(sites: Sequence[str], register: Register, words: Texts) -> str:
    told = words("weak_points.between").join(_name(register, site) or site for site in sites[:_NAMED])
    return words("weak_points.and_more", sites=told, n=len(sites) - _NAMED) if len(sites) > _NAMED else told


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
        for name in dict.fromkeys((*text, *numbers))
    )
    return Table(id, words(f"coverage_report.section.{id}"), columns, tuple(rows))


def _ratio(totals: Totals) -> Ratio | None:
    return ratio(totals.ratio)


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

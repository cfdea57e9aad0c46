"""Keeps the figures of coverage audits that are frozen: of each site and view the exact time in each state."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from camera_registry.rules.coverage.period import SitePeriod, Totals
from camera_registry.store import reports

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class FrozenSite:
    """One site as it was frozen: how long it was known to have had no usable view, and the time of each view."""

    dark: timedelta
    views: Mapping[str, Totals]

    def totals(self, only: Collection[str] | None = None) -> Totals:
        """All its views together, or only these."""
        return sum((one for id, one in self.views.items() if only is None or id in only), Totals())


@dataclass(frozen=True, slots=True)
class FrozenCoverage:
    """The figures of every site of a period, as they were when somebody froze them."""

    at: datetime
    by: str
    version: str
    sites: Mapping[str, FrozenSite]


def freeze(tx: Connection, name: str, version: str, sites: Iterable[SitePeriod], *, author: str, at: datetime) -> bool:
    """Keep the figures for good; False when they are kept already, and stay as they are."""
    figures = {
        one.site: {
            "dark": one.dark_time // _INSTANT,
            "views": {view.view: _figures(view.totals) for view in one.views},
        }
        for one in sites
    }
    return reports.keep(tx, name, version, figures, {"sites": len(figures)}, author=author, at=at)


def frozen(tx: Connection, name: str) -> FrozenCoverage | None:
    """What was kept under that name, or None."""
    row = reports.kept(tx, name)
    if row is None:
        return None
    sites = {
        site: FrozenSite(
            timedelta(microseconds=told["dark"]),
            {view: Totals(*(timedelta(microseconds=part) for part in parts)) for view, parts in told["views"].items()},
        )
        for site, told in row.figures.items()
    }
    return FrozenCoverage(row.frozen_at, row.frozen_by, row.version, sites)


def _figures(totals: Totals) -> list[int]:
    return [part // _INSTANT for part in (totals.covered, totals.uncovered, totals.planned, totals.unknown)]

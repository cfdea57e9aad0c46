"""Keeps the figures of coverage audits that are frozen: of each site and view the exact time in each state, and whom
what was uncovered is charged to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from camera_registry.rules.availability import Period
from camera_registry.rules.coverage.charge import Charges
from camera_registry.rules.coverage.period import SitePeriod, Totals
from camera_registry.store import freezes
from camera_registry.store.freezes import Freeze

_INSTANT = timedelta(microseconds=1)
COVERAGE = "coverage"
"""What they are kept as."""


@dataclass(frozen=True, slots=True)
class FrozenSite:
    """One site as it was frozen: how long it was known to have had no usable view, the time of each view, and whom what
    was uncovered is charged to."""

    dark: timedelta
    views: Mapping[str, Totals]
    charged: Mapping[str, Charges] | None = None
    """The uncovered time of each view by contractor; None: an older release did not keep it."""

    def totals(self, only: Collection[str] | None = None) -> Totals:
        """All its views together, or only these."""
        return sum((one for id, one in self.views.items() if only is None or id in only), Totals())


@dataclass(frozen=True, slots=True)
class FrozenCoverage:
    """The figures of every site of a period, as they were when somebody froze them."""

    freeze: Freeze
    sites: Mapping[str, FrozenSite]

    @property
    def charged(self) -> dict[tuple[str, str], Charges] | None:
        """The uncovered time of each view of each site by contractor, if it was kept."""
        if any(one.charged is None for one in self.sites.values()):
            return None
        return {(id, view): owed for id, one in self.sites.items() for view, owed in (one.charged or {}).items()}


def freeze(
    tx: Connection,
    period: Period,
    version: str,
    sites: Iterable[SitePeriod],
    charges: Mapping[tuple[str, str], Charges],
    *,
    author: str,
    at: datetime,
) -> bool:
    """Keep the figures for good; False when they are kept already, and stay as they are."""
    figures = {
        one.site: {
            "dark": one.dark_time // _INSTANT,
            "views": {view.view: _figures(view.totals) for view in one.views},
            "charged": {
                view.view: {who: time // _INSTANT for who, time in charges[one.site, view.view].items()}
                for view in one.views
                if (one.site, view.view) in charges
            },
        }
        for one in sites
    }
    return freezes.keep(tx, COVERAGE, period, version, figures, {"sites": len(figures)}, author=author, at=at)


def frozen(tx: Connection, period: Period) -> FrozenCoverage | None:
    """What was kept of a period, or None."""
    found = freezes.kept(tx, COVERAGE, period)
    return None if found is None else FrozenCoverage(found[0], {id: _site(told) for id, told in found[1].items()})


def _site(told: Mapping[str, Any]) -> FrozenSite:
    charged = told.get("charged")
    return FrozenSite(
        timedelta(microseconds=told["dark"]),
        {view: Totals(*map(_length, parts)) for view, parts in told["views"].items()},
        None
        if charged is None
        else {view: {who: _length(time) for who, time in owed.items()} for view, owed in charged.items()},
    )


def _figures(totals: Totals) -> list[int]:
    return [part // _INSTANT for part in (totals.covered, totals.uncovered, totals.planned, totals.unknown)]


def _length(microseconds: int) -> timedelta:
    return timedelta(microseconds=microseconds)

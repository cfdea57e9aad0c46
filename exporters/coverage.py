"""This file follows the board and tells how sites are covered now, to pages, the API and metrics alike.

What was found of a site is kept until one of its channels changes or planned work begins or ends, so a look at every
site costs little however often it is taken; but not of one with hours in force, which begin and end by the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from camera_registry.board import Board, BoardEntry, Places
from camera_registry.model.coverage import Sight, ViewState
from camera_registry.model.device import Device
from camera_registry.rules.coverage.sight import needed, sight
from camera_registry.rules.coverage.standing import ChannelSeen, SiteSeen, stand
from exporters.exposition import Family, encode, escape, number

RATIO = Family("camera_site_coverage_ratio", "Views covered / views required now; absent: not known, or none required.")
REQUIRED = Family("camera_site_views_required", "Views that the site needs now; 0 outside of its hours in force.")
COVERED = Family(
    "camera_site_views_covered", "Required views that a usable channel shows; absent while one is unknown."
)
UNCOVERED = Family("camera_site_views_uncovered", "Required views known not to be covered, planned work aside.")
PLANNED = Family("camera_site_views_planned", "Required views that are not covered while planned work is done.")
UNKNOWN = Family("camera_site_views_unknown", "Required views of which it is not known whether they are covered.")
FAMILIES = (RATIO, REQUIRED, COVERED, UNCOVERED, PLANNED, UNKNOWN)

Lines = tuple[str, ...]
"""A site's text, one item a family, in their order."""


def _utc() -> datetime:
    return datetime.now(UTC)


class SiteCoverage:
    """How each site is covered now. ``under_work`` tells which devices planned work covers."""

    def __init__(
        self,
        board: Board,
        zone: Callable[[], ZoneInfo] = lambda: ZoneInfo("UTC"),
        now: Callable[[], datetime] = _utc,
        under_work: Callable[[datetime], Collection[str]] = lambda at: frozenset(),
    ) -> None:
        self._board = board
        self._zone = zone
        self._now = now
        self._under_work = under_work
        self._places = Places()
        self._owners: dict[str, str] = {}
        self._sights: dict[str, Sight] = {}
        self._users: dict[str, list[str]] = {}
        self._kept: dict[str, tuple[SiteSeen, Lines]] = {}
        self._work: Collection[str] = frozenset()
        """What planned work covered at the last look."""
        self._follow_all()
        self.close = board.listen(self._follow, polls=False)
        """Stop following the board."""

    def sites(self) -> list[SiteSeen]:
        """Every site, those without any usable view first."""
        return sorted((self._stand(id)[0] for id in self._fresh().sites), key=lambda one: one.rank)

    def site(self, id: str) -> SiteSeen | None:
        """One site; None when there is none of that identifier."""
        return self._stand(id)[0] if id in self._fresh().sites else None

    def devices(self) -> dict[str, Device]:
        """Every device file, by identifier."""
        return {entry.device.id: entry.device for entry in self._board}

    def text(self) -> bytes:
        """The families as text."""
        sites = [self._stand(id)[1] for id in self._fresh().sites]
        columns = zip(*sites, strict=True) if sites else ((),) * len(FAMILIES)
        parts = zip(FAMILIES, columns, strict=True)
        return b"".join(family.head + encode("".join(lines)) for family, lines in parts)

    def under_work(self) -> Collection[str]:
        """The devices that planned work covers now."""
        return self._under_work(self._now())

    def _look(self, channel: str) -> ChannelSeen:
        """What is known of a channel now."""
        device = self._owners.get(channel, "")
        found = self._sights.get(channel, Sight.UNUSABLE)
        return ChannelSeen(channel, device, found, found is not Sight.USABLE and device in self._work)

    def _stand(self, id: str) -> tuple[SiteSeen, Lines]:
        kept = self._kept.get(id)
        if kept is None:
            places = self._places
            seen = stand(places.sites[id], places.views.get(id, ()), self._look, self._zone(), self._now())
            kept = seen, _lines(seen)
            if not seen.site.hours:
                self._kept[id] = kept
        return kept

    def _fresh(self) -> Places:
        if self._places is not self._board.places:
            self._follow_all()
        work = self.under_work()
        if work != self._work:
            self._work = work
            self._kept.clear()
        return self._places

    def _follow_all(self) -> None:
        self._places = places = self._board.places
        self._kept.clear()
        self._users = {}
        for site, views in places.views.items():
            for view in views:
                for channel in view.channels:
                    self._users.setdefault(channel, []).append(site)
        self._owners.clear()
        self._sights.clear()
        for entry in self._board:
            self._take(entry)

    def _follow(self, touched: tuple[str, ...]) -> None:
        for device in touched:
            entry = self._board.get(device)
            if entry is not None:
                self._take(entry)
                continue
            for channel in [one for one, owner in self._owners.items() if owner == device]:
                del self._owners[channel], self._sights[channel]
                self._forget(channel)

    def _take(self, entry: BoardEntry) -> None:
        device = entry.device
        states = {state.subject: state.settled for state in entry.states}
        for channel in entry.channels:
            if channel.id not in self._users:
                continue
            found = sight(device.life, needed(device.id, channel.id, states.get))
            if self._sights.get(channel.id) is not found or self._owners.get(channel.id) != device.id:
                self._owners[channel.id], self._sights[channel.id] = device.id, found
                self._forget(channel.id)

    def _forget(self, channel: str) -> None:
        for site in self._users.get(channel, ()):
            self._kept.pop(site, None)


def _lines(seen: SiteSeen) -> Lines:
    label = f'{{site="{escape(seen.site.id)}"}}'
    told = zip(FAMILIES, values(seen), strict=True)
    return tuple("" if value is None else f"{family.name}{label} {number(value)}\n" for family, value in told)


def values(seen: SiteSeen) -> tuple[float | None, ...]:
    """The values of ``FAMILIES`` for a site; None: no line."""
    if not seen.in_force:
        return (None, 0, None, 0, 0, 0)
    unknown, planned = seen.count(ViewState.UNKNOWN), seen.count(ViewState.PLANNED)
    return (
        seen.ratio,
        seen.required,
        None if unknown else seen.count(ViewState.COVERED),
        seen.count(ViewState.UNCOVERED),
        planned,
        unknown,
    )

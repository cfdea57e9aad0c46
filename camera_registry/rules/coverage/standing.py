"""This file tells how each site is covered at one moment: view by view, the worst site first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from camera_registry.model.coverage import Sight, ViewState
from camera_registry.model.place import Site, View
from camera_registry.rules.coverage.hours import is_in_force
from camera_registry.rules.coverage.sight import cover


@dataclass(frozen=True, slots=True)
class ChannelSeen:
    """One channel as a view has it. ``device`` empty: the register knows no such channel."""

    channel: str
    device: str
    sight: Sight
    planned: bool = False


@dataclass(frozen=True, slots=True)
class ViewSeen:
    """A required view with the channels that are mapped to it."""

    view: View
    state: ViewState
    channels: tuple[ChannelSeen, ...]


@dataclass(frozen=True, slots=True)
class SiteSeen:
    """A site at one moment. ``in_force`` False: it need not be covered now, and its views say what would be."""

    site: Site
    in_force: bool
    views: tuple[ViewSeen, ...]

    def count(self, state: ViewState) -> int:
        return sum(one.state == state for one in self.views)

    @property
    def required(self) -> int:
        """Views required now."""
        return len(self.views) if self.in_force else 0

    @property
    def ratio(self) -> float | None:
        """Views covered / views required (domain.md 5); None where that is not known, or nothing is required."""
        if not self.required or self.count(ViewState.UNKNOWN) or self.count(ViewState.PLANNED) == self.required:
            return None
        return self.count(ViewState.COVERED) / (self.required - self.count(ViewState.PLANNED))

    @property
    def dark(self) -> bool:
        """Whether it is known to have no usable view although it needs one, and planned work alone is not why."""
        states = {one.state for one in self.views}
        return self.in_force and ViewState.UNCOVERED in states <= {ViewState.UNCOVERED, ViewState.PLANNED}

    @property
    def rank(self) -> tuple[int, float, str]:
        """Its place in a list: without any usable view, then partly uncovered, then not known, planned, covered, and
        those of which nothing is required."""
        states = {one.state for one in self.views}
        if not self.required:
            place = 5 if self.views else 3
        elif self.dark:
            place = 0
        elif ViewState.UNCOVERED in states:
            place = 1
        elif ViewState.UNKNOWN in states:
            place = 2
        else:
            place = 3 if ViewState.PLANNED in states else 4
        share = self.count(ViewState.COVERED) / len(self.views) if self.views else 1.0
        return place, share, self.site.id


Look = Callable[[str], ChannelSeen]
"""What is known of a channel."""


def views_by_site(views: Iterable[View]) -> dict[str, list[View]]:
    """Each site's views, by identifier."""
    found: dict[str, list[View]] = {}
    for view in sorted(views, key=lambda view: view.id):
        found.setdefault(view.site, []).append(view)
    return found


def without_views(sites: Iterable[Site], views: Iterable[View]) -> list[Site]:
    """The sites of which nothing is required, so that their coverage can't be told: a mistake of the register."""
    required = {view.site for view in views}
    return sorted((site for site in sites if site.id not in required), key=lambda site: site.id)


def stand(site: Site, views: Sequence[View], look: Look, zone: ZoneInfo, at: datetime) -> SiteSeen:
    """How one site is covered."""
    seen = []
    for view in views:
        channels = tuple(look(channel) for channel in view.channels)
        seen.append(ViewSeen(view, cover((one.sight, one.planned) for one in channels), channels))
    return SiteSeen(site, is_in_force(site.hours, zone, at), tuple(seen))


def stand_all(
    sites: Mapping[str, Site], views: Iterable[View], look: Look, zone: ZoneInfo, at: datetime
) -> list[SiteSeen]:
    """How every site is covered, those without any usable view first."""
    by_site = views_by_site(views)
    found = [stand(site, by_site.get(id, ()), look, zone, at) for id, site in sites.items()]
    return sorted(found, key=lambda one: one.rank)

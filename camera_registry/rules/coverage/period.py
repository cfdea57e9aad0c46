"""This file sums up how sites were covered over a period: exactly, from flips and from changes of the register.

    coverage of a site = time its views were covered / time its views were covered or uncovered

Each required view counts while the site's hours are in force. Time under planned work and time of which nothing is
known are in neither sum; they are told apart, as is the time in which no view at all was usable.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from camera_registry.model.coverage import Sight, ViewState
from camera_registry.model.device import Life
from camera_registry.model.health import OF_THE_DEVICE, State, Subject
from camera_registry.model.place import Site, View
from camera_registry.model.register import Register
from camera_registry.rules.coverage.hours import Span, in_force
from camera_registry.rules.coverage.sight import NEEDED, cover, needed, sight
from camera_registry.rules.coverage.standing import ChannelSeen, SiteSeen, stand_all
from camera_registry.rules.coverage.steps import Steps
from camera_registry.rules.progress import Tick, untold

Item = Steps[Mapping[str, object] | None]


@dataclass(frozen=True, slots=True)
class History:
    """What was so, by identifier: sites (``hours``), views (``site``, ``channels``), channels (``device``), devices
    (``life``, ``contractor``, ``parent``, ``backup_parent``), the states of subjects, and the planned turns of devices.
    """

    sites: Mapping[str, Item] = field(default_factory=dict)
    views: Mapping[str, Item] = field(default_factory=dict)
    channels: Mapping[str, Item] = field(default_factory=dict)
    devices: Mapping[str, Item] = field(default_factory=dict)
    states: Mapping[Subject, Steps[State]] = field(default_factory=dict)
    planned: Mapping[str, Sequence[Span]] = field(default_factory=dict)

    def look(self, channel: str, at: datetime) -> ChannelSeen:
        """What was so of a channel at a moment."""
        device = _text(self.channels.get(channel), "device", at)
        if not device:
            return ChannelSeen(channel, "", Sight.UNUSABLE)
        life = _text(self.devices.get(device), "life", at)

        def held(subject: Subject) -> State | None:
            steps = self.states.get(subject)
            return None if steps is None else steps.at(at)

        found = sight(Life(life) if life else None, needed(device, channel, held))
        planned = any(begin <= at < end for begin, end in self.planned.get(device, ()))
        return ChannelSeen(channel, device, found, planned and life == Life.ACTIVE)

    def standing(self, register: Register, zone: ZoneInfo, at: datetime) -> list[SiteSeen]:
        """How every site that was registered at a moment was covered then. What coverage does not depend on (names,
        polygons) is told as the ``register`` has it."""
        sites = {
            id: replace(register.sites.get(id, Site(id)), hours=str(value["hours"]))
            for id, steps in self.sites.items()
            if (value := steps.at(at)) is not None
        }
        views = [
            replace(register.views.get(id, View(id, "")), site=str(value["site"]), channels=channels_of(value))
            for id, steps in self.views.items()
            if (value := steps.at(at)) is not None
        ]
        return stand_all(sites, views, lambda channel: self.look(channel, at), zone, at)


@dataclass(frozen=True, slots=True)
class Piece:
    """A span in which a view's state was the same."""

    begin: datetime
    end: datetime
    state: ViewState


@dataclass(frozen=True, slots=True)
class Totals:
    """Time by state, of one view or added up over several."""

    covered: timedelta = timedelta()
    uncovered: timedelta = timedelta()
    planned: timedelta = timedelta()
    unknown: timedelta = timedelta()

    @property
    def ratio(self) -> float | None:
        """Covered time / (covered + uncovered) time; None where neither is known."""
        known = self.covered + self.uncovered
        return self.covered / known if known else None

    @property
    def required(self) -> timedelta:
        """All the time that views were required."""
        return self.covered + self.uncovered + self.planned + self.unknown

    def __add__(self, other: Totals) -> Totals:
        return Totals(
            self.covered + other.covered,
            self.uncovered + other.uncovered,
            self.planned + other.planned,
            self.unknown + other.unknown,
        )


@dataclass(frozen=True, slots=True)
class ViewPeriod:
    """One view over the period, while required and in force."""

    view: str
    pieces: tuple[Piece, ...]
    totals: Totals


@dataclass(frozen=True, slots=True)
class SitePeriod:
    """One site over the period. ``dark`` are the spans in which it is known to have had no usable view;
    ``dark_planned`` is how long planned work alone was why, ``dark_unknown`` how long some view was not known."""

    site: str
    views: tuple[ViewPeriod, ...]
    totals: Totals
    dark: tuple[Span, ...]
    dark_planned: timedelta
    dark_unknown: timedelta

    @property
    def dark_time(self) -> timedelta:
        return sum((end - begin for begin, end in self.dark), timedelta())


def sum_up(history: History, zone: ZoneInfo, since: datetime, until: datetime, tick: Tick = untold) -> list[SitePeriod]:
    """Every site that was registered in the period: those that were longest without any usable view first. ``tick`` is
    told of each site of the history."""
    by_site: dict[str, list[tuple[str, Item]]] = {}
    for id, steps in history.views.items():
        sites = {str(value["site"]) for value in steps.values if value is not None}
        for site in sites:
            by_site.setdefault(site, []).append((id, steps))
    found = []
    for id, steps in history.sites.items():
        tick()
        spans = _required(steps, zone, since, until)
        if spans:
            views = sorted(by_site.get(id, ()))
            found.append(_site(id, [_view(history, id, view, item, spans) for view, item in views]))
    return worst_first(found)


def worst_first(found: Iterable[SitePeriod]) -> list[SitePeriod]:
    """Longest dark, then the lowest share; a site of which nothing is known has no share, and stands behind the bad."""
    return sorted(found, key=lambda one: (-one.dark_time, _share(one.totals), one.site))


def only_views(found: Iterable[SitePeriod], views: Collection[str]) -> list[SitePeriod]:
    """The same sites as if only these views were required of them; those that need none of them are left out."""
    kept = [(one.site, [view for view in one.views if view.view in views]) for one in found]
    return worst_first(_site(site, some) for site, some in kept if some)


def _share(totals: Totals) -> float:
    return totals.ratio if totals.ratio is not None else 0.999_999


def _required(steps: Item, zone: ZoneInfo, since: datetime, until: datetime) -> list[Span]:
    """When the site was registered and its hours were in force."""
    edges = [since, *steps.between(since, until), until]
    spans: list[Span] = []
    for begin, end in pairwise(edges):
        value = steps.at(begin)
        if value is not None:
            spans += in_force(str(value["hours"]), zone, begin, end)
    return spans


def _view(history: History, site: str, id: str, steps: Item, spans: Sequence[Span]) -> ViewPeriod:
    pieces: list[Piece] = []
    for since, until in spans:
        edges = sorted({since, until, *_edges(history, steps, since, until)})
        for begin, end in pairwise(edges):
            value = steps.at(begin)
            if value is None or value["site"] != site:
                continue
            seen = [history.look(channel, begin) for channel in channels_of(value)]
            state = cover((one.sight, one.planned) for one in seen)
            if pieces and pieces[-1].state is state and pieces[-1].end == begin:
                pieces[-1] = Piece(pieces[-1].begin, end, state)
            else:
                pieces.append(Piece(begin, end, state))
    return ViewPeriod(id, tuple(pieces), _totals(pieces))


def _edges(history: History, view: Item, since: datetime, until: datetime) -> Iterator[datetime]:
    """Every moment at which the view's state may change."""
    yield from view.between(since, until)
    channels = {channel for value in view.values if value is not None for channel in channels_of(value)}
    for channel in channels:
        owner = history.channels.get(channel)
        if owner is None:
            continue
        yield from owner.between(since, until)
        for device in {str(value["device"]) for value in owner.values if value is not None}:
            yield from _device_edges(history, device, channel, since, until)


def _device_edges(history: History, device: str, channel: str, since: datetime, until: datetime) -> Iterator[datetime]:
    life = history.devices.get(device)
    if life is not None:
        yield from life.between(since, until)
    for aspect in NEEDED:
        for name in {"", "" if aspect in OF_THE_DEVICE else channel}:
            states = history.states.get(Subject(device, aspect, name))
            if states is not None:
                yield from states.between(since, until)
    for begin, end in history.planned.get(device, ()):
        yield from (moment for moment in (begin, end) if since < moment < until)


def _totals(pieces: Iterable[Piece]) -> Totals:
    sums = dict.fromkeys(ViewState, timedelta())
    for piece in pieces:
        sums[piece.state] += piece.end - piece.begin
    return Totals(**{state.value: length for state, length in sums.items()})


def _site(id: str, views: Sequence[ViewPeriod]) -> SitePeriod:
    totals = sum((view.totals for view in views), Totals())
    dark: list[Span] = []
    planned = unknown = timedelta()
    for begin, end, states in _together(views):
        if ViewState.COVERED in states:
            continue
        if ViewState.UNKNOWN in states:
            unknown += end - begin
        elif ViewState.UNCOVERED not in states:
            planned += end - begin
        elif dark and dark[-1][1] == begin:
            dark[-1] = dark[-1][0], end
        else:
            dark.append((begin, end))
    return SitePeriod(id, tuple(views), totals, tuple(dark), planned, unknown)


def _together(views: Sequence[ViewPeriod]) -> Iterator[tuple[datetime, datetime, set[ViewState]]]:
    """Spans in which no view changes, with the states of those that are required then."""
    edges = sorted({edge for view in views for piece in view.pieces for edge in (piece.begin, piece.end)})
    places = [0] * len(views)
    for begin, end in pairwise(edges):
        states = set()
        for number, view in enumerate(views):
            while places[number] < len(view.pieces) and view.pieces[places[number]].end <= begin:
                places[number] += 1
            if places[number] < len(view.pieces) and view.pieces[places[number]].begin <= begin:
                states.add(view.pieces[places[number]].state)
        if states:
            yield begin, end, states


def _text(steps: Item | None, name: str, at: datetime) -> str:
    value = None if steps is None else steps.at(at)
    return "" if value is None else str(value[name])


def channels_of(value: Mapping[str, object]) -> tuple[str, ...]:
    """The channels that a view has, from its fields."""
    channels = value["channels"]
    assert isinstance(channels, list | tuple)
    return tuple(str(channel) for channel in channels)

"""This file decides whose the time is in which a required view was uncovered: which contractors owe it.

A view is uncovered when nothing that is mapped to it shows a usable picture. Each device in service that should show it
is to blame, or, where all of its parents are lost, those parents (domain.md 3: time is charged to the parent): whoever
keeps what is to blame is charged with that time. Two contractors who fail the same view are each charged with all of
it, so charges are not parts of a sum. What nobody keeps, and a view to which nothing in service is mapped, is charged
to nobody (``""``). Parents and contractors are those of the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import pairwise

from camera_registry.model.coverage import ViewState
from camera_registry.model.device import Life
from camera_registry.model.health import Aspect, State, Subject
from camera_registry.rules.coverage.period import History, Piece, SitePeriod, channels_of

Charges = Mapping[str, timedelta]
"""Uncovered time by contractor; ``""``: nobody's."""
_LOST = frozenset({State.DOWN, State.FLAPPING})


def charges(history: History, sites: Iterable[SitePeriod]) -> dict[tuple[str, str], Charges]:
    """The uncovered time of each view of each site, by contractor; views that were never uncovered are left out."""
    found: dict[tuple[str, str], Charges] = {}
    for site in sites:
        for view in site.views:
            bad = [piece for piece in view.pieces if piece.state is ViewState.UNCOVERED]
            if bad:
                found[site.site, view.view] = _view(history, view.view, bad)
    return found


def kept_views(history: History, contractor: str, since: datetime, until: datetime) -> set[str]:
    """The views that a device of this contractor should have shown at some time of a period."""

    def kept(device: str) -> bool:
        steps = history.devices.get(device)
        return steps is not None and any(
            value is not None and value["contractor"] == contractor for value in steps.held(since, until)
        )

    return {
        id
        for id, steps in history.views.items()
        if any(
            kept(device)
            for value in steps.held(since, until)
            if value is not None
            for channel in channels_of(value)
            for device in _owners(history, channel)
        )
    }


def _view(history: History, view: str, bad: Iterable[Piece]) -> Charges:
    sums: dict[str, timedelta] = {}
    steps = history.views[view]
    named = {channel for value in steps.values if value is not None for channel in channels_of(value)}
    ancestors = {one for channel in named for id in _owners(history, channel) for one in _upwards(history, id)}
    for piece in bad:
        moved = set(steps.between(piece.begin, piece.end))
        for channel in named & history.channels.keys():
            moved.update(history.channels[channel].between(piece.begin, piece.end))
        for id in ancestors:
            moved.update(_moves(history, id, piece.begin, piece.end))
        for begin, end in pairwise(sorted({piece.begin, piece.end, *moved})):
            value = steps.at(begin)
            channels = channels_of(value) if value is not None else ()
            owners = {history.look(channel, begin).device for channel in channels} - {""}
            for contractor in _contractors(history, owners, begin):
                sums[contractor] = sums.get(contractor, timedelta()) + (end - begin)
    return sums


def _contractors(history: History, owners: Iterable[str], at: datetime) -> set[str]:
    working = {id for id in owners if (file := _file(history, id, at)) is not None and file["life"] == Life.ACTIVE}
    blamed = {one for id in working for one in _blamed(history, id, at, frozenset())}
    return {str(file["contractor"]) if (file := _file(history, id, at)) else "" for id in blamed} or {""}


def _blamed(history: History, id: str, at: datetime, below: frozenset[str]) -> set[str]:
    """What is to blame for a device that shows nothing: its parents if all of them are lost, and so on upwards."""
    parents = _parents(_file(history, id, at))
    if id not in below and parents and all(_lost(history, parent, at) for parent in parents):
        return {one for parent in parents for one in _blamed(history, parent, at, below | {id})}
    return {id}


def _file(history: History, id: str, at: datetime) -> Mapping[str, object] | None:
    """What the register said of a device; None: it was not there."""
    steps = history.devices.get(id)
    return None if steps is None else steps.at(at)


def _parents(file: Mapping[str, object] | None) -> tuple[str, ...]:
    return () if file is None else tuple(str(file[name]) for name in ("parent", "backup_parent") if file[name])


def _lost(history: History, id: str, at: datetime) -> bool:
    steps = history.states.get(Subject(id, Aspect.REACH))
    return steps is not None and steps.at(at) in _LOST


def _owners(history: History, channel: str) -> set[str]:
    steps = history.channels.get(channel)
    return set() if steps is None else {str(value["device"]) for value in steps.values if value is not None}


def _upwards(history: History, id: str) -> Iterator[str]:
    """The device and everything that it ever stood behind, each once: a ring that slipped in ends the walk."""
    waiting, known = [id], set()
    while waiting:
        here = waiting.pop()
        if here not in known:
            known.add(here)
            yield here
            steps = history.devices.get(here)
            waiting.extend(one for value in (steps.values if steps else ()) for one in _parents(value))


def _moves(history: History, id: str, since: datetime, until: datetime) -> Iterator[datetime]:
    """When it may become to blame, or not to blame any more."""
    for steps in (history.devices.get(id), history.states.get(Subject(id, Aspect.REACH))):
        if steps is not None:
            yield from steps.between(since, until)

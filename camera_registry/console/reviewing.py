"""Looking through the pictures that nobody has accepted yet, and accepting all that are as they should be; the same of
those that a season has made doubtful."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from camera_registry.board import Board, BoardEntry
from camera_registry.console.accepting import channels, in_doubt
from camera_registry.console.deps import Gallery
from camera_registry.console.problems import Problem
from camera_registry.console.routing import Asked
from camera_registry.model.baseline import Regime, Terms
from camera_registry.model.health import Cause
from camera_registry.model.picture import Measures
from camera_registry.rules.pictures import watching
from camera_registry.rules.pictures.usual import outliers
from camera_registry.rules.places import way_up

Key = tuple[str, str]
"""Device and channel."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose pictures: those of an ``area`` with all beneath (empty: all), or of these those that a ``season`` has made
    doubtful."""

    area: str = ""
    season: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A channel without an accepted picture in the light of its newest one, in which nothing wrong was found; or one in
    which that is in doubt that weather makes. ``measure`` is by what it differs most from the others' in this light,
    ``away`` by how many deviations; ``causes``: what is in doubt."""

    entry: BoardEntry
    channel: str
    light: Regime
    causes: Sequence[Cause] = ()
    measure: str = ""
    away: float = 0.0

    @property
    def key(self) -> Key:
        return self.entry.device.id, self.channel


@dataclass(frozen=True, slots=True)
class Sheet:
    """Who could be accepted, the strangest first, and who can't be because something seems wrong."""

    candidates: Sequence[Candidate]
    doubtful: Sequence[Candidate]


async def sheet(asked: Asked[Any, Any], wanted: Wanted) -> Sheet:
    """The sheet as things are now. It goes through the whole fleet, so beside the event loop."""
    deps = asked.deps
    return await asyncio.to_thread(review, deps.board, deps.gallery, wanted, _of_weather(asked))


def review(board: Board, gallery: Gallery, wanted: Wanted, of_weather: Collection[Cause]) -> Sheet:
    found: dict[Regime, dict[Key, tuple[Candidate, Measures]]] = {}
    doubtful: list[Candidate] = []
    here = _within(board, wanted.area)
    for entry in board:
        for channel in channels(entry) if here(entry) else ():
            newest = max((run for run in entry.probes if run.channel == channel and watching.judged(run.facts)),
                         key=lambda run: run.at, default=None)  # fmt: skip
            told = None if newest is None else watching.judged(newest.facts)
            if newest is None or told is None or told["regime"] is None:
                continue
            light, doubts = Regime(told["regime"]), in_doubt(entry, channel)
            one = Candidate(entry, channel, light, doubts)
            if wanted.season:
                believed = any(watching.noticed(newest.facts).get(cause) for cause in doubts)
                fits = bool(doubts) and not believed and set(doubts) <= set(of_weather)
            elif any(kept.regime is light for kept in gallery.of(entry.device.id, channel)):
                continue
            else:
                fits = not doubts
            if fits:
                found.setdefault(light, {})[one.key] = one, told["measures"]
            elif doubts:
                doubtful.append(one)
    return Sheet(sorted(_strange(found), key=lambda one: (-abs(one.away), one.key)), doubtful)


def _within(board: Board, area: str) -> Callable[[BoardEntry], bool]:
    parents = board.names.area_parents
    return lambda entry: not area or area in way_up(entry.device.area, parents)


def _strange(found: dict[Regime, dict[Key, tuple[Candidate, Measures]]]) -> list[Candidate]:
    """The candidates, each with what is strange about it among those of its light."""
    candidates = []
    for fleet in found.values():
        strange = outliers({key: measures for key, (_, measures) in fleet.items()}, most=len(fleet))
        by = {key: (measure, away) for key, measure, away in strange}
        candidates += [
            Candidate(one.entry, one.channel, one.light, one.causes, *by.get(key, ("", 0.0)))
            for key, (one, _) in fleet.items()
        ]
    return candidates


async def accept(
    asked: Asked[Any, Any],
    wanted: Wanted,
    leave_out: Collection[Key],
    reason: str = "",
    only: Collection[Key] | None = None,
) -> None:
    """Have all candidates but those left out accepted, for whoever asks; ``only`` of these, where that is told. A
    season's need a reason, and weather over their area. Raises Problem."""
    deps = asked.deps
    if wanted.season:
        if deps.sightings.over(wanted.area, deps.now()) is None:
            raise Problem(HTTPStatus.CONFLICT, "no_weather")
        if not reason.strip():
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "season_untold")
    terms = Terms(reason.strip(), frozenset(_of_weather(asked)) if wanted.season else frozenset())
    candidates = [one.key for one in (await sheet(asked, wanted)).candidates if one.key not in leave_out]
    chosen = [key for key in candidates if only is None or key in only]
    if not await deps.acceptance.start(chosen, asked.user.name, terms):
        raise Problem(HTTPStatus.CONFLICT, "accepting_already")


def _of_weather(asked: Asked[Any, Any]) -> Collection[Cause]:
    return asked.deps.settings().health.policy().base.picture.weather.causes

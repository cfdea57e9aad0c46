"""Looking through the pictures that nobody has accepted yet, and accepting all that are as they should be."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from camera_registry.board import Board, BoardEntry
from camera_registry.console.accepting import channels, in_doubt
from camera_registry.console.deps import Gallery
from camera_registry.console.problems import Problem
from camera_registry.console.routing import Asked
from camera_registry.model.baseline import Regime
from camera_registry.model.picture import Measures
from camera_registry.rules.pictures import watching
from camera_registry.rules.pictures.usual import outliers


@dataclass(frozen=True, slots=True)
class Candidate:
    """A channel without an accepted picture in the light of its newest one, in which nothing wrong was found.
    ``measure`` is by what that differs most from the others' in this light, ``away`` by how many deviations."""

    entry: BoardEntry
    channel: str
    light: Regime
    measure: str = ""
    away: float = 0.0

    @property
    def key(self) -> tuple[str, str]:
        return self.entry.device.id, self.channel


@dataclass(frozen=True, slots=True)
class Sheet:
    """Who could be accepted, the strangest first, and how many can't be because something seems wrong."""

    candidates: Sequence[Candidate]
    doubtful: int


async def sheet(asked: Asked[Any, Any]) -> Sheet:
    """The sheet as things are now. It goes through the whole fleet, so beside the event loop."""
    return await asyncio.to_thread(review, asked.deps.board, asked.deps.gallery)


def review(board: Board, gallery: Gallery) -> Sheet:
    found: dict[Regime, dict[tuple[str, str], tuple[BoardEntry, Measures]]] = {}
    doubtful = 0
    for entry in board:
        for channel in channels(entry):
            newest = max((run for run in entry.probes if run.channel == channel and watching.judged(run.facts)),
                         key=lambda run: run.at, default=None)  # fmt: skip
            told = None if newest is None else watching.judged(newest.facts)
            if told is None or told["regime"] is None:
                continue
            light = Regime(told["regime"])
            if any(one.regime is light for one in gallery.of(entry.device.id, channel)):
                continue
            if in_doubt(entry, channel):
                doubtful += 1
            else:
                found.setdefault(light, {})[entry.device.id, channel] = entry, told["measures"]
    candidates: list[Candidate] = []
    for light, fleet in found.items():
        strange = outliers({key: measures for key, (_, measures) in fleet.items()}, most=len(fleet))
        by = {key: (measure, away) for key, measure, away in strange}
        candidates += [Candidate(entry, key[1], light, *by.get(key, ("", 0.0))) for key, (entry, _) in fleet.items()]
    return Sheet(sorted(candidates, key=lambda one: (-abs(one.away), one.key)), doubtful)


async def accept(asked: Asked[Any, Any], leave_out: Collection[tuple[str, str]]) -> None:
    """Have all candidates but these accepted, for whoever asks. Raises Problem."""
    wanted = [one.key for one in (await sheet(asked)).candidates if one.key not in leave_out]
    if not asked.deps.acceptance.start(wanted, asked.user.name):
        raise Problem(HTTPStatus.CONFLICT, "accepting_already")

"""Coverage for pages and the API: what is true now from the board, the past from the store, geometry on a thread.

Geometry of a whole city takes seconds; it is computed once, on a thread, for as long as the register and the sight of
devices stay as they are, or for a minute. Whoever asks meanwhile waits for the same answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web

from camera_registry.board import Board, BoardEntry, Places
from camera_registry.console.deps import Deps
from camera_registry.model.coverage import Sight
from camera_registry.model.device import Device, Kind, Life
from camera_registry.model.place import Building
from camera_registry.model.register import Register
from camera_registry.rules.coverage.period import History, SitePeriod, sum_up
from camera_registry.rules.coverage.sight import needed, sight
from camera_registry.rules.geometry.extent import Extent, Fields, Unmeasured, fields, measure, shapes
from camera_registry.store import coverage

_KEPT = timedelta(minutes=1)
_SEES = frozenset({Kind.CAMERA, Kind.TRAFFIC_UNIT, Kind.MOBILE_UNIT})
"""What may have a field of view of its own: the others are asked for nothing."""


@dataclass(frozen=True, slots=True)
class Surveyed:
    """The geometry of the city at a moment. ``working`` are the devices whose picture is usable: only they cover."""

    at: datetime
    places: Places
    fields: Fields
    working: frozenset[str]
    extents: Mapping[str, Extent]
    left: tuple[Unmeasured, ...]


class Survey:
    """Answers what the console asks about coverage."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._lock = asyncio.Lock()
        self._found: Surveyed | None = None
        self._drawn: tuple[tuple[object, ...], Fields] | None = None

    async def past(self, since: datetime, until: datetime) -> tuple[Register, History]:
        """What coverage in a period follows from."""
        return await self._deps.store.read(coverage.gather, since, until)

    async def period(self, since: datetime, until: datetime) -> tuple[Register, list[SitePeriod]]:
        """How every site was covered over a period."""
        register, history = await self.past(since, until)
        return register, await asyncio.to_thread(sum_up, history, self._deps.zone(), since, until)

    async def geometry(self) -> Surveyed:
        """Fields of view, and how much of each site the working ones see."""
        async with self._lock:
            now, places = self._deps.now(), self._deps.board.places
            found = self._found
            if found is None or found.places is not places or now - found.at > _KEPT:
                buildings = await self._deps.store.read(coverage.buildings)
                devices, working = looked(self._deps.board)
                found = await asyncio.to_thread(self._survey, now, places, devices, working, buildings)
                self._found = found
            return found

    def _survey(
        self,
        now: datetime,
        places: Places,
        devices: Sequence[Device],
        working: frozenset[str],
        buildings: Sequence[Building],
    ) -> Surveyed:
        key = (*devices, *buildings)
        if self._drawn is None or self._drawn[0] != key:
            self._drawn = key, fields(devices, shapes(buildings))
        drawn = self._drawn[1]
        seen = Fields({id: shape for id, shape in drawn.shapes.items() if id in working}, drawn.missing)
        extents, left = measure(places.sites.values(), seen)
        return Surveyed(now, places, drawn, working, {one.site: one for one in extents}, tuple(left))


SURVEY = web.AppKey("survey", Survey)


def looked(board: Board) -> tuple[list[Device], frozenset[str]]:
    """The devices in service that may see something, and those of them whose picture is usable."""
    entries = [entry for entry in board if entry.device.life is Life.ACTIVE and entry.device.kind in _SEES]
    return [entry.device for entry in entries], frozenset(entry.device.id for entry in entries if _works(entry))


def _works(entry: BoardEntry) -> bool:
    states = {state.subject: state.settled for state in entry.states}
    channels = [channel.id for channel in entry.channels] or [""]
    return any(
        sight(entry.device.life, needed(entry.device.id, channel, states.get)) is Sight.USABLE for channel in channels
    )

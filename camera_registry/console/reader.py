"""What people and scripts ask of the board: counts, the worst first, and pages of a filtered list.

Counts are of devices in service (life ``active``): the others are not measured, so they have no health to count.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from aiohttp import web

from camera_registry.board import Board, BoardEntry
from camera_registry.model.device import Device, Kind, Life
from camera_registry.model.health import Cause, Reason, Status
from camera_registry.model.observation import Failure, FailureKind
from exporters.areas import Tree

_FAR = datetime.max.replace(tzinfo=UTC)
_RANK = {Status.DOWN: 0, Status.DEGRADED: 1, Status.UNKNOWN: 2, Status.OK: 3}

_BREATH = 500
"""Devices looked at before the event loop gets its turn."""

Key = tuple[int, str]
"""A device's place in a list: its rank (0 where the order is by identifier alone), then its identifier."""


class Order(StrEnum):
    """How a list is ordered."""

    ID = "id"
    WORST = "worst"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which devices are meant. Empty fields ask for nothing; ``text`` holds words that must all occur."""

    text: str = ""
    status: Status | None = None
    area: str = ""
    kind: Kind | None = None
    cause: Cause | None = None
    life: Life | None = None
    site: str = ""
    contractor: str = ""
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list: how many there are in all, and where the next page begins (None: this was the last)."""

    entries: tuple[BoardEntry, ...]
    total: int
    after: Key | None


@dataclass(frozen=True, slots=True)
class Trouble:
    """A device that needs somebody, and how many devices behind it are explained by it."""

    entry: BoardEntry
    reason: Reason
    behind: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The fleet in numbers. ``causes`` counts devices, not reasons; ``out_of_service`` counts by life."""

    revision: int
    in_service: int
    statuses: Mapping[Status, int]
    causes: Mapping[Cause, int]
    kinds: Mapping[Kind, int]
    out_of_service: Mapping[Life, int]
    troubles: tuple[Trouble, ...]
    """The worst first: most devices behind it, then down before degraded, then the longest."""
    unmeasured: int = 0
    """So many are unknown because this service failed to measure them."""


class Reader:
    """Answers questions about one board and keeps what many readers ask for until the board changes."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self._overview: Overview | None = None
        self._haystacks: dict[str, tuple[Device, str]] = {}
        self._names = board.names
        self._below: dict[str, frozenset[str]] = {}

    def overview(self) -> Overview:
        """Counts and troubles as of the board's present revision."""
        if self._overview is None or self._overview.revision != self.board.revision:
            self._overview = _count(self.board)
        return self._overview

    async def select(self, wanted: Filter, order: Order, after: Key | None, limit: int) -> Listed:
        """The first ``limit`` devices behind ``after``. Costs one pass over the board and keeps nothing sorted."""
        if wanted.text:
            await self._make_haystacks()
        ranked = order is Order.WORST
        blamed = {reason.blamed for entry in self.board for reason in entry.reasons[:1]} if ranked else set()
        total = 0
        behind: list[tuple[Key, BoardEntry]] = []
        for entry in self._matching(wanted):
            total += 1
            key = (_rank(entry, blamed) if ranked else 0, entry.device.id)
            if after is None or key > after:
                behind.append((key, entry))
        first = heapq.nsmallest(limit + 1, behind, key=lambda found: found[0])
        shown = first[:limit]
        return Listed(tuple(entry for _, entry in shown), total, shown[-1][0] if len(first) > limit else None)

    def children(self, device: str) -> tuple[BoardEntry, ...]:
        """The devices right below this one."""
        return tuple(self._matching(Filter(parent=device)))

    def _matching(self, wanted: Filter) -> Iterator[BoardEntry]:
        words = wanted.text.casefold().split()
        areas = self._area_and_below(wanted.area) if wanted.area else None
        for entry in self.board:
            device = entry.device
            if wanted.status is not None and (entry.status is not wanted.status or device.life is not Life.ACTIVE):
                continue
            if areas is not None and device.area not in areas:
                continue
            if not _has(entry, wanted):
                continue
            if words:
                haystack = self._haystack(device)
                if not all(word in haystack for word in words):
                    continue
            yield entry

    async def _make_haystacks(self) -> None:
        """Make what is missing, taking turns with everything else on the loop: a city's worth takes a while, once."""
        self._refresh_names()
        if len(self._haystacks) > 1.1 * len(self.board) + 100:
            self._haystacks = {id: kept for id, kept in self._haystacks.items() if self.board.get(id) is not None}
        for place, entry in enumerate(tuple(self.board)):
            if place % _BREATH == _BREATH - 1:
                await asyncio.sleep(0)
            self._haystack(entry.device)

    def _haystack(self, device: Device) -> str:
        """All the words a device can be found by, folded; made again only when its file or the names change."""
        known = self._haystacks.get(device.id)
        if known is None or known[0] is not device:
            names = self.board.names
            words = (
                device.id, device.name, device.host, device.national_code, device.manufacturer, device.model,
                device.serial, device.mac, device.pole, device.owner, device.note, *device.tags, device.area,
                names.areas.get(device.area, ""), device.site, names.sites.get(device.site, ""),
                names.contractors.get(device.contractor, ""),
            )  # fmt: skip
            known = self._haystacks[device.id] = (device, "\n".join(filter(None, words)).casefold())
        return known[1]

    def _area_and_below(self, area: str) -> frozenset[str]:
        self._refresh_names()
        known = self._below.get(area)
        if known is None:
            known = self._below[area] = Tree(self.board.names.area_parents).beneath(area)
        return known

    def _refresh_names(self) -> None:
        if self._names is not self.board.names:
            self._names = self.board.names
            self._haystacks.clear()
            self._below.clear()


READER = web.AppKey("reader", Reader)


def own_failure(entry: BoardEntry) -> Failure | None:
    """What kept this service itself, and not the device, from measuring at a newest run."""
    failures = (run.failure for run in entry.probes if run.failure is not None)
    return next((one for one in failures if one.kind is FailureKind.INTERNAL), None)


def _rank(entry: BoardEntry, blamed: Collection[str]) -> int:
    """The worst status first; within one, devices that others are lost behind (``blamed``), then those with a fault of
    their own, then those that a parent explains; devices out of service last of all."""
    if entry.device.life is not Life.ACTIVE:
        return 3 * len(_RANK)
    if entry.reasons and entry.device.id in blamed:
        return 3 * _RANK[entry.status]
    return 3 * _RANK[entry.status] + 1 + bool(entry.reasons and entry.reasons[0].blamed)


def _has(entry: BoardEntry, wanted: Filter) -> bool:
    device = entry.device
    return (
        (wanted.kind is None or device.kind is wanted.kind)
        and (wanted.life is None or device.life is wanted.life)
        and (not wanted.site or device.site == wanted.site)
        and (not wanted.contractor or device.contractor == wanted.contractor)
        and (not wanted.parent or device.parent == wanted.parent)
        and (wanted.cause is None or any(reason.cause is wanted.cause for reason in entry.reasons))
    )


def _count(board: Board) -> Overview:
    statuses: Counter[Status] = Counter(dict.fromkeys(Status, 0))
    causes: Counter[Cause] = Counter()
    kinds: Counter[Kind] = Counter()
    lives: Counter[Life] = Counter()
    behind: Counter[str] = Counter()
    broken: list[BoardEntry] = []
    unmeasured = 0
    for entry in board:
        if entry.device.life is not Life.ACTIVE:
            lives[entry.device.life] += 1
            continue
        statuses[entry.status] += 1
        kinds[entry.device.kind] += 1
        unmeasured += entry.status is Status.UNKNOWN and own_failure(entry) is not None
        if entry.reasons:
            causes.update({reason.cause for reason in entry.reasons})
            behind.update({reason.blamed for reason in entry.reasons if reason.blamed})
            broken.append(entry)
    troubles = [
        Trouble(entry, entry.reasons[0], behind[entry.device.id])
        for entry in broken
        # A device that a parent explains is told in the parent's line, as long as there is one.
        if not any(board.get(reason.blamed) is not None for reason in entry.reasons[:1] if reason.blamed)
    ]
    troubles.sort(key=lambda one: (-one.behind, _RANK[one.entry.status], one.entry.since or _FAR, one.entry.device.id))
    return Overview(
        board.revision,
        statuses.total(),
        statuses,
        dict(causes.most_common()),
        dict(kinds),
        dict(lives),
        tuple(troubles),
        unmeasured,
    )

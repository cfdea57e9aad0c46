"""Measures a period: keeps the sums of the days that are over, computes the rest, and adds up.

Work is cut into parts of devices, each a short transaction of its own, so that the service's writes are not kept
waiting, progress can be told, and the work can be stopped between two parts: days are marked as kept only at the end.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from camera_registry.model.device import Device
from camera_registry.model.rates import Excluded, Sums
from camera_registry.model.register import Register
from camera_registry.rules.availability import Period
from camera_registry.rules.progress import Step, unwatched
from camera_registry.store import exclusions, health, rates
from camera_registry.store import register as registers
from camera_registry.store.columns import microseconds
from camera_registry.store.database import Store
from camera_registry.store.exclusions import Basis
from camera_registry.store.rates import Stretch
from camera_registry.store.statements import batches

_AT_ONCE = 1000
"""Devices computed in one transaction."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The sums of a device over a part of the period in which the register said this of it; ``areas`` held it then, the
    smallest first."""

    device: Device
    areas: tuple[str, ...]
    begins: datetime
    ends: datetime
    sums: Sums


@dataclass(frozen=True, slots=True)
class Measured:
    """A measured period, with the register of the time, whatever was taken out meanwhile included. ``version`` names
    the data that it rests on: the newest flip and the version of the register.

    ``pieces`` are what is told, those of one device in the order of time; ``devices`` are as they were in the last one,
    ``sums`` of all of them. ``whole`` are the sums of each of these devices whether or not all of it is told. ``days``
    are the sums of all pieces for each whole day.
    """

    period: Period
    register: Register
    pieces: Sequence[Piece]
    devices: Mapping[str, Device]
    sums: Mapping[str, Sums]
    whole: Mapping[str, Sums]
    days: Mapping[datetime, Sums]
    excluded: tuple[tuple[Excluded, Device], ...]
    """What is kept apart, with the device as it was then."""
    heard: datetime | None
    flip: int
    version: str


Wanted = Callable[[Device, Sequence[str]], bool]
"""Whether a device is asked for, by its file and the areas that held it."""


def measure(store: Store, period: Period, step: Step = unwatched, wanted: Wanted | None = None) -> Measured:
    """Measure a period. ``wanted`` chooses devices, as they were. Blocks: not for the event loop. Raises StoreError."""
    present = store.read_now(registers.load_register)
    version = store.read_now(registers.version)
    flip = store.read_now(health.newest_flip)
    basis = store.read_now(exclusions.basis, present, period)
    zone = period.zone.key
    whole = [day for day in period.whole_days() if basis.heard is not None and day[1] <= basis.heard]
    devices = sorted(basis.spells)
    digests = rates.digests(whole, [*basis.excluded, *basis.off], basis.recordings, devices)
    layout = _Layout(whole)
    for id in devices:
        for spell in basis.spells[id]:
            layout.add(id, (spell.begins, spell.ends))
    work = _Work(store, zone, step, basis, frozenset(present.devices))
    runs = _not_kept(store, zone, whole, digests)
    work.count([*(len(devices) for _ in runs), *(len(ids) for ids in layout.edges.values())])
    for run in runs:
        work.keep(devices, run)
    edges = {edge: work.compute(ids, edge) for edge, ids in layout.edges.items()}
    if whole:
        store.write_now(rates.mark, zone, flip, digests)
    inner = {
        run: store.read_now(rates.kept, zone, *run, ids if len(ids) <= _AT_ONCE else None)
        for run, ids in layout.runs.items()
    }

    def total(id: str, span: rates.Day) -> Sums:
        run, own = layout.spans[span]
        found = sum((edges[edge][id] for edge in own), inner[run].get(id, Sums()) if run else Sums())
        return _filled(found, microseconds(span[1]) - microseconds(span[0]))

    every = [
        Piece(one.device, one.areas, one.begins, one.ends, total(id, (one.begins, one.ends)))
        for id in devices
        for one in basis.spells[id]
    ]
    pieces = every if wanted is None else [one for one in every if wanted(one.device, one.areas)]
    told = {one.device.id: one.device for one in pieces}
    return Measured(
        period,
        basis.register,
        pieces,
        told,
        _by_device(pieces),
        _by_device(one for one in every if one.device.id in told),
        _days(store, zone, whole, layout, edges, pieces, everything=wanted is None and len(every) == len(devices)),
        tuple(_as_then(basis.excluded, pieces)),
        basis.heard,
        flip,
        f"{flip}/{version}",
    )


class _Layout:
    """How spans are put together: of kept days, and of edges that are computed for themselves, none beyond its day."""

    def __init__(self, whole: Sequence[rates.Day]) -> None:
        self.spans: dict[rates.Day, tuple[rates.Day | None, list[rates.Day]]] = {}
        self.runs: dict[rates.Day, list[str]] = {}
        self.edges: dict[rates.Day, list[str]] = {}
        self._borders = [*(day for day, _ in whole), *(until for _, until in whole[-1:])]

    def add(self, device: str, span: rates.Day) -> None:
        """Have a span measured for a device."""
        if span not in self.spans:
            self.spans[span] = self._cut(*span)
        run, edges = self.spans[span]
        if run is not None:
            self.runs.setdefault(run, []).append(device)
        for edge in edges:
            self.edges.setdefault(edge, []).append(device)

    def _cut(self, begins: datetime, ends: datetime) -> tuple[rates.Day | None, list[rates.Day]]:
        inside = [at for at in self._borders if begins <= at <= ends]
        run = (inside[0], inside[-1]) if len(inside) > 1 else None
        cuts = sorted({begins, *inside[:1], *inside[-1:], ends})
        return run, [edge for edge in pairwise(cuts) if edge != run]

    def day(self, edge: rates.Day) -> datetime | None:
        """The kept day that an edge lies in, if any."""
        if not self._borders or not self._borders[0] <= edge[0] < self._borders[-1]:
            return None
        return self._borders[bisect_right(self._borders, edge[0]) - 1]


class _Work:
    """Computes in parts, and tells how much is done."""

    def __init__(self, store: Store, zone: str, step: Step, basis: Basis, present: Collection[str]) -> None:
        self._store, self._zone, self._step, self._present = store, zone, step, present
        self._apart: dict[str, list[Excluded]] = {}
        for one in (*basis.excluded, *basis.off):
            self._apart.setdefault(one.device, []).append(one)
        self._done = self._of = 0

    def count(self, sizes: Iterable[int]) -> None:
        """So many devices will be computed."""
        self._of = sum(-(-size // _AT_ONCE) for size in sizes)
        self._step(0, self._of)

    def keep(self, devices: Sequence[str], days: Sequence[rates.Day]) -> None:
        """Compute the sums of a run of days and keep them."""
        for part in self._parts(devices, tuple(day for day, _ in days), days[-1][1]):
            self._store.write_now(rates.keep, self._zone, part)

    def compute(self, devices: Sequence[str], span: rates.Day) -> dict[str, Sums]:
        """The sums over a span."""
        sums: dict[str, Sums] = {}
        for part in self._parts(devices, span[:1], span[1]):
            sums |= self._store.read_now(rates.compute, part)
        return sums

    def _parts(self, devices: Sequence[str], borders: Sequence[datetime], ends: datetime) -> Iterator[Stretch]:
        for some in batches(devices, _AT_ONCE):
            apart = [one for id in some for one in self._apart.get(id, ())]
            yield Stretch([(id, id not in self._present) for id in some], borders, ends, apart)
            self._done += 1
            self._step(self._done, self._of)


def _not_kept(
    store: Store, zone: str, whole: Sequence[rates.Day], digests: Mapping[datetime, str]
) -> list[list[rates.Day]]:
    """The runs of days whose sums are to be computed (anew)."""
    runs: list[list[rates.Day]] = []
    for day in store.read_now(rates.stale_days, zone, whole, digests) if whole else ():
        if runs and runs[-1][-1][1] == day[0]:
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs


def _days(
    store: Store,
    zone: str,
    whole: Sequence[rates.Day],
    layout: _Layout,
    edges: Mapping[rates.Day, Mapping[str, Sums]],
    pieces: Sequence[Piece],
    *,
    everything: bool,
) -> dict[datetime, Sums]:
    """The sums of each whole day, of these pieces, which may be everything that is kept."""
    if not whole:
        return {}
    days = {day: Sums() for day, _ in whole}
    if everything:
        days |= store.read_now(rates.by_day, zone, whole[0][0], whole[-1][1])
    else:
        _add_days(days, store, zone, layout, edges, pieces)
    spans = Counter((microseconds(one.begins), microseconds(one.ends)) for one in pieces)
    for day, until in whole:
        low, high = microseconds(day), microseconds(until)
        told = sum(n * max(0, min(ends, high) - max(begins, low)) for (begins, ends), n in spans.items())
        days[day] = _filled(days[day], told)
    return days


def _filled(found: Sums, length: int) -> Sums:
    """Sums over a time of that length. Days that were kept before a device was registered hold nothing of it: it was
    idle then."""
    missing = length - found.length
    return replace(found, idle=found.idle + missing) if missing > 0 else found


def _add_days(
    days: dict[datetime, Sums],
    store: Store,
    zone: str,
    layout: _Layout,
    edges: Mapping[rates.Day, Mapping[str, Sums]],
    pieces: Sequence[Piece],
) -> None:
    runs: dict[rates.Day, list[str]] = {}
    for one in pieces:
        run, own = layout.spans[one.begins, one.ends]
        if run is not None:
            runs.setdefault(run, []).append(one.device.id)
        for edge in own:
            if (day := layout.day(edge)) is not None:
                days[day] += edges[edge][one.device.id]
    for run, ids in runs.items():
        for day, sums in store.read_now(rates.by_day, zone, *run, ids).items():
            days[day] += sums


def _by_device(pieces: Iterable[Piece]) -> dict[str, Sums]:
    found: dict[str, Sums] = {}
    for one in pieces:
        before = found.get(one.device.id)
        found[one.device.id] = one.sums if before is None else before + one.sums
    return found


def _as_then(excluded: Iterable[Excluded], pieces: Iterable[Piece]) -> Iterator[tuple[Excluded, Device]]:
    """Each stretch with the device as it was, cut where the register changed."""
    by_device: dict[str, list[Piece]] = {}
    for piece in pieces:
        by_device.setdefault(piece.device.id, []).append(piece)
    for one in excluded:
        for piece in by_device.get(one.device, ()):
            begins, ends = max(one.begins, piece.begins), min(one.ends, piece.ends)
            if begins < ends:
                yield replace(one, begins=begins, ends=ends), piece.device

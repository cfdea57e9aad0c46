"""Measures a period: keeps the sums of the days that are over, computes the rest, and adds up.

Work is cut into parts of devices, each a short transaction of its own, so that the service's writes are not kept
waiting, progress can be told, and the work can be stopped between two parts: days are marked as kept only at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from camera_registry.model.device import Device
from camera_registry.model.rates import Excluded, Sums
from camera_registry.model.register import Register
from camera_registry.rules.availability import Period
from camera_registry.store import exclusions, rates
from camera_registry.store import register as registers
from camera_registry.store.database import Store
from camera_registry.store.rates import Stretch
from camera_registry.store.statements import batches

_AT_ONCE = 1000
"""Devices computed in one transaction."""

Step = Callable[[int, int], None]
"""Told how much is done of how much; what it raises stops the work."""


def unwatched(done: int, of: int) -> None:
    """For who does not want to know."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A measured period. ``version`` names the data that it rests on: the newest flip and the version of the register.
    ``days`` are the sums of all devices for each whole day."""

    period: Period
    register: Register
    devices: Mapping[str, Device]
    sums: Mapping[str, Sums]
    days: Mapping[datetime, Sums]
    excluded: tuple[Excluded, ...]
    heard: datetime | None
    flip: int
    version: str


def measure(
    store: Store, period: Period, step: Step = unwatched, wanted: Callable[[Register, Device], bool] | None = None
) -> Measured:
    """Measure a period. ``wanted`` chooses devices. Blocks: not for the event loop. Raises StoreError."""
    register = store.read_now(registers.load_register)
    version = store.read_now(registers.version)
    flip = store.read_now(rates.newest_flip)
    basis = store.read_now(exclusions.basis, register, period.begins, period.ends)
    devices = [(id, id not in register.devices) for id in sorted(basis.devices)]
    zone = period.zone.key
    whole = [day for day in period.whole_days() if basis.heard is not None and day[1] <= basis.heard]
    digests = rates.digests(whole, basis.excluded, basis.recordings, basis.devices)
    stretches = [(True, one) for one in _not_kept(store, zone, whole, digests, devices, basis.excluded)]
    begin, end = (whole[0][0], whole[-1][1]) if whole else (period.begins, period.begins)
    edges = [(period.begins, begin), (end, period.ends)]
    stretches += [(False, Stretch(devices, (begin,), end, basis.excluded)) for begin, end in edges if begin < end]
    sums = _work(store, zone, stretches, step)
    if whole:
        store.write_now(rates.mark, zone, flip, digests)
    for id, found in store.read_now(rates.kept, zone, begin, end).items():
        sums[id] = sums.get(id, Sums()) + found
    chosen = {id for id, device in basis.devices.items() if wanted is None or wanted(register, device)}
    only = None if len(chosen) == len(basis.devices) else sorted(chosen)
    days = store.read_now(rates.by_day, zone, begin, end, only)
    return Measured(
        period,
        register,
        {id: device for id, device in basis.devices.items() if id in chosen},
        {id: found for id, found in sums.items() if id in chosen},
        days,
        tuple(one for one in basis.excluded if one.device in chosen),
        basis.heard,
        flip,
        f"{flip}/{version}",
    )


def _not_kept(
    store: Store,
    zone: str,
    whole: Sequence[rates.Day],
    digests: Mapping[datetime, str],
    devices: Sequence[tuple[str, bool]],
    excluded: Sequence[Excluded],
) -> list[Stretch]:
    """The runs of days whose sums are to be computed (anew)."""
    runs: list[list[rates.Day]] = []
    for day in store.read_now(rates.stale_days, zone, whole, digests) if whole else ():
        if runs and runs[-1][-1][1] == day[0]:
            runs[-1].append(day)
        else:
            runs.append([day])
    return [Stretch(devices, tuple(day for day, _ in run), run[-1][1], excluded) for run in runs]


def _work(store: Store, zone: str, stretches: Iterable[tuple[bool, Stretch]], step: Step) -> dict[str, Sums]:
    parts = [
        (kept, Stretch(part, stretch.borders, stretch.ends, stretch.apart))
        for kept, stretch in stretches
        for part in batches(stretch.devices, _AT_ONCE)
    ]
    sums: dict[str, Sums] = {}
    for done, (kept, part) in enumerate(parts):
        step(done, len(parts))
        if kept:
            store.write_now(rates.keep, zone, part)
            continue
        for id, found in store.read_now(rates.compute, part).items():
            sums[id] = sums.get(id, Sums()) + found
    step(len(parts), len(parts))
    return sums

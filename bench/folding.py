"""Measures what one call of ``fold`` costs while a city goes down: ``python -m bench.folding``.

Devices are lost in one second, each alone in its network and without a parent, and confirmed in batches.
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime, timedelta

from camera_registry.model.device import Device, Kind
from camera_registry.model.health import Aspect, Cause, Flip, State, Subject
from camera_registry.rules.incidents.book import Book, Fleet
from camera_registry.rules.incidents.fold import fold

NOON = datetime(2026, 10, 1, 4, tzinfo=UTC)


def main() -> None:
    """Print the milliseconds of CPU of each kind of call."""
    parser = argparse.ArgumentParser(prog="python -m bench.folding", description=__doc__)
    parser.add_argument("--devices", type=int, default=11_000)
    parser.add_argument("--batch", type=int, default=500)
    args = parser.parse_args()
    made = [
        Device(f"cam-{n:05}", Kind.CAMERA, host=f"10.{n // 200}.{n % 200}.1", parent=f"sw-{n // 40:03}")
        for n in range(args.devices)
    ]
    switches = [Device(f"sw-{n:03}", Kind.NETWORK, host=f"172.16.{n}.1") for n in range(args.devices // 40 + 1)]
    devices = {device.id: device for device in [*switches, *made]}
    for name, known in (("behind switches", switches + made), ("each alone", made)):
        parents = {device.id: device.parents for device in known} if known is not made else {}
        fleet = Fleet(devices=devices, parents=parents)
        print(f"{len(known)} devices, {name}, in batches of {args.batch}")
        _lose(fleet, known, args.batch)


def _lose(fleet: Fleet, known: list[Device], size: int) -> None:
    book, now, costs = Book(NOON), NOON + timedelta(seconds=20), []
    for first in range(0, len(known), size):
        now += timedelta(seconds=0.5)
        batch = [_flip(device.id, State.DOWN, NOON, now) for device in known[first : first + size]]
        begun = time.process_time()
        book, _ = fold(book, batch, fleet, now)
        costs.append(time.process_time() - begun)
    print(f"  while they are lost: worst {max(costs) * 1000:.1f} ms, last {costs[-1] * 1000:.1f} ms")
    for name, step in (("idle", 0.5), ("held", 50.0), ("told", 50.0), ("idle, told", 0.5)):
        now += timedelta(seconds=step)
        begun = time.process_time()
        book, _ = fold(book, (), fleet, now)
        print(f"  {name}: {(time.process_time() - begun) * 1000:.1f} ms, {len(book.incidents)} incidents")
    for name, after in (("500 back", State.OK), ("500 lost again", State.DOWN)):
        now += timedelta(seconds=0.5)
        batch = [_flip(device.id, after, now, now) for device in known[-500:]]
        begun = time.process_time()
        book, _ = fold(book, batch, fleet, now)
        print(f"  {name}: {(time.process_time() - begun) * 1000:.1f} ms")


def _flip(device: str, after: State, began: datetime, now: datetime) -> Flip:
    cause = None if after is State.OK else Cause.TIMEOUT
    return Flip(Subject(device, Aspect.REACH), State.OK, after, began, now, cause)


if __name__ == "__main__":
    main()

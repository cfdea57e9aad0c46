"""Measures how long the rates of a month take: `python -m bench.rates [--devices 11000] [--outages 1.0] [--on sqlite]`.

Each device has a stream, a picture and a clock, and so many outages a day, of which most last minutes; one in ten is of
the picture or the clock. Told are wall and processor seconds, first with nothing kept, then with the days kept; of
PostgreSQL's own processes only the former.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from camera_registry.model.device import Device, Kind
from camera_registry.model.health import Aspect, AspectState, Flip, State, Subject
from camera_registry.rules import availability
from camera_registry.store import Store, health, register
from camera_registry.store.measuring import measure
from camera_registry.store.statements import batches
from tests.servers import postgresql_server

BEGINS = datetime(2026, 9, 30, 16, tzinfo=UTC)
DAYS = 31
ASPECTS = (Aspect.REACH, Aspect.STREAM, Aspect.PICTURE, Aspect.CLOCK)


def main() -> None:
    """Fill a store, then measure twice."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--devices", type=int, default=11_000)
    options.add_argument("--outages", type=float, default=1.0, help="of each device, a day")
    options.add_argument("--on", choices=("sqlite", "postgresql"), nargs="*", default=["sqlite", "postgresql"])
    args = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for database in args.on:
            server = _sqlite(Path(folder)) if database == "sqlite" else postgresql_server()
            with server as url, Store.open(url, Path(folder)) as store:
                flips = fill(store, args.devices, args.outages)
                print(f"{args.devices} devices, {DAYS} days, {flips} flips, {database}", flush=True)
                _tell(store)


@contextmanager
def _sqlite(folder: Path) -> Iterator[str]:
    yield f"sqlite:///{folder}/bench.db"


def _tell(store: Store) -> None:
    month = availability.month("2026-10", availability.zone_of("Asia/Shanghai"), datetime(2027, 1, 1, tzinfo=UTC))
    for what in ("cold", "days kept"):
        wall, cpu = time.perf_counter(), time.process_time()
        measure(store, month)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(f"{what}: {wall:.2f} s, {cpu:.2f} s of processor here", flush=True)


def fill(store: Store, devices: int, outages: float) -> int:
    """Register devices and store what befell them, in the order of time. Returns how many flips."""
    dice = random.Random(1)  # noqa: S311 - the same city each time
    ids = [f"cam-{number:05}" for number in range(devices)]
    made = [Device(id, Kind.CAMERA) for id in ids]
    store.write_now(register.apply, made, author="bench", at=BEGINS - timedelta(days=100))
    subjects = [Subject(id, aspect) for id in ids for aspect in ASPECTS]
    heard = BEGINS + timedelta(days=DAYS + 1)
    begun = BEGINS - timedelta(days=90)
    for part in batches(subjects, 5000):
        states = [AspectState(subject, read_at=heard) for subject in part]
        store.write_now(health.save, states, [Flip(one, State.UNKNOWN, State.OK, begun, begun) for one in part])
    later = sorted(_outages(ids, outages, dice), key=lambda flip: flip.at)
    for some in batches(later, 5000):
        store.write_now(health.save, (), some)
    return len(subjects) + len(later)


def _outages(ids: list[str], outages: float, dice: random.Random) -> Iterator[Flip]:
    for id in ids:
        for _ in range(int(outages * DAYS)):
            aspect = dice.choice(ASPECTS[2:] if dice.random() < 0.1 else ASPECTS[:2])
            at = BEGINS + timedelta(seconds=dice.uniform(0, DAYS * 86_400))
            until = at + timedelta(seconds=dice.expovariate(1 / 1800))
            subject = Subject(id, aspect)
            yield Flip(subject, State.OK, State.DOWN, at, at)
            yield Flip(subject, State.DOWN, State.OK, until, until)


if __name__ == "__main__":
    main()

"""Measures how long it takes from the beginning of a fault until its notice has arrived: `python -m bench.noticing`.

Cameras lose their power at random moments, half of them at a key site. Nothing explains a fault here and none is held
(``hold`` comes on top), so what is measured is the wait for the next poll, the confirmation and the way out. Of two
services with nothing else to do on one machine, the numbers are bounds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from math import ceil
from pathlib import Path

from bench.faults.stage import Pace, Stage, stage, until
from bench.processes import BenchError
from bench.report import RESULTS, machine
from camera_registry.model.device import Channel
from camera_registry.model.place import Site, SiteCategory, View
from camera_registry.settings import load
from camera_registry.simulator.serving import loop_factory
from camera_registry.store import Store, register

CATEGORY = SiteCategory.CHECKPOINT
MORE = """
[probes.intervals.by_site_category]
{category} = {key:g}
[incidents]
minimum = 100000
"""


@dataclass(frozen=True, slots=True)
class Noticed:
    """Faults of devices that are asked every ``interval`` seconds. Seconds until their notices arrived."""

    what: str
    interval: float
    faults: int
    p50: float
    p99: float
    most: float


def main() -> int:
    """Measure and tell. 0 done, 1 a notice did not come."""
    parser = argparse.ArgumentParser(prog="python -m bench.noticing", description=__doc__)
    parser.add_argument("--faults", type=int, default=100, help="of each kind of site (%(default)s)")
    parser.add_argument("--interval", type=float, default=60, help="seconds between polls (%(default)s)")
    parser.add_argument("--key-interval", type=float, default=20, help="the same at key sites (%(default)s)")
    parser.add_argument("--retry", type=float, default=10, help="seconds between confirmations (%(default)s)")
    parser.add_argument("--timeout", type=float, default=5, help="seconds that a device has to answer (%(default)s)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the figures (%(default)s)")
    args = parser.parse_args()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="camera-registry-bench-") as folder,
            asyncio.Runner(loop_factory=loop_factory()) as runner,
        ):
            found = runner.run(measure(args, Path(folder)))
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    head = "".join(f"{name:>8}" for name in ("faults", "p50", "p99", "most"))
    print(f"{machine()}\n{'fault begins to notice arrives':32}{'asked every':>12}{head}")
    for one in found:
        times = "".join(f"{seconds:7.1f}s" for seconds in (one.p50, one.p99, one.most))
        print(f"{one.what:32}{one.interval:11g}s{one.faults:8}{times}")
    now = datetime.now(UTC)
    args.results.mkdir(parents=True, exist_ok=True)
    path = args.results / f"noticing-{now:%Y%m%dT%H%M%SZ}.json"
    told = {"at": now.isoformat(timespec="seconds"), "machine": machine(), "found": [asdict(one) for one in found]}
    path.write_text(json.dumps(told, indent=1), encoding="utf-8")
    print(f"written to {path}")
    return 0


async def measure(args: argparse.Namespace, folder: Path) -> Sequence[Noticed]:
    """Some minutes with the defaults. Raises BenchError when a notice does not come."""
    pace = Pace(args.interval, args.timeout, args.retry, hold=0.0)
    more = MORE.format(category=CATEGORY.value, key=args.key_interval)
    # As many again stay well, or the poller would hold itself for blind.
    async with stage(folder, 4 * args.faults + 40, pace, more=more) as set_up:
        chosen = set_up.random.sample(set_up.leaves, 2 * args.faults)
        key, usual = chosen[: args.faults], chosen[args.faults :]
        _show(set_up, key)
        async with set_up.service() as running:
            await until(lambda: running.are(ok=len(set_up.register.devices)), 3 * args.interval + 60)
            arrived: dict[str, float] = {}
            watch = asyncio.create_task(_watch(set_up, arrived))
            begun = await _lose(set_up, chosen, args.interval)
            try:
                await until(lambda: arrived.keys() >= begun.keys(), 3 * args.interval + 60)
            finally:
                watch.cancel()
            await running.stop()
    return [
        _noticed("at key sites", args.key_interval, key, begun, arrived),
        _noticed("elsewhere", args.interval, usual, begun, arrived),
    ]


def _show(set_up: Stage, cameras: Sequence[str]) -> None:
    """Let these cameras show a key site."""
    loaded = load(set_up.settings).settings
    site = Site("key-site", category=CATEGORY)
    channels = [Channel(f"{camera}-1", camera) for camera in cameras]
    views = [View(f"{site.id}/{one.device}", site.id, channels=(one.id,)) for one in channels]
    with Store.open(loaded.storage.url, loaded.storage.directory) as store:
        store.write_now(register.apply, [site, *channels, *views], author="bench", at=datetime.now(UTC))


async def _lose(set_up: Stage, cameras: Sequence[str], seconds: float) -> Mapping[str, float]:
    """Take the power from one after another, at moments that have nothing to do with when they are asked."""
    start = time.monotonic()
    begun: dict[str, float] = {}
    for moment, camera in sorted((set_up.random.uniform(0, seconds), camera) for camera in cameras):
        await asyncio.sleep(max(0.0, start + moment - time.monotonic()))
        set_up.silence([camera])
        begun[camera] = time.monotonic()
    return begun


async def _watch(set_up: Stage, arrived: dict[str, float]) -> None:
    """Note when the notice of each device came."""
    read = 0
    while True:
        now = time.monotonic()
        for message in set_up.receiver.got[read:]:
            read += 1
            for notice in message["notices"]:
                if notice["occasion"] == "opened":
                    arrived.setdefault(str(notice["about"]), now)
        await asyncio.sleep(0.05)


def _noticed(
    what: str, interval: float, cameras: Sequence[str], begun: Mapping[str, float], arrived: Mapping[str, float]
) -> Noticed:
    took = sorted(arrived[camera] - begun[camera] for camera in cameras)
    p50, p99 = (took[ceil(share * len(took)) - 1] for share in (0.5, 0.99))
    return Noticed(what, interval, len(took), p50, p99, took[-1])


if __name__ == "__main__":
    sys.exit(main())

"""Measures the whole path at growing loads: `python -m bench.curve`, for what grows with what.

Each line is a service of its own: import, first round, some rest, a window. The fleet runs on the other processor, on
which the service runs too where several processes poll.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench import whole
from bench.fleet import Hung, served
from bench.processes import BenchError, cpu_seconds, other_processor
from bench.report import RESULTS, machine

MOST = 3667
"""Devices of one line; higher rates ask the same ones more often, so that a line takes two minutes."""
USUAL = 20.0
SNAPSHOT_ROUNDS = 15
WARM = 100.0
"""Seconds after the fleet's start at which devices begin to hang: all are known by then."""
SETTLING = 60.0


def main() -> int:
    """Measure and tell. 0 done, 1 something failed on the way."""
    parser = argparse.ArgumentParser(prog="python -m bench.curve", description=__doc__)
    parser.add_argument("--rates", default="1000,11000,33000,60000,100000", help="devices a minute (%(default)s)")
    parser.add_argument("--hung", type=float, default=0.0, help="share of the cameras that hang, 0 to 1")
    parser.add_argument("--devices", type=int, default=MOST, help="of one line, at most (%(default)s)")
    parser.add_argument("--interval", type=float, default=USUAL, help="seconds between polls, at least (%(default)s)")
    parser.add_argument(
        "--picture-rounds", type=int, default=SNAPSHOT_ROUNDS, help="rounds between pictures (%(default)s)"
    )
    parser.add_argument("--window", type=float, default=30, help="seconds that are measured (%(default)s)")
    parser.add_argument("--rest", type=float, default=20, help="seconds after the first round (%(default)s)")
    parser.add_argument("--slots", type=int, default=0, help="slots of the poller (0: as it comes)")
    parser.add_argument("--processes", type=int, default=1, help="processes that poll (%(default)s)")
    args = parser.parse_args()
    # Ended from outside, we still end what we started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(f"{machine()}\n{_HEAD}", flush=True)
    lines, failed = [], False
    for rate in map(int, args.rates.split(",")):
        devices = min(args.devices, max(8, round(rate * args.interval / 60)))
        interval = devices * 60 / rate
        load = whole.Load(interval, args.picture_rounds * interval, args.window, args.rest, args.slots, args.processes)
        try:
            with tempfile.TemporaryDirectory(prefix="camera-registry-bench-") as folder:
                found, fleet_share = _line(devices, load, args.hung, Path(folder))
        except BenchError as error:
            # The lines after it are worth having nevertheless.
            print(f"bench: {rate} devices a minute: {error}", file=sys.stderr, flush=True)
            failed = True
            continue
        print(_told(rate, found, fleet_share), flush=True)
        for name, counts in (("failed", found.failures), ("missed", found.misses)):
            if counts:
                told = ", ".join(f"{what} {count}" for what, count in counts.items())
                print(f"{'':12}{name}: {told}", flush=True)
        if found.replaced:
            print(f"{'':12}polling processes replaced: {found.replaced}", flush=True)
        lines.append({"rate": rate, "hung": args.hung, "fleet_share": fleet_share, **asdict(found)})
    now = datetime.now(UTC)
    RESULTS.mkdir(parents=True, exist_ok=True)
    result = {"at": now.isoformat(timespec="seconds"), "machine": machine(), "arguments": vars(args), "lines": lines}
    (RESULTS / f"curve-{now:%Y%m%dT%H%M%SZ}.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    return int(failed)


def _line(devices: int, load: whole.Load, hung: float, folder: Path) -> tuple[whole.Whole, float]:
    """What the service did, and the share of a processor that the fleet used meanwhile."""
    faults = Hung(round(devices * hung * 0.8), WARM) if hung else None  # four of five devices are cameras
    processors = os.sched_getaffinity(0)
    with served(devices, folder, faults) as fleet:
        begun = os.times().elapsed
        used = cpu_seconds(fleet.pid)
        os.sched_setaffinity(0, {other_processor()})
        try:
            # What hangs is found out, and confirmed, before the window begins.
            settled = time.monotonic() + WARM + SETTLING if hung else 0.0
            found = whole.measure(fleet, load, folder, settled)
        finally:
            os.sched_setaffinity(0, processors)
        return found, (cpu_seconds(fleet.pid) - used) / (os.times().elapsed - begun)


_HEAD = (
    f"{'devices/min':>11} {'devices':>7} {'ms/dev-min':>10} {'polling':>7} {'decoding':>8} {'share':>6} {'fleet':>6}"
    f" {'late p50':>8} {'p99 s':>6} {'loop p99':>8} {'missed':>7} {'failed':>7} {'MB':>5} {'done':>6}"
    f" {'scrape s':>8} {'10, s':>6} {'first s':>7}"
)


def _told(rate: int, found: whole.Whole, fleet_share: float) -> str:
    done = sum(found.polls.get(name, 0) for name in ("onvif", "rtsp"))
    return (
        f"{rate:11,} {found.devices:7} {found.cpu:10.2f} {found.polling:7.2f} {found.child:8.2f}"
        f" {found.share:6.1%} {fleet_share:6.1%} {found.poll_lag_median:8.3g} {found.poll_lag:6.3g}"
        f" {found.loop_lag:8.3g} {found.missed:7} {found.failed:7} {found.megabytes:5.0f} {done:6}"
        f" {found.scrape_seconds:8.2f} {found.scrapes_seconds:6.2f} {found.first_round:7.1f}"
    )


if __name__ == "__main__":
    sys.exit(main())

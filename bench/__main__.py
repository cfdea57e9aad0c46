"""Runs the benchmarks: `python -m bench`, or `make bench`."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from pathlib import Path

from bench import calibration, pages, peers, probing, report, rivals, whole
from bench.clients import CLIENTS
from bench.fleet import served
from bench.processes import BenchError, own_processor
from camera_registry.simulator.serving import loop_factory


def main() -> int:
    """Measure and tell. 0 done, 1 something failed on the way."""
    args = _arguments()
    # Ended from outside, we still end what we started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with tempfile.TemporaryDirectory(prefix="camera-registry-bench-") as folder:
            result = measure(args, Path(folder))
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(report.table(result))
    print(f"\nwritten to {report.write(result, args.results)}")
    return 0


def measure(args: argparse.Namespace, folder: Path) -> report.Result:
    """Measure everything, about four minutes with the defaults. Raises BenchError."""
    processors = os.sched_getaffinity(0)
    with served(args.devices, folder) as fleet:
        # Ourselves on the one processor, the fleet on the other: neither pays for the other's cache and wake-ups.
        os.sched_setaffinity(0, {own_processor()})
        try:
            interpreter = calibration.interpreter()
            page = pages.measure()
            _say(f"{args.devices} devices answer; {args.runs} runs of each probe")
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                costs = runner.run(probing.costs(fleet, args.runs))
                _say("the same exchanges by C, aiohttp and blackbox_exporter")
                beside = runner.run(peers.peers(fleet, args.runs, folder, blackbox=args.blackbox))
                _say(f"{args.rival_devices} devices asked by {', '.join(args.rivals) or 'nobody else'}")
                others = runner.run(rivals.rivals(fleet, args.rival_devices, args.rivals, folder))
        finally:
            os.sched_setaffinity(0, processors)
        _say(f"the whole path, every {args.interval:g} s, for {args.window:g} s")
        load = whole.Load(args.interval, args.snapshot_interval, args.window, args.rest)
        found = whole.measure(fleet, load, folder)
    command = "make bench" + (f' ARGS="{" ".join(sys.argv[1:])}"' if sys.argv[1:] else "")
    return report.Result(command, interpreter, costs, beside, others, page, found)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--devices", type=int, default=1000, help="size of the fleet (%(default)s)")
    parser.add_argument("--runs", type=int, default=1000, help="runs of each probe (%(default)s)")
    parser.add_argument("--rival-devices", type=int, default=12, help="devices that other clients ask (%(default)s)")
    parser.add_argument(
        "--rivals",
        type=lambda text: [name for name in text.split(",") if name],
        default=list(CLIENTS),
        help=f"which other clients, separated by commas (all: {','.join(CLIENTS)})",
    )
    parser.add_argument("--no-blackbox", dest="blackbox", action="store_false", help="leave blackbox_exporter out")
    parser.add_argument("--interval", type=float, default=20, help="seconds between polls of a device (%(default)s)")
    parser.add_argument(
        "--snapshot-interval", type=float, default=300, help="seconds between its pictures (%(default)s)"
    )
    parser.add_argument("--window", type=float, default=40, help="seconds that are measured (%(default)s)")
    parser.add_argument(
        "--rest", type=float, default=10, help="seconds it is left alone after the first round (%(default)s)"
    )
    parser.add_argument("--results", type=Path, default=report.RESULTS, help="folder for the figures (%(default)s)")
    return parser.parse_args()


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""Measures how a service takes up a city: ``python -m bench.starting [--devices 11000] [--interval 60]``.

The city is imported into an empty database and asked for the first time; then the service is stopped and started again,
and looked at for a while. The fleet runs on the other processor.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench import whole
from bench.fleet import Served, served
from bench.processes import BenchError, cpu_seconds, other_processor, resident_megabytes, run
from bench.report import RESULTS, machine

ASKED = ("tcp", "onvif", "rtsp")
"""Probes that every round asks; pictures come at their own interval."""


def main() -> int:
    """Measure and tell. 0 done, 1 something failed on the way."""
    parser = argparse.ArgumentParser(prog="python -m bench.starting", description=__doc__)
    parser.add_argument("--devices", type=int, default=11_000)
    parser.add_argument("--interval", type=float, default=60, help="seconds between polls of a device (%(default)s)")
    parser.add_argument("--look", type=int, default=60, help="seconds after the second start (%(default)s)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the figures (%(default)s)")
    args = parser.parse_args()
    # Ended from outside, we still end what we started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with tempfile.TemporaryDirectory() as folder, served(args.devices, Path(folder)) as fleet:
            os.sched_setaffinity(0, {other_processor()})
            found = _measure(fleet, args.interval, args.look, Path(folder))
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(f"{machine()}\n{args.devices} devices, asked every {args.interval:g} s")
    for what, value in found.items():
        print(f"  {what:52}{value:10.2f}")
    now = datetime.now(UTC)
    args.results.mkdir(parents=True, exist_ok=True)
    told = {
        "at": now.isoformat(timespec="seconds"),
        "machine": machine(),
        "arguments": {**vars(args), "results": str(args.results)},
        **found,
    }
    (args.results / f"starting-{now:%Y%m%dT%H%M%SZ}.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    return 0


def _measure(fleet: Served, interval: float, look: int, folder: Path) -> dict[str, float]:
    settings = whole.write_settings(whole.Load(interval, 15 * interval, 0), folder)
    run(["--config", str(settings), "init"])
    begun = time.monotonic()
    run(["--config", str(settings), "import", str(fleet.inventory)])
    found = {"import, s": time.monotonic() - begun}
    devices = len(fleet.register.devices)
    with whole.service(settings, folder) as (pid, url):
        whole.until_known(url, devices, 10 * interval + 60)
        found["from the import's begin to every device known, s"] = time.monotonic() - begun
        found["CPU until then, s"] = cpu_seconds(pid)
        found["memory then, MB"] = resident_megabytes(pid)
    begun = time.monotonic()
    with whole.service(settings, folder) as (pid, url):
        found["started again: until it answers, s"] = time.monotonic() - begun
        found["CPU until then, s "] = used = cpu_seconds(pid)
        busiest, before = 0.0, _asked(url)
        for _ in range(look):
            time.sleep(1)
            now = _asked(url)
            busiest, before = max(busiest, now - before), now
        found["runs a second since, mean"] = before / look
        found["runs a second since, busiest"] = busiest
        found["share of a processor since, %"] = (cpu_seconds(pid) - used) / look * 100
        found["lateness since, 99 %, s"] = whole.quantile(
            {}, whole.read(url + "/metrics"), "camera_registry_poll_lag_seconds"
        )
        found["memory then, MB "] = resident_megabytes(pid)
    return found


def _asked(url: str) -> float:
    """Runs that are over."""
    lines = whole.fetch(url + "/metrics").decode().splitlines()
    asked = tuple(f'camera_registry_polls_total{{probe="{probe}"' for probe in ASKED)
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(asked))


if __name__ == "__main__":
    sys.exit(main())

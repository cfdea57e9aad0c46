"""Runs the fault tests in full: `python -m bench.faults [NAME...]`, or `make faults`; in short they are in `make test`.

Each promise of the design stands there with what was measured. About half an hour altogether; names choose some.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench.faults import clocks, outages, overload, receivers, stops, stores
from bench.faults.scenario import Finding, Scenario, table
from bench.processes import BenchError
from bench.report import RESULTS, machine
from camera_registry.simulator.serving import loop_factory

SCENARIOS: Sequence[Scenario] = [
    one for group in (stops, outages, receivers, clocks, stores, overload) for one in group.SCENARIOS
]


def main() -> int:
    """Inject and tell. 0 every promise was kept, 1 one was not."""
    by_name = {one.name: one for one in SCENARIOS}
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which of {', '.join(by_name)} (all)")
    parser.add_argument("--short", action="store_true", help="in the size of `make test`")
    args = parser.parse_args()
    if strangers := [name for name in args.names if name not in by_name]:
        parser.error(f"there is no {strangers[0]!r}; there are {', '.join(by_name)}")
    findings: list[Finding] = []
    for name in args.names or by_name:
        begun = time.monotonic()
        found = inject(by_name[name], short=args.short)
        print(f"{name}, {time.monotonic() - begun:.0f} s\n{table(found)}", flush=True)
        findings += found
    now = datetime.now(UTC)
    RESULTS.mkdir(parents=True, exist_ok=True)
    told = {
        "at": now.isoformat(timespec="seconds"),
        "machine": machine(),
        "findings": [asdict(one) for one in findings],
    }
    path = RESULTS / f"faults-{now:%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(told, indent=1), encoding="utf-8")
    broken = sum(1 for one in findings if not one.held)
    print(f"{machine()}: {len(findings) - broken} of {len(findings)} promises kept; written to {path}")
    return 1 if broken else 0


def inject(scenario: Scenario, *, short: bool) -> Sequence[Finding]:
    """Run one scenario; one that does not come to its end has broken its promise."""
    with tempfile.TemporaryDirectory(prefix="camera-registry-faults-") as folder:
        try:
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                size = scenario.short if short else scenario.full
                return runner.run(scenario.run(size, Path(folder)))
        except BenchError as error:
            frames = [one for one in traceback.extract_tb(error.__traceback__) if one.name == scenario.run.__name__]
            where = f" (line {frames[-1].lineno}: {frames[-1].line})" if frames else ""
            return [Finding(scenario.name, "comes to its end", f"{error}{where}", held=False)]


if __name__ == "__main__":
    sys.exit(main())

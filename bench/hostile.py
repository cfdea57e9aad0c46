"""Lays siege to a service: `python -m bench.hostile`, or `make siege`; the small one is a test of `make test`.

500 devices hang, 100 drip, 50 bomb, 20 send us elsewhere and 24 say the password back, beside 1,000 healthy ones that
are all asked once a minute.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path

from bench.processes import BenchError
from bench.report import RESULTS, machine
from tests.hostile.siege import Force, lay, told

FULL = Force(healthy=1000, hang=500, drip=100, bombs=50, redirectors=20, echoes=24, interval=60.0, window=150.0)


def main() -> int:
    """Measure and tell. 0 nothing was lost, 1 something was, or failed on the way."""
    parser = argparse.ArgumentParser(prog="make siege", description=__doc__)
    for field in fields(Force):
        usual = getattr(FULL, field.name)
        parser.add_argument(f"--{field.name}", type=type(usual), default=usual, help="%(default)s")
    force = Force(**vars(parser.parse_args()))
    try:
        with tempfile.TemporaryDirectory(prefix="camera-registry-siege-") as folder:
            figures = lay(force, Path(folder))
    except BenchError as error:
        print(f"siege: {error}", file=sys.stderr)
        return 1
    print(f"{machine()}; {force}\n{told(figures)}")
    now = datetime.now(UTC)
    RESULTS.mkdir(parents=True, exist_ok=True)
    written = {"at": now.isoformat(timespec="seconds"), "machine": machine(), **asdict(force), **asdict(figures)}
    (RESULTS / f"siege-{now:%Y%m%dT%H%M%SZ}.json").write_text(json.dumps(written, indent=1), encoding="utf-8")
    return 0 if figures.held else 1


if __name__ == "__main__":
    sys.exit(main())

"""Runs `camera-registry serve` and writes down how late each run of each device began, in order, when it ends.

python -m tests.hostile.watched SETTINGS LAGS
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from camera_registry.cli import main
from camera_registry.model.observation import Observation
from exporters.service import ServiceMetrics

settings, lags = sys.argv[1:]
told: list[tuple[str, str, float, str]] = []
polled = ServiceMetrics.polled


def watch(self: ServiceMetrics, seen: Observation, lag: float) -> None:
    kind = seen.failure.kind.value if seen.failure is not None else ""
    told.append((seen.device, seen.probe, round(lag, 4), kind))
    polled(self, seen, lag)


ServiceMetrics.polled = watch  # type: ignore[method-assign]
code = main(["--config", settings, "--lang", "en", "serve"])
Path(lags).write_text(json.dumps(told), encoding="utf-8")
sys.exit(code)

"""Clocks that jump and a service that stands still, in short. In full: `make faults`."""

from __future__ import annotations

from bench.faults import clocks
from bench.faults.scenario import Finding

SCENARIOS = clocks.SCENARIOS


def test_nothing_fires_by_it_and_nothing_is_lost(broken: list[Finding]) -> None:
    assert broken == []

"""Stops and restarts of a whole service, in short. In full: `make faults`."""

from __future__ import annotations

from bench.faults import stops
from bench.faults.scenario import Finding

SCENARIOS = [one for one in stops.SCENARIOS if one.name in ("stops", "restarts")]


def test_nothing_is_lost_by_it_and_nobody_is_told_anything_new(broken: list[Finding]) -> None:
    assert broken == []

"""Kills of a whole service, and a second one on its database, in short. In full: `make faults`."""

from __future__ import annotations

from bench.faults import stops
from bench.faults.scenario import Finding

SCENARIOS = [one for one in stops.SCENARIOS if one.name in ("kills", "second")]


def test_nothing_is_lost_by_it_and_there_is_one_service_at_a_time(broken: list[Finding]) -> None:
    assert broken == []

"""A database that is locked and a disk that is full, in short. In full: `make faults`."""

from __future__ import annotations

from bench.faults import stores
from bench.faults.scenario import Finding

SCENARIOS = stores.SCENARIOS


def test_measuring_goes_on_nothing_is_lost_and_it_recovers_by_itself(broken: list[Finding]) -> None:
    assert broken == []

"""The line of the poller itself is cut, in short. In full: `make faults`."""

from __future__ import annotations

from bench.faults import outages
from bench.faults.scenario import Finding

SCENARIOS = [one for one in outages.SCENARIOS if one.name == "uplink"]


def test_it_is_told_once_and_no_device_is_blamed(broken: list[Finding]) -> None:
    assert broken == []

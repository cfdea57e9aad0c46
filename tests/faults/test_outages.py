"""Devices and switches that are lost, in short. In full: `make faults`."""

from __future__ import annotations

from bench.faults import outages
from bench.faults.scenario import Finding

SCENARIOS = [one for one in outages.SCENARIOS if one.name in ("flapping", "lost_poll", "switch")]


def test_one_cause_is_one_notice_and_what_is_no_fault_is_none(broken: list[Finding]) -> None:
    assert broken == []

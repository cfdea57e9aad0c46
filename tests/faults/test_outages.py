"""Faults of devices and of lines to them, in short. In full: `make faults`."""

from __future__ import annotations

from bench.faults import outages
from bench.faults.scenario import Finding

SCENARIOS = outages.SCENARIOS


def test_one_cause_is_one_notice_and_what_is_no_fault_is_none(broken: list[Finding]) -> None:
    assert broken == []

"""Passwords that are refused and clocks of cameras that are wrong, in short. In full: `make faults`."""

from __future__ import annotations

from bench.faults import outages
from bench.faults.scenario import Finding

SCENARIOS = [one for one in outages.SCENARIOS if one.name in ("passwords", "clocks_of_cameras")]


def test_no_device_is_locked_out_and_one_cause_is_one_notice(broken: list[Finding]) -> None:
    assert broken == []

"""Receivers that fail, in short. In full: `make faults`."""

from __future__ import annotations

from bench.faults import receivers
from bench.faults.scenario import Finding

SCENARIOS = receivers.SCENARIOS


def test_each_receiver_is_told_all_in_order_and_no_other_one_waits(broken: list[Finding]) -> None:
    assert broken == []

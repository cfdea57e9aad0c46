"""Receivers that fail, in short; a day of it: tests/service/test_notifier.py. In full: `make faults`."""

from __future__ import annotations

import pytest

from bench.faults import receivers
from bench.faults.scenario import Finding

SCENARIOS = [one for one in receivers.SCENARIOS if one.name != "day"]

pytestmark = pytest.mark.timeout(400)


def test_each_receiver_is_told_all_in_order_and_no_other_one_waits(broken: list[Finding]) -> None:
    assert broken == []

"""Too much to do, in short; hostile devices are tests of their own. In full: `make faults`."""

from __future__ import annotations

from bench.faults import overload
from bench.faults.scenario import Finding

SCENARIOS = [one for one in overload.SCENARIOS if one.name in ("descriptors", "too_much", "scrapes")]


def test_what_can_not_be_done_is_told_and_the_rest_is_done_in_time(broken: list[Finding]) -> None:
    assert broken == []

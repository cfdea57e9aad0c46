"""Imports and migrations of a database in use, in short. In full: `make faults`."""

from __future__ import annotations

from bench.faults import overload
from bench.faults.scenario import Finding

SCENARIOS = [one for one in overload.SCENARIOS if one.name in ("importing", "migration")]


def test_it_is_done_as_a_whole_or_not_at_all_and_polling_goes_on(broken: list[Finding]) -> None:
    assert broken == []

"""The faults that a service must outlive are injected into whole ones, in short; `make faults` injects them in full.

Each is the same code in two sizes. What a test prints says what was promised and what was measured.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bench.faults import clocks, outages, overload, receivers, stops, stores
from bench.faults.scenario import Scenario, table


def named(*scenarios: Scenario) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("scenario", scenarios, ids=lambda one: one.name)


def inject(scenario: Scenario, folder: Path) -> None:
    findings = asyncio.run(scenario.run(scenario.short, folder))
    print(table(findings))
    assert findings
    assert [one for one in findings if not one.held] == []


@pytest.mark.timeout(150)
@named(*stops.SCENARIOS)
def test_kills_stops_and_restarts_lose_nothing_and_tell_nothing_new(scenario: Scenario, tmp_path: Path) -> None:
    inject(scenario, tmp_path)

"""Injects the faults of a module's ``SCENARIOS`` into whole services, in short, all at once; a test looks at each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.faults.scenario import Finding, Scenario, table, together

Found = dict[str, Sequence[Finding]]


@pytest.fixture(scope="module")
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """By scenario, each promise with what was measured."""
    return asyncio.run(together(request.module.SCENARIOS, tmp_path_factory.mktemp("faults")))


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """The first test of a module waits for all of its scenarios, which a busy machine makes longer."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(540))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each scenario."""
    if "broken" in metafunc.fixturenames:
        metafunc.parametrize("scenario", metafunc.module.SCENARIOS, ids=lambda one: one.name)


@pytest.fixture
def broken(scenario: Scenario, found: Found) -> list[Finding]:
    """The promises that were not kept; all are printed with their figures."""
    print(table(found[scenario.name]))
    return [one for one in found[scenario.name] if not one.held]

"""A whole service among hostile devices: they cost the healthy ones nothing, and learn and spread nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile import siege

FORCE = siege.Force(healthy=60, hang=10, drip=4, bombs=8, redirectors=20, echoes=24, interval=5.0, window=14.0)


@pytest.mark.timeout(720)
def test_hostile_devices_cost_the_healthy_ones_nothing_and_learn_nothing(tmp_path: Path) -> None:
    figures = siege.lay(FORCE, tmp_path)
    print(siege.told(figures))
    assert figures.visits == []
    assert figures.leaks == []
    assert figures.raw == []
    assert figures.polls > 3 * FORCE.healthy
    # Other tests run beside this one: what the service could not do for want of a processor is not the devices' doing.
    assert figures.lag < 1.0 + figures.starved
    assert figures.internal == 0
    assert figures.megabytes < 600
    assert {"a value", "timeout", "protocol", "auth"} <= set(figures.kinds)

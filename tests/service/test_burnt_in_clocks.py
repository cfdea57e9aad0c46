"""The clock in a camera's picture is read where the register says that it stands; a right one is never called wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from camera_registry.app import App
from camera_registry.model.health import Cause
from camera_registry.rules.pictures import watching
from camera_registry.simulator.faults import Fault
from camera_registry.simulator.simulation import Simulation
from tests.service.test_pictures import BY_DAY, CAMERAS, FLEET, accept, causes, seen_well
from tests.service.whole import serving, until, write_settings

QUICK = "[health.persistence.osd_clock]\npictures = 2\nof = 3\nseconds = 0\n"


def judgement(app: App, device: str) -> dict[str, object]:
    entry = app.board.get(device)
    runs = () if entry is None else entry.probes
    return next((dict(told) for run in runs if (told := watching.judged(run.facts)) is not None), {})


def known_day() -> float:
    """Seconds since a day that is written in digits of today's date: one picture teaches no others."""
    today = datetime.now(UTC)
    known = set(f"{today:%Y%m%d}")
    return next(86400.0 * n for n in range(1, 400) if set(f"{today - timedelta(days=n):%Y%m%d}") <= known)


@pytest.mark.timeout(120)
async def test_stopped_and_wrong_clocks_are_found_and_right_ones_spared(tmp_path: Path) -> None:
    settings = write_settings(tmp_path, more=QUICK)
    wrong, stopped, *well = BY_DAY
    async with Simulation(FLEET) as simulation, serving(settings, simulation) as app:
        await until(lambda: all(seen_well(app, device) for device in CAMERAS))
        for device in CAMERAS:
            await accept(app, device, reason="all is well here")
        simulation.faults.set(wrong, Fault.OSD_WRONG, seconds=-known_day())
        simulation.faults.set(stopped, Fault.OSD_STOPPED, ago=known_day())
        await until(lambda: causes(app, wrong) == causes(app, stopped) == {Cause.OSD_CLOCK})
        polled = simulation.totals().requests["http.snapshot"]
        await until(lambda: simulation.totals().requests["http.snapshot"] > polled + 8 * len(CAMERAS))
        # A picture whose digits one accepted picture has not shown is not read; another one is.
        await until(lambda: Cause.OSD_CLOCK.value in judgement(app, well[0]).get("scores", ()))  # type: ignore[operator]
        for device in set(CAMERAS) - {wrong, stopped}:
            assert Cause.OSD_CLOCK not in causes(app, device)
            assert Cause.OSD_CLOCK.value not in [one["cause"] for one in judgement(app, device)["faults"]]  # type: ignore[attr-defined]
        simulation.faults.clear_all()
        await until(lambda: not causes(app, wrong) | causes(app, stopped))

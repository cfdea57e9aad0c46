"""The clock in a camera's picture is read where the register says that it stands; a right one is never called wrong."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from camera_registry.app import App
from camera_registry.model.baseline import Baseline
from camera_registry.model.health import Cause
from camera_registry.rules.pictures import watching
from camera_registry.simulator.answers import ZONE_OFFSET
from camera_registry.simulator.faults import Fault
from camera_registry.simulator.simulation import Simulation
from camera_registry.store.pictures import PictureKind
from tests.service.test_pictures import BY_DAY, CAMERAS, FLEET, accept, causes, channels, seen_well
from tests.service.whole import serving, until, write_settings

QUICK = "[health.persistence.osd_clock]\npictures = 2\nof = 3\nseconds = 0\n"


def judgement(app: App, device: str) -> dict[str, object]:
    entry = app.board.get(device)
    runs = () if entry is None else entry.probes
    return next((dict(told) for run in runs if (told := watching.judged(run.facts)) is not None), {})


def newest(app: App, device: str) -> datetime:
    """When the last kept picture of a device was taken."""
    (channel,) = channels(app, device)
    return app.pictures.times(device, channel.id)[PictureKind.LAST]


def away(accepted: Baseline) -> float:
    """Seconds from now to the beginning of the minute in which that picture was taken, on another day that is written
    in digits of its date: one picture teaches no others. Half a second later, lest it be the minute before."""
    taken = accepted.taken_at.astimezone(timezone(timedelta(seconds=ZONE_OFFSET)))
    known = set(f"{taken:%Y%m%d}")
    days = (timedelta(days=sign * n) for n in range(1, 400) for sign in (-1, 1))
    day = next(day for day in days if set(f"{taken + day:%Y%m%d}") <= known)
    return (taken.replace(second=0, microsecond=500_000) + day - datetime.now(UTC)).total_seconds()


@pytest.mark.timeout(360)
async def test_stopped_and_wrong_clocks_are_found_and_right_ones_spared(tmp_path: Path) -> None:
    settings = write_settings(tmp_path, more=QUICK)
    wrong, stopped, *well = BY_DAY
    async with Simulation(FLEET) as simulation, serving(settings, simulation) as app:
        await until(lambda: all(seen_well(app, device) for device in CAMERAS))
        for _ in range(3):
            # One picture shows a digit once, and what coding made of it there: a few teach it.
            since = datetime.now(UTC)
            await until(lambda: all(newest(app, device) > since for device in CAMERAS))  # noqa: B023
            accepted = {device: await accept(app, device, reason="all is well here") for device in CAMERAS}
        simulation.faults.set(wrong, Fault.OSD_WRONG, seconds=away(accepted[wrong]))
        simulation.faults.set(stopped, Fault.OSD_STOPPED, ago=-away(accepted[stopped]))
        await until(lambda: causes(app, wrong) == causes(app, stopped) == {Cause.OSD_CLOCK})
        polled = simulation.totals().requests["http.snapshot"]
        await until(lambda: simulation.totals().requests["http.snapshot"] > polled + 8 * len(CAMERAS))
        # A picture with a digit that no accepted one has shown is not read, and the minute's may be one for all of it.
        async with asyncio.timeout(150):
            while Cause.OSD_CLOCK.value not in judgement(app, well[0]).get("scores", ()):  # type: ignore[operator]
                since = datetime.now(UTC)
                await accept(app, well[0], reason="all is well here")
                await until(lambda: newest(app, well[0]) > since)  # noqa: B023
        for device in set(CAMERAS) - {wrong, stopped}:
            assert Cause.OSD_CLOCK not in causes(app, device)
            assert Cause.OSD_CLOCK.value not in [one["cause"] for one in judgement(app, device)["faults"]]  # type: ignore[attr-defined]
        simulation.faults.clear_all()
        await until(lambda: not causes(app, wrong) | causes(app, stopped))

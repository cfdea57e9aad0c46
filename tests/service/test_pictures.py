"""A camera that answers but does not see what it should is found, once people have said what it should see."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from camera_registry.app import App
from camera_registry.model.baseline import Baseline, Terms, Unaccepted
from camera_registry.model.device import Channel, Kind
from camera_registry.model.health import Cause
from camera_registry.simulator.faults import Fault
from camera_registry.simulator.plan import Fleet
from camera_registry.simulator.simulation import Simulation
from camera_registry.store.baselines import Unfit
from camera_registry.store.pictures import PictureKind
from tests.service.whole import serving, until, write_settings

FLEET = Fleet.plan(12, seed=5)
CAMERAS = [member.id for member in FLEET.members if member.device.kind is Kind.CAMERA and not member.device.probes]
BY_DAY = [CAMERAS[place] for place in (2, 3, 4, 6)]
"""Those that look at a scene by day: by what the simulated night looks like at noon, cars hide a quarter of it."""
QUICK = "".join(
    f"[health.persistence.{cause}]\npictures = 2\nof = 3\nseconds = 0\n" for cause in ("covered", "blurred", "dirty")
)


def causes(app: App, device: str) -> set[Cause]:
    entry = app.board.get(device)
    return set() if entry is None else {reason.cause for reason in entry.reasons}


def channels(app: App, device: str) -> tuple[Channel, ...]:
    entry = app.board.get(device)
    return () if entry is None else entry.channels


def seen_well(app: App, device: str) -> bool:
    """Whether a good picture of it is kept."""
    return any(PictureKind.LAST_GOOD in app.pictures.times(device, one.id) for one in channels(app, device))


def has_another(app: App, device: str) -> bool:
    """Whether a picture from before the last one is kept of it."""
    return any(PictureKind.EARLIER in app.pictures.times(device, one.id) for one in channels(app, device))


def last_of(app: App, device: str) -> datetime:
    """When the newest picture was taken that is kept of it."""
    return max(app.pictures.times(device, one.id)[PictureKind.LAST] for one in channels(app, device))


async def accept(app: App, device: str, kind: PictureKind = PictureKind.LAST, reason: str = "") -> Baseline:
    entry = app.board.get(device)
    assert entry is not None
    (channel,) = entry.channels or ("",)
    return await app.gallery.accept(entry.device, channel and channel.id, kind, reason, "an operator")


@pytest.mark.timeout(360)
async def test_a_covered_and_a_blurred_camera_are_found_and_a_restart_does_not_forget_it(tmp_path: Path) -> None:
    settings = write_settings(tmp_path, more=QUICK)
    covered, blurred, unknown, well = BY_DAY
    async with Simulation(FLEET) as simulation:
        async with serving(settings, simulation) as app:
            await until(lambda: all(seen_well(app, device) for device in BY_DAY))
            with pytest.raises(Unfit):
                await accept(app, covered, PictureKind.LAST_FAULTY)
            # One is turned away for a moment, and it is then that all are accepted.
            simulation.faults.set(unknown, Fault.MOVED)
            turned = app.now()
            await until(lambda: all(has_another(app, device) for device in BY_DAY))
            await until(lambda: last_of(app, unknown) > turned)
            wanted = [(device, channel.id) for device in BY_DAY for channel in channels(app, device)]
            assert await app.acceptor.start([*wanted, ("gone", "")], "an operator", Terms())
            assert not await app.acceptor.start(wanted, "somebody else", Terms())
            await until(lambda: app.acceptor.progress.ended)
            assert (app.acceptor.progress.done, app.acceptor.progress.skipped) == (3, 2)
            unlike, gone = app.acceptor.progress.passed
            assert (unlike.device, unlike.why, unlike.causes) == (unknown, Unaccepted.UNLIKE, (Cause.MOVED,))
            assert (gone.device, gone.why) == ("gone", Unaccepted.GONE)
            simulation.faults.clear(unknown)
            simulation.faults.set(covered, Fault.COVERED)
            simulation.faults.set(blurred, Fault.BLURRED)
            simulation.faults.set(unknown, Fault.COVERED)
            await until(lambda: Cause.COVERED in causes(app, covered) and Cause.BLURRED in causes(app, blurred))
            assert causes(app, covered) == {Cause.COVERED}
            # Nobody has said what this one should see.
            assert causes(app, unknown) == causes(app, well) == set()
        async with serving(settings) as app:
            assert causes(app, covered) == {Cause.COVERED}
            polled = simulation.totals().requests["http.snapshot"]
            await until(lambda: simulation.totals().requests["http.snapshot"] > polled + 20)
            assert causes(app, covered) == {Cause.COVERED}
            simulation.faults.clear_all()
            await until(lambda: not causes(app, covered) | causes(app, blurred))


@pytest.mark.timeout(360)
async def test_what_is_said_to_be_normal_here_is_no_fault_any_more(tmp_path: Path) -> None:
    settings = write_settings(tmp_path, more=QUICK)
    camera = BY_DAY[0]
    async with Simulation(FLEET) as simulation, serving(settings, simulation) as app:
        await until(lambda: all(seen_well(app, device) for device in BY_DAY))
        await accept(app, camera)
        simulation.faults.set(camera, Fault.COVERED)
        await until(lambda: causes(app, camera) == {Cause.COVERED})
        await accept(app, camera, PictureKind.LAST_FAULTY, "a new canopy stands before it")
        await until(lambda: not causes(app, camera))

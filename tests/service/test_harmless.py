"""A fleet whose passwords are wrong, or that is looked at in every way at once, is none the worse for it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from camera_registry.app import App
from camera_registry.model.device import Kind
from camera_registry.model.health import Aspect, Cause, Status
from camera_registry.simulator.faults import Fault
from camera_registry.simulator.plan import Fleet
from camera_registry.simulator.simulation import Simulation
from tests.service.whole import serving, until, write_settings

FLEET = Fleet.plan(50, seed=7)
CAMERAS = [member.id for member in FLEET.members if member.device.kind is Kind.CAMERA and not member.device.probes]
ENTRANCES = {Aspect.CONTROL, Aspect.STREAM}
TIME = "onvif.GetSystemDateAndTime"


def tries(simulation: Simulation, cameras: list[str]) -> list[int]:
    """Wrong passwords that each camera heard."""
    return [simulation.counts(camera).failed_authentications for camera in cameras]


def all_refused(app: App) -> bool:
    """Whether every entrance of every camera is known to refuse us. Where a camera tells its picture's address over
    ONVIF alone, nothing is said of the picture."""
    for camera in CAMERAS:
        entry = app.board.get(camera)
        if entry is None or {reason.cause for reason in entry.reasons} != {Cause.AUTH}:
            return False
        if not {reason.aspect for reason in entry.reasons} >= ENTRANCES:
            return False
    return True


async def polled_on(simulation: Simulation, rounds: int) -> None:
    """Wait until every camera was asked some more times: its clock is asked for without a password."""
    before = {camera: simulation.counts(camera).requests.get(TIME, 0) for camera in CAMERAS}
    await until(lambda: all(simulation.counts(one).requests.get(TIME, 0) >= n + rounds for one, n in before.items()))


async def test_a_wrong_password_is_tried_twice_by_all_entrances_and_a_restart_does_not_try_it_again(tmp_path: Path):
    settings = write_settings(tmp_path)
    async with Simulation(FLEET) as simulation:
        simulation.faults.set(CAMERAS, Fault.WRONG_PASSWORD)
        async with serving(settings, simulation) as app:
            await until(lambda: all_refused(app))
            for entry in [app.board.get(camera) for camera in CAMERAS[:3]]:
                assert entry is not None
                await app.probe_now(entry.device)
            heard = tries(simulation, CAMERAS)
            assert set(heard) <= {1, 2}
        async with serving(settings) as app:
            await polled_on(simulation, 2)
            assert tries(simulation, CAMERAS) == heard
            assert all_refused(app)
        assert simulation.totals().forbidden == 0, "among them would be a subscription"
        assert simulation.totals().open_sessions == 0


async def test_each_window_after_the_first_costs_one_try_until_the_password_is_mended(tmp_path: Path):
    quiet, few = 3.0, Fleet.plan(8, seed=7)
    cameras = [member.id for member in few.members if member.device.kind is Kind.CAMERA and not member.device.probes]
    async with Simulation(few) as simulation:
        simulation.faults.set(cameras, Fault.WRONG_PASSWORD)
        async with serving(write_settings(tmp_path, more=f"[poller]\nauth_quiet = {quiet}"), simulation) as app:
            begun = asyncio.get_running_loop().time()
            await until(lambda: max(tries(simulation, cameras)) >= 4)
            windows = 1 + int((asyncio.get_running_loop().time() - begun) / quiet)
            assert max(tries(simulation, cameras)) <= 2 + windows
            simulation.faults.clear(cameras)
            await until(lambda: all(entry.status is Status.OK for entry in app.board))

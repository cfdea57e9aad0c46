"""A whole service that polls in two processes of its own: what a person sees is what one process would show."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from camera_registry.app import App
from camera_registry.model.device import Kind
from camera_registry.model.health import Cause, State, Status
from camera_registry.model.observation import FailureKind
from camera_registry.service import clock, pulse
from camera_registry.service.wire import share
from camera_registry.service.wire.pollers import Pollers
from camera_registry.simulator.faults import Fault
from camera_registry.simulator.plan import Fleet
from camera_registry.simulator.simulation import Simulation
from camera_registry.store import credentials, health, register
from camera_registry.store.pictures import PictureKind
from tests.service.test_killed import process
from tests.service.whole import serving, until, write_settings


def cameras(fleet: Fleet) -> list[str]:
    return [member.id for member in fleet.members if member.device.kind is Kind.CAMERA and not member.device.probes]


FLEET = Fleet.plan(10, seed=5)
CAMERAS = cameras(FLEET)
PICTURED = Fleet.plan(12, seed=5)
"""Its third camera looks at a scene by day."""
TWO = "[poller]\nprocesses = 2\n"
SET_CLOCK = """#!{python}
import os, runpy, sys
from datetime import datetime, timedelta
from pathlib import Path

sys.path.insert(0, os.getcwd())
from camera_registry.service import clock

class Set(datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + timedelta(seconds=float(Path("{system}").read_text()))

clock.datetime = Set
sys.argv = sys.argv[2:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
"""Python whose clock is set by as many seconds as stand in a file."""
QUICK = "[health.persistence.covered]\npictures = 2\nof = 3\nseconds = 0\n"


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    async with Simulation(FLEET) as served:
        yield served


def pollers(app: App) -> Pollers:
    assert isinstance(app.poller, Pollers)
    return app.poller


def all_well(app: App) -> bool:
    return len(app.board) == len(FLEET.members) and {entry.status for entry in app.board} == {Status.OK}


def causes(app: App, device: str) -> set[Cause]:
    entry = app.board.get(device)
    return {reason.cause for reason in entry.reasons} if entry else set()


def judged(app: App, device: str, since: Mapping[tuple[str, str], datetime]) -> bool:
    """Whether the newest of each of these runs is no older than that."""
    entry = app.board.get(device)
    told = {(run.probe, run.channel): run.at for run in entry.probes} if entry else {}
    return all(run in told and told[run] >= at for run, at in since.items())


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def shown(pid: int) -> bytes:
    """What anybody may see of a process."""
    place = Path(f"/proc/{pid}")
    return place.joinpath("cmdline").read_bytes() + place.joinpath("environ").read_bytes()


def children(pid: int) -> list[int]:
    told = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [one for child in map(int, told) for one in (child, *children(child))]


@pytest.mark.timeout(360)
async def test_faults_pictures_and_edits_are_told_as_by_one_process(tmp_path: Path) -> None:
    drifted, _, covered, moved = cameras(PICTURED)[:4]

    def well(app: App) -> bool:
        entries = [app.board.get(device) for device in (drifted, covered, moved)]
        return all(entry is not None and entry.status is Status.OK for entry in entries)

    async with (
        Simulation(PICTURED) as simulation,
        serving(write_settings(tmp_path, more=QUICK + TWO), simulation) as app,
    ):
        await until(lambda: well(app))
        assert all(one.entries for one in pollers(app).shares), "each process has devices"
        entry = app.board.get(covered)
        assert entry is not None
        channel = entry.channels[0].id if entry.channels else ""
        await until(lambda: PictureKind.LAST_GOOD in app.pictures.times(covered, channel))
        await app.gallery.accept(entry.device, channel, PictureKind.LAST, "", "an operator")
        simulation.faults.set(covered, Fault.COVERED)
        simulation.faults.set(drifted, Fault.CLOCK_DRIFT, seconds=86400)
        await until(lambda: causes(app, drifted) == {Cause.CLOCK_DRIFT} and causes(app, covered) == {Cause.COVERED})
        page = app.metrics.text().decode()
        assert 'camera_registry_polls_total{probe="tcp",result="ok"}' in page
        assert "camera_registry_poller_processes 2.0" in page
        assert re.search(r'camera_registry_poller_process_cpu_seconds_total\{process="2"\} [0-9.]+', page)

        simulation.faults.clear_all()
        await until(lambda: well(app))
        was = app.board.get(moved)
        assert was is not None
        # Some of these addresses are another process's, so that the device moves.
        for last in range(250, 254):
            elsewhere = replace(was.device, host=f"127.255.255.{last}")
            await app.store.write(lambda tx, to=elsewhere: register.apply(tx, [to], author="test", at=app.now()))
            await app.follow()
        await until(lambda: app.board.get(moved).status is Status.DOWN)  # type: ignore[union-attr]
        assert sum(moved in one.entries for one in pollers(app).shares) == 1
        await app.store.write(lambda tx: register.apply(tx, [was.device], author="test", at=app.now()))
        await until(lambda: well(app))


async def test_who_probes_now_is_told_step_by_step_and_what_is_found_is_judged(
    simulation: Simulation, tmp_path: Path
) -> None:
    async with serving(write_settings(tmp_path, more=TWO), simulation) as app:
        await until(lambda: all_well(app))
        for camera in CAMERAS[:4]:
            entry = app.board.get(camera)
            assert entry is not None
            async with asyncio.timeout(150):
                found = await app.probe_now(entry.device)
                while not all(seen.ok for seen, _ in found):  # a busy machine may be late for a camera
                    assert {seen.failure.kind for seen, _ in found if seen.failure} == {FailureKind.TIMEOUT}
                    found = await app.probe_now(entry.device)
            newest = {(seen.probe, seen.channel): seen.at for seen, _ in found}
            assert {probe for probe, _ in newest} >= {"onvif", "rtsp"}
            assert all(steps for _, steps in found)
            await until(lambda one=camera, since=newest: judged(app, one, since))  # type: ignore[misc]


@pytest.mark.timeout(360)
async def test_a_killed_process_is_replaced_and_its_devices_go_on_with_nothing_lost_or_doubled(
    simulation: Simulation, tmp_path: Path
) -> None:
    async with serving(write_settings(tmp_path, more=TWO), simulation) as app:
        await until(lambda: all_well(app))
        before = {one.id for one in await app.store.read(health.flips, limit=1000)}
        dark: list[str] = []
        for victim in pollers(app).shares:
            killed = victim.pid
            os.kill(killed, signal.SIGKILL)
            await until(lambda one=victim, old=killed: one.pid not in (0, old))  # type: ignore[misc]
            (device, *_) = (camera for camera in CAMERAS if camera in victim.entries)
            polled = simulation.counts(device).requests["onvif.GetSystemDateAndTime"]
            await until(
                lambda one=device, was=polled: (  # type: ignore[misc]
                    simulation.counts(one).requests["onvif.GetSystemDateAndTime"] > was + 1
                )
            )
            simulation.faults.set(device, Fault.BLACK)
            await until(lambda one=device: causes(app, one) == {Cause.BLACK})  # type: ignore[misc]
            dark.append(device)
        flips = await app.store.read(health.flips, limit=1000)
        # What is well may not be known in every aspect yet; nothing gets known twice.
        first = [one.flip.subject for one in flips if one.flip.before is State.UNKNOWN]
        assert len(first) == len(set(first))
        # A busy machine may be late for a device, and that is told, too; nobody was left without being asked.
        news = [one.flip for one in flips if one.id not in before]
        assert [flip.subject.device for flip in reversed(news) if flip.cause is Cause.BLACK] == dark
        assert not [flip for flip in news if flip.after is State.STALE]
        assert pollers(app).replaced == 2
        assert "camera_registry_poller_restarts_total 2.0" in app.metrics.text().decode()


async def test_a_wrong_password_is_not_tried_anew_by_the_process_that_replaces_a_killed_one(
    simulation: Simulation, tmp_path: Path
) -> None:
    simulation.faults.set(CAMERAS, Fault.WRONG_PASSWORD)
    async with serving(write_settings(tmp_path, more=TWO), simulation) as app:
        await until(lambda: all(causes(app, camera) == {Cause.AUTH} for camera in CAMERAS))
        for victim in pollers(app).shares:
            os.kill(victim.pid, signal.SIGKILL)
        await until(lambda: pollers(app).replaced == 2 and pollers(app).running == 2)
        polled = simulation.totals().requests.get("onvif.GetSystemDateAndTime", 0)
        await until(
            lambda: simulation.totals().requests.get("onvif.GetSystemDateAndTime", 0) > polled + 3 * len(CAMERAS)
        )
        tried = {camera: simulation.counts(camera).failed_authentications for camera in CAMERAS}
    assert set(tried.values()) <= {1, 2}


async def test_a_password_that_is_changed_in_the_register_is_used_by_the_process_that_needs_it_from_then_on(
    simulation: Simulation, tmp_path: Path
) -> None:
    async with serving(write_settings(tmp_path, more=TWO), simulation) as app:

        async def set_password(camera: str, password: str) -> None:
            put = partial(credentials.put, author="test", at=app.now())
            username = next(member.username for member in FLEET.members if member.id == camera)
            entry = app.board.get(camera)
            assert entry is not None
            await app.store.write(lambda tx: put(tx, app.vault, entry.device.credential, username, password))
            await app.follow()

        await until(lambda: all_well(app))
        chosen = [next(one for one in CAMERAS if one in part.entries) for part in pollers(app).shares]
        for camera in chosen:
            await set_password(camera, "of another camera")
        await until(lambda: all(causes(app, camera) == {Cause.AUTH} for camera in chosen))
        for camera in chosen:
            # Both are left alone for half an hour now, but not with a password that they have not refused.
            await set_password(camera, next(member.password for member in FLEET.members if member.id == camera))
        await until(lambda: all_well(app))
        assert pollers(app).replaced == 0


async def test_a_clock_that_is_set_by_an_hour_fires_nothing_and_what_is_seen_then_is_of_the_new_hour(
    simulation: Simulation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system, ahead = tmp_path / "clock", tmp_path / "clock.new"
    system.write_text("0")

    class Set(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(seconds=float(system.read_text()))

    async def set_clock(app: App, step: float) -> None:
        ahead.write_text(str(step))
        ahead.replace(system)
        await until(lambda: abs((app.now() - datetime.now(UTC)).total_seconds() - step) < 5)

    def seen_since(app: App, since: datetime) -> bool:
        runs = [run for entry in app.board for run in entry.probes if run.probe in ("tcp", "onvif", "rtsp", "snapshot")]
        return all(run.at > since and run.failure is None for run in runs)

    # The system's clock, for us and for the processes that we start: what reads it is in one place.
    monkeypatch.setattr(clock, "datetime", Set)
    python = tmp_path / "python"
    python.write_text(SET_CLOCK.format(python=sys.executable, system=system))
    python.chmod(0o700)
    monkeypatch.setattr(share.sys, "executable", str(python))  # type: ignore[attr-defined]
    # The cameras keep their time.
    async with serving(write_settings(tmp_path, more="clock_limit = 7200\n" + TWO), simulation) as app:
        await until(lambda: all_well(app))
        for step in (3600, 0):
            await set_clock(app, step)
            since = app.now()
            await until(lambda since=since: seen_since(app, since) and all_well(app))  # type: ignore[misc]
        # A busy machine may be late for a camera; nobody was silent or has another time.
        flips = await app.store.read(health.flips, limit=1000)
        assert not [one for one in flips if one.flip.after is State.STALE or one.flip.cause is Cause.CLOCK_DRIFT]
        assert pollers(app).replaced == 0


async def test_who_waits_for_a_probe_of_a_killed_process_is_told_so(simulation: Simulation, tmp_path: Path) -> None:
    async with serving(write_settings(tmp_path, more=TWO), simulation) as app:
        await until(lambda: all_well(app))
        simulation.faults.set(CAMERAS, Fault.HANG)
        entry = app.board.get(CAMERAS[0])
        assert entry is not None
        waiting = asyncio.create_task(app.probe_now(entry.device))
        await asyncio.sleep(0.3)
        for victim in pollers(app).shares:
            os.kill(victim.pid, signal.SIGKILL)
        first, _ = (await waiting)[0]
        assert first.failure is not None
        assert (first.failure.kind, first.failure.key) == (FailureKind.INTERNAL, "lost")


async def test_the_service_is_not_ready_while_a_process_can_t_be_started(
    simulation: Simulation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ready(app: App) -> int:
        async with aiohttp.ClientSession() as session, session.get(f"{app.url}/readyz") as answer:
            return answer.status

    async with serving(write_settings(tmp_path, more=TWO), simulation) as app:
        await until(lambda: all_well(app))
        assert await ready(app) == 200
        monkeypatch.setattr(pulse, "PATIENCE", 3.0)
        python = share.sys.executable  # type: ignore[attr-defined]
        monkeypatch.setattr(share.sys, "executable", "/nowhere/python")  # type: ignore[attr-defined]
        os.kill(pollers(app).shares[0].pid, signal.SIGKILL)
        await until(lambda: app.pulse.stalled == ["poller"])
        assert await ready(app) == 503
        monkeypatch.setattr(share.sys, "executable", python)  # type: ignore[attr-defined]
        await until(lambda: not app.pulse.stalled)
        assert await ready(app) == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_no_process_is_left_behind(simulation: Simulation, tmp_path: Path, number: signal.Signals) -> None:
    settings = write_settings(tmp_path, more=TWO)
    async with serving(settings, simulation):
        pass
    async with process(settings) as (running, _):
        # Two that poll, and what decodes for each.
        await until(lambda: len(children(running.pid)) >= 4)
        family = children(running.pid)
        passwords = {member.password.encode() for member in FLEET.members if member.password}
        assert not any(password in shown(one) for one in family for password in passwords)
        running.send_signal(number)
        async with asyncio.timeout(60):
            assert await running.wait() == (0 if number is signal.SIGTERM else -signal.SIGKILL)
        await until(lambda: not any(map(alive, family)), 10)

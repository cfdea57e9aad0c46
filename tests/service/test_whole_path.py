"""The whole path, from devices that speak over real sockets to what people, scripts and Prometheus are told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from camera_registry.app import App
from camera_registry.model.device import Kind
from camera_registry.model.health import Cause, Status
from camera_registry.model.incident import Step
from camera_registry.rules.incidents.edits import note
from camera_registry.simulator.faults import Fault
from camera_registry.simulator.plan import Fleet
from camera_registry.simulator.simulation import Simulation
from camera_registry.store import health, incidents, register
from camera_registry.store.incidents import Wanted
from tests.service.whole import RECORDED, all_known, serving, token, until, write_settings

FLEET = Fleet.plan(10, seed=5)
SWITCH = next(member.id for member in FLEET.members if member.device.kind is Kind.NETWORK)
CAMERAS = [member.id for member in FLEET.members if member.device.kind is Kind.CAMERA and not member.device.probes]


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    async with Simulation(FLEET) as served:
        yield served


def statuses(app: App) -> dict[str, Status]:
    return {entry.device.id: entry.status for entry in app.board}


def causes(app: App, device: str) -> set[Cause]:
    entry = app.board.get(device)
    return {reason.cause for reason in entry.reasons} if entry else set()


def all_well(app: App) -> bool:
    return len(app.board) == len(FLEET.members) and set(statuses(app).values()) == {Status.OK}


async def series(app: App, name: str) -> dict[str, set[str]]:
    """Device to the causes told of it, from the page that Prometheus scrapes."""
    async with aiohttp.ClientSession() as session, session.get(f"{app.url}/metrics/devices") as answer:
        families = text_string_to_metric_families(await answer.text())
        found: dict[str, set[str]] = {}
        for sample in (sample for family in families for sample in family.samples if sample.name == name):
            found.setdefault(sample.labels["device"], set()).add(sample.labels.get("cause", f"{sample.value:g}"))
        return found


async def test_board_api_and_metrics_agree_on_which_why_and_since_when(
    simulation: Simulation, url: str, tmp_path: Path
) -> None:
    async with serving(write_settings(tmp_path, url), simulation) as app:
        await until(lambda: all_well(app))
        black, refused, drifted, swapped = CAMERAS[:4]
        simulation.faults.set(black, Fault.BLACK)
        simulation.faults.set(refused, Fault.WRONG_PASSWORD)
        simulation.faults.set(drifted, Fault.CLOCK_DRIFT, seconds=86400)
        simulation.faults.set(swapped, Fault.SERIAL_SWAPPED)
        expected = {
            black: {Cause.BLACK},
            refused: {Cause.AUTH},
            drifted: {Cause.CLOCK_DRIFT},
            swapped: {Cause.REPLACED},
        }
        await until(lambda: {device: causes(app, device) for device in expected} == expected)
        told = await series(app, "camera_fault_active")
        assert {device: {Cause(cause) for cause in found} for device, found in told.items()} == expected
        headers = {"Authorization": f"Bearer {await token(app)}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            for device, why in expected.items():
                async with session.get(f"{app.url}/api/v1/devices/{device}") as answer:
                    shown = await answer.json()
                entry = app.board.get(device)
                assert entry is not None
                assert entry.since is not None
                assert {reason["cause"] for reason in shown["reasons"]} == why
                assert shown["status"] == entry.status == Status.DEGRADED
        assert {device for device, up in (await series(app, "camera_up")).items() if up == {"1"}} == set(statuses(app))
    assert simulation.totals().forbidden == 0


async def test_a_dead_switch_takes_its_cameras_along_and_is_named_as_the_reason(
    simulation: Simulation, tmp_path: Path
) -> None:
    async with serving(write_settings(tmp_path, more="hold = 8"), simulation) as app:
        await until(lambda: all_well(app))
        simulation.faults.set(SWITCH, Fault.SWITCH_DOWN)
        await until(lambda: set(statuses(app).values()) == {Status.DOWN})
        assert causes(app, SWITCH) == {Cause.TIMEOUT}
        for camera in CAMERAS:
            entry = app.board.get(camera)
            assert entry is not None
            assert {reason.blamed for reason in entry.reasons} == {SWITCH}
            assert causes(app, camera) == {Cause.PARENT_DOWN}
        await until(lambda: [one.affected for one in app.board.incidents.values()] == [len(FLEET.members) - 1])
        (incident,) = app.board.incidents.values()
        assert (incident.about, incident.cause) == (SWITCH, Cause.TIMEOUT)
        edited = await app.recorder.edit(incident.id, lambda now: note(now, "fibre cut", "li", app.now()))
        assert edited is not None
        simulation.faults.clear_all()
        await until(lambda: all_well(app) and not app.board.incidents)
        (kept,) = await app.store.read(incidents.page, Wanted())
        assert kept.ended is not None
        assert sum(kept.charged(app.now()).values(), timedelta()) == kept.ended - kept.started
        steps = [one.step for one in await app.store.read(incidents.time_line, kept.id)]
        assert steps == [Step.OPENED, Step.NOTED, Step.RESOLVED]
        behind = await app.store.read(incidents.affected, kept.id)
        assert {one.device for one in behind} > set(CAMERAS)
        assert all(one.until is not None for one in behind)


async def test_a_restart_tells_nothing_new(simulation: Simulation, tmp_path: Path) -> None:
    settings = write_settings(tmp_path, more=RECORDED)
    async with serving(settings, simulation) as app:
        await until(lambda: all_well(app) and all_known(app))
        simulation.faults.set(CAMERAS[0], Fault.BLACK)
        await until(lambda: causes(app, CAMERAS[0]) == {Cause.BLACK})
        before = await app.store.read(health.flips, limit=1000)
        entry = app.board.get(CAMERAS[0])
        assert entry is not None
        since = entry.since
    async with serving(settings) as app:
        again = app.board.get(CAMERAS[0])
        assert again is not None
        assert (again.status, again.since) == (Status.DEGRADED, since)
        assert sum(status is Status.OK for status in statuses(app).values()) == len(FLEET.members) - 1
        polled = simulation.totals().requests["http.snapshot"]
        await until(lambda: simulation.totals().requests["http.snapshot"] > polled + 2 * len(FLEET.members))
        assert await app.store.read(health.flips, limit=1000) == before


async def test_a_wrong_password_is_tried_twice_and_then_left_alone(simulation: Simulation, tmp_path: Path) -> None:
    simulation.faults.set(CAMERAS, Fault.WRONG_PASSWORD)
    async with serving(write_settings(tmp_path), simulation) as app:
        await until(lambda: all(causes(app, camera) == {Cause.AUTH} for camera in CAMERAS))
        polled = simulation.totals().requests["onvif.GetSystemDateAndTime"]
        await until(lambda: simulation.totals().requests["onvif.GetSystemDateAndTime"] > polled + 3 * len(CAMERAS))
        tried = {camera: simulation.counts(camera).failed_authentications for camera in CAMERAS}
    assert set(tried.values()) <= {1, 2}


async def test_a_device_that_was_edited_is_polled_as_it_is_now(simulation: Simulation, tmp_path: Path) -> None:
    async with serving(write_settings(tmp_path), simulation) as app:
        await until(lambda: all_well(app))
        entry = app.board.get(CAMERAS[0])
        assert entry is not None
        moved = replace(entry.device, host="127.255.255.254")
        await app.store.write(lambda tx: register.apply(tx, [moved], author="test", at=app.now()))
        # Nobody tells the service: it follows the register, as after an import by command.
        await until(lambda: statuses(app)[CAMERAS[0]] is Status.DOWN)
        await app.store.write(lambda tx: register.apply(tx, [entry.device], author="test", at=app.now()))
        await until(lambda: all_well(app))


async def test_settings_are_reloaded_without_losing_state_and_a_mistake_changes_nothing(
    simulation: Simulation, tmp_path: Path
) -> None:
    settings = write_settings(tmp_path)
    async with serving(settings, simulation) as app:
        await until(lambda: all_well(app))
        text = settings.read_text()
        settings.write_text(text + "\n[helth]\n")
        problems = await app.reload()
        assert ["helth: unknown key" in str(problem) for problem in problems] == [True]
        settings.write_text(text.replace("[health]", "[health]\nblack_luma = 255"))
        assert await app.reload() == ()
        assert all_well(app)
        await until(lambda: all(causes(app, camera) == {Cause.BLACK} for camera in CAMERAS))

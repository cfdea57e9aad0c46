"""The service as a process: killed at any moment it loses nothing it has shown; asked to stop, it stops cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import sqlite3
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from camera_registry import cli
from camera_registry.model.device import Kind
from camera_registry.model.health import Status
from camera_registry.simulator.faults import Fault
from camera_registry.simulator.plan import Fleet
from camera_registry.simulator.simulation import Simulation
from tests.service.whole import RECORDED, all_known, serving, token, until, write_settings

FLEET = Fleet.plan(10, seed=6)
CAMERAS = [member.id for member in FLEET.members if member.device.kind is Kind.CAMERA and not member.device.probes]


@asynccontextmanager
async def process(settings: Path) -> AsyncIterator[tuple[Process, str]]:
    """A service of its own, and its address."""
    command = (sys.executable, "-m", "camera_registry", "--config", str(settings), "--lang", "en", "serve")
    running = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    try:
        assert running.stdout is not None
        async with asyncio.timeout(90):
            said = (await running.stdout.readline()).decode()
        found = re.search(r"http://\S+", said)
        assert found, said
        yield running, found[0]
    finally:
        with contextlib.suppress(ProcessLookupError):
            running.kill()
        await running.wait()


async def flips(session: aiohttp.ClientSession, address: str) -> list[dict[str, Any]]:
    """Every flip that the API tells of, oldest first."""
    async with session.get(f"{address}/api/v1/flips?limit=500") as answer:
        assert answer.status == 200, await answer.text()
        return list(reversed((await answer.json())["items"]))


def told_again(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The flips that do not start where the last one of the same aspect ended, or lead nowhere."""
    states: dict[tuple[str, str, str], str] = {}
    again = []
    for flip in told:
        key = (flip["device"], flip["channel"], flip["aspect"])
        if flip["before"] != states.get(key, "unknown") or flip["after"] == flip["before"]:
            again.append(flip)
        states[key] = flip["after"]
    return again


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    async with Simulation(FLEET) as served:
        yield served


async def prepared(folder: Path, simulation: Simulation) -> tuple[Path, dict[str, str]]:
    """A data directory with the fleet in it, all well in every aspect, and the headers of somebody who may read."""
    settings = write_settings(folder, more=RECORDED)
    async with serving(settings, simulation) as app:
        await until(lambda: len(app.board) == 10 and all(entry.status is Status.OK for entry in app.board))
        await until(lambda: all_known(app))
        return settings, {"Authorization": f"Bearer {await token(app)}"}


@pytest.mark.timeout(540)
async def test_kill_9_at_any_moment_loses_no_flip_that_was_shown_and_tells_none_twice(
    simulation: Simulation, tmp_path: Path
) -> None:
    settings, headers = await prepared(tmp_path, simulation)
    shown: list[dict[str, Any]] = []
    async with aiohttp.ClientSession(headers=headers) as session:
        for turn in range(4):
            async with process(settings) as (running, address):
                told = await flips(session, address)
                assert told[: len(shown)] == shown, "what was shown before the kill is still there, and in its order"
                camera = CAMERAS[turn]
                simulation.faults.set(camera, Fault.BLACK)
                async with asyncio.timeout(90):
                    while not any(flip["device"] == camera and flip["cause"] == "black" for flip in told):
                        await asyncio.sleep(0.02)
                        told = await flips(session, address)
                shown = told
                running.kill()
        async with process(settings) as (_, address):
            polled = simulation.totals().requests["http.snapshot"]
            await until(lambda: simulation.totals().requests["http.snapshot"] > polled + 20)
            told = await flips(session, address)
            assert told[: len(shown)] == shown
            # A busy machine may add flips that are true; one that repeats what was known is not.
            assert told_again(told) == []
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "camera_registry.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def test_asked_to_stop_in_the_middle_of_polls_it_stops_and_counts_no_failure(
    simulation: Simulation, tmp_path: Path
) -> None:
    settings, headers = await prepared(tmp_path, simulation)
    simulation.faults.set(CAMERAS, Fault.HANG)
    async with aiohttp.ClientSession(headers=headers) as session:
        async with process(settings) as (running, address):
            before = await flips(session, address)
            running.send_signal(signal.SIGTERM)
            async with asyncio.timeout(60):
                assert await running.wait() == 0
        simulation.faults.clear_all()
        async with process(settings) as (_, address):
            assert await flips(session, address) == before


async def test_a_second_service_on_the_same_data_is_refused_and_told_who_is_there(
    simulation: Simulation, tmp_path: Path
) -> None:
    settings, _ = await prepared(tmp_path, simulation)
    async with process(settings) as (running, _):
        command = (sys.executable, "-m", "camera_registry", "--config", str(settings), "serve")
        second = await asyncio.create_subprocess_exec(*command, stderr=PIPE)
        _, said = await second.communicate()
        assert second.returncode == 2
        assert str(running.pid) in said.decode()


@pytest.mark.timeout(540)
async def test_kill_9_in_the_middle_of_the_first_round_of_a_city_loses_nothing_and_who_is_dead_from_the_start_is_told(
    simulation: Simulation, tmp_path: Path
) -> None:
    settings, (dead, *_) = write_settings(tmp_path), CAMERAS
    simulation.faults.set(dead, Fault.POWER_OFF)
    async with serving(settings) as app:
        headers = {"Authorization": f"Bearer {await token(app)}"}
    inventory = tmp_path / "fleet.csv"
    inventory.write_text(simulation.inventory_csv(), encoding="utf-8", newline="")
    assert await asyncio.to_thread(cli.main, ["--config", str(settings), "import", str(inventory)]) == 0
    async with aiohttp.ClientSession(headers=headers) as session:
        shown: list[dict[str, Any]] = []
        async with process(settings) as (running, address), asyncio.timeout(180):
            while not shown:
                await asyncio.sleep(0.02)
                shown = await flips(session, address)
            running.kill()
        async with process(settings) as (_, address), asyncio.timeout(180):
            told: list[dict[str, Any]] = []
            while {flip["device"] for flip in told} < {member.id for member in FLEET.members} or not any(
                flip["device"] == dead and flip["after"] == "down" for flip in told
            ):
                await asyncio.sleep(0.1)
                told = await flips(session, address)
    assert told[: len(shown)] == shown
    assert told_again(told) == []
    reach = [flip for flip in told if flip["device"] == dead and flip["aspect"] == "reach"]
    assert [(flip["before"], flip["after"]) for flip in reach] == [("unknown", "down")]

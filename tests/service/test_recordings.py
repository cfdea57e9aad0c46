"""A hole in a recorder's recordings is told by store, API and report with the same ends, and by no one else's fault."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp

from camera_registry.app import App
from camera_registry.simulator.faults import Fault
from camera_registry.simulator.plan import Fleet
from camera_registry.simulator.simulation import Simulation
from camera_registry.store import recordings
from camera_registry.texts import texts
from exporters.report.catalog import render
from exporters.report.making import Desk
from exporters.report.order import Kind, Order
from probes import presence
from tests.service.whole import RECORDED, register, serving, token, write_settings

FLEET = Fleet.plan(12, seed=5)
RECORDER = next(member for member in FLEET.members if member.records)
HOLE, AGO = 5400, 20_000
"""Seconds that are missing, up to so many seconds ago."""
CLOSE = timedelta(seconds=65)
"""How exactly its ends are found, and what setting the fault takes."""
BEFORE = timedelta(hours=4)
"""How long before the end of the hole a report begins."""


async def gaps(app: App) -> list[recordings.Missing]:
    now = app.now()
    return await app.store.read(recordings.missing, now - timedelta(days=1), now, RECORDER.id)


async def searched(app: App, begins: datetime) -> bool:
    """Whether all is known since then, and the ends of what is missing as exactly as they are ever asked for: a
    recorder that has no time for all questions of a run is asked the rest at the next, the oldest moments last."""
    held = await app.store.read(recordings.load, [RECORDER.id])
    return len(held) == RECORDER.channels and all(
        one.since <= begins and all(gap.resolution <= presence.RESOLUTION for gap in one.gaps) for one in held
    )


async def report(app: App, begins: datetime, ends: datetime) -> dict[str, list[dict[str, object]]]:
    """The tables of a report of availability."""
    desk = Desk(app.store, app.settings.probes.policy(), "UTC", app.now)
    order = Order(Kind.AVAILABILITY, begins=begins, ends=ends)
    made = json.loads(render(await asyncio.to_thread(desk.make, order, texts("en")), "json"))
    return {name: table["rows"] for name, table in made["tables"].items()}


async def test_store_api_and_report_tell_a_hole_in_recordings_with_the_same_ends(url: str, tmp_path: Path) -> None:
    settings = write_settings(tmp_path, url, RECORDED)
    async with Simulation(FLEET) as simulation:
        simulation.faults.set(RECORDER.id, Fault.RECORDING_GAP, seconds=HOLE, ago=AGO)
        ended = datetime.now(UTC) - timedelta(seconds=AGO)
        async with serving(settings) as app:
            # What was before a device was registered is not counted.
            await register(app, simulation.inventory_csv(), ended - timedelta(days=1))
            async with asyncio.timeout(150):
                while not await searched(app, ended - BEFORE):
                    await asyncio.sleep(0.5)
            found = await gaps(app)
            assert len(found) == RECORDER.channels
            for gap in found:
                assert abs(gap.until - ended) < CLOSE
                assert abs(gap.until - gap.since - timedelta(seconds=HOLE)) < 2 * CLOSE
                assert not gap.open
            headers = {"Authorization": f"Bearer {await token(app)}"}
            address = f"{app.url}/api/v1/devices/{RECORDER.id}/recordings"
            async with aiohttp.ClientSession(headers=headers) as session, session.get(address) as answer:
                shown = await answer.json()
            assert shown["not_computable"] is None
            told = {
                (one["name"] or one["token"], *map(datetime.fromisoformat, (gap["since"], gap["until"])))
                for one in shown["items"]
                for gap in one["gaps"]
                if gap["lack"] == "missing"
            }
            assert told == {(gap.recording, gap.since, gap.until) for gap in found}
            # A day in which all of it lies, up to where the recorder has told anything.
            ends = min(datetime.fromisoformat(one["until"]) for one in shown["items"])
            tables = await report(app, ended - BEFORE, ends)
        printed = tables["recording_gaps"]
        assert {one["device"] for one in printed} == {RECORDER.id}
        assert len(printed) == RECORDER.channels
        rates = {one["device"]: one["recording"] for one in tables["devices"]}
        # A recorder is as good as its worst channel: what lacks of the time that is known, counted by hand.
        missing = max(gap.until - gap.since for gap in found)
        wanted = 1 - missing / (ends - (ended - BEFORE))
        assert rates[RECORDER.id] is not None
        assert abs(float(str(rates[RECORDER.id])) - wanted) < 0.02
        assert {id for id, rate in rates.items() if rate is not None} == {RECORDER.id}


async def test_a_recorder_that_has_all_has_no_gap_and_says_so(tmp_path: Path) -> None:
    settings = write_settings(tmp_path, more=RECORDED)
    async with Simulation(FLEET) as simulation, serving(settings, simulation) as app:
        held: list[object] = []
        async with asyncio.timeout(150):
            while len(held) < RECORDER.channels:
                await asyncio.sleep(0.5)
                held = list(await app.store.read(recordings.load, [RECORDER.id]))
        assert await gaps(app) == []

"""A log of observations holds all that decisions depend on: replayed, it decides the same, byte for byte."""

from __future__ import annotations

import asyncio
import gzip
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from camera_registry.app import App
from camera_registry.cli import main
from camera_registry.model.device import Kind
from camera_registry.model.health import Status
from camera_registry.model.people import Role
from camera_registry.service.observation_log import ObservationLog
from camera_registry.service.replay.records import Line, Ticked, encode, header
from camera_registry.simulator.faults import Fault
from camera_registry.simulator.plan import Fleet
from camera_registry.simulator.simulation import Simulation
from camera_registry.store import tokens
from tests.service.test_killed import process
from tests.service.watch import at
from tests.service.whole import serving, until, write_settings

FLEET = Fleet.plan(10, seed=6)
CAMERAS = [member.id for member in FLEET.members if member.device.kind is Kind.CAMERA and not member.device.probes]
PASSWORD = "canary-f81d-password"
MORE = """
hold = 1
[observation_log]
enabled = true
megabytes = 0.05
files = 1000
[[channels]]
name = "nowhere"
kind = "webhook"
url = "http://127.0.0.1:9/"
secret_file = "hook.secret"
"""


async def _operator(app: App) -> dict[str, str]:
    made = await app.store.write(
        lambda tx: tokens.create(tx, "op", Role.ADMIN, expires_at=None, author="test", at=app.now())
    )
    return {"Authorization": f"Bearer {made}"}


async def _json(asking: Any) -> Any:
    async with asking as answer:
        assert answer.status < 300, await answer.text()
        return await answer.json()


async def _incident(session: aiohttp.ClientSession, address: str, about: str) -> dict[str, Any]:
    """The open incident about a device, as soon as there is one."""
    async with asyncio.timeout(40):
        while True:
            for one in (await _json(session.get(f"{address}/api/v1/incidents?open=true")))["items"]:
                if one["about"] == about:
                    return dict(one)
            await asyncio.sleep(0.1)


@pytest.mark.timeout(120)
async def test_what_a_service_has_decided_is_decided_again_from_its_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hook.secret").write_text(PASSWORD)
    settings = write_settings(tmp_path, more=MORE)
    log, database = str(tmp_path / "data" / "observations"), str(tmp_path / "data" / "camera_registry.db")
    async with Simulation(FLEET) as simulation:
        async with serving(settings, simulation) as app:
            await until(lambda: len(app.board) == 10 and all(entry.status is Status.OK for entry in app.board))
            headers = await _operator(app)
        async with aiohttp.ClientSession(headers=headers) as session:
            async with process(settings) as (running, address):
                simulation.faults.set(CAMERAS[:2], Fault.BLACK)
                first, second = [await _incident(session, address, camera) for camera in CAMERAS[:2]]
                api = f"{address}/api/v1/incidents"
                seen = {"If-Match": f'"{first["version"]}"'}
                await _json(session.put(f"{api}/{first['id']}/acknowledgement", json={"note": "seen"}, headers=seen))
                await _json(session.post(f"{api}/{second['id']}/notes", json={"text": "ladder is needed"}))
                begins = app.now() - timedelta(minutes=1)
                window = {
                    "kind": "fixed",
                    "begins": begins.isoformat(),
                    "ends": (begins + timedelta(hours=1)).isoformat(),
                    "reason": "mast",
                    "devices": [CAMERAS[1], CAMERAS[2]],
                }
                await _json(session.post(f"{address}/api/v1/windows", json=window))
                simulation.faults.set(CAMERAS[2:4], Fault.BLACK)
                await _incident(session, address, CAMERAS[3])
                running.kill()
            async with process(settings) as (running, address):
                simulation.faults.clear_all()
                async with asyncio.timeout(40):
                    while (await _json(session.get(f"{address}/api/v1/incidents?open=true")))["items"]:
                        await asyncio.sleep(0.1)
                api = f"{address}/api/v1/incidents"
                await _json(session.post(f"{api}/{first['id']}/notes", json={"text": "a cable"}))
                running.terminate()
                await running.wait()
    once, twice = tmp_path / "once", tmp_path / "twice"
    assert await asyncio.to_thread(main, ["replay", log, "--compare", database, "--output", str(once)]) == 0, (
        capsys.readouterr()
    )
    assert await asyncio.to_thread(main, ["replay", log, "--output", str(twice)]) == 0
    assert once.read_bytes() == twice.read_bytes()
    decided = [json.loads(line) for line in once.read_text().splitlines()]
    kinds = {next(iter(line)) for line in decided}
    assert kinds >= {"flip", "incident", "step", "notice"}
    steps = {line["step"]["step"] for line in decided if "step" in line}
    assert steps >= {"opened", "acknowledged", "noted", "muted", "resolved"}
    files = sorted(Path(log).iterdir())
    assert len(files) > 3
    text = b"".join(gzip.decompress(one.read_bytes()) if one.suffix == ".gz" else one.read_bytes() for one in files)
    assert PASSWORD.encode() not in text
    assert all(member.password.encode() not in text for member in FLEET.members if member.password)
    # A policy that holds no fault long enough tells of none.
    patient = write_settings(tmp_path, more="hold = 5000")
    capsys.readouterr()
    assert main(["--json", "replay", log, "--policy", str(patient)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {one["id"] for one in told["spared"]} >= {first["id"], second["id"]}
    assert told["counts"]["incident"]["would"] == 0

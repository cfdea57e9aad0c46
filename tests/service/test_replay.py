"""A log of observations holds all that decisions depend on: replayed, it decides the same, byte for byte."""

from __future__ import annotations

import asyncio
import gzip
import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from camera_registry.app import App, running
from camera_registry.cli import main
from camera_registry.model.device import Kind
from camera_registry.model.health import Status
from camera_registry.model.people import Role
from camera_registry.service.observation_log import ObservationLog
from camera_registry.service.replay.records import Line, Ticked, encode, header
from camera_registry.settings import load
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

WISH = {"device": CAMERAS[5], "cause": "dirty", "text": "wipe it"}
"""What a person sends a crew for, though nothing was found."""


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
    async with asyncio.timeout(120):
        while True:
            for one in (await _json(session.get(f"{address}/api/v1/incidents?open=true")))["items"]:
                if one["about"] == about:
                    return dict(one)
            await asyncio.sleep(0.1)


def _whole(folder: Path) -> bytes:
    files = sorted(folder.iterdir())
    assert len(files) > 3, "the log was rotated"
    return b"".join(gzip.decompress(one.read_bytes()) if one.suffix == ".gz" else one.read_bytes() for one in files)


@pytest.mark.timeout(360)
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
            async with process(settings) as (alive, address):
                simulation.faults.set(CAMERAS[:2], Fault.BLACK)
                first, second = [await _incident(session, address, camera) for camera in CAMERAS[:2]]
                api = f"{address}/api/v1/incidents"
                await _json(
                    session.put(
                        f"{api}/{first['id']}/acknowledgement", json={"note": "seen"}, headers={"If-Match": "*"}
                    )
                )
                for path, said in ((f"incidents/{second['id']}/notes", {"text": "ladder is needed"}), ("orders", WISH)):
                    await _json(session.post(f"{address}/api/v1/{path}", json=said))
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
                alive.kill()
            async with process(settings) as (alive, address):
                simulation.faults.clear_all()
                async with asyncio.timeout(120):
                    while (await _json(session.get(f"{address}/api/v1/incidents?open=true")))["items"]:
                        await asyncio.sleep(0.1)
                api = f"{address}/api/v1/incidents"
                await _json(session.post(f"{api}/{first['id']}/notes", json={"text": "a cable"}))
                alive.terminate()
                await alive.wait()
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
    text = _whole(Path(log))
    assert PASSWORD.encode() not in text
    assert all(member.password.encode() not in text for member in FLEET.members if member.password)
    # A policy that holds no fault long enough tells of none.
    patient = write_settings(tmp_path, more="hold = 5000")
    capsys.readouterr()
    assert main(["--json", "replay", log, "--policy", str(patient)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {one["id"] for one in told["spared"]} >= {first["id"], second["id"]}
    assert told["counts"]["incident"]["would"] == 0
    assert main(["--lang", "en", "replay", log, "--policy", str(patient)]) == 0
    assert f"incident {first['id']} would not have been" in capsys.readouterr().out


async def test_the_log_of_a_service_that_had_no_devices_is_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, data = write_settings(tmp_path, more="[observation_log]\nenabled = true"), tmp_path / "data"
    for _ in range(2):
        async with running(load(settings)):
            pass
    compare = ["--lang", "en", "replay", str(data / "observations"), "--compare", str(data / "camera_registry.db")]
    assert main(compare) == 0, capsys.readouterr()
    with closing(sqlite3.connect(data / "camera_registry.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '0012'")
        database.commit()
    assert main(compare) == 2
    assert "its shape is 0012" in capsys.readouterr().err


def _log(folder: Path, *lines: bytes, name: str = "observations-000001.jsonl") -> Path:
    path = folder / name
    path.write_bytes(b"".join((header("test"), *lines)))
    return path


def _tick(n: int) -> bytes:
    return encode(Line(n, at(n), Ticked(10)))


@pytest.mark.parametrize(
    ("lines", "code", "said"),
    [
        ((_tick(1),), 1, "begins with no start and no checkpoint"),
        ((_tick(1), _tick(4)), 1, "records 2 to 3 are missing"),
        ((b'{"n":1}\n', _tick(2)), 1, "jsonl:2: "),
        ((_tick(1), _tick(2)[:20]), 1, "torn"),
    ],
)
def test_a_log_that_is_not_whole_is_told_of_with_its_place(
    lines: tuple[bytes, ...], code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = _log(tmp_path, *lines)
    assert main(["--lang", "en", "replay", str(path)]) == code
    told = capsys.readouterr().err
    assert said in told
    assert str(path) in told or "record" in told


def test_a_log_of_another_format_is_refused_with_the_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "observations-000001.jsonl"
    path.write_bytes(header("9.9").replace(b'"format":1', b'"format":7'))
    assert main(["replay", str(path)]) == 2
    told = capsys.readouterr().err
    assert "format 7" in told
    assert "9.9" in told


def test_a_full_disk_stops_nobody_and_what_is_missing_is_told(tmp_path: Path) -> None:
    kept = ObservationLog(tmp_path / "log", 10_000, 3, lambda: at(0))
    kept.note(at(1), Ticked(1))
    kept.write()
    full = kept._file
    assert full is not None
    with Path("/dev/full").open("wb", buffering=0) as nowhere:
        kept._file = nowhere
        for n in (2, 3):
            kept.note(at(n), Ticked(1))
        kept.write()
        assert (kept.failing, kept.lost) == (True, 2)
        kept._file = full
        kept.note(at(4), Ticked(1))
        kept.write()
    kept.close()
    assert (kept.failing, kept.lost) == (False, 2)
    lines = [json.loads(line) for line in next((tmp_path / "log").iterdir()).read_bytes().splitlines()[1:]]
    assert [(one["n"], set(one) - {"n", "at"}) for one in lines] == [(1, {"ticked"}), (3, {"lost"}), (4, {"ticked"})]
    assert lines[1]["lost"]["records"] == 2


def test_old_files_are_compressed_and_the_oldest_go(tmp_path: Path) -> None:
    kept = ObservationLog(tmp_path, 200, 3, lambda: at(0))
    for n in range(60):
        kept.note(at(n), Ticked(1))
        kept.write()
        kept.tidy()
    kept.close()
    names = sorted(one.name for one in tmp_path.iterdir())
    assert len(names) == 3
    assert [name.endswith(".gz") for name in names] == [True, True, False]

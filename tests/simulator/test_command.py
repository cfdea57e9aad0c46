"""Tests the command `simulate` as a program: what it prints, how it ends, how it refuses."""

from __future__ import annotations

import asyncio
import csv
import io
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from camera_registry.cli import main
from camera_registry.simulator.sockets import listen
from tests.simulator.wire import Wire, digest, soap, token

ANY = tuple(word for name in ("http", "https", "rtsp", "tcp", "snmp", "discovery") for word in (f"--{name}-port", "0"))
COMMAND = (sys.executable, "-m", "camera_registry", "simulate")


@asynccontextmanager
async def started(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The command as a process, which is gone in the end whatever happens."""
    process = await asyncio.create_subprocess_exec(*COMMAND, *ANY, *arguments, stdin=-1, stdout=-1, stderr=-1)
    try:
        async with asyncio.timeout(165):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@asynccontextmanager
async def running(*arguments: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, list[dict[str, str]]]]:
    """The command with its inventory, once all its processes serve; ended by SIGTERM, which must be enough."""
    async with started(*arguments) as process:
        inventory = await process.stdout.read()
        for _ in range(arguments.count("--processes") + 1):
            assert b"devices answer" in await process.stderr.readline()
        yield process, list(csv.DictReader(io.StringIO(inventory.decode())))
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


async def test_the_inventory_is_printed_at_once_and_its_devices_answer_until_sigterm():
    async with running("--devices", "6", "--seed", "4") as (_, rows):
        device = next(row for row in rows if row["kind"] == "camera")
        async with await Wire.open(device["host"], int(device["onvif_port"])) as wire:
            assert (await wire.post("/onvif/device_service", soap("GetSystemDateAndTime"))).status == 200


async def test_it_ends_with_the_program_that_started_it():
    async with started("--devices", "3", "--until-eof", "--processes", "2") as process:
        inventory = await process.stdout.read()
        assert inventory.startswith(b"record,id,"), "the inventory ends while the fleet goes on"
        assert b"devices answer" in await process.stderr.readline()
        assert process.returncode is None
        process.stdin.close()
        assert await process.wait() == 0


async def test_two_processes_share_one_fleet_and_take_each_others_nonces():
    async with running("--devices", "6", "--processes", "2") as (_, rows):
        device = next(row for row in rows if row["kind"] == "camera" and row["manufacturer"] in ("Dashan", "Haitun"))
        body, path = soap("GetDeviceInformation"), "/onvif/device_service"
        for _ in range(12):  # each connection goes to either process
            async with await Wire.open(device["host"], int(device["onvif_port"])) as wire:
                challenge = (await wire.post(path, body)).all("www-authenticate")[-1]
            proof = digest(challenge, device["username"], device["password"], "POST", path)
            async with await Wire.open(device["host"], int(device["onvif_port"])) as wire:
                assert (await wire.post(path, body, proof)).status == 200


async def test_a_fault_script_is_played_and_told(tmp_path):
    story = tmp_path / "story.toml"
    story.write_text('[[step]]\nat = 0\nfault = "wrong_password"\ntarget = "cam-00003"\n', encoding="utf-8")
    async with running("--devices", "6", "--faults", str(story)) as (process, rows):
        assert b"wrong_password begins on cam-00003" in await process.stderr.readline()
        device = next(row for row in rows if row["id"] == "cam-00003")
        signed = soap("GetDeviceInformation", header=token(device["username"], device["password"]))
        async with await Wire.open(device["host"], int(device["onvif_port"])) as wire:
            assert (await wire.post("/onvif/device_service", signed)).status in (400, 401, 500)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--devices", "0"), "at least 1 device"),
        (("--devices", "5", "--listen", "192.168.0.0/16"), "not on the loopback device"),
        (("--devices", "5", "--http-port", "70000"), "--http-port is a port from 0"),
        (("--devices", "5", "--processes", "0"), "--processes is a number from 1"),
        (("--devices", "5", "--faults", "no-such.toml"), "no-such.toml: there is no such file"),
    ],
)
def test_what_cannot_be_served_is_one_sentence_and_exit_code_2(arguments, says, capsys):
    assert main(["simulate", *ANY, *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
    assert err.count("\n") == 1


def test_a_taken_port_is_named_with_the_option_that_changes_it(capsys):
    (taken,) = listen(0, "http", "--http-port")
    with taken:
        port = taken.getsockname()[1]
        assert main(["simulate", *ANY, "--devices", "3", "--http-port", str(port), "--processes", "2"]) == 2
    err = capsys.readouterr().err
    assert f"http port {port} can't be used: another program listens there; choose another with --http-port" in err


def test_it_needs_no_settings_and_leaves_nothing_behind(tmp_path: Path):
    arguments = ("--devices", "5", "--listen", "10.0.0.0/8")
    ended = subprocess.run((*COMMAND, *arguments), cwd=tmp_path, capture_output=True, timeout=50, check=False)
    assert ended.returncode == 2
    assert list(tmp_path.iterdir()) == []


async def test_a_script_that_waits_is_counted_from_a_line_on_its_input_in_all_processes(tmp_path):
    story = tmp_path / "story.toml"
    story.write_text('[[step]]\nat = 0\nfault = "refused"\ntarget = "cam-00003"\n', encoding="utf-8")
    async with started("--devices", "6", "--faults", str(story), "--wait", "--processes", "2") as process:
        rows = list(csv.DictReader(io.StringIO((await process.stdout.read()).decode())))
        for _ in range(2):
            assert b"devices answer" in await process.stderr.readline()
        device = next(row for row in rows if row["id"] == "cam-00003")

        async def refused() -> bool:
            try:
                async with await Wire.open(device["host"], int(device["onvif_port"])) as wire:
                    return (await wire.post("/onvif/device_service", soap("GetSystemDateAndTime"))).status != 200
            except (OSError, EOFError):
                return True

        assert not any([await refused() for _ in range(8)]), "nothing happens before the line"
        process.stdin.write(b"\n")
        assert b"refused begins on cam-00003" in await process.stderr.readline()
        while not all([await refused() for _ in range(8)]):
            await asyncio.sleep(0.05)  # the other process hears of it a moment later
        process.stdin.close()
        assert await process.wait() == 0

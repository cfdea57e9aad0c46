"""The command `discover`, against a simulated fleet on real sockets."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from camera_registry.cli import main
from camera_registry.model.discovery import ProposalState
from camera_registry.model.register import Item
from camera_registry.rules.inventory import files
from camera_registry.simulator.plan import Fleet
from camera_registry.simulator.simulation import Simulation
from camera_registry.store import Store, intake, proposals, register
from tests.shaped import shaped

FLEET = Fleet.plan(20, seed=3)
NETWORK = "127.1.0.0/27"
NOW = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    async with Simulation(FLEET) as served:
        yield served


@pytest.fixture
def config(simulation: Simulation, tmp_path: Path) -> Path:
    path, ports = tmp_path / "settings.toml", simulation.ports
    path.write_text(
        f"""
        [storage]
        directory = "data"
        [devices]
        networks = ["127.1.0.0/16"]
        [discovery]
        rate = 500
        timeout = 0.5
        ports = [{ports.http}, {ports.rtsp}]
        port = {ports.discovery}
        interfaces = ["127.0.0.1"]
        """
    )
    return path


async def discover(config: Path, *args: str) -> tuple[int, str, str]:
    """Exit code, output and errors of the command in a process of its own."""
    command = [sys.executable, "-m", "camera_registry", "--config", str(config), "discover", *args]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def registered(tmp_path: Path, *, without: int = 0) -> Store:
    """A store that holds the fleet but for its first cameras."""
    store = Store.open("", shaped(tmp_path / "data"))
    devices = [member.device for member in FLEET.members if member.speaks_onvif][without:]
    items: list[Item] = [replace(device, area="", site="", parent="", contractor="") for device in devices]
    store.write_now(register.apply, items, author="test", at=NOW)
    return store


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ([], "--network CIDR, --multicast, or both"),
        (["--network", "10.9.0.0/16"], r"10.9.0.0/16 is outside of [devices] networks"),
        (["--network", "127.0.0.0/8"], r"127.0.0.0/8 is outside of [devices] networks"),
        (["--network", "somewhere"], "write a network such as"),
        (["--network", "127.1.0.0/24", "--ports", "http"], "--ports is a list of numbers"),
        (["--network", "127.1.0.0/30", "--from", "99"], "name a place from 0 to"),
        (["--network", "127.1.0.0/30", "--from", "-1"], "name a place from 0 to"),
        (["--network", "127.1.0.0/24", "--rate", "0"], "--rate is a number of addresses a second"),
    ],
)
def test_what_may_not_be_searched_is_refused_with_the_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], args: list[str], told: str
) -> None:
    (tmp_path / "settings.toml").write_text('[devices]\nnetworks = ["127.1.0.0/16"]\n')
    assert main(["--config", str(tmp_path / "settings.toml"), "discover", *args]) == 2
    assert told in capsys.readouterr().err


def test_without_device_networks_nothing_is_searched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "settings.toml").write_text("")
    assert main(["--config", str(tmp_path / "settings.toml"), "discover", "--multicast"]) == 2
    assert "[devices] networks is empty" in capsys.readouterr().err


async def test_without_a_database_all_is_new_and_nothing_is_made(config: Path, tmp_path: Path) -> None:
    code, out, err = await discover(config, "--multicast", "--json")
    speaking = {member.device.host for member in FLEET.members if member.speaks_onvif}
    told = json.loads(out)
    assert (code, told["whole"], told["kept"]) == (0, True, None)
    assert {(one["kind"], one["address"]) for one in told["proposals"]} == {("new", host) for host in speaking}
    assert "There is no database yet" in err
    assert not (tmp_path / "data").exists()


async def test_the_register_is_compared_with_and_not_changed(config: Path, tmp_path: Path) -> None:
    with registered(tmp_path, without=2) as store:
        version = store.read_now(register.version)
        code, out, _ = await discover(config, "--network", NETWORK, "--multicast", "--lang", "zh")
        assert (code, out.count("新设备  ")) == (0, 2)
        assert "新设备 2 台，地址变更 0 台，更换 0 台" in out
        assert store.read_now(proposals.page) == []
        code, out, _ = await discover(config, "--multicast", "--propose")
        assert (code, "Proposals kept: 2 open" in out) == (0, True)
        assert len(store.read_now(proposals.page, state=ProposalState.OPEN)) == 2
        assert store.read_now(register.version) == version


async def test_what_was_found_can_be_imported(config: Path, tmp_path: Path) -> None:
    with registered(tmp_path, without=3) as store:
        code, _, _ = await discover(config, "--multicast", "--output", str(tmp_path / "found.csv"))
        assert code == 0
        sheets = files.read((tmp_path / "found.csv").read_bytes())
        looked = store.read_now(intake.look, sheets, ["127.1.0.0/16"])
        assert (looked.inventory.sound, looked.inventory.created) == (True, 3)


def _has_sockets(pid: int) -> bool:
    found = False
    with suppress(FileNotFoundError):
        for one in Path(f"/proc/{pid}/fd").iterdir():
            found = found or str(one.readlink()).startswith("socket:")
    return found


async def test_ctrl_c_stops_and_tells_what_was_found_and_how_to_go_on(config: Path) -> None:
    command = [sys.executable, "-m", "camera_registry", "--config", str(config), "discover"]
    command += ["--network", "127.1.0.0/16", "--rate", "40", "--json"]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    async with asyncio.timeout(120):
        # A busy machine takes its time to load the program.
        while not _has_sockets(process.pid):
            await asyncio.sleep(0.1)
    await asyncio.sleep(2)
    process.send_signal(signal.SIGINT)
    out, _ = await process.communicate()
    told = json.loads(out)
    assert (process.returncode, told["whole"], told["total"]) == (0, False, 65534)
    assert 0 < told["position"] < 1000

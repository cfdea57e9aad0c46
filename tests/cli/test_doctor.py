"""What is said before a start: settings with mistakes, and machines that the service can't run on."""

from __future__ import annotations

import json
import os
import re
import resource
import socket
from pathlib import Path

import pytest

from camera_registry.cli import main
from camera_registry.store import Store


def settings(tmp_path: Path, text: str = "") -> str:
    path = tmp_path / "settings.toml"
    path.write_text(
        f"""
        [storage]
        directory = "data"
        [web]
        port = 0
        [devices]
        networks = ["127.0.0.0/8"]
        {text}
        """,
        encoding="utf-8",
    )
    return str(path)


def test_every_mistake_of_the_settings_is_named_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = settings(tmp_path, "[poller]\nslot = 5\nslots = 'many'\n[probes.tcp]\ninterval = 2\ntimeout = 3")
    assert main(["--config", path, "check-config"]) == 2
    said = capsys.readouterr().err
    assert "poller.slot: unknown key" in said
    assert "poller.slots" in said
    assert "timeout (3 s) must be shorter than interval (2 s)" in said
    assert main(["check-config", "--config", path, "--json"]) == 2
    assert len(json.loads(capsys.readouterr().out)["problems"]) == 3
    assert main(["--config", path, "doctor"]) == 2
    assert "poller.slot: unknown key" in capsys.readouterr().out
    assert main(["--config", path, "serve"]) == 2
    assert not (tmp_path / "data").exists(), "nothing is made before the settings are right"


def test_good_settings_are_called_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = settings(tmp_path)
    assert main(["--config", path, "--lang", "en", "check-config"]) == 0
    assert "no problem found" in capsys.readouterr().out
    assert main(["--config", path, "doctor"]) == 0
    assert "FAULT" not in capsys.readouterr().out


def test_the_doctor_speaks_the_readers_language_and_zone_and_says_what_is_not_set_up_yet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = settings(tmp_path)
    assert main(["--config", path, "init"]) == 0
    capsys.readouterr()
    assert main(["--config", path, "--lang", "zh", "doctor"]) == 0
    told = capsys.readouterr().out
    assert "正常 通知渠道：尚未配置，故障不会通知任何人" in told
    assert "正常 点位：台账中没有点位" in told
    assert re.search(r"正常 时钟：\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(Asia/Shanghai\)", told)
    assert not re.search(r"^正常 [a-z]", told, re.MULTILINE)


def checks(path: str, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """The faults that the doctor finds, by name."""
    assert main(["--config", path, "doctor", "--json"]) == 1
    return {check["name"]: check["detail"] for check in json.loads(capsys.readouterr().out) if not check["good"]}


def test_descriptors_are_counted_for_each_process_that_polls(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 1024))
    said = checks(settings(tmp_path, "[poller]\nslots = 1000"), capsys)["descriptors"]
    assert said.startswith("2200 needed for 1000 slots, 1024 allowed; raise LimitNOFILE")
    said = checks(settings(tmp_path, "[poller]\nslots = 1999\nprocesses = 4"), capsys)["descriptors"]
    assert said.startswith("1200 needed by each of 4 polling processes for its 500 slots, 1024 allowed to each; raise")
    assert main(["--lang", "zh", "--config", str(tmp_path / "settings.toml"), "doctor"]) == 1
    assert "4 个采集进程各有 500 个探测槽，每个进程需要 1200 个文件描述符，只允许 1024 个" in capsys.readouterr().out
    assert main(["--config", settings(tmp_path, "[poller]\nslots = 1000\nprocesses = 4"), "doctor"]) == 0


def test_a_port_that_is_taken_is_named_with_the_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        path = Path(settings(tmp_path))
        path.write_text(path.read_text().replace("port = 0", f"port = {port}"), encoding="utf-8")
        assert "change [web] port" in checks(str(path), capsys)["port"]
        assert main(["--config", str(path), "serve"]) == 2
        assert f"port = {port}" in capsys.readouterr().err


def test_the_port_of_the_running_service_is_no_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken, Store.open("", tmp_path / "data") as store:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        path = Path(settings(tmp_path))
        path.write_text(path.read_text().replace("port = 0", f"port = {taken.getsockname()[1]}"), encoding="utf-8")
        assert main(["--config", str(path), "init"]) == 0
        store.claim()
        capsys.readouterr()
        assert main(["--config", str(path), "doctor"]) == 0
        assert f"the service runs: process {os.getpid()}" in capsys.readouterr().out


def test_networks_that_are_missing_or_hold_the_whole_world_are_worth_a_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(settings(tmp_path))
    for networks, told in (("", "is empty"), ('"0.0.0.0/0", "10.0.0.0/8"', "0.0.0.0/0 is much wider")):
        path.write_text(f"[web]\nport = 0\n[devices]\nnetworks = [{networks}]", encoding="utf-8")
        assert main(["--config", str(path), "--lang", "en", "check-config"]) == 0
        said = capsys.readouterr().out
        assert told in said
        assert "no problem found" not in said
        assert main(["--config", str(path), "--lang", "en", "check-config", "--json"]) == 0
        (warning,) = json.loads(capsys.readouterr().out)["warnings"]
        assert told in warning
    main(["--config", str(path), "doctor"])
    assert "0.0.0.0/0 is much wider" in capsys.readouterr().out


def test_a_network_that_can_not_be_reached_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = Path(settings(tmp_path))
    path.write_text(path.read_text().replace("127.0.0.0/8", "255.255.255.255/32"), encoding="utf-8")
    assert "255.255.255.255/32" in checks(str(path), capsys)["devices"]


@pytest.mark.parametrize(("mode", "remedy"), [(0o644, "chmod 600"), (None, "put its own key file back")])
def test_a_key_file_that_others_can_read_or_that_is_gone_stops_the_service(
    mode: int | None, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = settings(tmp_path)
    monkeypatch.setenv("CAMERA_REGISTRY_PASSWORD", "a password of devices")
    assert main(["--config", path, "init"]) == 0
    assert main(["--config", path, "credential", "set", "street", "--user", "operator"]) == 0
    key = tmp_path / "data" / "credentials.key"
    if mode is None:
        key.unlink()
    else:
        key.chmod(mode)
    capsys.readouterr()
    assert remedy in checks(path, capsys)["database"]
    assert main(["--config", path, "serve"]) == 2
    assert remedy in capsys.readouterr().err


def test_a_rule_that_sends_whom_the_register_does_not_know_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = "[[dispatch.rules]]\nareas = ['east']\ncrew = 'night'\n[[dispatch.rules]]\ncontractor = 'weibao'\n"
    path = settings(tmp_path, rules)
    assert main(["--config", path, "init"]) == 0
    capsys.readouterr()
    found = checks(path, capsys)["dispatch"]
    assert "dispatch.rules.0.crew: night is no crew of the register" in found
    assert "dispatch.rules.0.areas: east is no area" in found
    assert "dispatch.rules.1.contractor: weibao is no contractor" in found

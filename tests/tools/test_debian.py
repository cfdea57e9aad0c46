"""Tests what tools/debian.py does around apt; that apt then delivers is proved by the tests that use the servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools import load


@pytest.fixture
def debian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    module = load("debian")
    module.HOME = tmp_path / ".tools/debian"
    module.ROOT = module.HOME / "root"
    return module


def fake_program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put an apt on PATH that delivers one package, and a dpkg-deb that unpacks it; both write down their calls."""
    folder = tmp_path / "programs"
    log = tmp_path / "calls"
    fake_program(folder, "apt-config", "echo 'APT::Update::Post-Invoke:: \"rm -rf everything\";'; echo 'Proxy \"p\";'")
    fake_program(
        folder,
        "apt-get",
        f'echo "apt-get $@" >> {log}; cp "$APT_CONFIG" {tmp_path}/apt.conf; [ $1 = update ] || touch a_1_all.deb',
    )
    fake_program(folder, "apt-cache", "echo promtool")
    fake_program(folder, "dpkg-deb", f'echo "dpkg-deb $1" >> {log}; mkdir -p "$3/usr/bin"; touch "$3/usr/bin/a"')
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    log.touch()
    return log


def test_a_set_is_fetched_once(debian, archive):
    debian.fetch(["prometheus"])
    assert archive.read_text().splitlines() == [
        "apt-get update -qq",
        "apt-get download -qq prometheus prometheus-alertmanager promtool",
        "dpkg-deb -x",
    ]
    assert (debian.ROOT / "usr/bin/a").exists()
    debian.fetch(["prometheus"])
    assert len(archive.read_text().splitlines()) == 3


def test_a_set_that_changed_is_fetched_again(debian, archive):
    debian.fetch(["prometheus"])
    debian.SETS["prometheus"] = debian.PackageSet(("another",), dependencies=True, newer=("unheard-of",))
    archive.write_text("")
    debian.fetch(["prometheus"])
    assert archive.read_text().splitlines() == [
        "apt-get update -qq",
        "apt-get install --download-only -qq another",
        "dpkg-deb -x",
    ]


def test_apt_keeps_the_settings_of_the_system_but_none_of_its_hooks(debian, archive, tmp_path):
    debian.fetch(["pip"])
    settings = (tmp_path / "apt.conf").read_text()
    assert 'Proxy "p";' in settings
    assert "rm -rf everything" not in settings
    assert f'Dir::State "{tmp_path}' in settings


def test_a_failure_of_apt_is_told_with_what_to_do_and_is_no_success_next_time(debian, archive, tmp_path):
    fake_program(tmp_path / "programs", "apt-get", "echo 'E: no such package'; exit 100")
    for _ in range(2):
        with pytest.raises(debian.FetchError, match=r"(?s)no such package.*apt-get update.*python3-pip-whl"):
            debian.fetch(["pip"])


def test_a_system_without_apt_is_told_what_to_install(debian, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(debian.FetchError, match=r"apt-get is not on PATH.*prometheus-alertmanager"):
        debian.fetch(["prometheus"])

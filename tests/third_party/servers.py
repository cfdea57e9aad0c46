"""Starts the servers of other people that speak to our probes: VLC, lighttpd, aio-rtsp-toolkit, ipycam; and faketime.

Each listens on a free port of 127.0.0.1 and ends with its context. One that is missing is an error, never a skip.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np

from bench.ports import free_ports
from tests.servers import START_SECONDS, TOP, ServerMissingError, debian_file, debian_libraries

SIZE = (320, 180)
FRAME_RATE = 15


def video(path: Path, codec: str = "libx264") -> Path:
    """A film of four seconds in H.264 (or ``libx265``), SIZE, a key frame each second."""
    with av.open(str(path), "w") as film:
        stream = film.add_stream(codec, rate=FRAME_RATE)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.options = {"g": str(FRAME_RATE), "bf": "0", "preset": "ultrafast", "x265-params": "log-level=none"}
        for number in range(4 * FRAME_RATE):
            picture = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
            picture[:, 4 * number : 4 * number + 40] = 200
            film.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        film.mux(stream.encode())
    return path


@contextmanager
def vlc_rtsp_server(film: Path, user: str = "", password: str = "") -> Iterator[int]:
    """VLC serves rtsp://127.0.0.1:PORT/city over UDP only, behind Basic where there is a password."""
    plugins = debian_file("usr/lib/*/vlc/plugins", "VLC")
    surroundings = {"LD_LIBRARY_PATH": debian_libraries(), "VLC_PLUGIN_PATH": str(plugins), "HOME": str(film.parent)}
    (port,) = free_ports(1)
    arguments = [str(Path(__file__).with_name("vlc_server.py")), str(film), str(port), user, password]
    with _running([sys.executable, *arguments], surroundings) as process:
        _await(port, process)
        yield port


@contextmanager
def aio_rtsp_server(folder: Path) -> Iterator[int]:
    """aio-rtsp-toolkit serves the films in ``folder`` as rtsp://127.0.0.1:PORT/NAME over TCP, without a password."""
    (port,) = free_ports(1)
    serve = "import asyncio, sys\nfrom aio_rtsp_toolkit.server import serve\n"
    serve += "asyncio.run(serve(sys.argv[1], host='127.0.0.1', port=int(sys.argv[2])))"
    with _running([sys.executable, "-c", serve, str(folder), str(port)]) as process:
        _await(port, process)
        yield port


@contextmanager
def ipycam(user: str, password: str) -> Iterator[int]:
    """ipycam's ONVIF service behind WS-Security, and its picture behind Basic, on one port."""
    wheels = TOP / ".tools" / "wheels"
    if not (wheels / "ipycam").exists():
        raise ServerMissingError(f"ipycam is not in {wheels}; `make servers` fetches it from the package index")
    script = str(Path(__file__).with_name("ipycam_server.py"))
    with _running([sys.executable, script, user, password], {"PYTHONPATH": str(wheels)}) as process:
        yield _port_that_is_told(process)


@contextmanager
def lighttpd(folder: Path, user: str, password: str, certificate: Path, behind: int) -> Iterator[tuple[int, int]]:
    """lighttpd on two ports, in the clear and encrypted with ``certificate`` (a PEM file with its key).

    /open, /basic, /md5, /sha256 and /both stand behind the authentication that they name; below each lies what is in
    ``folder``, and ``onvif/`` is handed on to the port ``behind``.
    """
    program = debian_file("usr/sbin/lighttpd", "lighttpd")
    modules = debian_file("usr/lib/lighttpd", "lighttpd's modules")
    passwords = folder.parent / "lighttpd.passwords"
    passwords.write_text(f"{user}:{password}\n", encoding="utf-8")
    digests = {"md5": "MD5", "sha256": "SHA-256", "both": "MD5|SHA-256"}
    asked = {"basic": '"method" => "basic"'}
    asked |= {name: f'"method" => "digest", "algorithm" => "{algorithm}"' for name, algorithm in digests.items()}
    rules = [f'"/{name}/" => ({how}, "realm" => "camera", "require" => "valid-user")' for name, how in asked.items()]
    aliases = [f'"/{name}/" => "{folder}/"' for name in ("open", *asked)]
    port, secure = free_ports(2)
    settings = folder.parent / "lighttpd.conf"
    settings.write_text(
        f"""
server.document-root = "{folder}"
server.bind = "127.0.0.1"
server.port = {port}
server.errorlog = "{folder.parent}/lighttpd.log"
server.modules = ("mod_auth", "mod_authn_file", "mod_alias", "mod_proxy", "mod_openssl")
mimetype.assign = (".jpg" => "image/jpeg")
alias.url = ({", ".join(aliases)})
auth.backend = "plain"
auth.backend.plain.userfile = "{passwords}"
auth.require = ({", ".join(rules)})
$HTTP["url"] =~ "^/[a-z0-9]+/onvif/" {{
  proxy.server = ("" => (("host" => "127.0.0.1", "port" => {behind})))
}}
$SERVER["socket"] == "127.0.0.1:{secure}" {{
  ssl.engine = "enable"
  ssl.pemfile = "{certificate}"
}}
""",
        encoding="utf-8",
    )
    with _running(
        [str(program), "-D", "-m", str(modules), "-f", str(settings)], {"LD_LIBRARY_PATH": debian_libraries()}
    ) as process:
        _await(port, process)
        yield port, secure


def faketime(shift: str) -> list[str]:
    """What stands before a command that is to live in another time, ``+1h`` for instance."""
    return [
        "env",
        f"LD_PRELOAD={debian_file('usr/lib/*/faketime/libfaketimeMT.so.1', 'faketime')}",
        f"FAKETIME={shift}",
    ]


@contextmanager
def _running(command: list[str], surroundings: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    environ = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    with subprocess.Popen(
        command,
        env={**environ, **(surroundings or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _port_that_is_told(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
    line = process.stdout.readline().strip() if ready else ""
    if not line:
        raise RuntimeError(f"a server did not start: {process.args!r}")
    return int(line)


def _await(port: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"a server did not start: {process.args!r}") from None
            time.sleep(0.05)
        else:
            return

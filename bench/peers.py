"""This file measures our three probes of every minute beside clients that carry the same bytes: the floor in C, which
shows what sockets alone cost, aiohttp, and blackbox_exporter as far as it goes."""

from __future__ import annotations

import asyncio
import http.client
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

import aiohttp

from bench import compiler, exchanges
from bench.exchanges import DESCRIBE, PICTURE, TIME, TIME_TWICE, Exchange
from bench.fleet import Served
from bench.ports import free_ports
from bench.processes import BenchError, cpu_seconds
from camera_registry.model.roster import Target
from camera_registry.simulator.member import Member
from probes.base import Tools, observe
from probes.catalog import load
from probes.guard import AddressGuard
from probes.memory import Memory
from tests.servers import ServerMissingError, debian_file

TIMEOUT = 20.0
AT_ONCE = 32
SOURCE = Path(__file__).with_name("floor.c")
OURS, FLOOR, AIOHTTP, BLACKBOX = "our probe", "C (the floor)", "aiohttp", "blackbox_exporter"


@dataclass(frozen=True, slots=True)
class Peer:
    """Milliseconds of CPU a run of one client at one task; ``times``: what the floor costs goes so often into that."""

    what: str
    client: str
    runs: int
    cpu: float
    times: float


async def peers(fleet: Served, runs: int, folder: Path, *, blackbox: bool = True) -> list[Peer]:
    """Measure; each task's floor first. Raises BenchError when an exchange fails."""
    of = exchanges.members(fleet)
    prepared = await asyncio.to_thread(exchanges.prepare, fleet, of, runs)
    floor = _Floor(folder)
    costs: dict[tuple[str, str], float] = {}
    for what, asked in prepared.items():
        costs[what, FLOOR] = floor.cost(asked)
    costs |= await _ours(fleet, of, runs)
    again = await asyncio.to_thread(exchanges.prepare, fleet, of, runs)
    costs |= {(what, AIOHTTP): await _aiohttp(again[what]) for what in (TIME, PICTURE)}
    if blackbox:
        costs |= await asyncio.to_thread(_blackbox, fleet, of, runs, folder)
    three = (TIME_TWICE, DESCRIBE, PICTURE)
    for client in (FLOOR, OURS):
        costs["the three", client] = sum(costs[what, client] for what in three)
    return [Peer(what, client, runs, cpu, cpu / costs[what, FLOOR]) for (what, client), cpu in sorted(costs.items())]


class _Floor:
    """The client in C, built from our own source."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._program = folder / "floor"
        compiler.build(SOURCE, self._program)

    def cost(self, asked: Sequence[Exchange]) -> float:
        """Milliseconds a run."""
        file = self._folder / "exchanges"
        with file.open("wb") as out:
            for one in asked:
                lengths = " ".join(str(len(request)) for request in one.requests)
                out.write(f"{one.host} {one.port} {len(one.requests)} {lengths}\n".encode())
                out.write(b"".join(one.requests))
        done = subprocess.run(
            [self._program, file, str(AT_ONCE)], capture_output=True, text=True, check=False, timeout=600
        )
        if done.returncode:
            raise BenchError(f"the floor ended with exit code {done.returncode}: {done.stderr[-500:]}")
        total, failed, used, _ = map(int, done.stdout.split())
        if failed:
            raise BenchError(f"{failed} of {total} exchanges of the floor failed")
        return used / total / 1e3


async def _ours(fleet: Served, of: Sequence[Member], runs: int) -> dict[tuple[str, str], float]:
    """Our probes with all that they check, as the poller runs them; what a device wants is known from a first round."""
    credentials = {one.id: fleet.credentials[one.id] for one in of}
    tools = Tools(AddressGuard(("127.0.0.0/8",)), Memory(), credentials.get)
    ports = {"onvif": fleet.ports.http, "rtsp": fleet.ports.rtsp, "http": fleet.ports.http}
    cases: Mapping[str, tuple[str, Mapping[str, object]]] = {
        TIME_TWICE: ("onvif", {"full": False}),
        DESCRIBE: ("rtsp", {}),
        PICTURE: ("snapshot", {}),
    }
    found: dict[tuple[str, str], float] = {}

    async def run(name: str, options: Mapping[str, object], number: int) -> None:
        member = of[number % len(of)]
        target = Target(member.id, member.device.host, ports, credential=member.id)
        path = member.stream_path() if name == "rtsp" else member.snapshot_path()
        seen = await observe(name, load(name), target, {"path": path, **options}, tools, timeout=TIMEOUT)
        if seen.failure is not None:
            raise BenchError(f"{name} of {member.id} failed: {seen.failure}")

    for what, (name, options) in cases.items():
        await _all(len(of), partial(run, name, options))
        begun = time.process_time()
        await _all(runs, partial(run, name, options))
        found[what, OURS] = (time.process_time() - begun) / runs * 1e3
    return found


async def _all(runs: int, run: Callable[[int], Awaitable[None]]) -> None:
    waiting = iter(range(runs))

    async def worker() -> None:
        for number in waiting:
            await run(number)

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))


async def _aiohttp(asked: Sequence[Exchange]) -> float:
    """Milliseconds a run, one session for all and a fresh connection for each, as the others have."""
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:

        async def run(number: int) -> None:
            one = asked[number]
            head, _, body = one.requests[0].partition(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            method, path, _ = first.split(" ")
            headers = dict(line.split(": ", 1) for line in lines)
            url = f"http://{one.host}:{one.port}{path}"
            async with session.request(method, url, data=body or None, headers=headers) as answer:
                await answer.read()
                if answer.status != 200:
                    raise BenchError(f"aiohttp got {answer.status} from {url}")

        begun = time.process_time()
        await _all(len(asked), run)
        return (time.process_time() - begun) / len(asked) * 1e3


_MODULES = """modules:
  time:
    prober: http
    http:
      method: POST
      headers: {{Content-Type: application/soap+xml; charset=utf-8}}
      body: '{body}'
  options:
    prober: tcp
    tcp:
      query_response:
        - send: "OPTIONS rtsp://camera/ RTSP/1.0\\r\\nCSeq: 1\\r\\n\\r"
        - expect: "^RTSP/1.0"
  picture:
    prober: http
    http:
      valid_status_codes: [401]
"""


def _blackbox(fleet: Served, of: Sequence[Member], runs: int, folder: Path) -> dict[tuple[str, str], float]:
    """Milliseconds a probe of the exporter's own processor time. It has no Digest, so it sees no picture and no
    description: only that a password is asked for."""
    try:
        program = debian_file("usr/bin/prometheus-blackbox-exporter", "prometheus-blackbox-exporter")
    except ServerMissingError as error:
        raise BenchError(f"{error}: `python tools/debian.py blackbox`") from error
    (port,) = free_ports(1)
    settings = folder / "blackbox.yml"
    asked = exchanges.soap_requests.request(exchanges.DEVICE, exchanges.Operation.TIME)
    settings.write_text(_MODULES.format(body=asked.write().decode().replace("'", '"')), encoding="utf-8")
    command = [str(program), f"--config.file={settings}", f"--web.listen-address=127.0.0.1:{port}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        connection = _connected(port)
        found: dict[tuple[str, str], float] = {}
        for what, module in ((TIME, "time"), (DESCRIBE, "options"), (PICTURE, "picture")):
            begun = cpu_seconds(process.pid)
            for number in range(runs):
                member = of[number % len(of)]
                target = _target(member, module, fleet)
                connection.request("GET", f"/probe?module={module}&target={quote(target, safe='')}")
                page = connection.getresponse().read()
                if b"\nprobe_success 1" not in page:
                    raise BenchError(f"blackbox_exporter says that {target} fails at {module}")
            found[what, BLACKBOX] = (cpu_seconds(process.pid) - begun) / runs * 1e3
        return found
    finally:
        process.terminate()
        process.wait()


def _target(member: Member, module: str, fleet: Served) -> str:
    host = member.device.host
    if module == "options":
        return f"{host}:{fleet.ports.rtsp}"
    path = "/onvif/device_service" if module == "time" else member.snapshot_path()
    return f"http://{host}:{fleet.ports.http}{path}"


def _connected(port: int) -> http.client.HTTPConnection:
    until = time.monotonic() + 10
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        try:
            connection.connect()
        except OSError as error:
            if time.monotonic() > until:
                raise BenchError("blackbox_exporter does not start") from error
            time.sleep(0.1)
        else:
            return connection

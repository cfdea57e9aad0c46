"""This file lays siege to a whole service: it polls hostile devices beside healthy ones, and is asked what that costs.

Everything is a process of its own: the service as `serve` runs it, the healthy fleet, the hostile devices with traps.
"""

from __future__ import annotations

import html
import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, quote_plus

from bench.fleet import served
from bench.ports import free_ports
from bench.processes import BenchError, children, wait_for
from camera_registry.model.device import Device, Kind
from camera_registry.model.people import Credential, Role, User
from camera_registry.model.register import Item
from camera_registry.settings import load
from camera_registry.store import Store, access, credentials, register, sessions, tokens
from tests.hostile.attack import CANARY, USER
from tests.hostile.devices import HOSTS, TEXTS

TOP = Path(__file__).resolve().parent.parent.parent
READY_SECONDS = 60.0
SETTINGS = """
language = "en"
[storage]
directory = "data"
[web]
port = {port}
[devices]
networks = ["127.1.0.0/16", "{hosts}"]
[poller]
slots = 4096
[probes]
rtsp_frames = true
[probes.onvif]
interval = {interval:g}
timeout = {timeout:g}
[probes.rtsp]
interval = {interval:g}
timeout = {timeout:g}
[probes.snapshot]
interval = {interval:g}
timeout = {timeout:g}
[probes.tcp]
interval = {interval:g}
timeout = {timeout:g}
[logs]
level = "debug"
"""


@dataclass(frozen=True, slots=True)
class Force:
    """How many devices there are of each kind; ``interval`` and ``window`` are seconds."""

    healthy: int
    hang: int
    drip: int
    bombs: int
    redirectors: int
    echoes: int
    interval: float
    window: float

    @property
    def hostile(self) -> list[int]:
        return [self.hang, self.drip, self.bombs, self.redirectors, self.echoes]


@dataclass(frozen=True, slots=True)
class Figures:
    """What it cost. ``lag``: seconds that 99 % of the healthy devices' runs began late at most, ``worst`` the latest;
    ``starved``: seconds in which the service was ready to run and the machine did other things; ``failed``: of their
    runs; ``missed``: of all; ``megabytes``: the most that the service and its decoding processes ever held;
    ``internal``: runs that ended in an exception that no probe should raise; ``visits``: who came to the traps;
    ``leaks``: where the password was seen; ``raw``: pages that show a device's text as markup; ``kinds``: how hostile
    devices' runs ended."""

    polls: int
    lag: float
    worst: float
    starved: float
    failed: int
    missed: int
    megabytes: float
    internal: int
    visits: Sequence[str]
    leaks: Sequence[str]
    raw: Sequence[str]
    kinds: Mapping[str, int]

    @property
    def held(self) -> bool:
        """Whether the siege cost others nothing."""
        lost = self.visits or self.leaks or self.raw or self.internal
        return not lost and self.lag < 1.0 and self.megabytes < 600


def lay(force: Force, folder: Path) -> Figures:
    """Run it all, about ``window`` and 15 seconds. Raises BenchError when something does not start."""
    visits, lags, log = folder / "visits.json", folder / "lags.json", folder / "serve.log"
    with served(force.healthy, folder) as fleet, _hostile(force, visits, folder) as enemies:
        settings = folder / "settings.toml"
        interval, port = force.interval, free_ports(1)[0]
        timeout = min(8.0, 0.95 * interval)
        settings.write_text(
            SETTINGS.format(port=port, hosts=HOSTS, interval=interval, timeout=timeout), encoding="utf-8"
        )
        items = [*fleet.register.areas.values(), *fleet.register.sites.values(), *fleet.register.contractors.values()]
        items += [*fleet.register.crews.values(), *fleet.register.channels.values()]
        healthy = set(fleet.register.devices)
        items += [replace(device, credential=device.id) for device in fleet.register.devices.values()]
        token, cookie = _prepare(settings, [*items, *enemies], list(fleet.credentials.values()))
        command = [sys.executable, "-m", "tests.hostile.watched", str(settings), str(lags)]
        with _program(command, log) as service:
            wait_for(service, "http://127.0.0.1", log, READY_SECONDS)
            address = f"http://127.0.0.1:{port}"
            megabytes = _watch(service.pid, force.window)
            shown = dict(_shown(address, token, cookie, [enemy.id for enemy in enemies]))
            megabytes, starved = max(megabytes, _megabytes(service.pid)), _starved(service.pid)
            missed = _missed(shown["/metrics"])
    told = json.loads(lags.read_text(encoding="utf-8"))
    ours = [(lag, kind) for device, _, lag, kind in told if device in healthy]
    late = sorted(lag for lag, _ in ours)
    return Figures(
        polls=len(ours),
        lag=late[int(0.99 * len(late))] if late else float("nan"),
        worst=late[-1] if late else float("nan"),
        starved=starved,
        failed=sum(1 for _, kind in ours if kind),
        missed=missed,
        megabytes=megabytes,
        internal=log.read_text(encoding="utf-8").count("failed on our side"),
        visits=json.loads(visits.read_text(encoding="utf-8")),
        leaks=[place for place, text in {**shown, **_kept(folder)}.items() if any(form in text for form in FORMS)],
        raw=[place for place, text in shown.items() if place.startswith("page ") and TEXTS[0].encode() in text],
        kinds=dict(Counter(kind or "a value" for device, _, _, kind in told if device not in healthy)),
    )


def _forms(secret: str) -> tuple[bytes, ...]:
    """The secret as it may be written."""
    plain = secret.encode()
    packed = [b64encode(plain), b64encode(f"{USER}:{secret}".encode())]
    quoted = {quote(secret), quote(secret, safe=""), quote_plus(secret), html.escape(secret), repr(secret)[1:-1]}
    quoted |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    return (plain, *(text.rstrip(b"=") for text in packed), *(text.encode() for text in quoted))


FORMS = _forms(CANARY)


@contextmanager
def _hostile(force: Force, visits: Path, folder: Path) -> Iterator[list[Device]]:
    log = folder / "hostile.log"
    counts = [str(count) for count in force.hostile]
    with _program([sys.executable, "-m", "tests.hostile.devices", *counts, str(visits)], log) as process:
        wait_for(process, "}}", log, READY_SECONDS)
        told = json.loads(log.read_text(encoding="utf-8").splitlines()[0])
        ports = {
            f"{name}_port": told["ports"][other]
            for name, other in (("onvif", "http"), ("http", "http"), ("rtsp", "rtsp"))
        }
        yield [
            Device(f"{kind}-{number}", Kind.CAMERA, host=host, credential="canary", **ports)
            for number, (host, kind) in enumerate(told["hosts"].items())
        ]


def _prepare(settings: Path, items: Sequence[Item], logins: Sequence[Credential]) -> tuple[str, str]:
    """A register with everything in it; a program's token and a browser's cookie."""
    loaded = load(settings).settings
    now = datetime.now(UTC)
    assert loaded.storage.key_file is not None
    with Store.open(loaded.storage.url, loaded.storage.directory) as store:
        vault = store.read_now(credentials.open_vault, loaded.storage.key_file)
        known = [*logins, Credential("canary", USER, CANARY)]
        store.write_now(credentials.put_all, vault, known, author="siege", at=now)
        store.write_now(register.apply, items, author="siege", at=now)
        store.write_now(access.create_account, User("siege", Role.ADMIN, "en"), "no password", author="siege", at=now)
        token = store.write_now(tokens.create, "siege", Role.ADMIN, expires_at=None, author="siege", at=now)
        cookie = store.write_now(sessions.create, "siege", "127.0.0.1", now)
    return token, f"camera_registry={cookie}"


def _shown(address: str, token: str, cookie: str, enemies: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Everything that the service shows of hostile devices: to Prometheus, to programs, to people."""
    for path in ("/metrics", "/metrics/devices", "/sd/devices", "/sd/pollers"):
        yield path, _ask(address + path)
    echoing = [device for device in enemies if device.startswith("echoes")]
    for path in ("devices?limit=500", "flips?limit=500", *(f"devices/{device}" for device in echoing)):
        yield f"api {path}", _ask(f"{address}/api/v1/{path}", {"Authorization": f"Bearer {token}"})
    for path in ("", "devices", *(f"devices/{device}" for device in echoing)):
        yield f"page {path}", _ask(f"{address}/{path}", {"Cookie": cookie})
    for device in echoing[::16]:
        yield f"probe {device}", _ask(f"{address}/probe?target={device}&debug=1", {"Authorization": f"Bearer {token}"})


def _ask(url: str, headers: Mapping[str, str] | None = None) -> bytes:
    request = urllib.request.Request(url, headers=dict(headers or {}))
    with urllib.request.urlopen(request, timeout=60) as answer:
        body: bytes = answer.read()
    return body


def _kept(folder: Path) -> dict[str, bytes]:
    """Everything that was written down."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {f"file {file.relative_to(folder)}": file.read_bytes() for file in files}


def _missed(metrics: bytes) -> int:
    found = re.findall(rb"^camera_registry_polls_missed_total\{[^}]*\} (\S+)$", metrics, re.MULTILINE)
    return round(sum(map(float, found)))


def _watch(pid: int, seconds: float) -> float:
    """Wait; the most memory that the service and its children held together, in megabytes."""
    most, until = 0.0, time.monotonic() + seconds
    while time.monotonic() < until:
        most = max(most, _megabytes(pid))
        time.sleep(0.25)
    return most


def _megabytes(pid: int) -> float:
    """The service's highest mark, and what its children hold now."""
    held = _status(pid, "VmHWM")
    for child in children(pid):
        try:
            held += _status(child, "VmRSS")
        except (FileNotFoundError, ProcessLookupError):
            continue
    return held


def _starved(pid: int) -> float:
    """Seconds that its event loop waited for a processor (the second number of schedstat, proc(5))."""
    return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="utf-8").split()[1]) / 1e9


def _status(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    return 0.0


@contextmanager
def _program(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=TOP, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(45)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise BenchError(f"{command[2]} did not end when it was told to") from None


def told(figures: Figures) -> str:
    """The figures, a line each."""
    return "\n".join(f"{field.name:10} {getattr(figures, field.name)}" for field in fields(figures))

"""This file sets the stage for fault tests: a simulated fleet and a receiver of notices in this process, the service in
one of its own, which can be killed, stopped, stalled and asked.

Devices are asked by ``tcp`` unless said otherwise. Whoever has no power is silent in the kernel: neither this process's
slowness nor the service's is taken for a fault of a device.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import signal
import sqlite3
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from bench.processes import BenchError
from camera_registry.model.device import Device
from camera_registry.model.people import Credential, Role
from camera_registry.model.register import Register
from camera_registry.settings import load
from camera_registry.simulator.faults import Fault
from camera_registry.simulator.plan import Fleet
from camera_registry.simulator.simulation import Simulation
from camera_registry.store import Store, credentials, register, tokens
from tests.notices import Receiver, receiving
from tests.shaped import shaped

READY_SECONDS = 180.0
SETTINGS = """
language = "en"
[storage]
directory = "data"
[web]
port = 0
[devices]
networks = ["127.0.0.0/8"]
[probes.tcp]
interval = {interval:g}
timeout = {timeout:g}
[probes.onvif]
interval = {interval:g}
timeout = {timeout:g}
[health]
retry = {retry:g}
hold = {hold:g}
{health}
[logs]
level = "warning"
{more}
[[channels]]
name = "duty"
kind = "webhook"
url = "{url}"
group_wait = 0
timeout = 10
"""
SEED = 7


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast life is on this stage. Seconds."""

    interval: float = 2.0
    timeout: float = 0.5
    retry: float = 0.2
    hold: float = 0.5


def pace_of(devices: int) -> Pace:
    """A fast life for a small fleet, and one that a large fleet can be asked at."""
    return Pace(1.0, retry=0.2, hold=0.3) if devices < 500 else Pace(5.0)


@dataclass(frozen=True)
class Running:
    """A service that runs. ``ready``: seconds from its start until it said so, without those that it was ready to go on
    and the machine did other things (the second number of schedstat, proc(5))."""

    process: Process
    url: str
    token: str
    session: aiohttp.ClientSession
    ready: float

    @property
    def pid(self) -> int:
        return self.process.pid

    async def ask(self, path: str, method: str = "GET", **values: Any) -> tuple[int, bytes]:
        """Status and body of an answer of the service."""
        headers = {"Authorization": f"Bearer {self.token}"} | values.pop("headers", {})
        async with self.session.request(method, self.url + path, headers=headers, **values) as answer:
            return answer.status, await answer.read()

    async def metrics(self) -> dict[str, float]:
        """The service's own metrics: name, with the values of its labels behind it, to value."""
        _, text = await self.ask("/metrics")
        return {
            " ".join((sample.name, *(value for _, value in sorted(sample.labels.items())))): sample.value
            for family in text_string_to_metric_families(text.decode())
            for sample in family.samples
        }

    async def statuses(self) -> dict[str, int]:
        """How many devices have which status."""
        counted: dict[str, int] = {}
        for name, value in (await self.metrics()).items():
            if name.startswith("camera_area_devices "):
                status = next(word for word in name.split() if word in STATUSES)
                counted[status] = counted.get(status, 0) + round(value)
        return counted

    async def are(self, **wanted: int) -> bool:
        """Whether exactly so many devices have these statuses."""
        found = await self.statuses()
        return all(found.get(status, 0) == count for status, count in wanted.items())

    async def polled(self, before: Mapping[str, float], wanted: int) -> bool:
        """Whether so many polls have come back since an earlier look at the metrics."""
        return grown(before, await self.metrics(), "camera_registry_polls_total ") >= wanted

    async def stop(self) -> float:
        """End it by SIGTERM; seconds that took."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(90):
            await self.process.wait()
        return time.monotonic() - begun


STATUSES = frozenset({"ok", "down", "degraded", "unknown"})


@dataclass
class Stage:
    """The fleet, who receives notices, and the settings of the service to come."""

    folder: Path
    simulation: Simulation
    receiver: Receiver
    settings: Path
    token: str
    register: Register
    session: aiohttp.ClientSession
    database: Path
    random: random.Random = field(default_factory=lambda: random.Random(SEED))  # noqa: S311 - a test must repeat

    @property
    def devices(self) -> list[str]:
        return list(self.register.devices)

    @property
    def leaves(self) -> list[str]:
        """Devices with nothing behind them."""
        parents = {device.parent for device in self.register.devices.values()}
        return [id for id in self.register.devices if id not in parents]

    def silence(self, devices: Sequence[str]) -> None:
        """These have no power from now on."""
        self.simulation.faults.set(devices, Fault.POWER_OFF)

    def wake(self, devices: Sequence[str] | None = None) -> None:
        """These have power again; None: all."""
        if devices is None:
            self.simulation.faults.clear_all()
        else:
            self.simulation.faults.clear(devices, Fault.POWER_OFF)

    async def well(self, running: Running) -> float:
        """Wait until all devices are known to be well; seconds that took. Raises BenchError when they do not get so."""
        return await until(lambda: running.are(ok=len(self.register.devices)))

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What the service has committed."""
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as database:
            return database.execute(query, values).fetchall()

    def count(self, table: str, where: str = "1") -> int:
        return int(self.rows(f"SELECT count(*) FROM {table} WHERE {where}")[0][0])  # noqa: S608 - our own words

    @property
    def opened(self) -> set[int]:
        """Incidents that the duty was told of."""
        return {id for id, occasion in self.receiver.told if occasion == "opened"}

    @property
    def resolved(self) -> set[int]:
        """Incidents whose end the duty was told of."""
        return {id for id, occasion in self.receiver.told if occasion == "resolved"}

    @property
    def owed(self) -> int:
        """Notices that are not delivered yet."""
        return self.count("notice", "state IN ('pending', 'sending')")

    @asynccontextmanager
    async def service(self, module: str = "camera_registry", **environment: str) -> AsyncIterator[Running]:
        """The service, from the moment it is ready; killed on leaving if it still runs. ``module`` is what starts it.
        Raises BenchError when it does not start."""
        log = self.folder / "serve.log"
        begun, written = time.monotonic(), log.stat().st_size if log.exists() else 0
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", module, "--config", str(self.settings), "--lang", "en", "serve"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=os.environ | environment,
            )
        try:
            url = await self._ready(process, log, written)
            took = time.monotonic() - begun
            starved = _starved(process.pid)
            yield Running(process, url, self.token, self.session, took - starved)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _ready(self, process: Process, log: Path, before: int) -> str:
        """Where the service is, once it is ready; what it writes begins at ``before`` in its log."""
        begun = time.monotonic()
        while time.monotonic() - begun < READY_SECONDS:
            text = _written(log, before)
            if process.returncode is not None:
                raise BenchError(f"the service ended: {text[-2000:]}")
            if found := re.search(r"http://127\.0\.0\.1:\d+", text):
                async with self.session.get(f"{found[0]}/readyz") as answer:
                    if answer.status == 200:
                        return found[0]
            await asyncio.sleep(0.02)
        raise BenchError(f"the service was not ready after {READY_SECONDS:g} s")


@asynccontextmanager
async def stage(
    folder: Path,
    devices: int,
    pace: Pace = Pace(),
    *,
    probes: tuple[str, ...] = ("tcp",),
    more: str = "",
    health: str = "",
    known: bool = False,
    shape: Callable[[dict[str, Device]], dict[str, Device]] = dict,
) -> AsyncIterator[Stage]:
    """A fleet that answers, in the register of a service that does not run yet. ``known``: all is known to be well;
    ``shape`` may put devices elsewhere."""
    async with (
        Simulation(Fleet.plan(devices, SEED)) as simulation,
        receiving() as receiver,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(60)) as session,
    ):
        settings = folder / "settings.toml"
        text = SETTINGS.format(
            interval=pace.interval,
            timeout=pace.timeout,
            retry=pace.retry,
            hold=pace.hold,
            health=health,
            more=more,
            url=receiver.url,
        )
        settings.write_text(text, encoding="utf-8")
        planned = simulation.fleet.register(simulation.ports)
        asked = {
            id: replace(
                device,
                probes=probes if device.onvif_port or probes == ("tcp",) else ("tcp",),
                tcp_port=device.tcp_port or simulation.ports.http,
                credential=id,
            )
            for id, device in planned.devices.items()
        }
        planned = replace(planned, devices=shape(asked))
        token = _prepare(settings, planned, simulation.fleet)
        database = folder / "data" / "camera_registry.db"
        made = Stage(folder, simulation, receiver, settings, token, planned, session, database)
        if known:
            async with made.service() as running:
                await made.well(running)
                await running.stop()
        yield made


def _written(log: Path, before: int) -> str:
    return log.read_bytes()[before:].decode(errors="replace")


def _starved(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="utf-8").split()[1]) / 1e9


def _prepare(settings: Path, planned: Register, fleet: Fleet) -> str:
    """A register with the fleet in it, and a token of a program that may do everything."""
    loaded = load(settings).settings
    now = datetime.now(UTC)
    assert loaded.storage.key_file is not None, "load() fills it in"
    items = [*planned.areas.values(), *planned.sites.values(), *planned.contractors.values()]
    items += [*planned.crews.values(), *planned.devices.values()]
    logins = [Credential(member.id, member.username, member.password) for member in fleet.members]
    with Store.open(loaded.storage.url, shaped(loaded.storage.directory)) as store:
        vault = store.read_now(credentials.open_vault, loaded.storage.key_file)
        store.write_now(credentials.put_all, vault, logins, author="bench", at=now)
        store.write_now(register.apply, items, author="bench", at=now)
        return store.write_now(tokens.create, "bench", Role.ADMIN, expires_at=None, author="bench", at=now)


async def until(met: Callable[[], Any], seconds: float = 180.0) -> float:
    """Wait for something that sets no event; ``met`` may be a coroutine function. Returns the seconds that took. Raises
    BenchError when it does not come."""
    begun = time.monotonic()
    while True:
        found = met()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return time.monotonic() - begun
        if time.monotonic() - begun > seconds:
            raise BenchError(f"waited {seconds:g} s in vain")
        await asyncio.sleep(0.2)


def lag(before: Mapping[str, float], after: Mapping[str, float], name: str, share: float = 0.99) -> float:
    """The upper bound, seconds, that ``share`` of what was observed between two looks at the metrics did not exceed."""
    head = f"camera_registry_{name}_seconds_bucket "
    grown = sorted(
        (float(key.removeprefix(head)), value - before.get(key, 0.0))
        for key, value in after.items()
        if key.startswith(head)
    )
    total = grown[-1][1] if grown else 0.0
    return next((bound for bound, value in grown if total and value >= share * total), float("nan"))


def grown(before: Mapping[str, float], after: Mapping[str, float], head: str) -> int:
    """By how much the counters whose name and labels begin so have grown between two looks."""
    return round(sum(value - before.get(key, 0.0) for key, value in after.items() if key.startswith(head)))

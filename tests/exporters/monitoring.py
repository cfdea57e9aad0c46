"""Runs a real Prometheus and a real Alertmanager with the configuration that is shipped, made impatient for tests."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from bench.ports import free_ports
from tests.servers import ROOT, TOP, alertmanager_binary, prometheus_binary

SHIPPED = TOP / "config"
START_SECONDS = 40.0
TEMPLATES = ROOT / "usr/share/prometheus/alertmanager"
EVERY = "1s"
"""How often the tests' Prometheus asks for targets, scrapes and evaluates."""


@dataclass(slots=True)
class Monitoring:
    """Prometheus's address, and what Alertmanager has told its receivers.

    ``told`` is what no test has looked at yet, oldest first; ``devices_told`` the devices of all alerts that were ever
    told, with the alert's name.
    """

    prometheus: str
    told: list[dict[str, Any]] = field(default_factory=list)
    devices_told: set[tuple[str, str]] = field(default_factory=set)
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, alert: dict[str, Any]) -> None:
        self.told.append(alert)
        self.devices_told.add((alert["labels"]["alertname"], alert["labels"].get("device", "")))
        self.heard.set()

    async def ask(self, query: str) -> dict[frozenset[tuple[str, str]], float]:
        """The answer to a PromQL query now: labels to value."""
        async with aiohttp.ClientSession() as session:
            url = f"{self.prometheus}/api/v1/query"
            async with session.get(url, params={"query": query}, raise_for_status=True) as answer:
                result = (await answer.json())["data"]["result"]
        return {frozenset(sample["metric"].items()): float(sample["value"][1]) for sample in result}

    async def becomes(self, query: str, expected: dict[str, float]) -> None:
        """Wait until the query answers with these devices and values; the caller's deadline ends it."""
        while True:
            if {dict(labels)["device"]: at for labels, at in (await self.ask(query)).items()} == expected:
                return
            await asyncio.sleep(0.2)

    async def next_alert(self, name: str, *, status: str = "firing") -> dict[str, Any]:
        """The next alert of this name that reaches the receiver; others stay for whoever asks for them."""
        while True:
            for alert in self.told:
                if alert["labels"]["alertname"] == name and alert["status"] == status:
                    self.told.remove(alert)
                    return alert
            self.heard.clear()
            await self.heard.wait()


async def until(true: Callable[[], bool]) -> None:
    """Wait until it is so; the caller's deadline ends it."""
    while not true():
        await asyncio.sleep(0.2)


@asynccontextmanager
async def monitoring(service: str, folder: Path) -> AsyncIterator[Monitoring]:
    """Prometheus scrapes the service at ``service`` (host:port) and tells Alertmanager, which tells us."""
    prometheus_port, alertmanager_port = free_ports(2)
    watched = Monitoring(f"http://127.0.0.1:{prometheus_port}")
    _write(folder / "prometheus.yml", _prometheus(service, f"127.0.0.1:{alertmanager_port}"))
    for rules in ("recording.yml", "alerts.yml"):
        _write(folder / rules, _impatient(_read(SHIPPED / "prometheus" / rules)))
    prometheus = (
        prometheus_binary(),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{prometheus_port}",
    )
    async with (
        alertmanager(watched, alertmanager_port, folder),
        _running(prometheus, f"{watched.prometheus}/-/ready", folder / "prometheus.log", folder),
    ):
        yield watched


@asynccontextmanager
async def alertmanager(watched: Monitoring, port: int, folder: Path) -> AsyncIterator[str]:
    """Alertmanager alone, which tells us; gives its address."""
    async with TestServer(_receiver(watched)) as receiver:
        _write(folder / "alertmanager.yml", _alertmanager(str(receiver.make_url("/"))))
        command = (
            _relocated(alertmanager_binary()),
            f"--config.file={folder / 'alertmanager.yml'}",
            f"--storage.path={folder / 'alertmanager'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        )
        address = f"http://127.0.0.1:{port}"
        async with _running(command, f"{address}/-/ready", folder / "alertmanager.log", TEMPLATES):
            yield address


def _relocated(alertmanager: Path) -> Path:
    """A copy of Debian's Alertmanager that finds its templates in its working folder.

    The original looks in /usr/share only, where they would be if the package were installed and not just unpacked.
    """
    copy = ROOT.parent / "alertmanager-relocated"
    if not copy.exists() or copy.stat().st_mtime < alertmanager.stat().st_ctime:
        built_in = b"/usr/share/prometheus/alertmanager"
        here = b"." + b"/" * (len(built_in) - 1)  # of the same length
        # Written aside and moved: another worker may be doing the same.
        fresh = copy.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(alertmanager.read_bytes().replace(built_in, here))
        fresh.chmod(0o755)
        fresh.rename(copy)
    return copy


def _receiver(watched: Monitoring) -> web.Application:
    async def receive(request: web.Request) -> web.Response:
        for alert in (await request.json())["alerts"]:
            watched.hear(alert)
        return web.Response()

    application = web.Application()
    application.router.add_post("/", receive)
    return application


def _prometheus(service: str, alertmanager: str) -> dict[str, Any]:
    config = _read(SHIPPED / "prometheus" / "prometheus.yml")
    config["global"] = {"scrape_interval": EVERY, "evaluation_interval": EVERY}
    config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [alertmanager]
    for job in config["scrape_configs"]:
        job["scrape_interval"] = job["scrape_timeout"] = EVERY
        for discovery in job["http_sd_configs"]:
            discovery["url"] = discovery["url"].replace("127.0.0.1:8600", service)
            discovery["refresh_interval"] = EVERY
    return config


def _alertmanager(receiver: str) -> dict[str, Any]:
    config = _read(SHIPPED / "alertmanager" / "alertmanager.yml")
    for route in (config["route"], *config["route"]["routes"]):
        route |= {"group_wait": "1s", "group_interval": "1s"}
    for named in config["receivers"]:
        named["webhook_configs"] = [{"url": receiver}]
    return config


def _impatient(rules: dict[str, Any]) -> dict[str, Any]:
    for group in rules["groups"]:
        for rule in group["rules"]:
            if "for" in rule:
                rule["for"] = "1s"
    return rules


def _read(path: Path) -> dict[str, Any]:
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


@asynccontextmanager
async def _running(command: tuple[str | Path, ...], ready: str, log: Path, folder: Path) -> AsyncIterator[None]:
    """The program runs in ``folder`` while inside, and has said that it is ready."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(*command, cwd=folder, stdout=output, stderr=output)
    try:
        async with asyncio.timeout(START_SECONDS), aiohttp.ClientSession() as session:
            while not await _answers(session, ready):
                assert process.returncode is None, f"{command[0]} has ended; see {log}"
                await asyncio.sleep(0.1)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 10)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False

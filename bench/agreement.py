"""This file holds three views of the same hours against each other: the API, workbooks, and Prometheus.

    python -m bench.agreement [--minutes 60] [--devices 200] [--scrape 15] [--faults FILE]

starts `demo` and a Prometheus beside it, waits, and compares online rate, intact rate and coverage of sites. API and
workbook must be equal to the digit (lengths to the millisecond, which is what openpyxl reads). Prometheus sees samples,
so it may differ by what sampling explains: of each flip, the time from its first sign until it was confirmed and
committed (reports date it back, a gauge can't), and one scrape and one evaluation. What is beyond that is a fault.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import openpyxl
import yaml

from bench.ports import free_ports
from tests.servers import TOP, prometheus_binary

_NEEDED = {"online": ("reach", "stream"), "intact": ("reach", "stream", "picture", "clock")}
_SIGHT = ("reach", "stream", "picture")
_COMMIT = 1.5
"""Seconds from a confirmation until the page tells it, at most."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One rate as the API has it, as Prometheus has it, and how far these may be apart."""

    what: str
    report: float | None
    sampled: float | None
    allowed: float
    flips: int

    @property
    def agrees(self) -> bool:
        if self.report is None or self.sampled is None:
            # Known for less than sampling can see, or not at all.
            return self.report is self.sampled or self.allowed >= 1
        return abs(self.report - self.sampled) <= self.allowed

    def __str__(self) -> str:
        told = [f"{one:.6f}" if one is not None else "-" for one in (self.report, self.sampled)]
        return f"{self.what}: API {told[0]}, Prometheus {told[1]}, allowed {self.allowed:.6f} for {self.flips} flips"


@dataclass(slots=True)
class Agreement:
    """What was found: rates held against each other, and cells of workbooks that are unlike the API's."""

    figures: list[Figure] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)
    equal: int = 0

    @property
    def faults(self) -> list[str]:
        return [*self.unlike, *(str(one) for one in self.figures if not one.agrees)]


class Views:
    """The service's API and Prometheus, over one session."""

    def __init__(self, session: aiohttp.ClientSession, service: str, token: str, prometheus: str) -> None:
        self._session = session
        self._service = service
        self._headers = {"Authorization": f"Bearer {token}"}
        self._prometheus = prometheus

    async def get(self, path: str) -> Any:
        async with self._session.get(self._service + path, headers=self._headers, raise_for_status=True) as answer:
            return await answer.json(content_type=None)

    async def workbook(self, path: str) -> Any:
        async with self._session.get(self._service + path, headers=self._headers, raise_for_status=True) as answer:
            return openpyxl.load_workbook(io.BytesIO(await answer.read()))

    async def report(self, kind: str, begins: datetime, ends: datetime) -> tuple[Any, Any]:
        """A report as JSON and as a workbook."""
        body = {"report": kind, "begins": begins.isoformat(), "ends": ends.isoformat()}
        url = f"{self._service}/api/v1/reports"
        async with self._session.post(url, json=body, headers=self._headers, raise_for_status=True) as answer:
            where = answer.headers["Location"]
        for _ in range(600):
            job = await self.get(where)
            if job["state"] not in ("waiting", "running"):
                break
            await asyncio.sleep(0.2)
        assert job["state"] == "done", job
        return await self.get(f"{where}/json"), await self.workbook(f"{where}/xlsx")

    async def flips(self, device: str, since: datetime, until: datetime) -> list[dict[str, Any]]:
        """The flips of a device that begin or are confirmed between two moments."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = await self.get(f"/api/v1/devices/{device}/flips?limit=1000&cursor={cursor}")
            found += page["items"]
            cursor = page["next"] or ""
            if not cursor:
                break
        return [one for one in found if _at(one["confirmed_at"]) > since and _at(one["at"]) < until]

    async def ask(self, query: str, at: datetime, label: str) -> dict[str, float]:
        """A query at a moment: the value by the value of one label."""
        params = {"query": query, "time": str(at.timestamp())}
        url = f"{self._prometheus}/api/v1/query"
        async with self._session.get(url, params=params, raise_for_status=True) as answer:
            result = (await answer.json())["data"]["result"]
        return {one["metric"].get(label, ""): float(one["value"][1]) for one in result}


async def compare(views: Views, begins: datetime, ends: datetime, interval: float) -> Agreement:
    """Hold the three against each other over a period; ``interval``: seconds of a scrape and an evaluation together."""
    found = Agreement()
    told, book = await views.report("availability", begins, ends)
    _equal(found, "availability", told, book, ("total", "devices"))
    covered, sheets = await views.report("coverage", begins, ends)
    _equal(found, "coverage", covered, sheets, ("sites",))
    span = f"{round((ends - begins).total_seconds())}s"
    since, until = (_query_time(one) for one in (begins, ends))
    period = await views.get(f"/api/v1/coverage/period?since={since}&until={until}")
    _alike(found, covered, period)
    # What was confirmed just before the period may be seen in it for the first time.
    early = begins - timedelta(seconds=interval + _COMMIT)
    flips = {row["device"]: await views.flips(row["device"], early, ends) for row in told["tables"]["devices"]["rows"]}
    parents = {item["id"]: item.get("parents") or [item.get("parent", "")] for item in await _devices(views)}
    slacks = _Slacks(flips, parents, interval)
    await _rates(views, found, told, slacks, ends, span)
    await _sites(views, found, period, slacks, ends, span)
    return found


class _Slacks:
    """How much time sampling may misplace: of each flip of a device, and of what stands above it."""

    def __init__(self, flips: Mapping[str, list[dict[str, Any]]], parents: Mapping[str, list[str]], interval: float):
        self._flips, self._parents, self._interval = flips, parents, interval

    def of(self, device: str, aspects: Iterable[str]) -> tuple[float, int]:
        """Seconds, and from how many flips. The two edges of the period are misplaced only where something changes."""
        wanted = [one for one in self._flips.get(device, ()) if one["aspect"] in aspects]
        for above in self._above(device):
            wanted += [one for one in self._flips.get(above, ()) if one["aspect"] == "reach"]
        seconds = sum(
            (_at(one["confirmed_at"]) - _at(one["at"])).total_seconds() + self._interval + _COMMIT for one in wanted
        )
        return seconds, len(wanted)

    def _above(self, device: str) -> set[str]:
        found: set[str] = set()
        waiting = list(self._parents.get(device, ()))
        while waiting:
            here = waiting.pop()
            if here and here not in found:
                found.add(here)
                waiting += self._parents.get(here, ())
        return found


async def _rates(views: Views, found: Agreement, told: Any, slacks: _Slacks, ends: datetime, span: str) -> None:
    for measure, aspects in _NEEDED.items():
        series = f"device:camera_{measure}:bool[{span}]"
        good = await views.ask(f"sum_over_time({series})", ends, "device")
        count = await views.ask(f"count_over_time({series})", ends, "device")
        total = [0.0, 0.0, 0.0, 0.0]
        for row in told["tables"]["devices"]["rows"]:
            device = row["device"]
            seconds, flips = slacks.of(device, aspects)
            known = row["online_good"] + row["online_bad"]
            sampled = good[device] / count[device] if count.get(device) else None
            allowed = _allowed(seconds, known)
            found.figures.append(Figure(f"{measure} {device}", row[measure], sampled, allowed, flips))
            parts = (good.get(device, 0), count.get(device, 0), seconds, flips)
            total = [one + part for one, part in zip(total, parts, strict=True)]
        (row,) = told["tables"]["total"]["rows"]
        known = max(1.0, row["online_good"] + row["online_bad"])
        sampled = total[0] / total[1] if total[1] else None
        found.figures.append(Figure(f"{measure} of all", row[measure], sampled, 2 * total[2] / known, round(total[3])))


async def _sites(views: Views, found: Agreement, period: Any, slacks: _Slacks, ends: datetime, span: str) -> None:
    covered = await views.ask(f"sum_over_time(site:camera_views_covered:count[{span}])", ends, "site")
    known = await views.ask(f"sum_over_time(site:camera_views_known:count[{span}])", ends, "site")
    now = await views.get("/api/v1/coverage")
    showing = {
        site["site"]: [channel["device"] for view in site["views"] for channel in view["channels"]]
        for site in now["sites"]
    }
    for site in period["sites"]:
        moved = [slacks.of(device, _SIGHT) for device in showing.get(site["site"], ())]
        seconds, flips = sum(one for one, _ in moved), sum(one for _, one in moved)
        times = site["times"]
        length = times["covered"] + times["uncovered"]
        id = site["site"]
        sampled = covered[id] / known[id] if known.get(id) else None
        allowed = _allowed(seconds, length)
        found.figures.append(Figure(f"coverage {id}", times["ratio"], sampled, allowed, flips))


def _allowed(seconds: float, known: float) -> float:
    """How far a rate of so many known seconds may be off. Where nothing moved, nothing may differ: not even that it is
    not known."""
    if not seconds:
        return 0.0
    return 1.0 if seconds >= known else 2 * seconds / known


def _equal(found: Agreement, kind: str, told: Any, book: Any, tables: Iterable[str]) -> None:
    """Every number of the JSON stands in the workbook, to the 16 digits that a workbook holds of a number."""
    # The first sheet is the head; then each table has one, in the order of the report.
    sheets = dict(zip(told["tables"], book.worksheets[1:], strict=True))
    for table in tables:
        content, sheet = told["tables"][table], sheets[table]
        names = [column["name"] for column in content["columns"]]
        for number, row in enumerate(content["rows"], 2):
            for place, name in enumerate(names, 1):
                cell, value = sheet.cell(number, place).value, row[name]
                # A length is a share of a day there, and openpyxl reads it to the millisecond.
                fine = 1e-15 * abs(value) if isinstance(value, int | float) else 0.0
                if isinstance(cell, timedelta):
                    cell, fine = cell.total_seconds(), 0.000_501
                if isinstance(value, int | float) and isinstance(cell, int | float):
                    same = abs(cell - value) <= fine
                elif isinstance(value, int | float) or isinstance(cell, int | float):
                    # What one of them does not know, the other must not know either.
                    same = False
                else:
                    continue
                found.equal += same
                if not same:
                    found.unlike.append(f"{kind} {table} row {number} {name}: API {value}, workbook {cell}")


def _alike(found: Agreement, covered: Any, period: Any) -> None:
    """The report of coverage and the API of coverage: shares, and lengths of time."""
    direct = {site["site"]: site for site in period["sites"]}
    for row in covered["tables"]["sites"]["rows"]:
        site = direct.get(row["site"], {"times": {}})
        times = site["times"] | {"coverage": site["times"].get("ratio"), "dark": site.get("dark_seconds")}
        for name in ("coverage", "uncovered", "planned", "unknown", "dark"):
            if row[name] == times.get(name):
                found.equal += 1
            else:
                found.unlike.append(f"site {row['site']} {name}: report {row[name]}, API {times.get(name)}")


async def _devices(views: Views) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = await views.get(f"/api/v1/devices?limit=1000&cursor={cursor}")
        items += page["items"]
        cursor = page["next"] or ""
        if not cursor:
            return items


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _query_time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


@asynccontextmanager
async def beside(service: str, scrape: int, folder: Path) -> AsyncIterator[str]:
    """A Prometheus with the shipped rules that scrapes ``service`` (host:port); its address."""
    (port,) = free_ports(1)
    config = yaml.safe_load((TOP / "config/prometheus/prometheus.yml").read_text(encoding="utf-8"))
    config["global"] = {"scrape_interval": f"{scrape}s", "evaluation_interval": f"{scrape}s"}
    config["rule_files"] = [str(TOP / "config/prometheus/recording.yml")]
    del config["alerting"]
    for job in config["scrape_configs"]:
        job["scrape_interval"] = job["scrape_timeout"] = f"{scrape}s"
        for discovery in job["http_sd_configs"]:
            discovery["url"] = discovery["url"].replace("127.0.0.1:8600", service)
            discovery["refresh_interval"] = f"{scrape}s"
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [prometheus_binary(), f"--config.file={folder / 'prometheus.yml'}"]
    command += [f"--storage.tsdb.path={folder / 'series'}", f"--web.listen-address=127.0.0.1:{port}"]
    with (folder / "prometheus.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await _ended(process)


@asynccontextmanager
async def demo(devices: int, faults: Path, folder: Path, every: float = 0) -> AsyncIterator[tuple[str, str]]:
    """The demo with a register of its own, for as long as inside; its address and a token. ``every``: seconds between
    two looks of each probe, if not those of the demo."""
    settings = (TOP / "config/demo/camera_registry.toml").read_text(encoding="utf-8")
    (port,) = free_ports(1)
    settings = settings.replace("../../data/demo", str(folder / "data")).replace("port = 8600", f"port = {port}")
    if every:
        settings = re.sub(r"interval = \d+\ntimeout = \d+", f"interval = {every}\ntimeout = {every / 2}", settings)
        settings = settings.replace("retry = 2", f"retry = {every / 2}")
    config = folder / "demo.toml"
    config.write_text(settings, encoding="utf-8")
    program = (sys.executable, "-m", "camera_registry")
    with (folder / "demo.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *program, "demo", "--config", str(config), "--devices", str(devices), "--faults", str(faults),
            stdout=asyncio.subprocess.PIPE, stderr=log, cwd=TOP,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
        address = re.search(r"http://[0-9.:]+", line)
        assert address is not None, f"the demo did not start: {line} {(folder / 'demo.log').read_text()}"
        create = (*program, "token", "create", "agreement", "--role", "admin", "--config", str(config), "--json")
        made = await asyncio.create_subprocess_exec(*create, stdout=asyncio.subprocess.PIPE, cwd=TOP)
        told, _ = await made.communicate()
        token = re.search(r'"token": ?"([^"]+)"', told.decode())
        assert token is not None, told
        yield address[0], token[1]
    finally:
        await _ended(process)


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), 20)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _run(args: argparse.Namespace) -> Agreement:
    if args.service:
        async with aiohttp.ClientSession() as session:
            views = Views(session, args.service, os.environ["CAMERA_REGISTRY_TOKEN"], args.prometheus)
            ends = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=2 * args.scrape)
            return await compare(views, ends - timedelta(minutes=args.minutes), ends, 2 * args.scrape)
    folder = Path(tempfile.mkdtemp(prefix="agreement-"))
    try:
        async with (
            demo(args.devices, args.faults, folder) as (service, token),
            beside(service.removeprefix("http://"), args.scrape, folder) as prometheus,
            aiohttp.ClientSession() as session,
        ):
            # What came before the first scrape is no business of Prometheus.
            await asyncio.sleep(20 + 4 * args.scrape)
            begins = datetime.now(UTC).replace(microsecond=0)
            await asyncio.sleep(60 * args.minutes + 3 * args.scrape)
            views = Views(session, service, token, prometheus)
            return await compare(views, begins, begins + timedelta(minutes=args.minutes), 2 * args.scrape)
    finally:
        shutil.rmtree(folder)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.agreement", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--scrape", type=int, default=15, help="seconds between two scrapes, and two evaluations")
    parser.add_argument("--faults", type=Path, default=TOP / "config/demo/faults.toml")
    parser.add_argument("--service", default="", help="one that runs; its token in CAMERA_REGISTRY_TOKEN")
    parser.add_argument("--prometheus", default="", help="the one that scrapes it")
    found = asyncio.run(_run(parser.parse_args()))
    apart = [one for one in found.figures if one.report != one.sampled]
    print(f"API and workbook: {found.equal} figures equal, {len(found.unlike)} not")
    print(f"Prometheus: {len(found.figures)} rates, {len(found.figures) - len(apart)} equal to the digit")
    print(*(f"  {one}" for one in apart), sep="\n")
    print(*(f"FAULT {one}" for one in found.faults), sep="\n")
    return int(bool(found.faults))


if __name__ == "__main__":
    sys.exit(main())

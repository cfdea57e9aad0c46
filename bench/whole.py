"""This file measures the whole path: a service that polls a fleet, judges, stores, shows and exports it."""

from __future__ import annotations

import re
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from bench.fleet import Served
from bench.ports import free_ports
from bench.processes import (
    BenchError,
    all_processors,
    children_cpu_seconds,
    cpu_seconds,
    own_processor,
    polling_processes,
    program,
    resident_megabytes,
    run,
    wait_for,
)

READY_SECONDS = 180.0
LOOK_EVERY = 2.0
TELL_EVERY = 20.0
SCRAPES = 10
"""Prometheis that ask for the page of all devices together."""
_COUNTED = re.compile(rb'^camera_area_devices\{.*status="(?!unknown)\w+"\} (\d+)$', re.MULTILINE)
Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@dataclass(frozen=True, slots=True)
class Load:
    """What the service is asked to do. Seconds; snapshots are asked every ``snapshot_interval``. ``rest``: how long it
    is left alone after the first round, which is steeper than life is, and so are the confirmations after it. ``slots``
    of the poller, and processes that are ``decoding`` pictures (0: as it comes). ``processes`` that poll.
    ``everywhere``: the service and what it starts may use every processor, as they do where several poll."""

    interval: float
    snapshot_interval: float
    window: float
    rest: float = 10.0
    slots: int = 0
    processes: int = 1
    everywhere: bool = False
    decoding: int = 0


@dataclass(frozen=True, slots=True)
class Whole:
    """What the service did in the window.

    ``cpu``: milliseconds of the service's processor time a device-minute (one round of all probes of a device is one),
    of which ``polling`` in polling processes of its own; ``child``: of decoding processes beside that. ``share``: what
    ``cpu`` is of one processor, above 1 where it takes more. Lags are seconds, 99 % are below; ``megabytes`` are those
    of the service and of what polls for it, with what they share counted in each. ``failures``: runs that failed, by
    probe and kind; ``misses``: runs missed, by probe; ``replaced``: polling processes, of whose shares the figures
    mean little then. ``first_round``: seconds from
    the start of the service until every device had been asked once. ``scrapes_seconds``: until the last of ``SCRAPES``
    that began together had its page, and ``scraped_megabytes`` the memory in use then.
    """

    devices: int
    polls: dict[str, int]
    failed: int
    failures: dict[str, int]
    missed: int
    misses: dict[str, int]
    replaced: int
    rounds_per_minute: float
    cpu: float
    polling: float
    child: float
    share: float
    poll_lag: float
    poll_lag_median: float
    loop_lag: float
    megabytes: float
    scraped_megabytes: float
    import_seconds: float
    first_round: float
    scrape_seconds: float
    scrapes_seconds: float
    scrape_megabytes: float


def measure(fleet: Served, load: Load, folder: Path, not_before: float = 0.0) -> Whole:
    """Import the fleet, serve it, wait until every device was asked once, then look at one window, which begins at
    ``not_before`` (monotonic seconds) or later."""
    settings = write_settings(load, folder)
    run(["--config", str(settings), "init"])
    importing = run(["--config", str(settings), "import", str(fleet.inventory)])
    devices = len(fleet.register.devices)
    with service(settings, folder, everywhere=load.everywhere or load.processes > 1) as (pid, url):
        first_round = until_known(url, devices, 3 * max(load.interval, load.snapshot_interval) + 60)
        time.sleep(max(load.rest, not_before - time.monotonic()))
        return _window(pid, url, load, devices, importing, first_round)


def until_known(url: str, devices: int, patience: float) -> float:
    """Seconds until every device is known. Raises BenchError when that takes too long."""
    begun = told = time.monotonic()
    while (known := _known(fetch(url + "/metrics"))) < devices:
        now = time.monotonic()
        if now - begun > patience:
            raise BenchError(f"after {patience:g} s only {known} of {devices} devices are known")
        if now - told > TELL_EVERY:
            told = now
            print(f"bench: {known} of {devices} devices are known", file=sys.stderr, flush=True)
        time.sleep(LOOK_EVERY)
    return time.monotonic() - begun


def _window(pid: int, url: str, load: Load, devices: int, importing: float, first_round: float) -> Whole:
    before, used = read(url + "/metrics"), _used(pid)
    begun = time.monotonic()
    time.sleep(load.window)
    took = time.monotonic() - begun
    own, polling, child = (now - then for now, then in zip(_used(pid), used, strict=True))
    cpu = own + polling
    after = read(url + "/metrics")
    polls: dict[str, int] = {}
    failures: dict[str, int] = {}
    for key, value in grown(before, after, "camera_registry_polls_total"):
        labels = dict(key)
        polls[labels["probe"]] = polls.get(labels["probe"], 0) + round(value)
        if labels["result"] != "ok" and round(value):
            failures[f"{labels['probe']} {labels['result']}"] = round(value)
    minutes = devices * took / load.interval
    resident = _resident(pid)
    begun = time.monotonic()
    page = fetch(url + "/metrics/devices")
    scraping = time.monotonic() - begun
    begun = time.monotonic()
    with ThreadPoolExecutor(SCRAPES) as scrapers:
        list(scrapers.map(fetch, [url + "/metrics/devices"] * SCRAPES))
    together = time.monotonic() - begun
    misses = {
        dict(key)["probe"]: round(runs) for key, runs in grown(before, after, "camera_registry_polls_missed_total")
    }
    return Whole(
        devices=devices,
        polls=polls,
        failed=sum(failures.values()),
        failures=failures,
        missed=sum(misses.values()),
        misses={probe: runs for probe, runs in misses.items() if runs},
        replaced=round(sum(more for _, more in grown(before, after, "camera_registry_poller_restarts_total"))),
        rounds_per_minute=devices * 60 / load.interval,
        cpu=cpu / minutes * 1e3,
        polling=polling / minutes * 1e3,
        child=child / minutes * 1e3,
        share=cpu / took,
        poll_lag=quantile(before, after, "camera_registry_poll_lag_seconds"),
        poll_lag_median=quantile(before, after, "camera_registry_poll_lag_seconds", 0.5),
        loop_lag=quantile(before, after, "camera_registry_loop_lag_seconds"),
        megabytes=resident,
        scraped_megabytes=_resident(pid),
        import_seconds=importing,
        first_round=first_round,
        scrape_seconds=scraping,
        scrapes_seconds=together,
        scrape_megabytes=len(page) / 2**20,
    )


def _used(pid: int) -> tuple[float, float, float]:
    """Seconds of processor time until now: of the service, of processes that poll for it, and of all that decode."""
    pollers = polling_processes(pid)
    polling = sum(map(cpu_seconds, pollers))
    return cpu_seconds(pid), polling, sum(map(children_cpu_seconds, (pid, *pollers))) - polling


@contextmanager
def service(settings: Path, folder: Path, *, everywhere: bool = False) -> Iterator[tuple[int, str]]:
    """The service, on a processor of its own with its decoding processes, which give way to it; or on any."""
    processors = all_processors() if everywhere else {own_processor()}
    log = folder / "serve.log"
    with program(["--config", str(settings), "--lang", "en", "serve"], processors, log) as process:
        wait_for(process, "http://127.0.0.1", log, READY_SECONDS)
        port = next(line for line in settings.read_text().splitlines() if line.startswith("port = ")).split()[-1]
        yield process.pid, f"http://127.0.0.1:{port}"


def write_settings(load: Load, folder: Path) -> Path:
    """The settings of a service that asks so much, in a file."""
    path = folder / "camera_registry.toml"
    paces = dict.fromkeys(("tcp", "onvif", "rtsp"), load.interval) | {"snapshot": load.snapshot_interval}
    lines = [
        "[storage]",
        'directory = "data"',
        "[web]",
        f"port = {free_ports(1)[0]}",
        "[devices]",
        'networks = ["127.0.0.0/8"]',
    ]
    lines += ["[poller]", f"processes = {load.processes}"]
    chosen = {"slots": load.slots, "picture_processes": load.decoding}
    lines += [f"{name} = {count}" for name, count in chosen.items() if count]
    for name, interval in paces.items():
        lines += [f"[probes.{name}]", f"interval = {interval:g}", f"timeout = {min(8.0, interval / 2):g}"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _resident(pid: int) -> float:
    """Megabytes of the service and of what polls for it."""
    return sum(map(resident_megabytes, (pid, *polling_processes(pid))))


def _known(page: bytes) -> int:
    """Devices of which something is known. A whole page parsed costs more than the service needs to write it."""
    return sum(map(int, _COUNTED.findall(page)))


def read(url: str) -> Series:
    """A page of metrics."""
    text = fetch(url).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def fetch(url: str) -> bytes:
    """What is at an address of the service."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        body: bytes = answer.read()
    return body


def grown(before: Series, after: Series, name: str) -> list[tuple[tuple[tuple[str, str], ...], float]]:
    """By how much each series of a name has grown, by its labels."""
    return [
        (labels, value - before.get((found, labels), 0.0)) for (found, labels), value in after.items() if found == name
    ]


def quantile(before: Series, after: Series, name: str, share: float = 0.99) -> float:
    """The upper bound of the bucket that ``share`` of the window's observations do not exceed; nan without any."""
    more = grown(before, after, f"{name}_bucket")
    buckets = sorted((float(dict(labels)["le"]), value) for labels, value in more)
    total = buckets[-1][1] if buckets else 0.0
    return next((bound for bound, value in buckets if total and value >= share * total), float("nan"))

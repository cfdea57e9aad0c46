"""Measures what an observation costs between the probe and its readers: ``python -m bench.recording``.

A small fleet is asked until nothing new is learned. What it answered is then taken for a city of so many devices, and
goes through verdict, health, incidents, store, board and metrics again and again, without a socket.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from bench.fleet import Served, served
from bench.processes import own_processor, resident_megabytes
from bench.report import RESULTS, machine
from camera_registry.board import Board, BoardEntry
from camera_registry.model.observation import Observation
from camera_registry.model.register import Register
from camera_registry.service import saving
from camera_registry.service.books import Books
from camera_registry.service.casebook import Casebook
from camera_registry.service.dispatcher import Dispatcher
from camera_registry.service.ledger import Ledger
from camera_registry.settings import Settings
from camera_registry.simulator.serving import loop_factory
from camera_registry.store import Store, register
from exporters.aggregates import Aggregates
from exporters.coverage import SiteCoverage
from exporters.prometheus import DevicePage
from probes.base import Tools, observe
from probes.catalog import load
from probes.guard import AddressGuard
from probes.memory import Memory
from probes.picture.desk import PictureDesk

ROUNDS = 3
"""Times that the small fleet is asked: for addresses, by them, and once more."""
AT_ONCE = 32
BATCH = 50
"""Observations in one batch, as at some hundred a second; so many batches, half a second's, are one commit."""
COMMIT = 3
PAGES = 4
"""Scrapes of the page of all devices a minute."""


def main() -> int:
    """Measure and tell."""
    parser = argparse.ArgumentParser(prog="python -m bench.recording", description=__doc__)
    parser.add_argument("--devices", type=int, default=3667)
    parser.add_argument("--small", type=int, default=120, help="devices that are really asked (%(default)s)")
    parser.add_argument("--minutes", type=int, default=3, help="minutes of the city's life that count (%(default)s)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the figures (%(default)s)")
    args = parser.parse_args()
    logging.disable()
    os.sched_setaffinity(0, {own_processor()})
    with (
        tempfile.TemporaryDirectory() as folder,
        served(args.small, Path(folder)) as fleet,
        asyncio.Runner(loop_factory=loop_factory()) as runner,
    ):
        seen = runner.run(_asked(fleet))
    copies = -(-args.devices // len(fleet.register.devices))
    with tempfile.TemporaryDirectory() as folder, Store.open("", Path(folder)) as store:
        found = _City(store, _register(fleet.register, copies), seen, copies).live(args.minutes)
    print(f"{machine()}\n{found['devices']} devices, {found['observations']} observations in {args.minutes} minutes")
    for what, cost in found["us_an_observation"].items():
        print(f"  {what:32}{cost:8.1f} us an observation")
    print(f"  {'memory a device':32}{found['kilobytes_a_device']:8.1f} kB")
    args.results.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    told = {
        "at": now.isoformat(timespec="seconds"),
        "machine": machine(),
        "arguments": {**vars(args), "results": str(args.results)},
        **found,
    }
    (args.results / f"recording-{now:%Y%m%dT%H%M%SZ}.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    return 0


async def _asked(fleet: Served) -> list[Observation]:
    """The newest observation of each run of the small fleet."""
    desk = PictureDesk()
    await desk.start()
    tools = Tools(AddressGuard(("127.0.0.0/8",)), Memory(), fleet.credentials.get, desk)
    ledger = Ledger(Settings().health.policy(), Settings().probes.policy())
    ledger.follow(fleet.register, datetime.now(UTC))
    newest: dict[tuple[str, str, str], Observation] = {}
    gate = asyncio.Semaphore(AT_ONCE)
    try:
        for _ in range(ROUNDS):

            async def ask(device: str, number: int) -> Observation:
                entry = ledger.roster_entry(device)
                assert entry is not None
                task = entry.tasks[number]
                async with gate:
                    target = replace(entry.target, credential=device, credentials={})
                    return await observe(
                        task.probe, load(task.probe), target, task.options, tools, timeout=20.0, channel=task.channel
                    )

            entries = [entry for id in fleet.register.devices if (entry := ledger.roster_entry(id)) is not None]
            batch = await asyncio.gather(
                *(ask(entry.target.device, n) for entry in entries for n in range(len(entry.tasks)))
            )
            ledger.judge(batch, datetime.now(UTC))
            newest |= {(one.device, one.probe, one.channel): one for one in batch}
    finally:
        await desk.close()
    return list(newest.values())


def _register(small: Register, copies: int) -> Register:
    devices, channels = {}, {}
    for n in range(copies):
        for device in small.devices.values():
            parent = f"{device.parent}.{n}" if device.parent else ""
            devices[f"{device.id}.{n}"] = replace(device, id=f"{device.id}.{n}", parent=parent)
        for channel in small.channels.values():
            channels[f"{channel.id}.{n}"] = replace(channel, id=f"{channel.id}.{n}", device=f"{channel.device}.{n}")
    return replace(small, devices=devices, channels=channels, sites={}, views={})


class _City:
    """What the recorder does, step by step, so that each can be measured by itself."""

    def __init__(self, store: Store, city: Register, seen: Sequence[Observation], copies: int) -> None:
        self._store = store
        self._seen, self._copies, self._devices = seen, copies, len(city.devices)
        self._paces = {name: pace.interval for name, pace in Settings().probes.policy().paces.items()}
        self._memory = resident_megabytes(os.getpid())
        self._ledger = Ledger(Settings().health.policy(), Settings().probes.policy())
        self._now = datetime.now(UTC)
        store.write_now(
            register.apply, [*city.areas.values(), *city.contractors.values()], author="bench", at=self._now
        )
        for _ in range(6):  # a parent must be there before its children
            known = store.read_now(register.load_register).devices
            ready = [one for one in city.devices.values()
                     if one.id not in known and (not one.parent or one.parent in known)]  # fmt: skip
            if ready:
                store.write_now(register.apply, [replace(one, site="") for one in ready], author="bench", at=self._now)
        store.write_now(register.apply, list(city.channels.values()), author="bench", at=self._now)
        self._ledger.follow(city, self._now)
        casebook = Casebook(self._ledger, Settings().incidents.policy(), self._now)
        dispatcher = Dispatcher(self._ledger, Settings().dispatch_policy())
        casebook.follow(city, (), Settings().incidents.policy())
        dispatcher.follow(city, Settings().dispatch_policy())
        self._books = Books(casebook, dispatcher)
        self._board = Board()
        self._aggregates, self._coverage = Aggregates(self._board), SiteCoverage(self._board)
        self._page = DevicePage(self._board)
        self._spent: dict[str, float] = {}
        self._count = 0

    def live(self, minutes: int) -> dict[str, object]:
        """Live one minute to know everything, then the minutes that count."""
        self._minute(first=True)
        self._spent, self._count = {}, 0
        for _ in range(minutes):
            self._minute()
        costs = {what: spent / self._count * 1e6 for what, spent in self._spent.items()}
        grown = resident_megabytes(os.getpid()) - self._memory
        return {
            "devices": self._devices,
            "observations": self._count,
            "us_an_observation": {**costs, "all": sum(costs.values())},
            "kilobytes_a_device": grown * 1024 / self._devices,
        }

    def _minute(self, *, first: bool = False) -> None:
        begun = self._now
        runs = list(self._runs(first=first))
        for number, first_of in enumerate(range(0, len(runs), BATCH)):
            self._now = begun + timedelta(seconds=60 * first_of / len(runs))
            batch = [replace(one, at=self._now) for one in runs[first_of : first_of + BATCH]]
            self._count += len(batch)
            with self._taking("verdict and health"):
                self._ledger.judge(batch, self._now)
            if number % COMMIT == 0:
                self._commit()
        self._now = begun + timedelta(seconds=60)
        with self._taking("time passing"):
            for _ in range(60):
                self._ledger.tick(self._now, 60)
        for _ in range(PAGES):
            with self._taking("pages of metrics"):
                asyncio.run(self._page.render())
                self._aggregates.text()

    def _runs(self, *, first: bool) -> Iterator[Observation]:
        """What is asked in one minute; in the first, everything."""
        for n in range(self._copies):
            for place, one in enumerate(self._seen):
                every = round(self._paces[one.probe] / 60)
                if first or (place + n + round(self._now.timestamp() / 60)) % every == 0:
                    channel = f"{one.channel}.{n}" if one.channel else ""
                    facts = orjson.loads(orjson.dumps(one.facts))
                    if "sha256" in facts:  # no camera shows the same twice
                        facts["sha256"] = f"{self._count} {n}"
                    yield replace(one, device=f"{one.device}.{n}", channel=channel, facts=facts)

    def _commit(self) -> None:
        with self._taking("taking changes"):
            changes = self._ledger.collect(self._now)
        with self._taking("incidents and orders"):
            self._books.fold(changes, self._now)
        with self._taking("store"):
            self._store.write_now(saving.batch, changes, (), (), None, 0)
        with self._taking("board"):
            entries: list[BoardEntry] = [entry for id in changes.touched if (entry := self._ledger.entry(id))]
            self._board.swap(entries, changes.gone, self._books.casebook.incidents, self._books.dispatcher.orders)

    @contextmanager
    def _taking(self, what: str) -> Iterator[None]:
        begun = time.process_time()
        yield
        self._spent[what] = self._spent.get(what, 0.0) + time.process_time() - begun


if __name__ == "__main__":
    sys.exit(main())

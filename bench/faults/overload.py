"""Too much to do, too little to do it with: what can't be done is told, and what can be done is done in time."""

from __future__ import annotations

import asyncio
import os
import re
import resource
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path

from alembic import command
from alembic.config import Config

from bench.faults.scenario import Finding, Scenario, Size
from bench.faults.stage import Pace, Running, grown, lag, pace_of, stage, until
from camera_registry.model.device import Device
from camera_registry.store import Store, schema
from camera_registry.store.migrations import HEAD, STEPS
from tests.hostile.siege import Force, lay

DESCRIPTORS = 256
BAD = 40
"""Every so manieth row of the import is bad: 500 of 20,000."""
PROMETHEIS = 10
OLDEST = "0001"
"""The first shape of the database, from which all steps are taken."""


async def hostile(size: Size, folder: Path) -> list[Finding]:
    """Of 1,000 devices 500 more hang, 100 drip, 50 bomb and 20 redirect."""
    share = size.devices / 1000
    force = Force(
        size.devices, round(500 * share), round(100 * share), max(8, round(50 * share)), 20, 24, 60.0, size.seconds
    )
    figures = await asyncio.to_thread(lay, force, folder)
    return [
        Finding(
            f"{force.hang} devices hang, {force.drip} drip, {force.bombs} bombs, 20 redirectors beside {size.devices}",
            "others' lag p99 < 1 s; memory < 600 MB; 0 connections to a trap outside the device networks",
            f"{figures.polls} polls of others, p99 {figures.lag:.3f} s late, {figures.failed} failed;"
            f" {figures.megabytes:.0f} MB;"
            f" {len(figures.visits)} visits to traps, {len(figures.leaks)} leaks",
            figures.held,
        )
    ]


async def descriptors(size: Size, folder: Path) -> list[Finding]:
    """The process may have 256 files open, and every second device is silent, which takes more."""
    pace = Pace(interval=4.0, timeout=3.0)
    async with stage(folder, size.devices, pace, more="[poller]\nslots = 2048") as set_up, set_up.service() as running:
        await set_up.well(running)
        used = len(os.listdir(f"/proc/{running.pid}/fd"))  # noqa: PTH208 - nothing to wait for
        room = min(DESCRIPTORS, used + size.devices // 8)
        soft, hard = resource.prlimit(running.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(running.pid, resource.RLIMIT_NOFILE, (room, hard))
        before, silent = await running.metrics(), set_up.leaves[::2]
        set_up.silence(silent)
        await asyncio.sleep(size.seconds)
        shown, after = await running.statuses(), await running.metrics()
        internal = grown(before, after, "camera_registry_polls_total tcp internal")
        wrong = set_up.rows("SELECT DISTINCT device FROM flip WHERE after = 'down'")
        false = {device for (device,) in wrong} - set(silent)
        reasons = set_up.rows("SELECT DISTINCT failure FROM probe_seen WHERE failure LIKE '%internal%'")
        set_up.wake()
        resource.prlimit(running.pid, resource.RLIMIT_NOFILE, (soft, hard))
        back = await set_up.well(running)
    told = (bool(reasons) and "descriptor" in reasons[0][0].lower()) or "files" in str(reasons[:1]).lower()
    return [
        Finding(
            f"descriptor limit {room}, {len(silent)} of {size.devices} devices silent",
            "degrades with its own reason, devices unknown, recovers",
            f"{internal} runs ended for want of a descriptor, told as such: {told}; shown: {shown};"
            f" {len(false)} devices called down that answer; all well {back:.1f} s after there was room",
            internal > 0 and told and not false,
        )
    ]


async def too_much(size: Size, folder: Path) -> list[Finding]:
    """Every device hangs, and the slots are two thirds of what that takes."""
    # Neither quick re-tries nor parents to be asked besides: what is due is what is due in its time.
    pace = Pace(2.0, 1.0, retry=2.0) if size.devices < 500 else Pace(10.0, 5.0, retry=10.0)
    slots = round(size.devices * pace.timeout / pace.interval / 1.5)
    poller = f"[poller]\nslots = {slots}\nper_host = 4"
    async with stage(folder, size.devices, pace, more=poller, shape=_alone) as set_up, set_up.service() as running:
        # Of strangers half of the slots would be kept free.
        await set_up.well(running)
        set_up.silence(set_up.devices)
        # Until all are known to be silent, suspicions are asked about besides.
        await until(lambda: running.polled({}, 4 * size.devices))
        before, begun = await running.metrics(), time.monotonic()
        most = 0.0
        while time.monotonic() - begun < size.seconds:
            await asyncio.sleep(pace.interval / 4)
            now = await running.metrics()
            most = max(most, now["camera_registry_slots_used"])
        after, took = await running.metrics(), time.monotonic() - begun
        seen = set_up.rows("SELECT count(*), min(at), max(at) FROM probe_seen")[0]
        await running.stop()
    polls = grown(before, after, "camera_registry_polls_total ")
    missed = grown(before, after, "camera_registry_polls_missed_total")
    due = size.devices * took / pace.interval
    waiting = after["camera_registry_batches_waiting"], after["camera_registry_tasks"]
    spread = (seen[2] - seen[1]) / 1e6
    return [
        Finding(
            f"work = 150 % of capacity ({size.devices} devices hang, {slots} slots)",
            "oldest due first, missed counted exactly, alert, no growing queue",
            f"{due:.0f} runs were due: {polls} run + {missed} missed = {polls + missed};"
            f" {most:.0f} slots used at most; {waiting[1]:.0f} tasks on the agenda, {waiting[0]:.0f} batches wait;"
            f" of {seen[0]} devices the longest not asked waited {spread:.1f} s",
            missed > 0
            and abs(polls + missed - due) <= slots
            and most <= slots
            and seen[0] == size.devices == waiting[1]
            and spread < 2.5 * pace.interval + pace.timeout,
        )
    ]


def _alone(devices: dict[str, Device]) -> dict[str, Device]:
    return {id: replace(device, parent="", parent_port="", backup_parent="") for id, device in devices.items()}


async def importing(size: Size, folder: Path) -> list[Finding]:
    """A large inventory with bad rows is imported while devices are polled; then it is mended, and imported."""
    pace = pace_of(size.devices)
    rows, good, bad = _inventory(size.rounds)
    right, wrong = folder / "right.csv", folder / "wrong.csv"
    right.write_text(good, encoding="utf-8", newline="")
    wrong.write_text(bad, encoding="utf-8", newline="")
    async with stage(folder, size.devices, pace) as set_up, set_up.service() as running:
        await set_up.well(running)
        before = await running.metrics()
        (code, dry), planned = await _timed(_cli(set_up.settings, "import", "--dry-run", str(wrong)))
        named = {int(number) for number in re.findall(r"row (\d+)", dry)}
        expected = {number for number in range(2, rows + 2) if (number - 2) % BAD == BAD - 1}
        refused, _ = await _cli(set_up.settings, "import", str(wrong))
        after_refusal = set_up.count("device")
        counts: set[int] = set()
        writing = asyncio.ensure_future(_timed(_cli(set_up.settings, "import", str(right))))
        while not writing.done():
            counts.add(set_up.count("device"))
            await asyncio.sleep(0.05)
        (taken, _), took = writing.result()
        await asyncio.sleep(2 * pace.interval)
        after = await running.metrics()
        shown, written = await running.statuses(), set_up.count("device")
    late = lag(before, after, "poll_lag")
    steps = sorted(counts | {written})
    return [
        Finding(
            f"import of {rows:,} rows, {len(expected)} of them bad, while {size.devices} devices are polled",
            "a dry run lists exactly the bad ones, commit atomic, lag < 1 interval",
            f"dry run: exit code {code}, {len(named & expected)} of {len(expected)} bad rows named and"
            f" {len(named - expected)} others, {planned:.1f} s; refused: {refused}, {after_refusal - size.devices} rows"
            f" written by it; then {taken} in {took:.1f} s, devices seen meanwhile: {steps}; 99 % of polls late"
            f" by < {late:g} s;"
            f" {shown.get('down', 0)} down",
            code == 2 == refused
            and named == expected
            and after_refusal == size.devices
            and taken == 0
            and steps == [size.devices, size.devices + rows]
            and late <= pace.interval
            and not shown.get("down", 0),
        )
    ]


def _inventory(rows: int) -> tuple[int, str, str]:
    """How many rows there are, and the file as it should be and with every 40th row's address no address. Devices are
    only planned, so that nobody asks for them."""
    header = "record,id,kind,name,host,life"
    lines = [
        f"device,import-{n:05},camera,Import {n},127.{128 + n // 65_536}.{n // 256 % 256}.{n % 256},planned"
        for n in range(rows)
    ]
    bad = [
        line.replace(",127.", ",no address at all 127.", 1) if number % BAD == BAD - 1 else line
        for number, line in enumerate(lines)
    ]
    return rows, "\n".join((header, *lines, "")), "\n".join((header, *bad, ""))


async def _cli(settings: Path, *arguments: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "camera_registry", "--config", str(settings), "--lang", "en", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def _timed(work: object) -> tuple[tuple[int | None, str], float]:
    begun = time.monotonic()
    return await work, time.monotonic() - begun  # type: ignore[misc]


async def migration(size: Size, folder: Path) -> list[Finding]:
    """The migration of a database of the first version is killed at random moments, then let through."""
    shapes: Counter[str] = Counter()
    async with stage(folder, 10) as set_up:
        file = set_up.database
        for part in ("", "-wal", "-shm"):
            file.with_name(file.name + part).unlink(missing_ok=True)
        _old(file.parent, size.devices)
        kept, whole = file.read_bytes(), await _timed(_cli(set_up.settings, "migrate"))
        unsound, backups, gone = 0, 0, 0
        for _ in range(size.rounds):
            for part in ("-wal", "-shm"):
                file.with_name(file.name + part).unlink(missing_ok=True)
            file.write_bytes(kept)
            before = set(_backups(file))
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "camera_registry", "--config", str(set_up.settings), "migrate"),
                stdout=asyncio.subprocess.DEVNULL,
            )
            await asyncio.sleep(whole[1] * set_up.random.uniform(0.3, 1.0))
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
                gone += 1
            await process.wait()
            version, devices, sound = _looked_at(file)
            shapes[version] += 1
            unsound += not sound or devices != size.devices
            # The copy is there before the first step is taken.
            backups += version == HEAD and not set(_backups(file)) - before
        (code, _), took = await _timed(_cli(set_up.settings, "migrate"))
        version, devices, sound = _looked_at(file)
    return [
        Finding(
            f"migration of {size.devices:,} devices killed x{size.rounds}",
            "old or new schema, never between; backup made first",
            f"{gone} killed on the way; shapes found: {dict(shapes)}; {unsound} unsound or with devices lost;"
            f" {backups} migrated without a copy; let through: exit code {code} in {took:.1f} s, version {version},"
            f" {devices} devices",
            set(shapes) <= {OLDEST, HEAD} and not unsound and not backups and code == 0 and version == HEAD and sound,
        )
    ]


def _backups(file: Path) -> list[Path]:
    return [one for one in (file.parent / "backups").glob("*.db") if one.stat().st_size]


def _old(directory: Path, devices: int) -> None:
    """A database of the first shape with so many devices."""
    upgrade, schema._upgrade = schema._upgrade, _to_the_oldest  # noqa: SLF001 - there is no other way to the past
    try:
        with Store.open("", directory):
            pass
    finally:
        schema._upgrade = upgrade  # noqa: SLF001
    with closing(sqlite3.connect(directory / "camera_registry.db")) as database:
        database.executemany(_OLD_DEVICE, ((f"cam-{n:06}",) for n in range(devices)))
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _to_the_oldest(connection: object) -> None:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(STEPS))
    command.upgrade(config, OLDEST)


_OLD_DEVICE = """
INSERT INTO device (id, kind, name, host, life, national_code, probes, tcp_port, onvif_port, onvif_path, rtsp_port,
    http_port, manufacturer, model, serial, firmware, mac, mounting, pole, power_source, owner, tags, note, version,
    changed_at)
VALUES (?, 'camera', 'East gate', '10.20.0.7', 'planned', '', '[]', 0, 80, '/onvif', 554, 80, '', '', '', '', '', '',
    '', '', '', '[]', '', 1, 0)
"""


def _looked_at(file: Path) -> tuple[str, int, bool]:
    with closing(sqlite3.connect(file)) as database:
        ((version,),) = database.execute("SELECT version_num FROM alembic_version").fetchall()
        ((devices,),) = database.execute("SELECT count(*) FROM device").fetchall()
        return version, devices, database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def scrapes(size: Size, folder: Path) -> list[Finding]:
    """Ten Prometheis scrape a large fleet that is polled once a minute (a small one more often), each every 15 s."""
    pace = Pace(60.0 if size.devices > 1000 else 5.0)
    async with stage(folder, size.devices, pace) as set_up, set_up.service() as running:
        known = partial(_known, running, round(0.9 * size.devices))
        await until(known)
        before = await running.metrics()
        scrapers = [_scrape(running, size.seconds, number) for number in range(PROMETHEIS)]
        took = sorted(chain.from_iterable(await asyncio.gather(*scrapers)))
        after = await running.metrics()
        await running.stop()
    p99 = took[int(0.99 * len(took))]
    late = lag(before, after, "loop_lag")
    # In short it runs beside other tests, and says only that everyone is answered.
    full = size.devices > 1000
    return [
        Finding(
            f"{PROMETHEIS} Prometheis scrape {size.devices:,} devices",
            "p99 < 0.5 s, event-loop lag < 50 ms",
            f"{len(took)} scrapes, p99 {p99:.3f} s, {took[-1]:.3f} s at most; 99 % of wake-ups of the loop late"
            f" by < {late:g} s",
            not full or (p99 < 0.5 and late <= 0.05),
        )
    ]


async def _known(running: Running, wanted: int) -> bool:
    return (await running.statuses()).get("ok", 0) >= wanted


async def _scrape(running: Running, seconds: float, number: int) -> list[float]:
    """Seconds that each scrape took; the scrapers are spread over the 15 s."""
    took: list[float] = []
    pace = min(15.0, seconds / 2)
    end = time.monotonic() + seconds
    await asyncio.sleep(pace * number / PROMETHEIS)
    while time.monotonic() < end:
        begun = time.monotonic()
        status, page = await running.ask("/metrics/devices", headers={"Accept-Encoding": "gzip"})
        took.append(time.monotonic() - begun)
        assert status == 200, page[:200]
        await asyncio.sleep(max(0.0, pace - took[-1]))
    return took


SCENARIOS: Sequence[Scenario] = (
    Scenario("hostile", hostile, Size(60, seconds=14.0), Size(1000, seconds=150.0)),
    Scenario("descriptors", descriptors, Size(100, seconds=8.0), Size(1000, seconds=60.0)),
    Scenario("too_much", too_much, Size(60, seconds=6.0), Size(1000, seconds=60.0)),
    Scenario("importing", importing, Size(40, rounds=800), Size(1000, rounds=20_000)),
    Scenario("migration", migration, Size(500, rounds=2), Size(20_000, rounds=30)),
    Scenario("scrapes", scrapes, Size(500, seconds=6.0), Size(10_000, seconds=60.0)),
)

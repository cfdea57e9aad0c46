"""A database that is locked and a disk that is full: measuring goes on, nothing is lost, and all recovers by itself."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.faults.narrow import MEGABYTES, room
from bench.faults.scenario import Finding, Scenario, Size
from bench.faults.stage import Pace, Running, Stage, grown, lag, pace_of, stage, until
from bench.processes import BenchError, resident_megabytes

LOCKS = (5.0, 30.0, 300.0)


async def locked(size: Size, folder: Path) -> list[Finding]:
    """Somebody holds the database's write lock for 5, 30 and 300 s while devices fail and come back."""
    findings = []
    pace = pace_of(size.devices)
    async with stage(folder, size.devices, pace) as set_up, set_up.service() as running:
        await set_up.well(running)
        for seconds in (one for one in LOCKS if one <= size.seconds):
            told, flips = len(set_up.receiver.told), set_up.count("flip")
            before = await running.metrics()
            with _lock(set_up.database):
                begun = time.monotonic()
                failing = set_up.random.sample(set_up.leaves, 3)
                for device in failing:
                    set_up.silence([device])
                    await asyncio.sleep(seconds / 10)
                if seconds > 4 * pace.interval:
                    # The first one is well again before anything can be written.
                    await asyncio.sleep(2 * pace.interval + 3)
                    set_up.wake(failing[:1])
                await asyncio.sleep(max(0.0, seconds - (time.monotonic() - begun)))
                under_lock = set_up.count("flip") - flips
                megabytes = resident_megabytes(running.pid)
            after = await running.metrics()
            written = await until(lambda: _down_since(set_up, flips) >= set(failing))  # noqa: B023
            await until(lambda: not set_up.owed and _told_of(set_up, failing[1:], told))  # noqa: B023
            rows = set_up.rows("SELECT device, after FROM flip ORDER BY id LIMIT -1 OFFSET ?", flips)
            lost = [device for device in failing if (device, "down") not in rows]
            set_up.wake()
            await set_up.well(running)
            await until(lambda: not set_up.owed and not set_up.count("incident", "ended IS NULL"))
            late, missed = lag(before, after, "poll_lag"), grown(before, after, "camera_registry_polls_missed_total")
            polls = grown(before, after, "camera_registry_polls_total ")
            findings.append(
                Finding(
                    f"database locked for {seconds:g} s",
                    "polling lag < 1 interval; flushed in order; incidents never dropped; recovers without restart",
                    f"{polls} polls meanwhile, 99 % late by < {late:g} s, {missed} missed; {under_lock} flips"
                    f" written under"
                    f" the lock, {len(rows)} {written:.1f} s after it, {len(lost)} lost, in order: {_ordered(rows)};"
                    f" {megabytes:.0f} MB",
                    late <= pace.interval and not lost and not under_lock and _ordered(rows),
                )
            )
    return findings


def _down_since(set_up: Stage, flips: int) -> set[str]:
    """Devices that went down after so many flips."""
    rows = set_up.rows("SELECT device, after FROM flip ORDER BY id LIMIT -1 OFFSET ?", flips)
    return {device for device, after in rows if after == "down"}


def _told_of(set_up: Stage, devices: list[str], since: int) -> bool:
    told = {id for id, occasion in set_up.receiver.told[since:] if occasion == "opened"}
    return all(told & {id for (id,) in set_up.rows("SELECT id FROM incident WHERE about = ?", one)} for one in devices)


def _ordered(rows: list[tuple[str, str]]) -> bool:
    """Whether each device's flips lead from one to the next: down before ok."""
    last: dict[str, str] = {}
    for device, after in rows:
        if last.get(device) == after:
            return False
        last[device] = after
    return True


@contextmanager
def _lock(database: Path) -> Iterator[None]:
    with contextlib.closing(sqlite3.connect(database, isolation_level=None, timeout=20)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")


async def full(size: Size, folder: Path) -> list[Finding]:
    """The disk of the data directory fills up, and there is room again after a while. In short it is a double: a small
    disk takes a right to mount."""
    pace = pace_of(size.devices)
    data = folder / "data"
    data.mkdir()
    real = size.devices >= 500
    with _small_disk(data) if real else contextlib.nullcontext():
        async with stage(folder, size.devices, pace) as set_up:
            _restrict(set_up.settings)
            async with set_up.service("camera_registry" if real else "bench.faults.narrow") as running:
                await set_up.well(running)
                first = await _under(set_up, running, data, size, pace, spend=False)
                second = await _under(set_up, running, data, size, pace, spend=True)
                await running.stop()
            with contextlib.closing(sqlite3.connect(set_up.database)) as database:
                sound = database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    return [first, second, Finding("disk full, afterwards", "nothing corrupt", f"integrity ok: {sound}", sound)]


def _restrict(settings: Path) -> None:
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace('directory = "data"', 'directory = "data"\nreserve = 8'), encoding="utf-8")


async def _under(set_up: Stage, running: Running, data: Path, size: Size, pace: Pace, *, spend: bool) -> Finding:
    """Fill the disk, let devices fail, and make room again. ``spend``: the reserve, too, is filled by somebody."""
    failing = set_up.random.sample(set_up.leaves, 5)
    told, before = len(set_up.receiver.told), await running.metrics()
    await until((data / "reserve").exists)
    ballast = [_fill(data, 1)]
    set_up.silence(failing)
    if spend:
        (data / "reserve").unlink(missing_ok=True)
        ballast.append(_fill(data, 2))
    begun = time.monotonic()
    with contextlib.suppress(BenchError):
        await until(lambda: len(set_up.receiver.told) > told, 10 + size.seconds if not spend else size.seconds)
    under = len(set_up.receiver.told) - told
    status, _ = await running.ask("/readyz")
    await asyncio.sleep(max(0.0, size.seconds - (time.monotonic() - begun)))
    used = not spend and not (data / "reserve").exists()
    megabytes, after = resident_megabytes(running.pid), await running.metrics()
    for file in ballast:
        file.unlink()
    recovered = await until((data / "reserve").exists)
    await until(lambda: _told_of(set_up, failing, told) and not set_up.owed)
    set_up.wake()
    await set_up.well(running)
    await until(lambda: not set_up.owed and not set_up.count("incident", "ended IS NULL"))
    late, missed = lag(before, after, "poll_lag"), grown(before, after, "camera_registry_polls_missed_total")
    refused = grown(before, after, "camera_registry_commit_failures_total")
    return Finding(
        "disk full" + (", its reserve used up as well" if spend else ""),
        "polling lag < 1 interval; incidents never dropped; recovers without restart"
        + ("" if spend else "; the duty is told by the reserve"),
        f"{grown(before, after, 'camera_registry_polls_total ')} polls meanwhile, 99 % late by < {late:g} s,"
        f" {missed} missed;"
        f" {refused} commits refused, reserve used: {used}, {under} notices told while it was full, ready:"
        f" {status == 200}; {megabytes:.0f} MB;"
        f" {len(failing)} of {len(failing)} failures told in the end; whole again {recovered:.1f} s after there"
        f" was room",
        late <= pace.interval and (spend or (under > 0 and not refused)),
    )


def _fill(data: Path, number: int) -> Path:
    """Write until there is no room left; where the disk is a double, only say so."""
    file = data / f"ballast-{number}"
    with file.open("wb", buffering=0) as output:
        if not data.is_mount():
            output.truncate(room(data))
            return file
        block = 65_536
        while block:
            try:
                output.write(b"\xff" * block)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                block //= 2
    return file


@contextmanager
def _small_disk(folder: Path) -> Iterator[None]:
    """A file system of a few megabytes. Raises BenchError where none may be mounted."""
    made = subprocess.run(
        ["/usr/bin/mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        raise BenchError(
            "a small disk can't be mounted here: run it as root, or inside `unshare --user --map-root-user --mount`"
        )
    try:
        yield
    finally:
        subprocess.run(["/usr/bin/umount", "--lazy", str(folder)], check=True)


SCENARIOS = (
    Scenario("locked", locked, Size(40, seconds=5.0), Size(1000, seconds=300.0)),
    Scenario("full_disk", full, Size(40, seconds=6.0), Size(1000, seconds=60.0)),
)

"""Clocks that jump and a service that stands still: nothing fires by it, nothing is lost, and the gap is no fault."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import suppress
from pathlib import Path

from bench.faults.scenario import Finding, Scenario, Size
from bench.faults.stage import Pace, Running, grown, stage, until
from bench.processes import BenchError
from tests.servers import debian_file

HOUR, DAY = 3600, 86_400
JUMPS = (HOUR, 0, -HOUR, 0, DAY, 0, -DAY)
"""By how much the system's clock differs from the right time, one after the other. Seconds."""


async def jumps(size: Size, folder: Path) -> list[Finding]:
    """The system's clock is set forwards and backwards while one device is down and told; then it comes back."""
    offset = folder / "offset"
    offset.write_text("+0")
    pace = Pace(interval=2.0 if size.devices < 500 else 10.0)
    faked = {
        "LD_PRELOAD": str(debian_file("usr/lib/*/faketime/libfaketimeMT.so.1", "faketime")),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_RESET": "1",
    }

    def noticed() -> int:
        return (folder / "serve.log").read_text().count("clock was set by")

    async with stage(folder, size.devices, pace) as set_up, set_up.service(**faked) as running:
        await set_up.well(running)
        down = set_up.leaves[0]
        set_up.silence([down])
        await until(lambda: set_up.opened and not set_up.owed)
        before, told = await running.metrics(), len(set_up.receiver.told)
        flips = set_up.rows("SELECT max(id) FROM flip")[0][0]
        polls: list[int] = []
        for number, seconds in enumerate(JUMPS, 1):
            earlier, begun = await running.metrics(), time.monotonic()
            offset.write_text(f"{seconds:+d}")
            # Two jumps within one look of the service are one to it.
            with suppress(BenchError):
                await until(lambda: noticed() >= number, 10)  # noqa: B023
            await asyncio.sleep(max(0.0, size.seconds - (time.monotonic() - begun)))
            found = grown(earlier, await running.metrics(), "camera_registry_polls_total ")
            polls.append(round(found * size.seconds / (time.monotonic() - begun)))
        after, seen = await running.metrics(), noticed()
        news, again = (
            set_up.rows("SELECT before, after, count(*) FROM flip WHERE id > ? GROUP BY 1, 2", flips),
            len(set_up.receiver.told) - told,
        )
        shown = await running.statuses()
        expected = size.devices * size.seconds / pace.interval
        set_up.wake()
        back = await until(lambda: set_up.resolved >= set_up.opened and not set_up.owed)
        missed = grown(before, after, "camera_registry_polls_missed_total")
    return [
        Finding(
            "wall clock set by +1 h, -1 h, +1 day, -1 day and back",
            "nothing fires and nothing is lost; intervals by monotonic clock",
            f"{seen} of {len(JUMPS)} jumps noticed; {min(polls)} to {max(polls)} polls between jumps"
            f" ({expected:.0f} are due);"
            f" {missed} missed; flips: {news}, {again} notices; shown: {shown}; recovery told {back:.1f} s after it",
            seen == len(JUMPS)
            and not news
            and not again
            and shown == {"ok": size.devices - 1, "down": 1, "degraded": 0, "unknown": 0}
            and 0.5 * expected <= min(polls) <= max(polls) <= 1.5 * expected,
        )
    ]


async def stillness(size: Size, folder: Path) -> list[Finding]:
    """SIGSTOP: the service stands still while the world goes on; then it goes on, too."""
    pace = Pace(interval=2.0 if size.devices < 500 else 20.0)
    async with stage(folder, size.devices, pace) as set_up, set_up.service() as running:
        await set_up.well(running)
        notices = set_up.count("notice")
        last = set_up.rows("SELECT max(id) FROM flip")[0][0] or 0
        before = await running.metrics()
        running.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(size.seconds)
        running.process.send_signal(signal.SIGCONT)
        peak, stale = await _resume(running, pace)
        await set_up.well(running)
        await asyncio.sleep(2)
        after = await running.metrics()
        missed = grown(before, after, "camera_registry_polls_missed_total")
        due = round(size.devices * size.seconds / pace.interval)
        down = set_up.count("flip", f"id > {last} AND after IN ('down', 'flapping')")
        gaps = set_up.count(
            "flip", f"id > {last} AND after = 'stale' AND confirmed_at - at > {size.seconds * 0.9e6:.0f}"
        )
        told = set_up.count("notice") - notices
    spread = size.devices / pace.interval
    return [
        Finding(
            f"SIGSTOP for {size.seconds:g} s, {size.devices} devices each {pace.interval:g} s",
            "overdue polls spread; the gap is unmeasured, and nobody is told",
            f"{missed} polls missed ({due} were due); {peak:.0f} polls a second at most afterwards"
            f" ({spread:.0f} in even times);"
            f" {stale} devices shown as unknown, {gaps} flips to stale since the last reading, {down} to down,"
            f" {told} notices",
            not down and not told and peak <= 4 * spread + 8 and abs(missed - due) <= 1.2 * size.devices and stale > 0,
        )
    ]


async def _resume(running: Running, pace: Pace) -> tuple[float, int]:
    """The most polls in any second of the first interval, and the most devices that were unknown then."""
    peak, stale = 0.0, 0
    loop = asyncio.get_running_loop()
    before, at = await running.metrics(), loop.time()
    end = at + pace.interval + 1
    while loop.time() < end:
        await asyncio.sleep(1)
        now = await running.metrics()
        peak = max(peak, grown(before, now, "camera_registry_polls_total ") / (loop.time() - at))
        before, at = now, loop.time()
        stale = max(stale, (await running.statuses()).get("unknown", 0))
    return peak, stale


SCENARIOS = (
    Scenario("jumps", jumps, Size(20, seconds=2.5), Size(1000, seconds=20.0)),
    Scenario("stillness", stillness, Size(60, seconds=20.0), Size(1000, seconds=600.0)),
)

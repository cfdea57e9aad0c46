"""Kills, stops and restarts of the service: nothing is lost by them, and nobody is told anything new."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.faults.scenario import Finding, Scenario, Size
from bench.faults.stage import Pace, Running, Stage, pace_of, stage, until

READY = 10.0
"""Seconds within which the service must be ready, or gone."""


async def kills(size: Size, folder: Path) -> list[Finding]:
    """SIGKILL at random moments while every tenth device changes; between them somebody writes notes."""
    pace = Pace(1.0, 0.3, 0.1, 0.3) if size.devices < 500 else Pace(5.0)
    async with stage(folder, size.devices, pace, health="failures = 2") as set_up:
        seen: dict[str, dict[int, tuple[object, ...]]] = {"flip": {}, "incident": {}, "notice": {}}
        lost, noted, ready = 0, {}, []
        tenth = size.devices // 10
        dark: list[str] = []
        for turn in range(size.rounds):
            async with set_up.service() as running:
                ready.append(running.ready)
                lost += _lost(set_up, seen)
                # Each is silent over two kills, or hardly any would be so for long enough to be told.
                back, dark = dark[: tenth // 2], dark[tenth // 2 :]
                set_up.wake(back)
                dark += set_up.random.sample([one for one in set_up.leaves if one not in dark], tenth // 2)
                set_up.silence(dark)
                moment = set_up.random.uniform(0.0, 2 * size.seconds)
                if turn % 2:
                    # Half of the kills come while somebody has to be told.
                    await until(lambda: set_up.owed or set_up.count("incident", "ended IS NULL"))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(moment):
                        await _write_notes(running, set_up, noted, turn)
                lost += _lost(set_up, seen)
                running.process.kill()
                await running.process.wait()
        set_up.wake()
        async with set_up.service() as running:
            ready.append(running.ready)
            lost += _lost(set_up, seen)
            await set_up.well(running)
            await until(lambda: not set_up.owed and not set_up.count("incident", "ended IS NULL"))
            await running.stop()
        texts = {text for (text,) in set_up.rows("SELECT text FROM incident_step WHERE step = 'noted'")}
        unwritten = [text for text, answered in noted.items() if answered and text not in texts]
        with contextlib.closing(sqlite3.connect(set_up.database)) as database:
            sound = database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        # What was over before anybody was told is not worth a word any more: that is kept as muted.
        owed = {id for (id,) in set_up.rows("SELECT DISTINCT incident FROM notice WHERE state = 'delivered'")}
        untold = owed - {id for id, _ in set_up.receiver.told}
        unwatched = set_up.count(
            "incident",
            "id NOT IN (SELECT incident FROM notice WHERE incident IS NOT NULL)"
            " AND parent IS NULL AND window_id IS NULL",
        )
        again = sum(times - 1 for times in Counter(set_up.receiver.keys).values())
        incidents = set_up.count("incident")
        return [
            Finding(
                f"SIGKILL x{size.rounds} while 10 % of {size.devices} devices change",
                "0 acknowledged rows lost, integrity ok, every incident told, duplicates <= kills, ready in <"
                f" {READY:g} s",
                f"{sum(map(len, seen.values()))} committed rows seen and {sum(noted.values())} notes acknowledged:"
                f" {lost} and {len(unwritten)} lost; integrity {'ok' if sound else 'BROKEN'}; {incidents} incidents,"
                f" {len(untold) + unwatched} not told; {len(set_up.receiver.got)} messages, {again} sent twice;"
                f" ready in {median(ready):.1f} s (median), {max(ready):.1f} s at most",
                not lost and not unwritten and sound and not untold and not unwatched
                and incidents > 0 and again <= size.rounds and max(ready) < READY,
            )
        ]  # fmt: skip


def _lost(set_up: Stage, seen: dict[str, dict[int, tuple[object, ...]]]) -> int:
    """How many rows that were committed are gone or another; what is there now is remembered."""
    lost = 0
    columns = {"flip": "id, device, aspect, after, at", "incident": "id, about, started", "notice": "id, key"}
    for name, known in seen.items():
        found = {row[0]: row for row in set_up.rows(f"SELECT {columns[name]} FROM {name}")}  # noqa: S608 - our words
        lost += sum(1 for id, row in known.items() if found.get(id) != row)
        known.update(found)
    return lost


async def _write_notes(running: Running, set_up: Stage, noted: dict[str, bool], turn: int) -> None:
    """Write notes to open incidents for as long as one is let; those that were acknowledged are marked so."""
    for number in range(10_000):
        found = set_up.rows("SELECT id FROM incident WHERE ended IS NULL ORDER BY id DESC LIMIT 1")
        if found:
            text = f"note {turn}.{number}"
            noted[text] = False
            status, _ = await running.ask(f"/api/v1/incidents/{found[0][0]}/notes", "POST", json={"text": text})
            noted[text] = status == 201
        await asyncio.sleep(0.05)


async def stops(size: Size, folder: Path) -> list[Finding]:
    """SIGTERM while every device is being asked and none answers."""
    pace = Pace(interval=3.0, timeout=2.5)
    async with stage(folder, size.devices, pace) as set_up:
        took, under_way = [], []
        for _ in range(size.rounds):
            async with set_up.service() as running:
                set_up.silence(set_up.devices)
                await until(lambda: _slots(running, size.devices // 4))
                under_way.append(round((await running.metrics())["camera_registry_slots_used"]))
                took.append(await running.stop())
                code = running.process.returncode
            set_up.wake()
        failures = set_up.count("probe_seen", "failure IS NOT NULL")
        flips = set_up.count("flip", "after = 'down'")
        return [
            Finding(
                f"SIGTERM mid-poll x{size.rounds}, {size.devices} devices",
                f"runs under way are cancelled and not counted as failures; exit in < {READY:g} s",
                f"{min(under_way)} to {max(under_way)} runs under way; {failures} failures and {flips} flips to down"
                f" recorded; gone in {max(took):.1f} s at most, exit code {code}",
                not failures and not flips and max(took) < READY and code == 0,
            )
        ]


async def _slots(running: Running, wanted: int) -> bool:
    return (await running.metrics())["camera_registry_slots_used"] >= wanted


async def restarts(size: Size, folder: Path) -> list[Finding]:
    """Restart when all is well, when a fifth is down and was told, and while that fifth comes back."""
    pace = pace_of(size.devices)
    fifth = size.devices // 5
    findings = []
    async with stage(folder, size.devices, pace, known=True) as set_up:
        async with set_up.service() as running:
            told = await _quiet(set_up, running, pace)
            findings.append(
                Finding(
                    f"restart with all {size.devices} up",
                    "0 notices",
                    f"{told} notices, {len(set_up.opened)} told",
                    not told,
                )
            )
            down = set_up.random.sample(set_up.leaves, fifth)
            set_up.silence(down)
            await until(lambda: running.are(down=fifth))
            await until(lambda: _all_told(set_up, fifth))
            await running.stop()
        before = len(set_up.receiver.got)
        async with set_up.service() as running:
            told = await _quiet(set_up, running, pace)
            await running.stop()
        findings.append(
            Finding(
                f"restart with {fifth} down and told",
                "0 notices",
                f"{told} notices owed, {len(set_up.receiver.got) - before} messages more than the {before} before",
                not told and len(set_up.receiver.got) == before,
            )
        )
        told_before, notices = len(set_up.receiver.told), set_up.count("notice")
        set_up.wake(down)
        async with set_up.service() as running:
            await set_up.well(running)
            await until(lambda: not set_up.count("incident", "ended IS NULL") and not set_up.owed)
            await running.stop()
        new = set_up.receiver.told[told_before:]
        occasions = Counter(occasion for _, occasion in new)
        ((recovered,),) = set_up.rows(
            "SELECT count(*) FROM (SELECT device FROM incident_device WHERE until IS NOT NULL"
            " UNION SELECT about FROM incident WHERE scope = 'device' AND ended IS NOT NULL)"
        )
        messages = len(set_up.receiver.got) - before
        findings.append(
            Finding(
                f"restart while {fifth} recover",
                f"exactly those {fifth} recoveries, grouped; 0 problems",
                f"{recovered} devices recovered; {set_up.count('notice') - notices} notices ({dict(occasions)}) in"
                f" {messages} messages; {set_up.count('incident', 'ended IS NULL')} incidents open",
                recovered == fifth and set(occasions) == {"resolved"} and messages <= max(3, fifth // 10),
            )
        )
    return findings


def _all_told(set_up: Stage, devices: int) -> bool:
    """Whether somebody was told of all these devices, alone or in an incident of many."""
    (found,) = set_up.rows(
        "SELECT (SELECT count(*) FROM incident WHERE scope = 'device' AND parent IS NULL)"
        " + (SELECT count(DISTINCT device) FROM incident_device)"
    )
    return int(found[0]) >= devices and not set_up.owed


async def _quiet(set_up: Stage, running: Running, pace: Pace) -> int:
    """Let every device be asked three times over; how many notices came to be owed in that time."""
    before, first = set_up.count("notice"), await running.metrics()
    wanted = 3 * len(set_up.devices)
    await until(lambda: running.polled(first, wanted), 30 + 5 * pace.interval)
    await asyncio.sleep(2 * pace.hold)
    return set_up.count("notice") - before


async def second(size: Size, folder: Path) -> list[Finding]:
    """A second service on the same database, before and after the first one is killed."""
    async with stage(folder, size.devices) as set_up:
        async with set_up.service() as running:
            command = ("-m", "camera_registry", "--config", str(set_up.settings), "serve")
            refused = await _run(command)
            running.process.kill()
            await running.process.wait()
        async with set_up.service() as running:
            took = running.ready
            await running.stop()
    named = str(running.pid) in refused[1] or "another service runs" in refused[1]
    return [
        Finding(
            "a second service on one database",
            "refused, told who is there; takes over when the first one is dead",
            f"exit code {refused[0]}, told who: {named}; took over {took:.1f} s after the first was killed",
            refused[0] == 2 and named and took < READY,
        )
    ]


async def _run(arguments: Sequence[str]) -> tuple[int | None, str]:
    import sys  # noqa: PLC0415

    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    return process.returncode, said.decode()


SCENARIOS = (
    Scenario("kills", kills, Size(60, rounds=4, seconds=1.0), Size(1000, rounds=100, seconds=4.0)),
    Scenario("stops", stops, Size(60), Size(1000, rounds=5)),
    Scenario("restarts", restarts, Size(60), Size(1000)),
    Scenario("second", second, Size(10), Size(1000)),
)

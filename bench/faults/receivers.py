"""Receivers of notices that fail in every way: each is told all, in order, once it is well, and no other one waits."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from aiohttp import web

from bench.faults.scenario import Finding, Scenario, Size
from bench.faults.stage import Pace, Stage, stage, until
from bench.ports import free_ports
from bench.processes import resident_megabytes
from camera_registry.model.notice import Notice, Occasion
from camera_registry.model.register import Register
from camera_registry.rules.notices import describe
from camera_registry.store import Store, outbox
from tests.certificates import self_signed
from tests.notices import Receiver, incident, receiving

CHANNEL = """
[[channels]]
name = "{name}"
kind = "webhook"
url = "{url}"
group_wait = 0
timeout = 1
"""
EVENTS = 5000


async def failing(size: Size, folder: Path) -> list[Finding]:
    """Five receivers fail at once, each in its own way, while incidents come and go; then all are well."""
    async with AsyncExitStack() as stack:
        ill = {name: await stack.enter_async_context(receiving()) for name in ("500", "429", "hang")}
        ports = dict(zip(("tls", "down"), free_ports(2), strict=True))
        urls = {name: receiver.url for name, receiver in ill.items()}
        urls["down"] = f"http://127.0.0.1:{ports['down']}/hook"
        # Nobody vouches for its certificate; the right receiver is behind the same address later.
        urls["tls"] = f"https://localhost:{ports['tls']}/hook"
        good = self_signed(folder, "localhost")
        others = folder / "others"
        others.mkdir()
        more = "".join(
            CHANNEL.format(name=f"r-{name}", url=url)
            + (f'ca_file = "{folder / "localhost.pem"}"\n' if name == "tls" else "")
            for name, url in urls.items()
        )
        set_up = await stack.enter_async_context(stage(folder, size.devices, Pace(1.0, 0.3, 0.1, 0.3), more=more))
        ill["500"].answer = lambda request: web.Response(status=500)
        ill["429"].answer = lambda request: web.Response(status=429, headers={"Retry-After": "5"})
        ill["hang"].answer = lambda request: 60.0
        running = await stack.enter_async_context(set_up.service())
        await set_up.well(running)
        async with receiving(ports["tls"], self_signed(others, "stranger")) as stranger:
            delays = await _incidents(set_up, size.seconds)
            attempts = {name: _attempts(set_up, f"r-{name}") for name in urls}
            early = sum(len(one.got) for one in (*ill.values(), stranger))
        for receiver in ill.values():
            receiver.answer = lambda request: None
        ill["down"] = await stack.enter_async_context(receiving(ports["down"]))
        ill["tls"] = await stack.enter_async_context(receiving(ports["tls"], good))
        begun = time.monotonic()
        await until(lambda: not set_up.owed, 60 + 2 * size.seconds)
        took = time.monotonic() - begun
        waits = {name: _waits(times) for name, times in attempts.items()}
        orders = {name: _in_order(receiver) for name, receiver in ill.items()}
        whole = {name: _missing(set_up, receiver, f"r-{name}") for name, receiver in ill.items()}
        await running.stop()
    told = len(set_up.receiver.told)
    lines = "; ".join(
        f"{name}: {len(attempts[name])} attempts, waits {waits[name]}, {whole[name]} not told" for name in urls
    )
    return [
        Finding(
            f"receivers with 500, 429 + Retry-After, hang, TLS error, down for {size.seconds:g} s",
            "back-off, order kept per incident, delivered; other channels unaffected",
            f"{lines}; out of order: {sum(not kept for kept in orders.values())}; all delivered {took:.1f} s"
            f" after they were"
            f" well; {early} taken too early; the sound channel: {told} notices, {max(delays):.1f} s after the"
            f" fault at most",
            not early
            and all(orders.values())
            and not any(whole.values())
            and all(_grows(times) for times in attempts.values())
            and max(delays) < 15,
        )
    ]


async def _incidents(set_up: Stage, seconds: float) -> list[float]:
    """Let single devices fail and come back; how long after each fault the sound channel was told."""
    delays: list[float] = []
    until_then = time.monotonic() + seconds
    while time.monotonic() < until_then:
        device = set_up.random.choice(set_up.leaves)
        for change, occasion in ((set_up.silence, "opened"), (set_up.wake, "resolved")):
            before = sum(1 for _, known in set_up.receiver.told if known == occasion)
            change([device])
            delays.append(
                await until(lambda: sum(1 for _, known in set_up.receiver.told if known == occasion) > before)  # noqa: B023
            )
    return delays


def _attempts(set_up: Stage, channel: str) -> list[float]:
    return [at / 1e6 for (at,) in set_up.rows("SELECT at FROM delivery WHERE channel = ? ORDER BY id", channel)]


def _waits(times: list[float]) -> str:
    return ", ".join(f"{later - earlier:.0f}" for earlier, later in pairwise(times)) + " s"


def _grows(times: list[float]) -> bool:
    waits = [later - earlier for earlier, later in pairwise(times)]
    return bool(times) and all(later > earlier - 2 for earlier, later in pairwise(waits))


def _in_order(receiver: Receiver) -> bool:
    """Whether no incident was told to be over before it was told to be there."""
    begun: set[int] = set()
    for id, occasion in receiver.told:
        if occasion == "opened":
            begun.add(id)
        elif id not in begun:
            return False
    return True


def _missing(set_up: Stage, receiver: Receiver, channel: str) -> int:
    """Notices that no message of this channel stood for, and incidents of which it was owed none: all that a digest
    stands for are counted in it, though only the worst are listed."""
    owed = set_up.count("notice", f"channel = '{channel}' AND state != 'muted'")
    stood_for = sum({message["key"]: message["total"] for message in receiver.got}.values())
    known = {id for (id,) in set_up.rows("SELECT DISTINCT incident FROM notice WHERE channel = ?", channel)}
    return max(0, owed - stood_for) + len({id for id, _ in set_up.receiver.told} - known)


async def day(size: Size, folder: Path) -> list[Finding]:
    """A receiver that was down for a day, in which much happened, is well again after a while."""
    async with stage(folder, size.devices) as set_up:
        now = datetime.now(UTC)
        owed = [_event(number, now) for number in range(EVENTS)]
        with Store.open("", set_up.database.parent) as store:
            store.write_now(outbox.owe, owed)
        set_up.receiver.answer = lambda request: web.Response(status=503)
        async with set_up.service() as running:
            await until(lambda: set_up.receiver.asked > 1)
            first = resident_megabytes(running.pid)
            await asyncio.sleep(size.seconds)
            most = resident_megabytes(running.pid)
            asked, set_up.receiver.answer = set_up.receiver.asked, lambda request: None
            await until(lambda: not set_up.owed)
            last = resident_megabytes(running.pid)
            await running.stop()
        delivered = set_up.count("notice", "state = 'delivered'")
        logged = set_up.rows("SELECT sum(notices) FROM delivery WHERE result = 'delivered'")[0][0]
        messages = set_up.receiver.got
        digests = sum(1 for message in messages if message["digest"])
        largest = max(map(len, set_up.receiver.bodies)) // 1024
    return [
        Finding(
            f"a receiver down for 24 h with {EVENTS} events",
            "bounded memory, a digest on return, log complete",
            f"{first:.0f} MB at first, {most:.0f} MB after {asked} attempts, {last:.0f} MB at the end;"
            f" {len(messages)} messages"
            f" ({digests} digests, {largest} kB at most); {delivered} delivered, {logged} in the log",
            delivered == EVENTS == logged and digests >= 1 and len(messages) < 25 and last - first < 60,
        )
    ]


def _event(number: int, now: datetime) -> Notice:
    at = now - timedelta(days=1) * (1 - number / EVENTS)
    one = incident(1_000_000 + number, f"cam-{number:05}", started=at, ended=at)
    key = f"duty/{number}.resolved"
    return Notice(key, "duty", Occasion.RESOLVED, one.severity, at, at, one.id, describe(one, Register()), "resolved")


SCENARIOS = (
    Scenario("failing", failing, Size(20, seconds=12.0), Size(1000, seconds=180.0)),
    Scenario("day", day, Size(10, seconds=1.0), Size(1000, seconds=30.0)),
)

"""What hostile devices do is told by its kind, in its deadline, and reaches nobody else."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from camera_registry.model.observation import FailureKind, Observation
from tests.hostile import http_attacks, rtsp_attacks
from tests.hostile.attack import CANARY, Attack, Trap, suffer

DEADLINE = 3.0
"""Seconds for what lasts until its deadline."""
PATIENCE = 15.0
"""Seconds for what is told at once: room for a busy machine, none for waiting."""
LATE = 5.0
"""Seconds by which a busy machine may miss a deadline."""


@pytest.fixture
async def trap() -> AsyncIterator[Trap]:
    async with Trap().set() as trap:
        yield trap


async def test_whatever_a_web_server_does_has_its_kind_in_time_and_leads_nowhere_else(trap: Trap) -> None:
    await hold(http_attacks.attacks(trap.place))
    assert trap.visits == []


async def test_whatever_a_stream_server_does_has_its_kind_in_time_and_leads_nowhere_else(trap: Trap) -> None:
    await hold(rtsp_attacks.attacks(trap))
    assert trap.visits == []


async def test_a_trap_notices_who_comes(trap: Trap) -> None:
    _, writer = await asyncio.open_connection(trap.host, trap.port)
    writer.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"x", (trap.host, trap.port))
        async with asyncio.timeout(10):
            while len(trap.visits) < 2:
                await asyncio.sleep(0.01)


async def hold(attacks: list[Attack]) -> None:
    """Fail for what was told otherwise than it is. What costs something comes eight at a time, what waits at once."""
    assert len({(attack.name, attack.probe) for attack in attacks}) == len(attacks)
    places = asyncio.Semaphore(8)

    async def look(attack: Attack) -> str:
        if attack.waits:
            timeout, seen = DEADLINE, await suffer(attack, DEADLINE)
        else:
            async with places:
                timeout, seen = PATIENCE, await suffer(attack, PATIENCE)
        wrong = complaint(seen, attack.kinds, timeout)
        return wrong and f"{attack.probe}, {attack.name}: {wrong}"

    told: list[str] = []
    for waits in (False, True):
        told += await asyncio.gather(*(look(attack) for attack in attacks if attack.waits is waits))
    wrong = [text for text in told if text]
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


def complaint(seen: Observation, kinds: frozenset[FailureKind], timeout: float) -> str:
    """What is wrong with what was seen; empty if nothing."""
    kind = seen.failure.kind if seen.failure is not None else None
    if seen.took > timeout + LATE:
        return f"took {seen.took:.1f} s"
    if kind not in kinds:
        return f"{seen.failure or dict(seen.facts)}"
    if CANARY in repr(seen):
        return "tells the password"
    return ""

"""What somebody wants accepted is accepted once, in that name, whatever happens to the service meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from camera_registry.board import Board, BoardEntry
from camera_registry.model.baseline import Baseline, Regime, Terms
from camera_registry.model.device import Device, Kind
from camera_registry.model.health import Status
from camera_registry.model.policy import Policy
from camera_registry.service.acceptor import Acceptor
from camera_registry.store.acceptances import AcceptanceFile
from camera_registry.store.pictures import PictureKind
from tests.service.whole import until

NOON = datetime(2026, 10, 1, 4, tzinfo=UTC)
DEVICES = [f"cam-{number}" for number in range(6)]
WANTED = [(device, "") for device in DEVICES[:5]]
"""The last one is left out."""


class Kept:
    """What is accepted, as a gallery keeps it: ``room`` for so many more, and then it takes its time."""

    def __init__(self) -> None:
        self.accepted = [_baseline("cam-1", "somebody else", NOON - timedelta(days=1))]
        self.room = 0

    def of(self, device: str, channel: str) -> Sequence[Baseline]:
        return [one for one in self.accepted if one.device == device]

    async def unlike(self, *_: object) -> Sequence[Any]:
        return ()

    async def accept(self, device: Device, channel: str, kind: PictureKind, reason: str, author: str) -> Baseline:
        if not self.room:
            await asyncio.Event().wait()
        self.room -= 1
        self.accepted.append(_baseline(device.id, author, NOON + timedelta(seconds=1), reason))
        return self.accepted[-1]


def _baseline(device: str, by: str, at: datetime, reason: str = "") -> Baseline:
    return Baseline(0, device, "", Regime.DAY, at, "", by, at, reason)


@asynccontextmanager
async def service(kept: Kept, folder: Path) -> AsyncIterator[Acceptor]:
    """What a service begins with, until it is killed."""
    board = Board()
    board.swap([BoardEntry(Device(device, Kind.CAMERA), (), (), (), Status.OK) for device in DEVICES], (), {})
    file = AcceptanceFile(folder / "acceptance.json")
    acceptor = Acceptor(cast(Any, kept), board, lambda: NOON, lambda device: Policy(), file)
    running = asyncio.create_task(acceptor.run())
    await asyncio.sleep(0.1)
    yield acceptor
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_a_restart_goes_on_in_the_same_name_and_loses_and_doubles_nothing(tmp_path: Path) -> None:
    kept = Kept()
    async with service(kept, tmp_path) as first:
        kept.room = 2
        assert await first.start(WANTED, "li", Terms("leaves"))
        await until(lambda: first.progress.done == 2)
    kept.room = len(DEVICES)
    async with service(kept, tmp_path) as again:
        await until(lambda: again.progress.ended)
    _, *new = kept.accepted
    assert [(one.device, "") for one in new] == WANTED, "each once, and none that was left out"
    assert {(one.by, one.reason) for one in new} == {("li", "leaves")}
    told = again.progress
    assert (told.total, told.done, told.skipped, told.by, told.begun) == (5, 5, 0, "li", NOON)
    async with service(kept, tmp_path) as third:
        assert third.progress.begun is None, "what is done is not begun again"


async def test_what_somebody_has_ended_does_not_go_on(tmp_path: Path) -> None:
    kept = Kept()
    async with service(kept, tmp_path) as first:
        kept.room = 1
        assert await first.start(WANTED, "li", Terms())
        await until(lambda: first.progress.done == 1)
    async with service(kept, tmp_path) as again:
        assert (again.progress.running, again.progress.done) == (True, 1)
        await again.stop()
    kept.room = len(DEVICES)
    async with service(kept, tmp_path) as third:
        assert not third.progress.running
    assert len(kept.accepted) == 2

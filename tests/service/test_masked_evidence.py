"""What becomes of kept pictures that can't be masked: they go, and the service goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from camera_registry.model.device import Channel, Device, Kind
from camera_registry.model.register import Register
from camera_registry.rules.pictures.outlines import Outline
from camera_registry.service.clock import SteadyClock
from camera_registry.service.masking import Masking
from camera_registry.store import Store, masking, register
from camera_registry.store.baselines import BaselineFiles
from camera_registry.store.pictures import MAX_BYTES, PictureKind, Pictures, Proofs

NOW = datetime(2026, 10, 1, tzinfo=UTC)
CAMERA, CHANNEL = Device("cam-7", Kind.CAMERA), Channel("ch-7", "cam-7", masks=("0 0 0.3 1",))
JPEG = b"\xff\xd8 small"


class Large:
    """Paints over pictures, which take more room after it than may be kept."""

    async def mask(self, kept: bytes, masks: Sequence[Outline], timeout: float) -> bytes:
        return b"\xff\xd8" + bytes(MAX_BYTES)


async def test_a_picture_that_is_too_large_once_it_is_masked_is_removed(url: str, tmp_path: Path) -> None:
    files = Pictures(tmp_path / "p"), BaselineFiles(tmp_path / "b"), Proofs(tmp_path / "o")
    files[0].save("cam-7", "ch-7", PictureKind.LAST, JPEG, NOW)
    known = Register(devices={CAMERA.id: CAMERA}, channels={CHANNEL.id: CHANNEL})
    with Store.open(url, tmp_path / "data") as store:
        await store.write(register.apply, [CAMERA, CHANNEL], author="test", at=NOW)
        settling = Masking(store, *files, Large(), SteadyClock(), lambda: known)
        await settling.follow()
        assert settling.holds("cam-7", "ch-7")
        settled = asyncio.Event()

        async def again() -> None:
            settled.set()

        running = asyncio.create_task(settling.run(again))
        done, _ = await asyncio.wait(
            [running, waiting := asyncio.create_task(settled.wait())], timeout=20, return_when=asyncio.FIRST_COMPLETED
        )
        assert waiting in done
        running.cancel()
        assert await store.read(masking.owed) == []
    assert files[0].kept("cam-7", "ch-7", PictureKind.LAST) is None

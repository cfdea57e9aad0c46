"""Pictures are kept beside the stream of observations: each channel's newest, in few hops, and a stop waits for few."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from camera_registry.model.device import Channel, Device, Kind
from camera_registry.model.observation import Observation
from camera_registry.model.register import Register
from camera_registry.service.clock import SteadyClock
from camera_registry.service.evidence import AT_ONCE, GATHERED, Evidence
from camera_registry.service.masking import Masking
from camera_registry.store import Store
from camera_registry.store.baselines import BaselineFiles
from camera_registry.store.pictures import PictureKind, Pictures, Proofs
from probes.picture.desk import PictureDesk
from tests.service.whole import until
from tests.shaped import shaped

NOON = datetime(2026, 10, 1, 4, tzinfo=UTC)
CITY = [f"cam-{n:03}" for n in range(3 * AT_ONCE)]


class Slow(Pictures):
    """A disk that takes its time, and remembers what it was given and by how many hops to a thread."""

    wait = 0.0

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.given: list[tuple[str, PictureKind, datetime]] = []

    def save(self, device: str, channel: str, kind: PictureKind, jpeg: bytes, at: datetime) -> None:
        time.sleep(self.wait)
        self.given.append((device, kind, at))
        super().save(device, channel, kind, jpeg, at)


@pytest.fixture
def pictures(tmp_path: Path) -> Slow:
    return Slow(tmp_path / "pictures")


@asynccontextmanager
async def writing(pictures: Slow, tmp_path: Path, *, masks: tuple[str, ...] = ()) -> AsyncIterator[Evidence]:
    devices = {id: Device(id, Kind.CAMERA) for id in CITY}
    channels = {f"{id}/1": Channel(f"{id}/1", id, masks=masks) for id in CITY}
    city = Register(devices=devices, channels=channels)
    with Store.open("", shaped(tmp_path)) as store:
        files, proofs = BaselineFiles(tmp_path / "baselines"), Proofs(tmp_path / "proofs")
        masking = Masking(store, pictures, files, proofs, PictureDesk(), SteadyClock(), lambda: city)
        evidence = Evidence(pictures, masking, lambda device, channel: True)
        task = asyncio.create_task(evidence.run())
        try:
            yield evidence
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def seen(device: str, second: float = 0) -> Observation:
    return Observation(device, "snapshot", NOON + timedelta(seconds=second), 0.1, f"{device}/1", picture=b"\xff\xd8 x")


async def test_every_picture_that_waits_is_kept_as_last_and_as_good_or_faulty(pictures: Slow, tmp_path: Path) -> None:
    async with writing(pictures, tmp_path) as evidence:
        for n, device in enumerate(CITY):
            evidence.keep(seen(device), good=(True, False, None)[n % 3])
        await until(lambda: len(pictures.given) == len(CITY) * 5 // 3)
    for n, device in enumerate(CITY):
        wanted = {PictureKind.LAST, *[(PictureKind.LAST_GOOD,), (PictureKind.LAST_FAULTY,), ()][n % 3]}
        assert pictures.times(device, f"{device}/1") == dict.fromkeys(wanted, NOON)


async def test_of_pictures_that_come_faster_than_they_are_gathered_the_newest_is_kept(
    pictures: Slow, tmp_path: Path
) -> None:
    async with writing(pictures, tmp_path) as evidence:
        begun = time.monotonic()
        for second in range(40):
            evidence.keep(seen("cam-000", second), good=None)
            await asyncio.sleep(GATHERED / 20)
        newest = NOON + timedelta(seconds=39)
        await until(lambda: pictures.times("cam-000", "cam-000/1") == {PictureKind.LAST: newest})
        took = time.monotonic() - begun
    assert len(pictures.given) <= took / GATHERED + 2


async def test_a_stop_waits_for_no_more_pictures_than_are_handed_over_together(pictures: Slow, tmp_path: Path) -> None:
    pictures.wait = 0.005
    async with writing(pictures, tmp_path) as evidence:
        for device in CITY:
            evidence.keep(seen(device), good=None)
        await until(lambda: pictures.given)
    await until(lambda: len(pictures.given) == AT_ONCE)
    await asyncio.sleep(AT_ONCE * pictures.wait)
    assert len(pictures.given) == AT_ONCE, "what is begun is written whole, and no more"


async def test_what_must_be_masked_and_is_not_is_not_kept_and_holds_up_nobody(pictures: Slow, tmp_path: Path) -> None:
    async with writing(pictures, tmp_path, masks=("0 0 0.5 0.5",)) as evidence:
        evidence.keep(seen("cam-000"), good=None)
        masked = seen("cam-001")
        masked.facts["masks"] = ["0 0 0.5 0.5"]  # type: ignore[index] # facts are a dict here
        evidence.keep(masked, good=None)
        await until(lambda: pictures.given)
    assert [device for device, _, _ in pictures.given] == ["cam-001"]


async def test_a_picture_that_cannot_be_written_is_given_up_and_the_next_is_kept(
    pictures: Slow, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with writing(pictures, tmp_path) as evidence:
        (tmp_path / "pictures").write_text("a file where the folder should be")
        evidence.keep(seen("cam-000"), good=None)
        await until(lambda: "cam-000 can't be kept" in caplog.text)
        (tmp_path / "pictures").unlink()
        evidence.keep(seen("cam-000", 1), good=None)
        await until(lambda: pictures.times("cam-000", "cam-000/1"))

"""Accepting a picture holds nobody up while it is measured, and keeps it as it was measured or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from camera_registry.model.device import Channel, Device, Kind
from camera_registry.model.register import Register
from camera_registry.service.clock import SteadyClock
from camera_registry.service.gallery import Gallery
from camera_registry.service.masking import Masking
from camera_registry.store import Store, masking, register
from camera_registry.store.baselines import BaselineFiles
from camera_registry.store.pictures import PictureKind, Pictures, Proofs
from probes.base import NOTHING_REGISTERED, Registered
from probes.picture.desk import Measured, PictureDesk
from tests.picture import scenes
from tests.shaped import shaped

NOON = datetime(2026, 10, 1, 4, tzinfo=UTC)
STREET = scenes.jpeg(scenes.seen(scenes.street()))


class Slow(PictureDesk):
    """A desk that measures when it is let, and remembers what it was told to leave out."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []
        self.may = asyncio.Event()

    async def compare(
        self,
        picture: bytes,
        references: object,
        timeout: float,
        codec: str = "JPEG",
        known: Registered = NOTHING_REGISTERED,
    ) -> Measured:
        self.asked.append(len(known.masks))
        await self.may.wait()
        return await super().compare(picture, (), timeout, codec, known)


class House:
    """A camera with a kept picture, and all that accepts it."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.camera, self.channel = Device("cam-1", Kind.CAMERA, host="10.0.0.1"), Channel("cam-1-1", "cam-1")
        store.write_now(register.apply, [self.camera, self.channel], author="test", at=NOON)
        self.register, self.desk, clock = Register(channels={"cam-1-1": self.channel}), Slow(), SteadyClock()
        pictures, files = Pictures(folder / "pictures"), BaselineFiles(folder / "baselines")
        proofs = Proofs(folder / "proofs")
        self.masking = Masking(store, pictures, files, proofs, self.desk, clock, lambda: self.register)
        self.gallery = Gallery(store, files, pictures, clock, self.desk, UTC, self.masking)
        pictures.save("cam-1", "cam-1-1", PictureKind.LAST, STREET, NOON)

    async def accepting(self) -> asyncio.Task[object]:
        """The acceptance, as soon as its picture is being measured."""
        task: asyncio.Task[object] = asyncio.create_task(
            self.gallery.accept(self.camera, "cam-1-1", PictureKind.LAST, "", "op")
        )
        async with asyncio.timeout(10):
            while not self.desk.asked:
                await asyncio.sleep(0.01)
        return task


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with Store.open("", shaped(tmp_path / "data")) as store:
        yield House(store, tmp_path)


async def test_nobody_waits_for_a_picture_that_is_measured(house: House) -> None:
    await house.desk.start()
    task = await house.accepting()
    assert not house.masking.lock.locked()
    house.desk.may.set()
    await task
    assert len(house.gallery.of("cam-1", "cam-1-1")) == 1
    await house.desk.close()


async def test_what_is_accepted_twice_is_one_reference(house: House) -> None:
    await house.desk.start()
    house.desk.may.set()
    made = [await house.gallery.accept(house.camera, "cam-1-1", PictureKind.LAST, "", "op") for _ in range(2)]
    assert made[0] == made[1]
    said = await house.gallery.accept(house.camera, "cam-1-1", PictureKind.LAST, "a new wall", "op")
    assert house.gallery.of("cam-1", "cam-1-1") == [made[0], said], "what somebody says of it is kept"
    await house.desk.close()


async def test_a_mask_that_came_while_it_was_measured_has_it_measured_again(house: House) -> None:
    await house.desk.start()
    task = await house.accepting()
    house.register = Register(channels={"cam-1-1": replace(house.channel, masks=("0 0 0.3 1",))})
    house.desk.may.set()
    await task
    assert house.desk.asked == [0, 1]
    (kept,) = house.gallery.of("cam-1", "cam-1-1")
    assert kept.masks == ("0 0 0.3 1",)
    await house.desk.close()


async def test_an_accepted_picture_is_not_shown_while_a_mask_of_another_process_is_owed(
    house: House, tmp_path: Path
) -> None:
    await house.desk.start()
    house.desk.may.set()
    await (await house.accepting())
    (kept,) = house.gallery.of("cam-1", "cam-1-1")
    assert await house.gallery.picture(kept)
    with Store.open("", tmp_path / "data") as other:
        masked = replace(house.channel, masks=("0 0 0.3 1",))
        other.write_now(register.apply, [masked], author="import", at=NOON)
        assert await house.gallery.picture(kept) is None
        other.write_now(masking.settle, masked, 1, 0, NOON)
    assert await house.gallery.picture(kept)
    await house.desk.close()

"""Pictures that break decoders are refused, or judged somewhere they can do no harm, each in its deadline."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from camera_registry.model.observation import Observation
from probes.picture.desk import PictureDesk
from tests.hostile.attack import Attack, suffer
from tests.hostile.http_attacks import answering
from tests.hostile.pictures import Picture, pictures

PATIENCE = 40.0
PICTURES = list(pictures())


@pytest.fixture
async def desk() -> AsyncIterator[PictureDesk]:
    opened = PictureDesk()
    await opened.start()
    yield opened
    await opened.close()


async def test_pictures_of_every_condition_are_judged_or_refused_by_their_kind(desk: PictureDesk) -> None:
    wrong = []
    for picture in (*PICTURES, PICTURES[0]):
        seen = await fetched(picture, desk)
        kind = seen.failure.kind if seen.failure is not None else None
        told = kind in picture.kinds and (seen.picture is None) == (kind is not None)
        if not told or seen.took > PATIENCE + 1:
            wrong.append(f"{picture.name}: {seen.failure or 'judged'} in {seen.took:.1f} s")
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


def test_the_table_is_as_long_as_it_should_be() -> None:
    assert len({picture.name for picture in PICTURES}) == len(PICTURES) >= 20


async def fetched(picture: Picture, desk: PictureDesk) -> Observation:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture.body)}\r\n\r\n".encode()
    attack = Attack(picture.name, "snapshot", answering(head + picture.body), options={"path": "/picture.jpg"})
    return await suffer(attack, PATIENCE, desk)

"""A picture that is measured behind the masks of its channel, and what a change of them does to what is followed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from camera_registry.model.device import Device, Kind
from camera_registry.model.observation import Facts, Observation
from camera_registry.model.policy import Policy
from camera_registry.rules.pictures import watching
from probes.base import NOTHING_REGISTERED, Context, References, Registered, Tools
from probes.guard import AddressGuard
from probes.memory import Memory
from probes.seeing import see
from tests.picture import lens

BEGIN = datetime(2026, 7, 1, 4, tzinfo=UTC)
CAMERA = Device("cam-7", Kind.CAMERA)
PICTURES = Policy().picture
MASK = "0 0 0.3 0.25"


class Desk:
    """Finds the same film of dirt in every picture."""

    async def compare(
        self,
        picture: bytes,
        references: Sequence[bytes],
        timeout: float,
        codec: str = "JPEG",
        known: Registered = NOTHING_REGISTERED,
    ) -> tuple[Mapping[str, object], bytes]:
        return {**lens.found(0.9), "picture": {}}, b""

    measure = compare


async def _accepted(device: str, channel: str) -> References:
    return References("1", [b""], [BEGIN])


async def seen(before: Facts, number: int, *masks: str) -> Facts:
    """What is known after another picture, a quarter of an hour later."""
    tools = Tools(AddressGuard([]), Memory(), pictures=Desk(), references=_accepted)  # type: ignore[arg-type]
    context = Context(tools, asyncio.get_running_loop().time() + 5)
    await see(b"", {"masks": list(masks)} if masks else {}, context)
    told = Observation("cam-7", "snapshot", BEGIN + timedelta(minutes=15 * number), 0.1, facts=context.facts)
    return {**before, **watching.take_in(told, before, PICTURES, CAMERA, UTC).facts}


def followed(facts: Facts) -> int:
    """How many pictures are in what is followed of the lens."""
    return sum(len(light["now"][0]) for light in facts["trend"]["lights"].values())


async def test_another_mask_begins_anew_once_also_where_it_was_taken_away() -> None:
    facts: Facts = {}
    for number in range(3):
        facts = await seen(facts, number, MASK)
    assert followed(facts) == 3
    for number in range(3, 5):
        facts = await seen(facts, number)
    assert followed(facts) == 2
    assert facts["masks"] == []

"""What is masked leaves no trace in anything that a decoding process tells, and is itself no fault."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest

from camera_registry.model.device import Channel, Device, Kind
from camera_registry.model.health import Aspect, Cause
from camera_registry.model.observation import Observation
from camera_registry.model.picture import Judgement, Unjudged
from camera_registry.model.policy import PicturePolicy, Policy
from camera_registry.rules import verdict
from camera_registry.rules.pictures import judge, watching
from camera_registry.rules.pictures.outlines import Outline, outline
from camera_registry.rules.pictures.sight import sight
from probes.base import Registered
from probes.picture import masking, measures
from probes.picture.desk import PictureDesk
from tests.picture import scenes

PATIENCE = 60.0
SCENE = scenes.street()
STREET, AGAIN = scenes.jpeg(scenes.seen(SCENE)), scenes.jpeg(scenes.seen(SCENE, 3.0))
CORNER = outline("0.1 0.2 0.3 0.5")
TRIANGLE = outline("0.5,0.1 0.95,0.2 0.6,0.6")


@pytest.fixture
async def desk() -> AsyncIterator[PictureDesk]:
    desk = PictureDesk()
    await desk.start()
    yield desk
    await desk.close()


def pixels(jpeg: bytes) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture


def with_secret(jpeg: bytes) -> bytes:
    """The same picture with something that nobody may see in the middle of CORNER."""
    picture = pixels(jpeg).copy()
    height, width = picture.shape[:2]
    picture[round(0.3 * height) : round(0.6 * height), round(0.17 * width) : round(0.33 * width)] = (0, 250, 250)
    return scenes.jpeg(picture)


async def judged(desk: PictureDesk, jpeg: bytes, reference: bytes, *masks: Outline) -> Judgement:
    found, _ = await desk.compare(jpeg, [reference], PATIENCE, known=Registered(masks))
    return judge(sight(found, [None], [None]))


async def test_what_is_masked_shows_in_no_number_and_in_no_picture(desk: PictureDesk) -> None:
    plain, secret = scenes.jpeg(pixels(STREET)), with_secret(STREET)
    known = Registered([CORNER])
    one, seen = await desk.measure(plain, PATIENCE, known=known)
    other, as_well = await desk.measure(secret, PATIENCE, known=known)
    assert (one, seen) == (other, as_well)
    assert (await desk.measure(secret, PATIENCE))[0] != one
    compared = [await desk.compare(jpeg, [AGAIN], PATIENCE, known=known) for jpeg in (plain, secret)]
    told = [{name: value for name, value in facts.items() if "seconds" not in name} for facts, _ in compared]
    assert told[0] == told[1]
    assert compared[0][1] == compared[1][1]
    for shown in (pixels(seen), pixels(compared[0][1])):
        height, width = shown.shape[:2]
        inside = shown[round(0.22 * height) : round(0.68 * height), round(0.12 * width) : round(0.38 * width)]
        assert inside.std(axis=(0, 1)).max() < 1


async def test_a_mask_over_a_kept_picture_leaves_the_rest_as_it_was(desk: PictureDesk) -> None:
    painted = pixels(await desk.mask(STREET, [CORNER], PATIENCE))
    before = pixels(STREET)
    assert painted.shape == before.shape
    height, width = before.shape[:2]
    assert painted[round(0.25 * height) : round(0.65 * height), round(0.15 * width) : round(0.35 * width)].std() < 1
    apart = np.abs(painted[:, width // 2 :].astype(int) - before[:, width // 2 :])
    assert apart.mean() < 6, "but for being coded once more"


@pytest.mark.parametrize("masks", [[CORNER], [TRIANGLE], [CORNER, TRIANGLE], [outline("0 0 1 0.45")]])
async def test_a_mask_is_no_fault_and_hides_none_beside_it(desk: PictureDesk, masks: list[Outline]) -> None:
    assert [fault.cause for fault in (await judged(desk, STREET, AGAIN, *masks)).faults] == []
    masked_before = await desk.mask(AGAIN, masks, PATIENCE)
    assert [fault.cause for fault in (await judged(desk, STREET, masked_before, *masks)).faults] == []
    covered = pixels(STREET).copy()
    covered[covered.shape[0] // 2 :, covered.shape[1] // 3 :] = 70
    found = await judged(desk, scenes.jpeg(covered), masked_before, *masks)
    assert Cause.COVERED in [fault.cause for fault in found.faults]


async def test_where_most_is_masked_what_needs_the_rest_is_not_checked(desk: PictureDesk) -> None:
    found = await judged(desk, STREET, AGAIN, outline("0 0 1 0.6"))
    assert found.faults == ()
    assert found.not_checked[Cause.COVERED] is found.not_checked[Cause.BLURRED] is Unjudged.MASKED
    alone = await judged(desk, STREET, AGAIN, outline("0 0 1 1"))
    assert alone.not_checked[Cause.DARK] is Unjudged.MASKED


async def test_masks_that_lie_over_each_other_hide_all_of_both(desk: PictureDesk) -> None:
    _, seen = await desk.measure(
        STREET, PATIENCE, known=Registered([outline("0 0 0.6 0.6"), outline("0.3 0.3 0.6 0.6")])
    )
    shown = pixels(seen)
    height, width = shown.shape[:2]
    assert shown[round(0.35 * height) : round(0.55 * height), round(0.35 * width) : round(0.55 * width)].std() < 1


@pytest.mark.parametrize("hidden", ["0 0 0.5 1", "0 0.5 1 0.5", "0 0 0.7 1", "0 0 0.9 1"])
@pytest.mark.parametrize("scene", [scenes.street(), scenes.wall(), scenes.night()], ids=["street", "wall", "night"])
def test_what_fills_a_mask_over_half_of_a_live_picture_or_more_is_never_plain_enough_for_a_lost_signal(
    scene: scenes.Scene, hidden: str
) -> None:
    filled, _ = masking.fill(pixels(scenes.jpeg(scenes.seen(scene, 0.3), 60, 640)), (outline(hidden),))
    assert measures.flat_share(filled) < PicturePolicy().flat_share


@pytest.mark.parametrize("scene", [SCENE, scenes.night()], ids=["day", "night"])
async def test_a_picture_of_which_exactly_half_is_masked_is_good_though_its_lamps_are_behind_the_mask(
    desk: PictureDesk, scene: scenes.Scene
) -> None:
    picture, known = scenes.jpeg(scenes.seen(scene)), Registered([outline("0 0.5 1 0.5")])
    found, _ = await desk.compare(picture, [scenes.jpeg(scenes.seen(scene, 3.0))], PATIENCE, known=known)
    measured, _ = await desk.measure(picture, PATIENCE, known=known)
    told = {"sight": {**found, "baselines": "1", "reference_times": ["2026-06-01T15:00:00+00:00"]}, "picture": measured}
    seen = Observation("cam-7", "snapshot", datetime(2026, 6, 10, 15, tzinfo=UTC), 0.1, facts=told)
    device, channel, before = Device("cam-7", Kind.CAMERA), Channel("1", "cam-7"), {"baselines": "1"}
    seen = watching.take_in(seen, before, PicturePolicy(), device, UTC, channel)
    assert watching.doubts(seen.facts) == []
    readings = verdict.read(seen, before, Policy(), device, feeds_reach=False)
    assert [one.cause for one in readings if one.subject.aspect is Aspect.PICTURE] == [None]

"""What nobody may see of a picture is in nothing that is kept or shown, nor in what was kept before anybody said so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from camera_registry.app import App
from camera_registry.model.health import Cause
from camera_registry.simulator.faults import Fault
from camera_registry.simulator.scene import NIGHT, VARIANTS
from camera_registry.simulator.simulation import Simulation
from camera_registry.store import audit, masking, register
from camera_registry.store.pictures import PictureKind, Proof
from tests.service.test_killed import CAMERAS, FLEET
from tests.service.test_pictures import accept, causes, channels, seen_well
from tests.service.whole import serving, until, write_settings

MASK = "0 0 0.3 1"
SCENES = {member.id: (member.scene + 1) % VARIANTS for member in FLEET.members}
BY_DAY = [camera for camera in CAMERAS if SCENES[camera] < NIGHT]
QUICK = "hold = 0.3\n[health.persistence.covered]\npictures = 2\nof = 3\nseconds = 0\n"


def pixels(jpeg: bytes) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture


def masked(jpeg: bytes) -> bool:
    """Whether the left part is one colour but for what coding makes of its border, and the rest is not."""
    picture = pixels(jpeg)
    middle = round(0.3 * picture.shape[1])
    return float(picture[:, : middle - 16].std(axis=(0, 1)).max()) < 2 and float(picture[:, middle + 16 :].std()) > 2


def kept(folder: Path) -> Iterator[bytes]:
    return (file.read_bytes() for file in folder.rglob("*") if file.is_file())


async def mask(app: App, device: str, *masks: str) -> None:
    (channel,) = channels(app, device)
    changed = [replace(channel, masks=masks)]
    await app.store.write(register.apply, changed, author="an operator", at=app.now())
    await app.follow()


@pytest.mark.timeout(360)
async def test_a_mask_reaches_what_was_kept_before_it_and_everything_that_comes_after(tmp_path: Path) -> None:
    settings, camera, other = write_settings(tmp_path, more=QUICK), BY_DAY[0], BY_DAY[1]
    async with Simulation(FLEET) as simulation, serving(settings, simulation) as app:
        await until(lambda: seen_well(app, camera) and seen_well(app, other))
        (channel,) = channels(app, camera)
        await accept(app, camera)
        await accept(app, other)
        simulation.faults.set(camera, Fault.BLACK)
        await until(lambda: app.proofs.read(1, Proof.BEFORE) is not None)
        simulation.faults.clear(camera)
        await until(lambda: not causes(app, camera))
        (accepted,) = app.gallery.of(camera, channel.id)
        before = {kind: app.pictures.read(camera, channel.id, kind) for kind in PictureKind}
        old = [one.jpeg for one in before.values() if one] + [await app.gallery.picture(accepted) or b""]
        proof = app.proofs.read(1, Proof.BEFORE)
        assert proof is not None
        assert len(old) >= 4
        assert not masked(old[0])

        await mask(app, camera, MASK)
        await until(lambda: not app.pictures.withheld)
        (accepted,) = app.gallery.of(camera, channel.id)
        assert masked(await app.gallery.picture(accepted) or b"")
        assert accepted.masks == (MASK,)
        for kind in (PictureKind.LAST, PictureKind.LAST_GOOD):
            picture = app.pictures.read(camera, channel.id, kind)
            assert picture is not None
            assert masked(picture.jpeg), kind
        repainted = app.proofs.read(1, Proof.BEFORE)
        assert repainted is not None
        assert repainted.at == proof.at
        assert repainted.jpeg != proof.jpeg
        everything = list(kept(tmp_path / "data"))
        assert not [one for one in [*old, proof.jpeg] if any(one in content for content in everything)]
        told = await app.store.read(audit.trail, about=f"device/{camera}")
        assert [row.detail for row in told if row.action == "picture.mask"] != []

        # What comes from now on is masked before it is kept, and judged as well as ever.
        since = app.now()
        await until(lambda: (app.pictures.times(camera, channel.id).get(PictureKind.LAST_GOOD) or since) > since)
        newest = app.pictures.read(camera, channel.id, PictureKind.LAST)
        assert newest is not None
        assert masked(newest.jpeg)
        assert not causes(app, camera)
        simulation.faults.set(camera, Fault.COVERED)
        await until(lambda: causes(app, camera) == {Cause.COVERED})
        assert not causes(app, other)
        for observation, _ in await app.probe_now(app.board.get(camera).device):  # type: ignore[union-attr]
            assert observation.picture is None or masked(observation.picture)
        untouched = app.pictures.read(other, channels(app, other)[0].id, PictureKind.LAST)
        assert untouched is not None
        assert not masked(untouched.jpeg)


@pytest.mark.timeout(360)
async def test_a_mask_that_came_while_the_service_was_down_is_brought_in_before_anything_is_shown(
    tmp_path: Path,
) -> None:
    settings, camera = write_settings(tmp_path), BY_DAY[0]
    async with Simulation(FLEET) as simulation, serving(settings, simulation) as app:
        await until(lambda: seen_well(app, camera))
        (channel,) = channels(app, camera)
    async with Simulation(FLEET) as simulation, serving(settings) as app:
        app.store.write_now(
            lambda tx: register.apply(tx, [replace(channel, masks=(MASK,))], author="import", at=app.now())
        )
        assert await app.store.read(masking.owed) == [(camera, channel.id)]
    async with serving(settings) as app:
        shown = app.pictures.read(camera, channel.id, PictureKind.LAST_GOOD)
        assert shown is None or masked(shown.jpeg)
        await until(lambda: not app.pictures.withheld)
        shown = app.pictures.read(camera, channel.id, PictureKind.LAST_GOOD)
        assert shown is not None
        assert masked(shown.jpeg)


async def test_what_was_kept_of_a_channel_that_is_gone_goes_too(tmp_path: Path) -> None:
    settings, camera = write_settings(tmp_path), BY_DAY[0]
    async with Simulation(FLEET) as simulation, serving(settings, simulation) as app:
        await until(lambda: seen_well(app, camera))
        (channel,) = channels(app, camera)
        await accept(app, camera)
        anew = replace(channel, id="another", masks=(MASK,))
        views = [replace(view, channels=()) for view in app._register.views.values() if channel.id in view.channels]
        await app.store.write(
            register.apply, [anew, *views], [("channel", channel.id)], author="an operator", at=app.now()
        )
        await app.follow()
        await until(lambda: not app.pictures.withheld)
        assert not app.pictures.times(camera, channel.id)
        assert not app.gallery.of(camera, channel.id)
        assert not list((tmp_path / "data" / "baselines").glob("??/*.jpg"))

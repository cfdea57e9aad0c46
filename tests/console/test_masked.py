"""Saying on the device page what nobody may see of a picture, and where its clock stands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from camera_registry.board import Board
from camera_registry.model.device import Channel
from camera_registry.model.people import Role
from camera_registry.store import Store, masking, register
from camera_registry.store.pictures import PictureKind
from tests.console import fleet
from tests.console.conftest import Browser, Script, Site
from tests.console.test_pages import JPEG

CAMERA, CHANNEL = "cam-00003", "cam-00003-1"
FORM = {"channel": CHANNEL, "version": "1", "masks": "0 0 30% 25%\n0.5,0.1 0.9,0.1 0.7,0.4", "may_move": "yes"}


@pytest.fixture
def registered(site: Site, store: Store, board: Board) -> Site:
    channel = Channel(CHANNEL, CAMERA)
    store.write_now(register.apply, [channel], author="import", at=fleet.NOW)
    return site


async def test_masks_and_clock_are_put_on_the_page_and_shown_as_outlines(admin: Browser, registered: Site) -> None:
    csrf = {"csrf": await admin.csrf()}
    clock = {"osd_box": "0.6 0.02 0.38 0.06", "osd_format": "yyyy-mm-dd hh:mm:ss", "osd_zone": "Asia/Urumqi"}
    done = await admin.submit(f"/devices/{CAMERA}/picture", {**csrf, **FORM, **clock})
    assert done == (303, f"/devices/{CAMERA}#masked")
    _, text = await admin.get(f"/devices/{CAMERA}?lang=en")
    assert '<polygon class="mask" points="0,0 30,0 30,25 0,25">' in text
    assert 'points="50,10 90,10 70,40"' in text
    assert '<polygon class="clock" points="60,2 98,2 98,8 60,8">' in text
    assert "YYYY-MM-DD HH:MM:SS" in text
    assert "2 privacy masks" in text
    assert registered.trail("register.edit")[0].about == f"channel/{CHANNEL}"
    assert (await admin.submit(f"/devices/{CAMERA}/picture", {**csrf, **FORM}))[0] == 412, "somebody else was faster"


async def test_a_mask_that_can_not_be_is_told_with_a_remedy_and_changes_nothing(
    admin: Browser, registered: Site, store: Store
) -> None:
    csrf = {"csrf": await admin.csrf()}
    crossing = {**FORM, "masks": "0.1,0.1 0.9,0.9 0.9,0.1 0.1,0.9"}
    assert (await admin.submit(f"/devices/{CAMERA}/picture", {**csrf, **crossing}))[0] == 422
    kept = store.read_now(register.get, "channel", CHANNEL)
    assert kept is not None
    assert kept.item == Channel(CHANNEL, CAMERA)
    assert store.read_now(masking.owed) == []


async def test_the_same_over_the_api(script: Script, registered: Site, store: Store) -> None:
    path = f"/api/v1/channels/{CHANNEL}"
    seen = {"If-Match": '"1"'}
    status, answer, _ = await script.ask("PATCH", path, {"masks": ["0 0 1 0.25"], "may_move": False}, **seen)
    assert (status, answer["item"]["masks"], answer["item"]["may_move"]) == (200, ["0 0 1 0.25"], False)
    assert store.read_now(masking.owed) == [(CAMERA, CHANNEL)]
    status, answer, _ = await script.ask("PATCH", path, {"masks": ["0 0 100 100"]}, **seen)
    assert status == 422
    assert "比例" in str(answer)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUDITOR])
async def test_only_those_who_work_with_devices_mask(browser: Browser, registered: Site, role: Role) -> None:
    registered.user("looker", role)
    await browser.sign_in("looker")
    csrf = {"csrf": await browser.csrf()}
    assert (await browser.submit(f"/devices/{CAMERA}/picture", {**csrf, **FORM}))[0] == 403


async def test_what_another_process_has_masked_a_moment_ago_is_not_shown_until_it_is_masked(
    admin: Browser, registered: Site, store: Store
) -> None:
    """As an import beside the service does: the service has not looked at the register since."""
    registered.pictures.save(CAMERA, CHANNEL, PictureKind.LAST, JPEG, fleet.NOW)
    path = f"{registered.url}/api/v1/devices/{CAMERA}/snapshot?channel={CHANNEL}"
    async with admin.session.get(path) as answer:
        assert answer.status == 200
    looks = len(registered.trail("snapshot.view"))
    masked = replace(channel(store), masks=("0 0 0.3 1",))
    store.write_now(register.apply, [masked], author="import", at=fleet.NOW)
    async with admin.session.get(path) as answer:
        assert answer.status == 404
    assert len(registered.trail("snapshot.view")) == looks
    store.write_now(masking.settle, masked, 1, 0, fleet.NOW)
    async with admin.session.get(path) as answer:
        assert answer.status == 200


def channel(store: Store) -> Channel:
    found: Channel = store.read_now(register.load_register).channels[CHANNEL]
    return found

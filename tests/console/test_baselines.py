"""Saying which pictures show how a view is meant to look."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from camera_registry.model.observation import ProbeSeen
from camera_registry.model.people import Role
from camera_registry.store.pictures import PictureKind
from tests.console import fleet
from tests.console.conftest import Script, Site

CAMERA, CHANNEL = "cam-00003", "cam-00003-1"
PATH = f"/api/v1/devices/{CAMERA}/baselines"


@pytest.fixture
def pictured(site: Site) -> Site:
    site.pictures.save(CAMERA, CHANNEL, PictureKind.LAST, b"\xff\xd8 picture", fleet.NOW)
    return site


async def test_there_must_be_a_picture_to_accept(script: Script) -> None:
    status, answer, _ = await script.ask("POST", PATH, {})
    assert (status, answer["code"]) == (404, "not_found")
    status, answer, _ = await script.ask("POST", PATH, {"channel": "elsewhere"})
    assert (status, answer["code"]) == (404, "not_found")


async def test_a_picture_is_accepted_looked_at_and_taken_back(script: Script, pictured: Site) -> None:
    status, made, _ = await script.ask("POST", PATH, {})
    assert (status, made["channel"], made["regime"]) == (201, CHANNEL, "day")
    assert (await script.ask("GET", PATH))[1]["items"] == [made]
    one = f"{PATH}/{made['id']}"
    async with script.session.get(f"{pictured.url}{one}/picture", headers=script.headers) as shown:
        assert (shown.status, await shown.read()) == (200, b"\xff\xd8 picture")
    assert "baseline" in str(pictured.trail("snapshot.view")[0].detail)
    assert (await script.ask("DELETE", one))[0] == 204
    assert (await script.ask("GET", PATH))[1]["items"] == []
    assert (await script.ask("DELETE", one))[0] == 404


async def test_a_picture_in_doubt_is_accepted_only_with_a_reason(script: Script, pictured: Site) -> None:
    entry = pictured.board.get(CAMERA)
    assert entry is not None
    judged = {"judgement": {"faults": [{"cause": "covered", "score": 0.9}]}}
    run = ProbeSeen("snapshot", CHANNEL, fleet.NOW - timedelta(seconds=5), 0.1, None, fleet.NOW, judged)
    pictured.board.swap([replace(entry, probes=(run,))], (), {})
    status, answer, _ = await script.ask("POST", PATH, {})
    assert (status, answer["code"]) == (409, "doubtful_picture")
    assert "遮挡" in answer["detail"]
    status, made, _ = await script.ask("POST", PATH, {"reason": "a canopy was built"})
    assert (status, made["reason"]) == (201, "a canopy was built")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUDITOR, Role.CREW])
async def test_only_those_who_work_with_devices_accept(script: Script, pictured: Site, role: Role) -> None:
    script.headers = pictured.token(role)
    assert (await script.ask("POST", PATH, {}))[0] == 403

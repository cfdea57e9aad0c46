"""People decide on what a search proposes, on the page and over the API; viewers only look."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from camera_registry.model.discovery import Progress, Sighting
from camera_registry.model.people import Role
from camera_registry.rules.scanning import TooWide
from camera_registry.settings import Devices, Settings
from camera_registry.store import proposals, register
from tests.console import fleet
from tests.console.conftest import Browser, Script, Site

STRANGER = Sighting(
    "127.1.9.9", fleet.NOW, (80,), onvif_port=80, http_port=80, serial="DS0001", model="<script>alert(1)</script>"
)


@pytest.fixture(autouse=True)
def _met(site: Site) -> None:
    """A new device, one that has moved, and another unit in the place of a registered one."""
    site.settings = Settings(devices=Devices(networks=("127.0.0.0/8",)))
    moved = replace(STRANGER, address="127.1.9.10", serial="SN00000002", model="IPC2324")
    other = replace(STRANGER, address="127.1.0.4", serial="SN99999999", model="DS-2CD2T47", guarded=True)
    site.store.write_now(proposals.propose, [STRANGER, moved, other], {}, fleet.NOW)


async def test_the_page_tells_what_is_registered_and_what_was_found(admin: Browser) -> None:
    for language, words in (
        ("en", ("New device", "Another unit", "New address")),
        ("zh", ("新设备", "设备更换", "地址变更")),
    ):
        status, text = await admin.get(f"/proposals?lang={language}")
        assert status == 200
        assert all(word in text for word in words)
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "SN00000003" in text
    assert "<strong>SN99999999</strong>" in text


async def test_a_proposal_is_accepted_on_the_page(admin: Browser, site: Site) -> None:
    (kept,) = [one for one in site.store.read_now(proposals.page) if not one.proposal.device]
    form = {
        "csrf": await admin.csrf(),
        "id": "cam-south",
        "name": "South gate",
        "kind": "camera",
        "area": "东江区",
        "life": "planned",
    }
    status, path = await admin.submit(f"/proposals/{kept.id}/accept", form)
    assert status == 303
    assert site.board.get("cam-south") is not None
    site.board.swap((), ["cam-south"])  # as in the moment before it is measured
    _, text = await admin.get(path)
    assert 'role="status"' in text
    assert '<a href="/devices/cam-south">South gate</a>' in text
    stored = site.store.read_now(register.get, "device", "cam-south")
    assert stored is not None
    assert (stored.item.name, stored.item.area, stored.item.host) == ("South gate", "510104", "127.1.9.9")  # type: ignore[union-attr]
    _, text = await admin.get("/proposals?state=accepted&lang=en")
    assert "Accepted by root" in text


async def test_a_proposal_is_rejected_on_the_page_with_its_reason(admin: Browser, site: Site) -> None:
    (kept,) = [one for one in site.store.read_now(proposals.page) if not one.proposal.device]
    csrf = await admin.csrf()
    assert (await admin.submit(f"/proposals/{kept.id}/reject", {"csrf": csrf, "reason": ""}))[0] == 422
    assert await admin.submit(f"/proposals/{kept.id}/reject", {"csrf": csrf, "reason": "a visitor's"}) == (
        303,
        "/proposals",
    )
    _, text = await admin.get("/proposals?state=rejected&lang=en")
    assert "a visitor&#39;s" in text
    assert len(site.trail("proposal.reject")) == 1


async def test_a_foreign_or_forged_form_decides_nothing(admin: Browser, site: Site) -> None:
    for form in ({}, {"csrf": "guess"}):
        assert (await admin.submit("/proposals/1/accept", form))[0] == 403
        assert (await admin.submit("/discovery", form))[0] == 403
    assert site.store.read_now(proposals.open_count) == 3
    assert site.searches.begun == []


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUDITOR])
async def test_a_viewer_sees_proposals_and_decides_nothing(browser: Browser, site: Site, role: Role) -> None:
    site.user("lee", role)
    await browser.sign_in("lee")
    _, text = await browser.get("/proposals?lang=en")
    assert "SN99999999" in text
    assert not re.search(r'action="/(?:proposals|discovery)', text)
    assert (await browser.submit("/proposals/1/accept", {"csrf": await browser.csrf()}))[0] == 403
    assert (await browser.submit("/discovery", {"csrf": await browser.csrf()}))[0] == 403


async def test_a_search_is_begun_followed_and_stopped_on_the_page(admin: Browser, site: Site) -> None:
    csrf = {"csrf": await admin.csrf()}
    assert await admin.submit("/discovery", csrf) == (303, "/proposals")
    _, text = await admin.get("/proposals?lang=en")
    assert "0 of 254 addresses" in text
    assert 'action="/discovery/stop"' in text
    assert await admin.submit("/discovery/stop", csrf) == (303, "/proposals")
    _, live = await admin.get("/proposals?lang=en", **{"HX-Request": "true"})
    assert "<html" not in live
    assert "Go on with the search" in live
    assert await admin.submit("/discovery", {**csrf, "resume": "1"}) == (303, "/proposals")
    assert site.searches.begun == [False, True]
    assert [row.action for row in site.trail("discovery.start")] == ["discovery.start"] * 2


async def test_the_api_lists_accepts_and_rejects(script: Script, site: Site) -> None:
    status, listed, _ = await script.ask("GET", "/api/v1/proposals?state=open&limit=2")
    assert status == 200
    _, rest, _ = await script.ask("GET", f"/api/v1/proposals?state=open&limit=2&cursor={listed['next']}")
    found = {one["kind"]: one for one in (*listed["items"], *rest["items"])}
    assert rest["next"] is None
    assert found["moved"]["row"] == {"id": "cam-00002", "host": "127.1.9.10", "onvif_port": 80, "http_port": 80}
    assert found["replaced"]["evidence"]["by"] == ["serial"]
    status, device, headers = await script.ask("POST", f"/api/v1/proposals/{found['moved']['id']}/accept", {})
    assert (status, device["id"], device["host"], headers["ETag"]) == (200, "cam-00002", "127.1.9.10", '"2"')
    status, one, _ = await script.ask("POST", f"/api/v1/proposals/{found['new']['id']}/reject", {"reason": "no"})
    assert (status, one["state"], one["reason"]) == (200, "rejected", "no")
    status, problem, _ = await script.ask("POST", f"/api/v1/proposals/{found['new']['id']}/accept", {})
    assert (status, problem["code"]) == (409, "refused")
    assert site.store.read_now(proposals.open_count) == 1


async def test_what_is_not_sound_is_told_with_its_place(script: Script) -> None:
    _, listed, _ = await script.ask("GET", "/api/v1/proposals")
    (new,) = [one for one in listed["items"] if one["kind"] == "new"]
    status, problem, _ = await script.ask("POST", f"/api/v1/proposals/{new['id']}/accept", {"area": "nowhere"})
    assert (status, problem["code"], problem["place"]) == (422, "invalid", "body.area")
    assert "nowhere" in problem["problems"][0]["detail"]
    for bad in ({"password": "x"}, {"kind": "toaster"}):
        assert (await script.ask("POST", f"/api/v1/proposals/{new['id']}/accept", bad))[0] == 422


@pytest.mark.parametrize("id", ["0", "99", "-1", "1e3", "x", "%00", "9" * 40, "٣"])
async def test_a_proposal_that_is_not_there_is_not_found(script: Script, id: str) -> None:
    for method, path in (("GET", ""), ("POST", "/accept"), ("POST", "/reject")):
        status, problem, _ = await script.ask(
            method, f"/api/v1/proposals/{id}{path}", {"reason": "no"} if "rej" in path else {}
        )
        assert (status, problem["code"]) == (404, "not_found"), (method, path)


async def test_the_api_begins_follows_and_stops_a_search(script: Script, site: Site) -> None:
    assert (await script.ask("GET", "/api/v1/discovery"))[1]["running"] is False
    status, progress, _ = await script.ask("POST", "/api/v1/discovery", {})
    assert (status, progress["running"], progress["total"]) == (201, True, 254)
    status, problem, _ = await script.ask("POST", "/api/v1/discovery", {})
    assert (status, problem["code"]) == (409, "searching")
    status, progress, _ = await script.ask("DELETE", "/api/v1/discovery")
    assert (status, progress["running"], progress["position"]) == (200, False, 100)


async def test_a_search_that_can_not_be_is_refused_with_the_remedy(
    script: Script, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_wide(*, resume: bool = False) -> bool:
        raise TooWide("16,777,214 addresses are too many for one scan")

    monkeypatch.setattr(site.searches, "start", too_wide)
    status, problem, _ = await script.ask("POST", "/api/v1/discovery", {})
    assert (status, problem["code"]) == (409, "too_wide")
    assert "[discovery] networks" in problem["remedy"]
    site.settings = Settings()
    status, problem, _ = await script.ask("POST", "/api/v1/discovery", {})
    assert (status, problem["code"]) == (409, "no_networks")


async def test_how_a_search_ended_is_told(admin: Browser, site: Site) -> None:
    site.searches.progress = Progress(begun=fleet.NOW, ended=fleet.NOW, position=3, total=9, trouble="<b>no route</b>")
    _, text = await admin.get("/proposals?lang=en")
    assert "It ended early: &lt;b&gt;no route" in text
    told = Progress(
        begun=fleet.NOW, ended=fleet.NOW, position=9, total=9, met=7, ignored=5, stopped=True,
        outside=4, elsewhere=1, known=3, others=2, proposed=2,
    )  # fmt: skip
    site.searches.progress = told
    _, text = await admin.get("/proposals?lang=en")
    assert "stopped by hand" in text
    assert "7 hosts answered: 3 as registered, 2 to decide on, 2 other hosts" in text
    assert "5 more answers or addresses were passed over and not contacted: 4 from outside" in text
    site.searches.progress = Progress(running=True, begun=fleet.NOW, total=1022, met=105)
    _, text = await admin.get("/proposals?lang=en")
    assert "asking all at once, 105 hosts met so far; then 1,022 addresses" in text
    site.store.write_now(proposals.reject, 1, "x", author="x", at=fleet.NOW)
    _, text = await admin.get("/proposals?state=settled&lang=en")
    assert "Nothing is in this state." in text


async def test_an_acceptance_that_is_refused_keeps_what_was_typed_and_says_what_to_correct(
    admin: Browser, site: Site
) -> None:
    (kept,) = [one for one in site.store.read_now(proposals.page) if not one.proposal.device]
    form = {"csrf": await admin.csrf(), "id": "cam-new", "name": "South gate", "kind": "camera", "life": "planned"}
    for language, changes, told in (
        ("zh", {"area": "nope"}, "区域/网格：没有名为「nope」的区域。"),
        ("en", {"area": "nope"}, "There is no area &#39;nope&#39;."),
        ("zh", {"id": "cam-00017"}, "编码“cam-00017”已被另一台设备使用"),
        ("en", {"id": "cam-00017"}, "another device has the code “cam-00017” already"),
    ):
        status, text = await admin.submit(f"/proposals/{kept.id}/accept?lang={language}", {**form, **changes})
        assert status in (409, 422)
        assert told in text
        assert "openapi" not in text
        assert 'value="South gate"' in text
        assert all(f'value="{value}"' in text for value in changes.values())
        assert '<option value="planned" selected>' in text
    assert site.store.read_now(register.get, "device", "cam-new") is None


async def test_who_comes_second_is_told_what_was_decided(admin: Browser, site: Site) -> None:
    (kept,) = [one for one in site.store.read_now(proposals.page) if not one.proposal.device]
    form = {"csrf": await admin.csrf(), "reason": "no"}
    await admin.submit(f"/proposals/{kept.id}/reject", form)
    for errand in ("accept", "reject"):
        status, text = await admin.submit(
            f"/proposals/{kept.id}/{errand}?lang=zh", {**form} if errand == "reject" else {"csrf": form["csrf"]}
        )
        assert status == 409
        assert "已有人处理过这条发现（已拒绝）" in text

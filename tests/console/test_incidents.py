"""What people see of incidents and do about them, over the API and on pages."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from camera_registry.model.health import Aspect, Cause, Subject
from camera_registry.model.incident import (
    Affected,
    Called,
    Incident,
    IncidentChange,
    Party,
    Scope,
    Severity,
    Span,
    Step,
)
from camera_registry.model.people import Role
from camera_registry.store import incidents
from camera_registry.texts import texts
from tests.console import fleet
from tests.console.conftest import Browser, Script, Site

SINCE = fleet.NOW - timedelta(minutes=12)
DEAD_SWITCH = Incident(
    1,
    Scope.DEVICE,
    "sw-001",
    Cause.TIMEOUT,
    Severity.P1,
    SINCE,
    SINCE + timedelta(seconds=20),
    SINCE + timedelta(seconds=80),
    area="510104002",
    detail="no answer within 5 s",
    symptoms=(Subject("sw-001", Aspect.REACH),),
    causes=(Called(Cause.TIMEOUT, SINCE),),
    spans=(Span(Party.DEVICE, SINCE),),
    affected=4,
)
OVER = replace(
    DEAD_SWITCH,
    id=2,
    about="cam-00003",
    cause=Cause.BLACK,
    severity=Severity.P3,
    area="510104001",
    ended=fleet.NOW - timedelta(minutes=2),
    affected=0,
)


@pytest.fixture
def site(site: Site) -> Site:
    """With an open incident of a switch and the cameras behind it, and one that is over."""
    steps = [IncidentChange(Step.OPENED, one.opened_at, one, text=one.detail) for one in (DEAD_SWITCH, OVER)]
    behind = [Affected(1, f"cam-{number:05d}", SINCE) for number in (1, 11, 21, 31)]
    site.store.write_now(incidents.save, [DEAD_SWITCH, OVER], steps, behind)
    site.board.swap((), (), {1: DEAD_SWITCH})
    return site


async def test_incidents_are_listed_and_filtered(script: Script, site: Site) -> None:
    async def found(query: str = "") -> list[int]:
        status, body, _ = await script.ask("GET", f"/api/v1/incidents{query}")
        assert status == 200
        return [one["id"] for one in body["items"]]

    assert await found() == [2, 1]
    assert await found("?open=true") == [1]
    assert await found("?device=cam-00011") == [1]
    assert await found("?area=510104&severity=P3") == [2]
    assert await found("?cause=black") == [2]
    _, body, _ = await script.ask("GET", "/api/v1/incidents?limit=1")
    assert body["next"] == "2"
    assert await found("?limit=1&cursor=2") == [1]


async def test_an_incident_tells_its_time_line_and_who_is_behind_it(script: Script, site: Site) -> None:
    status, body, headers = await script.ask("GET", "/api/v1/incidents/1")
    assert (status, headers["ETag"]) == (200, '"1"')
    assert [one["step"] for one in body["steps"]] == ["opened"]
    assert [one["device"] for one in body["behind"]] == ["cam-00001", "cam-00011", "cam-00021", "cam-00031"]
    assert body["charged"] == {"device": 720.0}
    assert (await script.ask("GET", "/api/v1/incidents/77"))[0] == 404
    assert (await script.ask("GET", "/api/v1/incidents/sw-001"))[0] == 404


async def test_an_acknowledgement_is_kept_with_who_and_until_when(script: Script, site: Site) -> None:
    path, body = "/api/v1/incidents/1/acknowledgement", {"note": "crew is on its way", "lasts": 3600}
    assert (await script.ask("PUT", path, body))[0] == 428
    status, told, headers = await script.ask("PUT", path, body, If_Match='"1"')
    assert (status, headers["ETag"]) == (200, '"2"')
    assert told["acknowledged"]["note"] == "crew is on its way"
    assert told["acknowledged"]["sticky"] is True
    assert told["acknowledged"]["until"].startswith("2026-11-23T09:00:00")
    assert [one["step"] for one in told["steps"]] == ["opened", "acknowledged"]
    assert (await script.ask("PUT", path, body, If_Match='"1"'))[0] == 412, "somebody has changed it since"
    status, told, _ = await script.ask("DELETE", path, If_Match='"2"')
    assert told["acknowledged"] is None


async def test_an_incident_is_assigned_and_noted(script: Script, site: Site) -> None:
    status, told, _ = await script.ask("PUT", "/api/v1/incidents/1/assignee", {"assignee": "李师傅"}, If_Match="*")
    assert (status, told["assignee"]) == (200, "李师傅")
    status, told, _ = await script.ask("POST", "/api/v1/incidents/1/notes", {"text": "断电"})
    assert status == 201
    assert [(one["step"], one["text"]) for one in told["steps"]][1:] == [("assigned", "李师傅"), ("noted", "断电")]


async def test_what_is_over_can_be_noted_and_nothing_else(script: Script, site: Site) -> None:
    status, body, _ = await script.ask("PUT", "/api/v1/incidents/2/assignee", {"assignee": "x"}, If_Match="*")
    assert (status, body["code"]) == (409, "incident_over")
    status, told, _ = await script.ask("POST", "/api/v1/incidents/2/notes", {"text": "it was fog"})
    assert (status, told["steps"][-1]["text"]) == (201, "it was fog")


async def test_a_window_is_planned_read_and_called_off(script: Script, site: Site) -> None:
    asked = {
        "kind": "recurring",
        "begins": "2026-11-01T00:00:00+08:00",
        "lasts": 7200,
        "schedule": "0 2 * * 0",
        "reason": "lens cleaning",
        "areas": ["510104"],
    }
    status, made, headers = await script.ask("POST", "/api/v1/windows", asked)
    assert status == 201
    assert headers["Location"] == f"/api/v1/windows/{made['id']}"
    assert (made["zone"], made["in_force"]) == ("Asia/Shanghai", False)
    assert made["author"]
    assert made["muted"] == 41, "every device in service of that district"
    assert (await script.ask("POST", "/api/v1/windows/preview", asked | {"areas": ["510104002"]}))[:2] == (
        200,
        {"muted": 21, "in_service": 41},
    )
    status, listed, _ = await script.ask("GET", "/api/v1/windows")
    assert [(one["id"], one["muted"]) for one in listed["items"]] == [(made["id"], made["muted"])]
    status, gone, _ = await script.ask("DELETE", f"/api/v1/windows/{made['id']}")
    assert (status, gone["cancelled_at"] is not None, gone["muted"]) == (200, True, None)
    assert (await script.ask("GET", f"/api/v1/windows/{made['id']}"))[1]["cancelled_at"]
    assert {row.action for row in site.trail("window.create") + site.trail("window.cancel")} == {
        "window.create",
        "window.cancel",
    }


async def test_a_window_that_means_nothing_is_refused_with_its_reason(script: Script, site: Site) -> None:
    asked = {"begins": "2026-11-01T00:00:00+08:00", "ends": "2026-11-02T00:00:00+08:00", "reason": "x"}
    status, body, _ = await script.ask("POST", "/api/v1/windows?lang=en", asked)
    assert (status, body["code"]) == (422, "window")
    assert "covers nothing" in body["detail"]
    status, body, _ = await script.ask(
        "POST", "/api/v1/windows?lang=en", asked | {"devices": ["cam-9"], "areas": ["x"]}
    )
    assert (status, body["code"]) == (422, "window")
    assert "not registered: cam-9, x;" in body["detail"]


async def test_the_overview_shows_one_incident_for_a_dead_switch(admin: Browser) -> None:
    _, text = await admin.get("/?lang=en")
    assert "1 open incident" in text
    assert "affects 4 devices" in text
    assert 'href="/incidents/1"' in text


async def test_the_list_shows_open_ones_first_and_all_on_demand(admin: Browser) -> None:
    _, text = await admin.get("/incidents?lang=en")
    assert 'href="/incidents/1"' in text
    assert 'href="/incidents/2"' not in text
    _, text = await admin.get("/incidents?which=all&lang=zh")
    assert 'href="/incidents/2"' in text
    assert "已恢复" in text


async def test_a_list_of_others_says_that_what_is_open_is_counted_elsewhere(admin: Browser) -> None:
    in_all = texts("en")("list.in_all")
    for path in ("/incidents?", "/incidents?order=newest&", "/orders?", "/orders?which=open&order=newest&"):
        assert in_all not in (await admin.get(f"{path}lang=en"))[1], path
    for path in ("/incidents?which=over&", "/incidents?cause=dns&", "/orders?which=over&", "/orders?state=fixed&"):
        assert in_all in (await admin.get(f"{path}lang=en"))[1], path


async def test_the_page_of_an_incident_is_worked_with(admin: Browser) -> None:
    _, text = await admin.get("/incidents/1?lang=en")
    for shown in ("合江亭汇聚交换机", "cam-00011", "affects 4 devices", "12 minutes", "the device", "Opened"):
        assert shown in text
    csrf = await admin.csrf()
    form = {"csrf": csrf, "version": "1", "hours": "4", "sticky": "true", "note": "going there"}
    assert await admin.submit("/incidents/1/acknowledge", form) == (303, "/incidents/1")
    assert (await admin.submit("/incidents/1/assign", {"csrf": csrf, "version": "1", "assignee": "x"}))[0] == 412
    assert (await admin.submit("/incidents/1/assign", {"csrf": csrf, "version": "2", "assignee": "crew 7"}))[0] == 303
    assert (await admin.submit("/incidents/1/note", {"csrf": csrf, "text": "<b>fuse</b>"}))[0] == 303
    _, text = await admin.get("/incidents/1?lang=en")
    for shown in ("Acknowledged by root", "going there", "crew 7", "&lt;b&gt;fuse&lt;/b&gt;"):
        assert shown in text
    assert (await admin.submit("/incidents/1/unacknowledge", {"csrf": csrf, "version": "3"}))[0] == 303


async def test_what_was_found_is_told_by_the_clock_of_the_page(admin: Browser, site: Site) -> None:
    said = "the password was refused at 02:46:45 UTC; left alone until 03:16:45 UTC so that its account is not locked"
    one = replace(DEAD_SWITCH, id=3, about="cam-00003", affected=0, cause=Cause.AUTH, detail=said)
    site.store.write_now(incidents.save, [one], [IncidentChange(Step.OPENED, one.opened_at, one, text=said)])
    _, text = await admin.get("/incidents/3?lang=en")
    assert text.count("refused at 10:46:45; left alone until 11:16:45") == 2
    assert "02:46:45" not in text


async def test_a_viewer_reads_and_has_no_forms(browser: Browser, site: Site) -> None:
    site.user("lee", Role.VIEWER)
    await browser.sign_in("lee")
    _, text = await browser.get("/incidents/1?lang=en")
    assert "Opened" in text
    assert "/incidents/1/note" not in text
    form = {"csrf": await browser.csrf(), "text": "x"}
    assert (await browser.submit("/incidents/1/note", form))[0] == 403


async def test_maintenance_is_planned_on_a_page(admin: Browser, site: Site) -> None:
    form = {
        "csrf": await admin.csrf(),
        "kind": "fixed",
        "begins": "2026-11-23T15:00",
        "ends": "2026-11-23T18:00",
        "minutes": "",
        "schedule": "",
        "devices": "cam-00002, cam-00004",
        "reason": "清洗镜头",
    }
    assert await admin.submit("/windows", form) == (303, "/windows")
    _, text = await admin.get("/windows?lang=en")
    for shown in (
        "in force now",
        "cam-00002 cam-00004",
        "It keeps 2 devices in service quiet.",
        "清洗镜头",
        "root",
        "11-23 15:00:00",
    ):
        assert shown in text
    assert await admin.submit("/windows/1/cancel", {"csrf": form["csrf"]}) == (303, "/windows")
    assert "cancelled by root" in (await admin.get("/windows?lang=en"))[1]


async def test_a_window_is_planned_from_the_page_of_a_device_and_takes_areas_by_name(admin: Browser) -> None:
    _, text = await admin.get("/devices/cam-00002?lang=en")
    assert 'href="/windows?device=cam-00002#plan"' in text
    _, text = await admin.get("/windows?device=cam-00002&lang=en")
    assert 'name="devices" placeholder="several: separate with spaces" value="cam-00002"' in text
    assert re.search(r'name="begins" value="\d{4}-\d\d-\d\dT\d\d:\d\d"', text)
    assert "Times are those of Asia/Shanghai." in text
    form = {"csrf": await admin.csrf(), "begins": "2026-11-23T15:00", "ends": "2026-11-23T18:00", "reason": "割接"}
    assert await admin.submit("/windows", form | {"areas": "合江亭街道"}) == (303, "/windows")
    assert "510104002 合江亭街道" in (await admin.get("/windows?lang=en"))[1]


async def test_the_form_of_a_window_tells_how_many_devices_it_will_keep_quiet(admin: Browser) -> None:
    async def told(query: str) -> str:
        status, text = await admin.get(f"/windows/muted?{query}&lang=en", **{"HX-Request": "true"})
        assert status == 200
        return re.sub(r"<[^>]*>", "", text).strip()

    assert await told("devices=&areas=") == "How many devices it keeps quiet is told here as you fill it in."
    assert await told("devices=cam-00002,cam-00004") == "It keeps 2 devices in service quiet."
    assert "not registered: cam-9" in await told("devices=cam-9")
    assert "So nobody is spared" in await told("tags=nobody-has-it")
    assert await told("areas=合江亭街道") == "It keeps 21 devices in service quiet."


async def test_a_device_tells_its_incidents(admin: Browser) -> None:
    _, text = await admin.get("/devices/cam-00011?lang=en")
    assert 'href="/incidents/1"' in text

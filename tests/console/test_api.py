"""The REST interface as a script meets it."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from camera_registry.model.chain import Link
from camera_registry.model.people import Role
from camera_registry.model.wrong import Wrong
from camera_registry.settings import Settings
from camera_registry.store import register
from camera_registry.texts import texts
from tests.console import fleet
from tests.console.conftest import Script, Site


async def test_the_status_counts_what_the_board_holds(script: Script, site: Site) -> None:
    status, answer, _ = await script.ask("GET", "/api/v1/status")
    assert status == 200
    active = [entry for entry in site.board if entry.device.life == "active"]
    assert answer["in_service"] == len(active) == sum(answer["statuses"].values())
    assert answer["statuses"]["down"] == sum(entry.status == "down" for entry in active)
    assert answer["causes"]["parent_down"] == 4


async def test_a_device_tells_its_status_its_reasons_and_who_is_to_blame(script: Script) -> None:
    status, answer, headers = await script.ask("GET", "/api/v1/devices/cam-00001")
    assert status == 200
    assert answer["status"] == "down"
    reason = answer["reasons"][0]
    assert (reason["aspect"], reason["cause"], reason["blamed"]) == ("reach", "parent_down", "sw-001")
    assert {held["aspect"]: held["state"] for held in answer["aspects"]}["reach"] == "down"
    assert {run["probe"]: run["failure"]["kind"] for run in answer["probes"]}["onvif"] == "timeout"
    assert answer["file"]["parent"] == "sw-001"
    assert headers["ETag"] == f'"{answer["version"]}"'


async def test_a_device_tells_the_chain_to_its_picture_and_where_that_is_broken(script: Script) -> None:
    _, answer, _ = await script.ask("GET", "/api/v1/devices/cam-00013")
    assert answer["broken"] == "clock"
    assert [link["link"] for link in answer["chain"]] == [link.value for link in Link]
    assert {link["link"]: link["state"] for link in answer["chain"]}["port"] == "ok"
    _, answer, _ = await script.ask("GET", "/api/v1/devices/cam-00000")
    assert answer["broken"] is None


async def test_pages_of_a_list_hold_every_device_once(script: Script, site: Site) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        status, answer, _ = await script.ask("GET", f"/api/v1/devices?limit=7&cursor={cursor}")
        assert status == 200
        assert answer["total"] == len(site.board)
        seen += [one["id"] for one in answer["items"]]
        if answer["next"] is None:
            break
        cursor = answer["next"]
    assert seen == sorted(entry.device.id for entry in site.board)


async def test_filters_of_a_list_work_together(script: Script) -> None:
    _, answer, _ = await script.ask("GET", "/api/v1/devices?status=down&cause=parent_down&area=510104&q=cam-00011")
    assert [one["id"] for one in answer["items"]] == ["cam-00011"]
    _, answer, _ = await script.ask("GET", "/api/v1/devices?area=510104002&status=down&order=worst")
    assert [one["id"] for one in answer["items"]] == ["sw-001"]


async def test_an_unknown_parameter_is_refused_with_its_place(script: Script) -> None:
    status, answer, headers = await script.ask("GET", "/api/v1/devices?colour=red&limit=0")
    assert status == 400
    assert headers["Content-Type"].startswith("application/problem+json")
    assert {one["place"] for one in answer["problems"]} == {"query.colour", "query.limit"}
    assert answer["remedy"]


async def test_a_cursor_that_is_not_ours_is_refused(script: Script) -> None:
    for cursor in ("nonsense", "bnVsbA", "WzEsMl0"):
        status, answer, _ = await script.ask("GET", f"/api/v1/devices?cursor={cursor}")
        assert (status, answer["code"]) == (400, "cursor")


async def test_a_device_is_registered_edited_and_removed(script: Script, site: Site) -> None:
    new = {"id": "cam-new", "kind": "camera", "name": "新建路1号", "host": "10.1.2.3", "area": "510104001"}
    status, answer, headers = await script.ask("POST", "/api/v1/devices", new)
    assert status == 201, answer
    assert headers["Location"] == "/api/v1/devices/cam-new"
    assert site.board.get("cam-new") is not None
    etag = headers["ETag"]
    status, answer, headers = await script.ask("PATCH", "/api/v1/devices/cam-new", {"name": "改名"}, If_Match=etag)
    assert (status, answer["file"]["name"], answer["file"]["host"]) == (200, "改名", "10.1.2.3")
    status, _, _ = await script.ask("DELETE", "/api/v1/devices/cam-new", If_Match=headers["ETag"])
    assert status == 204
    assert site.board.get("cam-new") is None
    status, answer, _ = await script.ask("GET", "/api/v1/devices/cam-new/changes?limit=2")
    assert [(one["before"] is None, one["after"] is None) for one in answer["items"]] == [(False, True), (False, False)]
    status, answer, _ = await script.ask("GET", f"/api/v1/devices/cam-new/changes?cursor={answer['next']}")
    assert answer["items"][0]["after"]["host"] == "10.1.2.3"
    assert answer["next"] is None


async def test_an_edit_is_answered_with_what_it_made(script: Script) -> None:
    path = "/api/v1/devices/cam-00002"
    _, answer, _ = await script.ask("PATCH", path, {"host": "10.1.2.9", "name": "a\x00\u202e\x1b[31mb"}, If_Match="*")
    assert (
        (answer["host"], answer["name"]) == (answer["file"]["host"], answer["file"]["name"]) == ("10.1.2.9", "a[31mb")
    )


async def test_an_address_outside_the_device_networks_is_refused_and_an_old_one_may_stay(
    script: Script, site: Site
) -> None:
    path = "/api/v1/devices/cam-00002"
    site.settings = Settings.model_validate({"devices": {"networks": ["10.0.0.0/8"]}})
    status, answer, _ = await script.ask("PATCH", path, {"host": "8.8.8.8"}, If_Match="*")
    assert (status, answer["place"]) == (422, "body.host")
    assert "10.0.0.0/8" in answer["problems"][0]["detail"]
    status, _, _ = await script.ask("POST", "/api/v1/devices", {"id": "x", "kind": "camera", "host": "8.8.8.8"})
    assert status == 422
    status, _, _ = await script.ask("PATCH", path, {"note": "its host was registered long ago"}, If_Match="*")
    assert status == 200
    status, _, _ = await script.ask("PATCH", path, {"host": "10.1.2.9"}, If_Match="*")
    assert status == 200


async def test_how_often_a_site_is_looked_at_is_edited_with_a_history_and_only_within_reason(
    script: Script, site: Site
) -> None:
    path = "/api/v1/sites/s-2"
    status, answer, headers = await script.ask("PUT", path, {"name": "南门", "interval": 20})
    assert (status, answer["item"]["interval"]) == (200, 20)
    status, answer, _ = await script.ask("PUT", path, {"name": "南门", "interval": 0}, If_Match=headers["ETag"])
    assert status == 422
    assert "interval" in str(answer["problems"])
    assert "86400" in str(answer["problems"])
    status, _, _ = await script.ask("PUT", path, {"name": "南门", "interval": None}, If_Match=headers["ETag"])
    assert status == 200
    kept = [one.change.after for one in site.store.read_now(register.changes_of, "site", "s-2")]
    assert [values and values.get("interval", 0) for values in kept] == [None, 20]


async def test_two_people_cannot_overwrite_each_other(script: Script) -> None:
    path = "/api/v1/devices/cam-00002"
    _, _, headers = await script.ask("GET", path)
    status, _, _ = await script.ask("PATCH", path, {"note": "first"}, If_Match=headers["ETag"])
    assert status == 200
    status, answer, _ = await script.ask("PATCH", path, {"note": "second"}, If_Match=headers["ETag"])
    assert (status, answer["code"]) == (412, "outdated")
    _, answer, _ = await script.ask("GET", path)
    assert answer["file"]["note"] == "first"


async def test_an_edit_without_a_version_is_refused(script: Script) -> None:
    for method, body in (("PATCH", {"note": "x"}), ("DELETE", None)):
        status, answer, _ = await script.ask(method, "/api/v1/devices/cam-00002", body)
        assert (status, answer["code"]) == (428, "if_match")
    status, answer, _ = await script.ask("PATCH", "/api/v1/devices/cam-00002", {"note": "x"}, If_Match='"soon"')
    assert (status, answer["code"]) == (412, "etag")
    status, answer, _ = await script.ask("DELETE", "/api/v1/devices/cam-00002", If_Match='"²"')
    assert (status, answer["code"]) == (412, "etag")


async def test_null_puts_a_field_back_to_its_default(script: Script) -> None:
    path = "/api/v1/devices/cam-00002"
    status, answer, _ = await script.ask("PATCH", path, {"height": 6.5, "rtsp_port": 8554}, If_Match="*")
    assert (status, answer["file"]["height"], answer["file"]["rtsp_port"]) == (200, 6.5, 8554)
    status, answer, _ = await script.ask("PATCH", path, {"height": None, "rtsp_port": None}, If_Match="*")
    assert (status, answer["file"]["height"], answer["file"]["rtsp_port"]) == (200, None, 554)


async def test_a_field_that_must_be_is_not_cleared(script: Script) -> None:
    status, answer, _ = await script.ask("PATCH", "/api/v1/devices/cam-00002", {"kind": None}, If_Match="*")
    assert (status, answer["place"]) == (422, "body.kind")


async def test_a_code_that_is_taken_is_refused(script: Script) -> None:
    status, answer, _ = await script.ask("POST", "/api/v1/devices", {"id": "cam-00002", "kind": "camera"})
    assert (status, answer["code"]) == (409, "exists")


async def test_a_reference_to_nothing_is_refused_and_nothing_is_written(script: Script) -> None:
    body = {"id": "cam-x", "kind": "camera", "parent": "sw-404"}
    status, answer, _ = await script.ask("POST", "/api/v1/devices", body)
    assert (status, answer["code"]) == (409, "refused")
    assert "sw-404" in answer["detail"]
    status, _, _ = await script.ask("GET", "/api/v1/devices/cam-x")
    assert status == 404


async def test_life_changes_without_a_version_and_is_kept(script: Script) -> None:
    status, answer, _ = await script.ask("PUT", "/api/v1/devices/cam-00002/life", {"life": "suspended"})
    assert (status, answer["file"]["life"]) == (200, "suspended")
    _, answer, _ = await script.ask("GET", "/api/v1/devices/cam-00002/changes")
    assert answer["items"][0]["after"] == {"life": "suspended"}


async def test_every_kind_of_item_can_be_put_read_and_listed(script: Script) -> None:
    items: dict[str, dict[str, object]] = {
        "areas": {"id": "a/1", "name": "新区"},
        "sites": {"id": "s-1", "name": "北门", "category": "school", "area": "a/1", "interval": 20},
        "channels": {"id": "ch-1", "device": "cam-00002", "number": 2},
        "views": {"id": "v-1", "site": "s-1", "name": "向外", "channels": ["ch-1"]},
        "contractors": {"id": "c-1", "name": "维保二队"},
        "crews": {"id": "crew-1", "contractor": "c-1", "area": "a/1"},
    }
    for plural, item in items.items():
        path = f"/api/v1/{plural}/{str(item['id']).replace('/', '%2F')}"
        body = {name: value for name, value in item.items() if name != "id"}
        status, answer, headers = await script.ask("PUT", path, body)
        assert status == 200, answer
        assert item.items() <= answer["item"].items()
        status, answer, _ = await script.ask("PUT", path, body)
        assert (status, answer["code"]) == (428, "if_match")
        status, answer, _ = await script.ask("PUT", path, body, If_Match=headers["ETag"])
        assert status == 200
        _, answer, _ = await script.ask("GET", f"/api/v1/{plural}?limit=1000")
        assert item["id"] in [one["item"]["id"] for one in answer["items"]]


async def test_a_body_that_is_not_json_is_told_as_such(site: Site, script: Script) -> None:
    for data, sent, expected in (
        (b"{", "application/json", 400),
        (b"a=1", "text/csv", 415),
        (b"[1]", "application/json", 422),
    ):
        headers = {**script.headers, "Content-Type": sent}
        async with script.session.post(f"{site.url}/api/v1/devices", data=data, headers=headers) as answer:
            assert answer.status == expected
            assert (await answer.json())["remedy"]


async def test_a_body_beyond_a_megabyte_is_refused(site: Site, script: Script) -> None:
    headers = {**script.headers, "Content-Type": "application/json"}
    body = io.BytesIO(b'{"id": "' + b"n" * 1_100_000 + b'"}')
    async with script.session.post(f"{site.url}/api/v1/devices", data=body, headers=headers) as answer:
        assert (answer.status, (await answer.json())["code"]) == (413, "too_large")


async def test_what_is_not_there_is_a_problem_with_a_remedy(script: Script) -> None:
    for path in ("/api/v1/devices/none", "/api/v1/nothing", "/api/v1/areas/none", "/api/v1/devices/cam-00002/snapshot"):
        status, answer, headers = await script.ask("GET", path)
        assert (status, answer["code"]) == (404, "not_found")
        assert headers["Content-Type"].startswith("application/problem+json")
    status, answer, headers = await script.ask("PUT", "/api/v1/status", {})
    assert (status, headers["Allow"]) == (405, "GET")


def on_disk(directory: Path) -> bytes:
    return b"".join(file.read_bytes() for file in directory.rglob("*") if file.is_file())


async def test_a_password_of_a_device_goes_in_and_never_comes_out(script: Script, tmp_path: Path) -> None:
    body = {"username": "operator", "password": "canary-9f31"}
    status, answer, _ = await script.ask("PUT", "/api/v1/credentials/gate", body)
    assert (status, answer["version"]) == (200, 1)
    for path in ("/api/v1/credentials", "/api/v1/audit", "/api/v1/devices", "/metrics"):
        _, answer, _ = await script.ask("GET", path)
        assert "canary-9f31" not in str(answer)
    assert b"canary-9f31" not in on_disk(tmp_path)
    status, _, _ = await script.ask("DELETE", "/api/v1/credentials/gate")
    assert status == 204


async def test_a_rejected_password_is_not_repeated(script: Script) -> None:
    body = {"username": "operator", "password": ["canary-9f31"]}
    status, answer, _ = await script.ask("PUT", "/api/v1/credentials/gate", body)
    assert status == 422
    assert "canary" not in str(answer)


async def test_a_reload_that_fails_says_why(script: Script, site: Site) -> None:
    status, answer, _ = await script.ask("POST", "/api/v1/reload")
    assert (status, answer) == (200, {"done": True, "problems": []})
    site.reloads.append((Wrong("web.port", "int_type", "must be a number"),))
    _, answer, _ = await script.ask("POST", "/api/v1/reload")
    assert answer == {"done": False, "problems": ["web.port: " + texts("zh")("settings_flaw.int_type")]}
    assert len(site.trail("settings.reload")) == 2


async def test_a_token_works_until_it_expires_or_is_revoked(script: Script, site: Site) -> None:
    soon = (fleet.NOW + timedelta(hours=1)).isoformat()
    _, answer, _ = await script.ask("POST", "/api/v1/tokens", {"name": "probe", "role": "viewer", "expires_at": soon})
    fresh = Script(script.session, site, Role.VIEWER)
    fresh.headers = {"Authorization": f"Bearer {answer['token']}"}
    assert (await fresh.ask("GET", "/api/v1/status"))[0] == 200
    site.ahead = 3601
    status, problem, headers = await fresh.ask("GET", "/api/v1/status")
    assert (status, problem["code"]) == (401, "token")
    assert "invalid_token" in headers["WWW-Authenticate"]
    site.ahead = 0
    listed = (await script.ask("GET", "/api/v1/tokens"))[1]["items"]
    prefix = next(one["prefix"] for one in listed if answer["token"].startswith(one["prefix"]))
    assert answer["token"] not in str(listed)
    assert (await script.ask("DELETE", f"/api/v1/tokens/{prefix}"))[0] == 204
    assert (await fresh.ask("GET", "/api/v1/status"))[0] == 401


async def test_users_are_made_changed_and_closed(script: Script, site: Site) -> None:
    body = {"name": "lee", "role": "operator", "password": "four words make one"}
    assert (await script.ask("POST", "/api/v1/users", body))[0] == 201
    assert (await script.ask("POST", "/api/v1/users", body))[0] == 409
    assert (await script.ask("POST", "/api/v1/users", {**body, "name": "kim", "password": "short"}))[0] == 422
    _, answer, _ = await script.ask("PATCH", "/api/v1/users/lee", {"active": False})
    assert (answer["active"], answer["role"]) == (False, "operator")
    assert (await script.ask("DELETE", "/api/v1/users/lee"))[0] == 204
    assert (await script.ask("PATCH", "/api/v1/users/lee", {"active": True}))[0] == 404
    assert [row.actor for row in site.trail("user.create")] == [row.actor for row in site.trail("user.remove")]


@pytest.mark.parametrize(
    ("field", "value", "part"),
    [
        ("host", "10.0.0.1:8000", "port"),
        ("host", "not a host", "host"),
        ("national_code", "123", "20"),
        ("rtsp_port", 70_000, "65535"),
        ("longitude", 200, "180"),
        ("mac", "zz", "MAC"),
        ("probes", ["ping"], "tcp"),
    ],
)
async def test_a_value_is_held_to_the_rules_of_an_inventory_file(
    script: Script, field: str, value: object, part: str
) -> None:
    body = {field: value}
    status, answer, _ = await script.ask("PATCH", "/api/v1/devices/cam-00002?lang=en", body, If_Match="*")
    assert (status, answer["place"]) == (422, f"body.{field}")
    assert part in answer["problems"][0]["detail"] + answer["problems"][0]["remedy"]


CSV = (
    "编号,类型,名称,IP地址,上级\ncam-imp-1,摄像机,导入一号,10.9.0.1,sw-001\ncam-imp-2,摄像机,导入二号,10.9.0.2,sw-001\n"
)


async def send_file(script: Script, content: bytes, query: str = "") -> tuple[int, dict[str, Any]]:
    headers = {**script.headers, "Content-Type": "text/csv"}
    url = f"{script.site.url}/api/v1/import{query}"
    async with script.session.post(url, data=io.BytesIO(content), headers=headers) as answer:
        return answer.status, await answer.json()


async def test_a_dry_run_tells_and_writes_nothing(script: Script, site: Site) -> None:
    status, answer = await send_file(script, CSV.encode("gb18030"), "?dry_run=1")
    assert (status, answer["created"], answer["written"]) == (200, 2, False)
    assert (await script.ask("GET", "/api/v1/devices/cam-imp-1"))[0] == 404
    status, answer = await send_file(script, CSV.encode("gb18030"))
    assert (status, answer["created"], answer["written"]) == (200, 2, True)
    assert site.board.get("cam-imp-1") is not None
    status, answer = await send_file(script, CSV.encode())
    assert (answer["created"], answer["changed"], answer["unchanged"]) == (0, 0, 2)


async def test_a_file_with_one_bad_row_is_refused_whole(script: Script) -> None:
    status, answer = await send_file(script, CSV.replace("10.9.0.2", "10.9.0.2:80").encode(), "?lang=en")
    assert (status, answer["code"]) == (422, "import")
    assert answer["place"] == "3 IP地址"
    assert answer["problems"][0]["remedy"]
    assert (await script.ask("GET", "/api/v1/devices/cam-imp-1"))[0] == 404


async def test_a_file_may_come_as_a_form(script: Script, site: Site) -> None:
    form = aiohttp.FormData()
    form.add_field("file", io.BytesIO(CSV.encode()), filename="设备.csv", content_type="text/csv")
    async with script.session.post(f"{site.url}/api/v1/import", data=form, headers=script.headers) as answer:
        assert answer.status == 200
        assert (await answer.json())["created"] == 2


async def test_passwords_in_a_file_need_the_right_to_set_credentials(script: Script, site: Site) -> None:
    content = "编号,类型,IP地址,用户名,密码\ncam-imp-9,摄像机,10.9.0.9,admin,canary-7c20\n".encode()
    operator = Script(script.session, site, Role.OPERATOR)
    status, answer = await send_file(operator, content)
    assert (status, answer["code"]) == (403, "denied")
    status, answer = await send_file(script, content)
    assert (status, answer["credentials"]) == (200, 1)
    assert "canary" not in str(answer)


async def test_what_is_no_inventory_is_told_as_such(script: Script) -> None:
    for content in (b"", b"PK\x03\x04 broken"):
        status, answer = await send_file(script, content)
        assert status == 422
        assert answer["code"] in ("no_file", "unreadable")


async def test_a_code_in_the_path_is_held_to_the_same_rule_as_one_in_a_file(script: Script) -> None:
    status, _, _ = await script.ask("PUT", f"/api/v1/devices/{'x' * 100}", {"kind": "camera", "host": "127.1.9.9"})
    assert status == 200
    status, problem, _ = await script.ask("PUT", f"/api/v1/devices/{'x' * 101}", {"kind": "camera"})
    assert (status, problem["place"]) == (422, "path.id")

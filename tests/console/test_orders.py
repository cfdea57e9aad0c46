"""Work orders over the API and on pages: who may see and do what, photographs, and reports from a ticket platform."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import aiohttp
import cv2
import numpy as np
import pytest

from camera_registry.console.app import ROUTES
from camera_registry.console.routing import Surface
from camera_registry.model.health import Cause
from camera_registry.model.people import Role, User
from camera_registry.model.work_order import OrderStep
from camera_registry.rules.access import PERMITTED, Action, Denied, authorize
from camera_registry.settings import Settings
from camera_registry.settings_orders import Callback, Photographs
from camera_registry.store import attachments, orders
from camera_registry.store.pictures import PictureKind
from camera_registry.texts import texts
from tests.console import fleet, work
from tests.console.conftest import Browser, Script, Site

CREW = User("li", Role.CREW, crew="crew-east", contractor="weibao-1")


@pytest.fixture
def site(site: Site) -> Site:
    work.give(site)
    return site


@pytest.fixture
async def crew(browser: Browser, site: Site) -> Browser:
    """The browser of somebody of crew-east."""
    site.user("li", Role.CREW, "crew-east")
    assert await browser.submit("/sign-in", {"name": "li", "password": "four words make one"}) == (303, "/m")
    return browser


def steps(site: Site, order: int) -> list[OrderStep]:
    return [one.step for one in site.store.read_now(orders.time_line, order)]


@pytest.fixture
def platform(site: Site, tmp_path: Path) -> Platform:
    secret = tmp_path / "secret"
    secret.write_text("a secret of two\n", encoding="utf-8")
    site.settings = Settings(callback=Callback(name="desk", secret_file=secret))
    return Platform(site)


class Platform:
    """A city's ticket platform, which signs what it reports."""

    def __init__(self, site: Site) -> None:
        self.site = site

    async def report(self, secret: bytes = b"a secret of two", age: int = 0, **body: Any) -> tuple[int, Any]:
        content = json.dumps(body).encode()
        timestamp = str(int(self.site.deps.now().timestamp()) - age)
        mac = hmac.new(secret, timestamp.encode() + b"." + content, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-Camera-Registry-Timestamp": timestamp,
            "X-Camera-Registry-Signature": f"sha256={mac}",
        }
        url = f"{self.site.url}/api/v1/orders/callback"
        async with aiohttp.ClientSession() as session, session.post(url, data=content, headers=headers) as answer:
            return answer.status, await answer.json()


def test_a_crew_is_let_to_its_own_orders_and_to_no_other() -> None:
    own, foreign = work.order(1, "cam-1", "crew-east"), work.order(2, "cam-2", "crew-west")
    anybodys = work.order(3, "cam-3", "")
    for action in (Action.SEE_ORDERS, Action.SEE_PHOTOGRAPHS, Action.WORK):
        authorize(CREW, action, own)
        authorize(CREW, action, anybodys)
        for user in (CREW, User("token/x", Role.CREW), replace(CREW, crew="crew-north", contractor="other")):
            with pytest.raises(Denied):
                authorize(user, action, foreign)
        with pytest.raises(Denied):
            authorize(User("token/x", Role.CREW), action, anybodys)


async def test_every_route_of_orders_is_held_against_role_and_order(site: Site, session: aiohttp.ClientSession) -> None:
    """Of each role, on an order that is the crew's own and on one that is not: 403 exactly where it must be."""
    site.user("li", Role.CREW, "crew-east")
    about = [route for route in ROUTES if "/orders/{id}" in route.path]
    assert len(about) > 30
    for role in Role:
        headers = {} if role is Role.CREW else site.token(role)
        crew = Browser(session, site)
        if role is Role.CREW:
            await crew.sign_in("li")
            async with session.get(f"{site.url}/api/v1/session") as answer:
                headers = {"X-CSRF-Token": (await answer.json())["csrf"]}
        else:
            session.cookie_jar.clear()
        for route in about:
            given: dict[str, Any] = {
                "json": {"said": 99, "version": 0},
                "headers": headers,
                "allow_redirects": False,
            }
            for order in (1, 2):
                path = route.path.replace("{id}", str(order)).replace("{attachment}", "1")
                async with session.request(route.method, site.url + path, **given) as answer:
                    denied = answer.status == 403
                    text = await answer.text()
                assert route.action is not None
                permitted = route.action in PERMITTED[role] and (role is not Role.CREW or order == 1)
                # A body that is wrong is told before anybody looks for the order.
                malformed = answer.status == 422
                beyond = role is Role.CREW and path.endswith(("/assign", "/close", "/cancel", "/reopen", "/rate"))
                if not (malformed or beyond):
                    assert denied == (not permitted), (role, route.method, path, answer.status, text)
    assert "li" not in {one.actor for one in site.store.read_now(orders.time_line, 2)}


async def test_a_crew_finds_its_own_orders_in_lists(crew: Browser, site: Site) -> None:
    async with crew.session.get(f"{site.url}/api/v1/orders") as answer:
        assert [one["id"] for one in (await answer.json())["items"]] == [4, 3, 1]
    async with crew.session.get(f"{site.url}/api/v1/orders?crew=crew-west&contractor=weibao-1") as answer:
        assert [one["id"] for one in (await answer.json())["items"]] == [4, 3, 1]
    for path in ("/m?lang=en", "/orders?lang=en"):
        _, text = await crew.get(path)
        assert "cam-00003" in text or "望福街3号" in text
        assert "cam-00005" not in text
        assert "大慈寺路5号" not in text


async def test_an_order_lives_over_the_api(script: Script, site: Site) -> None:
    status, order, headers = await script.ask("GET", "/api/v1/orders/1")
    assert (status, order["state"], order["overdue"]) == (200, "assigned", ["accept"])
    assert (order["outage"], order["worked"]) == (3600, 3600)
    assert (await script.ask("POST", "/api/v1/orders/1/accept", {}))[0] == 428
    status, order, headers = await script.ask("POST", "/api/v1/orders/1/accept", {}, If_Match=headers["ETag"])
    assert (status, order["state"], order["version"]) == (200, "accepted", 2)
    assert (await script.ask("POST", "/api/v1/orders/1/arrive", {}, If_Match='"1"'))[0] == 412
    for verb, body in (("arrive", {}), ("hold", {"reason": "power_company", "note": "两路停电"}), ("resume", {})):
        status, order, _ = await script.ask("POST", f"/api/v1/orders/1/{verb}", body, If_Match="*")
        assert status == 200
    assert [one["reason"] for one in order["holds"]] == ["power_company"]
    status, problem, _ = await script.ask("POST", "/api/v1/orders/1/close", {}, If_Match="*")
    assert (status, problem["code"]) == (409, "order")
    assert "已到场" in problem["detail"]
    status, order, _ = await script.ask("POST", "/api/v1/orders/4/close", {"stars": 5, "remark": "快"}, If_Match="*")
    assert (order["state"], order["rating"]["stars"]) == ("closed", 5)
    status, order, _ = await script.ask("POST", "/api/v1/orders/2/assign", {"crew": "crew-east"}, If_Match="*")
    assert (order["crew"], order["contractor"]) == ("crew-east", "weibao-1")
    assert (await script.ask("POST", "/api/v1/orders/2/assign", {"crew": "nobody"}, If_Match="*"))[0] == 404
    assert (await script.ask("GET", "/api/v1/orders/99"))[0] == 404
    told = [one["step"] for one in (await script.ask("GET", "/api/v1/orders/1"))[1]["steps"]]
    assert told == ["opened", "accepted", "arrived", "held", "resumed"]


async def test_a_person_opens_an_order_for_a_device_and_no_incident_comes_of_it(script: Script, site: Site) -> None:
    before = (await script.ask("GET", "/api/v1/incidents"))[1]["items"]
    wish = {"device": "cam-00007", "cause": "dirty", "text": "清洁镜头", "severity": "P2"}
    status, order, headers = await script.ask("POST", "/api/v1/orders", wish)
    assert (status, order["id"], order["incident"], order["severity"]) == (201, 5, 0, "P2")
    assert order["crew"] or order["contractor"] or order["state"] == "new"
    assert [(one["step"], one["note"]) for one in order["steps"]] == [("opened", "清洁镜头")]
    assert order["steps"][0]["actor"]
    assert [row.about for row in site.trail("order.opened") if row.about == "order/5"] == ["order/5"]
    assert (await script.ask("GET", "/api/v1/incidents"))[1]["items"] == before
    assert (await script.ask("GET", "/api/v1/incidents/0"))[0] == 404
    status, problem, _ = await script.ask("POST", "/api/v1/orders", wish)
    assert (status, problem["code"]) == (409, "order")
    assert "工单 5" in problem["detail"]
    assert (await script.ask("POST", "/api/v1/orders", {**wish, "device": "cam-x"}))[0] == 404
    status, problem, _ = await script.ask("POST", "/api/v1/orders", {"device": "cam-00007", "cause": "sad", "text": ""})
    assert (status, [one["place"] for one in problem["problems"]]) == (422, ["body.cause", "body.text"])
    cancel = {"reason": "mistaken", "note": "换了台"}
    status, order, _ = await script.ask("POST", "/api/v1/orders/5/cancel", cancel, If_Match=headers["ETag"])
    assert (status, order["state"], order["cancelled"]) == (200, "cancelled", "mistaken")


async def test_the_form_on_a_devices_page_sends_a_crew_that_reads_what_is_wanted(admin: Browser, site: Site) -> None:
    form = {"csrf": await admin.csrf(), "cause": "dirty", "text": "wipe <it>", "severity": ""}
    assert await admin.submit("/devices/cam-00007/orders", form) == (303, "/orders/5")
    for path, words in (
        ("/orders/5?lang=en", ("wants done:</b> wipe &lt;it&gt;", "none: a person opened it")),
        ("/orders/5?lang=zh", ("要求：</b> wipe", "无（人工开单）")),
        ("/m/orders/5?lang=en", ("wants done:</b> wipe",)),
        ("/orders?lang=en", ("4 open work orders",)),
    ):
        _, text = await admin.get(path)
        assert all(word in text for word in words), path
        assert "Outage of the device" not in text
        assert "/incidents/0" not in text
    twice = await admin.submit("/devices/cam-00007/orders", form)
    assert twice[0] == 409
    assert "5" in twice[1]


async def test_who_may_not_send_crews_is_not_asked_to(browser: Browser, site: Site) -> None:
    site.user("wang", Role.AUDITOR)
    await browser.sign_in("wang")
    _, text = await browser.get("/devices/cam-00007?lang=en")
    assert "/devices/cam-00007/orders" not in text


async def test_lists_are_filtered_and_come_in_pages(script: Script) -> None:
    async def ids(query: str) -> list[int]:
        return [one["id"] for one in (await script.ask("GET", f"/api/v1/orders?{query}"))[1]["items"]]

    assert await ids("open=true") == [3, 2, 1]
    assert await ids("crew=crew-west") == [2]
    assert await ids("about=cam-00011") == [4]
    assert await ids("state=verified") == [4]
    assert await ids("overdue=true") == [3, 2, 1]
    first = (await script.ask("GET", "/api/v1/orders?limit=3"))[1]
    assert await ids(f"limit=3&cursor={first['next']}") == [1]


async def test_a_photograph_is_kept_upright_and_without_its_place(crew: Browser, site: Site) -> None:
    async with crew.session.get(f"{site.url}/api/v1/session") as answer:
        headers = {"X-CSRF-Token": (await answer.json())["csrf"], "Content-Type": "image/jpeg"}
    url = f"{site.url}/api/v1/orders/1/attachments"
    kept = []
    for _ in range(2):
        async with crew.session.post(f"{url}?kind=before", data=work.photograph(), headers=headers) as answer:
            assert answer.status == 201
            kept.append((await answer.json())["items"][0])
    assert kept[0] == kept[1], "sent twice over a bad line, kept once"
    assert (kept[0]["kind"], kept[0]["author"], kept[0]["width"], kept[0]["height"]) == ("before", "li", 480, 640)
    async with crew.session.get(f"{url}/{kept[0]['id']}") as answer:
        jpeg = await answer.read()
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert (answer.content_type, answer.headers["Cache-Control"]) == ("image/jpeg", "no-store")
    assert hashlib.sha256(jpeg).hexdigest() == kept[0]["sha256"]
    assert b"Exif" not in jpeg
    assert b"secret place" not in jpeg
    shown = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    assert (shown[5, 5, 2] > 200, shown[-5, 5, 2] > 200) == (True, False), "what was left is on top"
    assert [row.about for row in site.trail("order.attach")] == ["order/1"]
    assert [row.about for row in site.trail("order.attachment.view")] == ["order/1"]


async def test_what_is_no_photograph_or_too_much_is_refused_with_the_reason(crew: Browser, site: Site) -> None:
    site.settings = Settings(photographs=Photographs(max_megabytes=0.05, per_order=1))
    async with crew.session.get(f"{site.url}/api/v1/session") as answer:
        csrf = {"X-CSRF-Token": (await answer.json())["csrf"]}

    async def code(content: bytes, kind: str = "image/jpeg") -> tuple[int, str]:
        url = f"{site.url}/api/v1/orders/1/attachments"
        async with crew.session.post(url, data=content, headers={**csrf, "Content-Type": kind}) as answer:
            return answer.status, (await answer.json()).get("code", "")

    assert await code(b"\x89PNG\r\n") == (422, "no_photograph")
    assert await code(b"<svg onload=alert(1)>") == (422, "no_photograph")
    assert await code(work.photograph()[:2000]) == (422, "no_photograph")
    assert await code(b"") == (422, "no_photograph")
    assert await code(b"\x89PNG\r\n", "image/png") == (422, "no_photograph")
    assert await code(bytes(60_000)) == (413, "photograph_too_large")
    assert await code(work.photograph()) == (201, "")
    assert await code(work.photograph(500)) == (409, "too_many_photographs")
    assert len(site.store.read_now(attachments.of, 1)) == 1


async def test_a_photograph_goes_when_its_time_is_over_what_is_known_of_it_stays(script: Script, site: Site) -> None:
    form = aiohttp.FormData()
    form.add_field("photograph", work.photograph(), filename="../../x.jpg", content_type="image/jpeg")
    url = f"{site.url}/api/v1/orders/1/attachments"
    async with script.session.post(url, data=form, headers=script.headers) as answer:
        assert answer.status == 201
    (file,) = site.deps.photographs.directory.glob("*/*")
    assert "x.jpg" not in file.name
    kept = site.store.read_now(attachments.of, 1)[0]
    async with script.session.get(f"{url}/{kept.id}", headers=script.headers) as answer:
        assert answer.status == 200
    assert site.deps.photographs.sweep(fleet.NOW + timedelta(days=4000), timedelta(days=400)) == 1
    status, problem, _ = await script.ask("GET", f"/api/v1/orders/1/attachments/{kept.id}")
    assert (status, problem["code"]) == (410, "photograph_gone")
    assert len((await script.ask("GET", "/api/v1/orders/1/attachments"))[1]["items"]) == 1


async def test_a_report_is_carried_out_once_however_often_it_comes(platform: Platform, site: Site) -> None:
    report = {"event": "e-1", "order": 1, "reference": "GD-2026-77", "status": "accepted", "by": "王工"}
    status, answer = await platform.report(**report)
    assert (status, answer["order"]["state"], answer["repeated"]) == (200, "accepted", False)
    for _ in range(3):
        status, answer = await platform.report(**report)
        assert (status, answer["repeated"], answer["order"]["version"]) == (200, True, 2)
    status, answer = await platform.report(event="e-2", reference="GD-2026-77", status="arrived")
    assert (status, answer["order"]["state"]) == (200, "on_site")
    step = site.store.read_now(orders.time_line, 1)[1]
    assert (step.actor, step.details["by"], step.details["event"]) == ("callback/desk", "王工", "e-1")
    assert steps(site, 1) == [OrderStep.OPENED, OrderStep.ACCEPTED, OrderStep.ARRIVED]


async def test_the_same_report_five_times_at_once_is_carried_out_once(platform: Platform, site: Site) -> None:
    report = {"event": "e-1", "order": 1, "status": "noted", "note": "gate is open"}
    answers = await asyncio.gather(*(platform.report(**report) for _ in range(5)))
    assert sorted(answer["repeated"] for _, answer in answers) == [False, True, True, True, True]
    assert steps(site, 1) == [OrderStep.OPENED, OrderStep.NOTED]


async def test_a_report_that_cannot_be_is_answered_with_the_reason(platform: Platform, site: Site) -> None:
    status, answer = await platform.report(event="e-1", order=1, status="closed")
    assert (status, answer["code"]) == (409, "order")
    assert answer["detail"]
    assert (await platform.report(event="e-2", order=99, status="accepted"))[0] == 404
    assert (await platform.report(event="e-3", reference="unknown", status="accepted"))[0] == 404
    assert (await platform.report(event="e-4", order=1, status="held", reason="tired"))[0] == 422
    assert (await platform.report(event="e-5", status="accepted"))[0] == 422
    assert steps(site, 1) == [OrderStep.OPENED]


async def test_only_who_holds_the_secret_or_a_token_reports(platform: Platform, site: Site, script: Script) -> None:
    report = {"event": "e-1", "order": 1, "status": "accepted"}
    assert await_code(await platform.report(secret=b"guess", **report)) == (401, "signature")
    assert await_code(await platform.report(age=301, **report)) == (401, "signature")
    site.settings = Settings()
    assert await_code(await platform.report(secret=b"", **report)) == (401, "signature")
    assert (await script.ask("POST", "/api/v1/orders/callback", report))[0] == 200
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{site.url}/api/v1/orders/callback", json=report) as answer,
    ):
        assert answer.status == 401


def await_code(answer: tuple[int, Any]) -> tuple[int, str]:
    return answer[0], answer[1]["code"]


async def test_a_signature_opens_nothing_but_the_callback(platform: Platform, site: Site) -> None:
    signed = [route.path for route in ROUTES if route.signed]
    assert signed == ["/api/v1/orders/callback"]
    assert not any(route.photographs for route in ROUTES if route.surface is Surface.OPEN)


async def test_a_crew_does_a_whole_order_on_its_phone(crew: Browser, site: Site) -> None:
    _, text = await crew.get("/m/orders/1?lang=en")
    assert "Accept: we go" in text
    csrf = await crew.csrf()
    for _ in range(2):
        assert await crew.submit("/m/orders/1/accept", {"csrf": csrf, "said": "0"}) == (303, "/m/orders/1")
    form = {"csrf": csrf, "said": "0", "reason": "access_refused", "note": "门卫不在"}
    assert (await crew.submit("/m/orders/1/hold", form))[0] == 303
    assert (await crew.submit("/m/orders/1/resume", {"csrf": csrf, "said": "0"}))[0] == 303
    assert (await crew.submit("/m/orders/1/arrive", {"csrf": csrf, "said": "0"}))[0] == 303
    for _ in range(2):
        sent = aiohttp.FormData({"csrf": csrf, "said": "0", "note": "换了电源"})
        sent.add_field("photograph", work.photograph(), filename="a.jpg", content_type="image/jpeg")
        sent.add_field("photograph", b"", filename="", content_type="application/octet-stream")
        url = f"{site.url}/m/orders/1/fix"
        async with crew.session.post(url, data=sent, headers={"Origin": site.url}, allow_redirects=False) as answer:
            assert (answer.status, answer.headers.get("Location")) == (303, "/m/orders/1"), await answer.text()
    assert steps(site, 1) == [
        OrderStep.OPENED, OrderStep.ACCEPTED, OrderStep.HELD, OrderStep.RESUMED, OrderStep.ARRIVED, OrderStep.FIXED,
    ]  # fmt: skip
    _, text = await crew.get("/m/orders/1?lang=en")
    assert "The probes are checking now" in text
    assert "换了电源" in text
    assert [one.kind.value for one in site.store.read_now(attachments.of, 1)] == ["after"]


async def test_an_order_says_what_the_switch_knows_before_anybody_leaves(admin: Browser, site: Site) -> None:
    known = "port 7: the switch cannot feed it (PoE fault)"
    found = replace(work.incident(1, "cam-00003"), cause=Cause.POWER, detail=known)
    sent = replace(work.order(1, "cam-00003", "crew-east"), cause=Cause.POWER)
    site.board.swap((), (), {1: found}, {1: sent})
    for language in ("en", "zh"):
        words = texts(language)
        for path in ("/m/orders/1", "/orders/1"):
            text = unescape((await admin.get(f"{path}?lang={language}"))[1])
            for told in (words.name(Cause.POWER), words.next(Cause.POWER), words.retold(known)):
                assert told in text, (path, language)
    async with admin.session.get(f"{site.url}/api/v1/orders/1") as answer:
        assert (await answer.json())["detail"] == known


async def test_a_scan_leads_a_crew_to_its_order_and_others_to_the_device(crew: Browser, site: Site) -> None:
    async with crew.session.get(f"{site.url}/m/devices/cam-00003", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/m/orders/1")
    _, text = await crew.get("/m/devices/cam-00005?lang=en")
    assert "no open work order about this device" in text
    assert "/orders/2" not in text
    headers = site.token(Role.VIEWER)
    crew.session.cookie_jar.clear()
    async with crew.session.get(f"{site.url}/m/devices/cam-00005", headers=headers, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/devices/cam-00005")


async def test_a_crew_sees_the_last_picture_before_the_fault_of_its_own_order_alone(crew: Browser, site: Site) -> None:
    before = work.SINCE - timedelta(minutes=5)
    for device in ("cam-00003", "cam-00005"):
        site.pictures.save(device, f"{device}-1", PictureKind.LAST_GOOD, b"\xff\xd8 good", before)
    _, text = await crew.get("/m/orders/1")
    assert "/api/v1/orders/1/picture?kind=last_good&amp;channel=cam-00003-1" in text
    async with crew.session.get(f"{site.url}/api/v1/orders/1/picture?kind=last_good&channel=cam-00003-1") as answer:
        assert (answer.status, await answer.read()) == (200, b"\xff\xd8 good")
    async with crew.session.get(f"{site.url}/api/v1/orders/2/picture?kind=last_good&channel=cam-00005-1") as answer:
        assert answer.status == 403
    async with crew.session.get(f"{site.url}/api/v1/devices/cam-00003/snapshot") as answer:
        assert answer.status == 403
    site.pictures.save("cam-00011", "cam-00011-1", PictureKind.LAST_GOOD, b"\xff\xd8 good", before)
    async with crew.session.get(f"{site.url}/api/v1/orders/4/picture?kind=last_good&channel=cam-00011-1") as answer:
        assert answer.status == 404, "the order is over"
    site.pictures.save("cam-00003", "cam-00003-1", PictureKind.LAST_GOOD, b"\xff\xd8 new", fleet.NOW)
    async with crew.session.get(f"{site.url}/api/v1/orders/1/picture?kind=last_good&channel=cam-00003-1") as answer:
        assert answer.status == 404, "this one is not from before the fault"
    assert [row.actor for row in site.trail("snapshot.view")] == ["li"]


async def test_pages_show_orders_where_people_look(admin: Browser) -> None:
    for path, words in (
        ("/orders", ("overdue by 30 minutes", "东江一班", "3 open work orders")),
        ("/orders/1", ("Two clocks", "1 hour", "Assigned", "Outage of the device")),
        ("/incidents/1", ("Work order 1",)),
        ("/devices/cam-00003", ("Work order 1",)),
        ("/", ("open work orders", "3 overdue")),
        ("/orders?which=over", ("Verified",)),
        ("/m", ("My work orders",)),
        ("/m/orders/1", ("What to do",)),
        ("/labels", ("Labels with QR codes",)),
    ):
        _, text = await admin.get(f"{path}{'&' if '?' in path else '?'}lang=en")
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)", text), path
        for word in words:
            assert word in text, (path, word)
    csrf = await admin.csrf()
    form = {"csrf": csrf, "version": "1", "stars": "4", "note": "干净"}
    assert await admin.submit("/orders/4/close", form) == (303, "/orders/4")
    _, text = await admin.get("/orders/4?lang=en")
    assert "4 of 5 stars" in text

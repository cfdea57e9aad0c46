"""The pages as people and their browsers meet them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from html import unescape
from urllib.parse import quote

import aiohttp
import pytest
from yarl import URL

from camera_registry.console.app import ROUTES
from camera_registry.console.render import STATIC
from camera_registry.console.routing import Surface
from camera_registry.model.device import Channel, Life
from camera_registry.model.health import Aspect, AspectState, Cause, Flip, State, Subject
from camera_registry.model.observation import Failure, FailureKind, ProbeSeen, Stage
from camera_registry.model.people import Role
from camera_registry.model.recording import Gap, Searched
from camera_registry.store import health, recordings
from camera_registry.store.pictures import PictureKind
from camera_registry.texts import texts
from tests.console import fleet
from tests.console.conftest import Browser, Site

JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"

PAGES = ("/", "/devices", "/devices/cam-00001", "/account", "/sign-in", "/devices/none", "/nothing")


async def test_the_overview_counts_the_fleet_and_tells_the_worst_first(admin: Browser, site: Site) -> None:
    status, text = await admin.get("/?lang=en")
    assert status == 200
    assert re.search(r'href="/devices\?status=down"><b class="n">6</b>', text)
    troubles = re.findall(r'<li class="trouble (\w+)">.*?href="/devices/([^"]+)"', text, re.DOTALL)
    assert troubles[0] == ("down", "sw-001")
    assert "4 devices behind it" in text
    assert texts("en").next(Cause.TIMEOUT) in unescape(text)
    assert not {"cam-00001", "cam-00011"} & {device for _, device in troubles}


async def test_the_overview_and_the_list_say_the_same_beginning_of_a_fault(admin: Browser, site: Site) -> None:
    entry = site.board.get("cam-00003")
    assert entry is not None
    assert entry.since is not None
    first = replace(entry.reasons[0], since=entry.since + timedelta(seconds=77), channel="cam-00003-1")
    site.board.swap([replace(entry, reasons=(first, replace(first, since=entry.since, channel="cam-00003-2")))])
    told = set()
    for page, end in (("/?lang=en", "</li>"), ("/devices?q=cam-00003&lang=en", "</tr>")):
        _, text = await admin.get(page)
        told.add(re.findall(rf'href="/devices/cam-00003">.*?datetime="([^"]+)".*?{end}', text, re.DOTALL)[0])
    assert len(told) == 1


async def test_a_device_that_comes_and_goes_is_told_so_wherever_it_is_told(admin: Browser, site: Site) -> None:
    entry = site.board.get("cam-00003")
    assert entry is not None
    states = tuple(
        replace(held, state=State.FLAPPING, settled=State.FLAPPING) if held.state is State.DOWN else held
        for held in entry.states
    )
    site.board.swap([replace(entry, states=states)])
    for page in ("/", "/devices?q=cam-00003", "/devices/cam-00003"):
        _, text = await admin.get(f"{page}{'&' if '?' in page else '?'}lang=en")
        assert text.partition('id="aspects"')[0].count('<span class="mark flapping">') == 1, page
    for page in ("/", "/devices/cam-00003"):
        _, text = await admin.get(f"{page}?lang=en")
        own = re.findall(r'href="/devices/cam-00003">.*?</li>|<ol class="reasons">.*?</ol>', text, re.DOTALL)[-1]
        assert texts("en")("device.unsteady_next") in unescape(own)
        assert texts("en").next(Cause.BLACK) not in unescape(own), "it is not dead"
    clock = tuple(
        replace(held, settled=State.FLAPPING if held.subject.aspect is Aspect.CLOCK else held.state)
        for held in entry.states
    )
    site.board.swap([replace(entry, states=clock)])
    for page in ("/", "/devices/cam-00003"):
        _, text = await admin.get(f"{page}?lang=en")
        assert texts("en")("device.unsteady_next") not in unescape(text), "what comes and goes is not this fault"


async def test_the_pages_speak_both_languages(admin: Browser) -> None:
    for language, word in (("zh", "待处置"), ("en", "worst first")):
        _, text = await admin.get(f"/?lang={language}")
        assert word in text


async def test_a_chosen_language_stays_and_ones_own_goes_before_the_browsers(admin: Browser) -> None:
    _, text = await admin.get("/", **{"Accept-Language": "zh"})
    assert "worst first" in text
    await admin.get("/?lang=zh")
    _, text = await admin.get("/", **{"Accept-Language": "en", "HX-Request": "true"})
    assert "待处置" in text


async def test_a_visitor_is_answered_in_the_language_of_the_browser(browser: Browser, site: Site) -> None:
    site.user("root", Role.ADMIN)
    _, text = await browser.get("/sign-in", **{"Accept-Language": "en-GB,en;q=0.9"})
    assert '<html lang="en">' in text
    _, text = await browser.get("/sign-in", **{"Accept-Language": "fr"})
    assert '<html lang="zh-CN">' in text


async def test_the_device_page_says_what_since_when_why_and_what_next(admin: Browser) -> None:
    _, text = await admin.get("/devices/cam-00003?lang=en")
    text = unescape(text)
    assert "Black picture" in text
    assert texts("en").why(Cause.BLACK) in text
    assert texts("en").next(Cause.BLACK) in text
    assert "95 % darker than 24" in text
    assert "Asia/Shanghai" not in text
    assert "15:36:00" in text, "07:36 UTC is told in the configured zone"
    assert "24 minutes ago" in text


async def test_the_device_page_and_the_api_tell_what_was_not_recorded(admin: Browser, site: Site) -> None:
    ends = site.deps.now() - timedelta(hours=1)
    gap = Gap(ends - timedelta(hours=3), ends - timedelta(hours=1), resolution=60)
    seen = Searched("r1", "<gate>", ends - timedelta(days=1), ends, (gap,))
    told = recordings.Told("cam-00003", [seen], frozenset({"r1"}))
    await site.deps.store.write(recordings.take_in, [told])
    _, text = await admin.get("/devices/cam-00003?lang=en")
    assert "Gaps are" not in text
    assert "&lt;gate&gt;: known from" in text
    assert "2 h" in text
    async with admin.session.get(
        f"{site.url}/api/v1/devices/cam-00003/recordings", headers=site.token(Role.VIEWER)
    ) as answer:
        (found,) = (await answer.json())["items"]
    assert (found["token"], found["gaps"][0]["lack"], found["gaps"][0]["resolution_seconds"]) == ("r1", "missing", 60)


async def test_a_lost_child_names_its_parent(admin: Browser) -> None:
    _, text = await admin.get("/devices/cam-00001?lang=en")
    assert re.search(r'Caused by the parent: <a href="/devices/sw-001">合江亭汇聚交换机</a>', text)
    _, text = await admin.get("/devices/sw-001?lang=en")
    assert "4 devices behind it" in text


async def test_the_device_page_names_the_first_broken_link_and_what_to_do_there(admin: Browser) -> None:
    wanted = {"cam-00001": ("parent", "link_next.parent"), "cam-00013": ("clock", "link_next.clock")}
    wanted["cam-00003"] = ("frame", f"cause.{Cause.BLACK}.next")
    for device, (link, todo) in wanted.items():
        for language in ("en", "zh"):
            words = texts(language)
            _, text = await admin.get(f"/devices/{device}?lang={language}")
            text = unescape(text)
            assert words("chain.first_broken", link=words(f"link.{link}"), detail="").strip("–—。 ") in text
            assert words(todo, who="sw-001") in text
            assert link == "frame" or words("link_next.frame") not in text
    _, text = await admin.get("/devices/cam-00000?lang=en")
    assert 'class="chain"' not in text, "what is well needs none"


async def test_silence_is_shown_as_unknown_and_never_green(admin: Browser, site: Site) -> None:
    entry = site.board.get("cam-00002")
    assert entry is not None
    site.board.swap([fleet.silent(entry, fleet.NOW - timedelta(minutes=9))])
    _, text = await admin.get("/devices/cam-00002?lang=en")
    assert "silence is neither good nor bad news" in text
    assert 'class="mark ok"><b aria-hidden="true">✓</b> OK' not in text
    _, text = await admin.get("/?lang=en")
    assert re.search(r'status=unknown"><b class="n">1</b>', text)


async def test_what_keeps_a_device_from_being_measured_is_told_wherever_it_is_unknown(
    admin: Browser, site: Site
) -> None:
    entry = site.board.get("cam-00002")
    assert entry is not None
    silent = fleet.silent(entry, fleet.NOW - timedelta(minutes=9))
    busy = Failure(FailureKind.INTERNAL, Stage.DECODE, "not measured within 4 s: this machine is busy")
    ours = replace(silent, probes=(ProbeSeen("snapshot", "", fleet.NOW, 4.0, busy, None, {}),))
    nowhere = replace(silent, probes=(), device=replace(entry.device, host=""))
    for seen, why, brief, count in (
        (ours, "this machine is busy", "this service failed to measure it", True),
        (nowhere, "The register has no address of this device", "no address registered", False),
        (silent, "silence is neither good nor bad news", "Stream stale", False),
    ):
        site.board.swap([seen])
        _, text = await admin.get("/devices/cam-00002?lang=en")
        assert why in re.findall(r'<p class="note">.*?</p>', text)[0]
        _, text = await admin.get("/devices?q=cam-00002&lang=en")
        assert brief in text
        _, text = await admin.get("/?lang=en")
        assert ("1 device is unknown because this service failed" in text) is count


async def test_history_is_drawn_from_flips(admin: Browser, site: Site) -> None:
    subject = Subject("cam-00002", Aspect.REACH)
    at = fleet.NOW - timedelta(hours=6)
    flips = [
        Flip(subject, State.OK, State.DOWN, at, at, Cause.TIMEOUT, "no answer within 5 s"),
        Flip(subject, State.DOWN, State.OK, at + timedelta(hours=3), at + timedelta(hours=3)),
    ]
    site.store.write_now(health.save, (), flips)
    _, text = await admin.get("/devices/cam-00002?lang=en")
    assert '<rect class="down" x="750.0" y="0" width="125.0" height="24">' in text
    assert "down · No answer" in text
    assert re.findall(r'<rect class="(\w+)" width="1" height="1"></rect></svg> (\w+)', text) == [
        (state.value, texts("en").name(state)) for state in (State.OK, State.DOWN, State.FLAPPING, State.UNKNOWN)
    ], "what the colours of the strips mean"
    assert "(3 hours)" in text
    _, text = await admin.get("/devices/cam-00002?lang=en&days=7")
    assert re.search(r'<rect class="down" x="964\.\d+" y="0" width="17\.\d+"', text)


async def test_a_hostile_name_is_shown_as_text(admin: Browser, site: Site) -> None:
    hostile = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>"
    entry = site.board.get("cam-00003")
    assert entry is not None
    device = replace(entry.device, name=hostile, manufacturer=hostile, note=hostile, host=hostile)
    site.board.swap([replace(fleet.faulty(fleet.healthy(device), Aspect.REACH, Cause.DNS, fleet.NOW, detail=hostile))])
    for path in ("/", "/devices", "/devices/cam-00003", "/devices?q=" + "%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E"):
        _, text = await admin.get(path)
        assert "<img src=x" not in text, path
        assert "<script>" not in text, path
        assert hostile in unescape(text), path


async def test_every_answer_carries_the_policy_that_binds_browsers(admin: Browser, site: Site) -> None:
    paths = [*PAGES, "/metrics", "/healthz", "/static/console.css", "/api/v1/status", "/api/v1/nothing", "/events"]
    for path in paths:
        async with admin.session.get(site.url + path, allow_redirects=False) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy, path
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "Server" not in answer.headers


async def test_no_page_has_an_inline_script_or_style(admin: Browser) -> None:
    for path in PAGES:
        _, text = await admin.get(path)
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|hx-on|<script(?![^>]*\ssrc=)", text), path


async def test_pages_load_nothing_from_elsewhere(admin: Browser) -> None:
    for path in PAGES:
        status, text = await admin.get(path)
        if status == 303:
            continue
        addresses = re.findall(r'(?:src|href|action|hx-get|sse-connect)="([^"]*)"', text)
        assert addresses
        assert all(address.startswith("/") and not address.startswith("//") for address in addresses), path


async def test_files_are_served_to_be_kept_and_nothing_beside_them(site: Site, session: aiohttp.ClientSession) -> None:
    async with session.get(f"{site.url}/static/console.css?v=abc") as answer:
        assert answer.status == 200
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.content_type == "text/css"
    for name in ("../app.py", "%2e%2e/app.py", "lib/../../app.py", "..%2f..%2fsettings.py", "nothing.css", ""):
        url = URL(f"{site.url}/static/{name}", encoded=True)
        async with session.get(url) as answer:
            assert answer.status == 404, name
    assert (STATIC / "console.js").exists()


async def test_a_search_finds_by_any_word_of_the_file(admin: Browser) -> None:
    for words in ("cam-00005", "大慈寺路5号", "127.1.0.6", "SN00000005", "uniview 大慈寺路5号", "蓉安维保 cam-00005"):
        _, text = await admin.get(f"/devices?lang=en&q={words}")
        assert "1 device<" in text, words
        assert "cam-00005" in text


async def test_a_page_of_the_list_leads_to_the_next(admin: Browser, site: Site) -> None:
    site.board.swap(fleet.fleet(150))
    seen: list[str] = []
    path = "/devices?order=id"
    while path:
        _, text = await admin.get(path)
        seen += re.findall(r'<td><a href="/devices/([^"]+)">', text)
        following = re.search(r'rel="next" href="([^"]+)"', text)
        path = unescape(following[1]) if following else ""
    assert seen == sorted(entry.device.id for entry in site.board)


async def test_a_filter_that_does_not_exist_is_a_page_that_says_so(admin: Browser) -> None:
    status, text = await admin.get("/devices?status=purple&lang=en")
    assert status == 400
    assert "<strong>Status</strong> This is none of the values it can have" in text
    assert "<nav" in text
    for bad in ("devices?status=purple", "devices/cam-00003?days=9", f"devices?q={'x' * 201}"):
        status, text = await admin.get(f"/{bad}&lang=zh")
        assert status == 400
        assert not re.search(r"Input should|String should|openapi|' or '", text), bad


async def test_a_parameter_is_refused_wherever_what_is_shown_depends_on_parameters(admin: Browser) -> None:
    lenient = ("/sign-in", "/setup", "/account", "/choices/", "/probe")
    for route in ROUTES:
        path = re.sub(r"{[^}]*}", "1", route.path)
        asks = route.method == "GET" and (route.query.model_fields or path.startswith(("/api/", "/metrics", "/sd")))
        if asks and not path.startswith(lenient):
            status, text = await admin.get(f"{path}?frobnicate=1")
            assert (status, "frobnicate" in text) == (400, True), path
    for path in ("/?from=chat", "/incidents/1?from=chat", "/sign-in?from=chat"):
        assert (await admin.get(path))[0] in (200, 303, 404), "a link that was passed on may carry what nobody asks for"


async def test_a_value_or_name_that_is_not_known_is_told_with_those_that_are(admin: Browser) -> None:
    for path, said in (
        ("/orders?state=purple", "This is none of the values it can have: &#39;new&#39;, &#39;assigned&#39;"),
        ("/incidents?state=open", "This address takes: which, area, cause, severity"),
        ("/api/v1/orders?order=purple", "'worst', 'due', 'newest'"),
        ("/metrics/devices?areas=510104002", "area, kind, subtree"),
    ):
        status, text = await admin.get(f"{path}&lang=en")
        assert (status, said in text) == (400, True), (path, text)


@pytest.mark.parametrize("page", ["/devices", "/incidents", "/orders", "/labels"])
async def test_an_area_that_does_not_exist_is_told_and_not_taken_for_an_empty_one(admin: Browser, page: str) -> None:
    _, text = await admin.get(f"{page}?area=nope&lang=en")
    assert "No area has the code or name “nope”" in text
    _, text = await admin.get(f"{page}?area=510104002&lang=en")
    assert "No area has" not in text


async def test_a_form_that_is_refused_leads_back_to_its_page(admin: Browser, site: Site) -> None:
    form = {"csrf": await admin.csrf()}
    for referer, back in ((f"{site.url}/windows", True), ("http://evil.example/windows", False), ("http://[", False)):
        status, text = await admin.submit("/windows", form, Referer=referer)
        assert status == 422
        assert ('class="button" href="/windows"' in text) is back
        assert "evil.example" not in text


async def test_a_snapshot_is_shown_with_its_age_and_each_look_is_audited(admin: Browser, site: Site) -> None:
    site.pictures.save("cam-00003", "cam-00003-1", PictureKind.LAST, JPEG, fleet.NOW - timedelta(minutes=4))
    _, text = await admin.get("/devices/cam-00003?lang=en")
    assert "4 minutes ago" in text
    assert "not how it looks now" not in text
    assert site.trail("snapshot.view") == []
    source = re.search(r'<img src="(/api/v1/devices/cam-00003/snapshot[^"]+)"', text)
    assert source
    async with admin.session.get(site.url + unescape(source[1])) as answer:
        assert (answer.status, answer.content_type, await answer.read()) == (200, "image/jpeg", JPEG)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Last-Modified"] == "Mon, 23 Nov 2026 07:56:00 GMT"
    (row,) = site.trail("snapshot.view")
    assert (row.actor, row.about) == ("root", "device/cam-00003")


async def test_an_old_snapshot_is_never_shown_as_the_present(admin: Browser, site: Site) -> None:
    site.pictures.save("cam-00003", "cam-00003-1", PictureKind.LAST, JPEG, fleet.NOW - timedelta(hours=5))
    _, text = await admin.get("/devices/cam-00003?lang=en")
    assert "not how it looks now" in text
    assert 'class="picture old"' in text


async def test_who_may_not_see_pictures_is_not_shown_any(browser: Browser, site: Site) -> None:
    site.pictures.save("cam-00003", "cam-00003-1", PictureKind.LAST, JPEG, fleet.NOW)
    site.user("lee", Role.VIEWER)
    await browser.sign_in("lee")
    _, text = await browser.get("/devices/cam-00003?lang=en")
    assert "/snapshot" not in text
    assert (await browser.get("/api/v1/devices/cam-00003/snapshot"))[0] == 403
    assert site.trail("snapshot.view") == []


async def test_a_refreshing_page_does_not_look_at_the_picture_again(admin: Browser, site: Site) -> None:
    site.pictures.save("cam-00003", "cam-00003-1", PictureKind.LAST, JPEG, fleet.NOW)
    _, text = await admin.get("/devices/cam-00003", **{"HX-Request": "true", "X-Background": "1"})
    assert "<html" not in text
    assert "/snapshot" not in text


async def test_probing_now_tells_each_step_and_is_audited(admin: Browser, site: Site) -> None:
    _, text = await admin.submit("/devices/cam-00002/probe?lang=en", {"csrf": await admin.csrf()})
    assert "its clock differs from ours by +0.4 s" in text
    assert [(row.actor, row.about) for row in site.trail("device.probe")] == [("root", "device/cam-00002")]
    status, text = await admin.get("/probe?target=cam-00002")
    assert status == 200
    assert "probe_success 1\n" in text
    assert site.probed == ["cam-00002"], "asking again at once does not bother the device"
    status, text = await admin.get("/probe?target=cam-00002&debug=1&lang=en")
    assert "its clock differs" in text


async def test_a_device_out_of_service_is_not_probed(admin: Browser, site: Site) -> None:
    entry = site.board.get("cam-00002")
    assert entry is not None
    device = fleet.camera(2, life=Life.SUSPENDED)
    site.board.swap([replace(entry, device=device)])
    assert (await admin.get("/probe?target=cam-00002"))[0] == 409
    assert site.probed == []


async def test_health_says_nothing_but_a_status(site: Site, session: aiohttp.ClientSession) -> None:
    for path, expected in (("/healthz", "ok\n"), ("/readyz", "ok\n")):
        async with session.get(site.url + path) as answer:
            assert (answer.status, await answer.text()) == (200, expected)
    site.ready = False
    async with session.get(f"{site.url}/readyz") as answer:
        assert (answer.status, await answer.text()) == (503, "not ready\n")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.AUDITOR])
async def test_each_role_can_open_each_page_it_may(browser: Browser, site: Site, role: Role) -> None:
    site.user("lee", role)
    await browser.sign_in("lee")
    for path in ("/", "/devices", "/devices/cam-00003", "/proposals", "/account"):
        assert (await browser.get(path))[0] == 200


async def test_a_crew_is_told_that_there_is_nothing_for_it_here(browser: Browser, site: Site) -> None:
    site.user("lee", Role.CREW)
    await browser.sign_in("lee")
    status, text = await browser.get("/")
    assert status == 403
    assert not re.search(r'href="/(devices|proposals|incidents|windows|)"', text), "nothing leads to another refusal"
    assert 'class="button" href="/m"' in text
    assert "The role “Crew” does not include looking at devices and the register." in unescape(text)


async def test_a_fault_of_ours_is_told_without_its_insides(admin: Browser, site: Site) -> None:
    site.store.close()
    for path in ("/devices/cam-00003?lang=en", "/api/v1/devices/cam-00003"):
        status, text = await admin.get(path)
        assert status == 500
        assert "Traceback" not in text
        assert "RuntimeError" not in text


def test_every_page_is_for_people_and_every_machine_path_is_not() -> None:
    for route in ROUTES:
        if route.surface is Surface.PAGE and route.path != "/events":
            assert not route.path.startswith(("/api/", "/metrics", "/sd/", "/probe"))


async def test_a_dead_camera_is_one_fault_and_not_one_for_each_aspect(admin: Browser, site: Site) -> None:
    entry = site.board.get("cam-00002")
    assert entry is not None
    for aspect in (Aspect.REACH, Aspect.STREAM, Aspect.CONTROL):
        entry = fleet.faulty(entry, aspect, Cause.TIMEOUT, fleet.NOW, detail="no answer within 4 s")
    site.board.swap([entry])
    _, text = await admin.get("/devices/cam-00002?lang=en")
    assert text.count(texts("en").next(Cause.TIMEOUT)) == 1
    assert "Reach · Stream · Control · since" in text
    _, text = await admin.get("/devices?q=cam-00002&lang=en")
    assert text.count('<span class="cause">No answer</span>') == 1


async def test_a_recorders_good_channels_are_told_together(admin: Browser, site: Site) -> None:
    entry = site.board.get("cam-00002")
    assert entry is not None
    channels = tuple(Channel(f"c{number}", "cam-00002", number) for number in range(1, 9))
    states = tuple(
        AspectState(Subject("cam-00002", Aspect.STREAM, channel.id), State.OK, State.OK, since=fleet.NOW)
        for channel in channels
    )
    lost = replace(states[4], state=State.DOWN, settled=State.DOWN, cause=Cause.NO_STREAM)
    site.board.swap([replace(entry, channels=channels, states=(*states[:4], lost, *states[5:]))])
    _, text = await admin.get("/devices/cam-00002?lang=en")
    assert "Stream <small>7 channels</small>" in text
    assert re.search(r"Stream <small>#5</small>.*?No stream", text, re.DOTALL)


async def test_an_area_can_be_named_by_code_or_by_name(admin: Browser) -> None:
    for area in ("510104002", "合江亭街道"):
        _, text = await admin.get(f"/devices?area={area}&lang=en")
        assert "21 devices" in text, area


HOSTILE = (
    "/devices?q=%00",
    "/devices?q=%ff%fe",
    "/devices?q=" + "a" * 5000,
    "/devices?after=%00",
    "/devices?after=W10",
    "/devices?after=WzAsbnVsbF0",
    "/devices?order=;drop",
    "/devices?kind=&status=&cause=",
    "/devices?area=%F0%9F%92%A3",
    "/devices/%00",
    "/devices/..%2f..%2fetc%2fpasswd",
    "/devices/" + "x" * 3000,
    "/devices/%F0%9F%92%A3",
    "/devices/a%0d%0ab",
    "/devices/cam-00003?days=1e9",
    "/devices/cam-00003?days=-1",
    "/?lang=%3Cscript%3E",
    "/?lang=xx",
    "/sign-in?next=%00",
    "/probe?target=",
    "/probe",
    "/probe?target=%00",
    "/metrics/devices?kind=zebra",
    "/metrics/devices?area=%00",
    "/events?device=" + "x" * 300,
    "/static/%00",
    "/static/lib/%2e%2e/%2e%2e/app.py",
    "//evil.example/",
    "/%2f%2fevil.example",
    "/api/v1/flips?cursor=99999999999999999999999999999999",
    "/proposals?state=zebra",
    "/proposals?after=%00",
    "/proposals/%00/accept",
    "/proposals/99999999999999999999999999/reject",
    "/api/v1/proposals?cursor=99999999999999999999999999999999",
    "/api/v1/proposals/%F0%9F%92%A3/accept",
    "/api/v1/flips?since=yesterday",
    "/api/v1/devices?limit=1e3",
    "/api/v1/audit?cursor=-1",
    "/api/v1/devices/%00",
    "/api/v1/areas?cursor=WzEsMl0",
    "/api/v1/flips?since=0001-01-01T00:00:00%2B14:00",
    "/api/v1/flips?until=9999-12-31T23:59:59-14:00",
)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"])
async def test_nothing_that_can_be_asked_breaks_the_console(admin: Browser, site: Site, method: str) -> None:
    csrf = {"X-CSRF-Token": await admin.csrf()}
    for path in HOSTILE:
        url = URL(site.url + path, encoded=True)
        async with admin.session.request(method, url, headers=csrf, allow_redirects=False) as answer:
            assert answer.status < 500, (method, path)
            assert "evil.example" not in answer.headers.get("Location", "")


async def test_the_list_refreshes_with_the_filters_it_was_made_with(admin: Browser) -> None:
    """Typing swaps the list alone; what it asks for afterwards must be what was typed."""
    headers = {"HX-Request": "true"}
    _, text = await admin.get("/devices?q=cam-0001&status=down&order=id", **headers)
    again = re.search(r'<div id="list" hx-get="([^"]+)"', text)
    assert again
    assert unescape(again[1]) == "/devices?q=cam-0001&status=down&order=id"
    assert "<form" not in text


async def test_a_device_whose_code_holds_a_slash_can_be_opened_probed_and_kept_up_to_date(
    admin: Browser, site: Site
) -> None:
    for id in ("卡口/01", "a%2Fb", "x?y#z"):
        entry = fleet.healthy(replace(fleet.camera(2), id=id, name="slashed"))
        site.board.swap([entry])
        _, text = await admin.get(f"/devices?q={quote(id)}")
        address = unescape(re.findall(r'<td><a href="(/devices/[^"]+)">slashed', text)[0])
        status, text = await admin.get(address)
        assert (status, f"<code>{id}</code>" in text) == (200, True)
        again = re.findall(r'hx-get="([^"]+)"', text)[0]
        assert (await admin.get(unescape(again), **{"HX-Request": "true"}))[0] == 200
        asked = unescape(re.findall(r'action="([^"]+/probe)"', text)[0])
        assert (await admin.submit(asked, {"csrf": await admin.csrf()}))[0] == 200
        assert site.probed[-1] == id
        for channel in [one.id for one in entry.channels] or [""]:
            site.pictures.save(id, channel, PictureKind.LAST_GOOD, JPEG, fleet.NOW)
        accepting = {"csrf": await admin.csrf(), "kind": "last_good"}
        status, back = await admin.submit(asked.replace("/probe", "/baselines"), accepting)
        assert (status, back) == (303, f"{address}#seen")


async def test_the_overview_says_how_many_channels_of_a_recorder_are_lost(admin: Browser, site: Site) -> None:
    entry = site.board.get("cam-00003")
    assert entry is not None
    channels = tuple(Channel(f"c{number}", "cam-00003", number) for number in range(1, 9))
    reasons = tuple(replace(entry.reasons[0], channel=channel.id) for channel in channels)
    for lost, told in ((8, "· 8 channels ·"), (1, "· <code>c1</code> ·")):
        site.board.swap([replace(entry, channels=channels, reasons=reasons[:lost])])
        _, text = await admin.get("/?lang=en")
        assert told in re.findall(r'href="/devices/cam-00003">.*?</li>', text, re.DOTALL)[-1]


async def test_probing_now_ends_in_a_verdict_and_what_to_do(admin: Browser, site: Site) -> None:
    csrf = {"csrf": await admin.csrf()}
    _, text = await admin.submit("/devices/cam-00003/probe?lang=en", csrf)
    assert "Verdict:" in text
    assert "Control (ONVIF)" in text
    assert texts("en").next(Cause.BLACK) in unescape(text), "what is confirmed stays, though this run saw no picture"
    _, text = await admin.submit("/devices/cam-00004/probe?lang=en", csrf)
    assert "This run found nothing wrong." in text
    site.found = {"serial": "ANOTHER", "clock_offset_seconds": 500.0}
    _, text = await admin.submit("/devices/cam-00005/probe?lang=en", csrf)
    for cause in (Cause.REPLACED, Cause.CLOCK_DRIFT):
        assert texts("en")("probe.fresh", cause=texts("en").name(cause)) in text
        assert texts("en").next(cause) in unescape(text)


async def test_changes_of_state_stand_in_the_order_of_the_times_they_are_told_with(admin: Browser, site: Site) -> None:
    def ago(minutes: int) -> datetime:
        return fleet.NOW - timedelta(minutes=minutes)

    reach, clock = Subject("cam-00002", Aspect.REACH), Subject("cam-00002", Aspect.CLOCK)
    flips = [
        Flip(reach, State.OK, State.STALE, ago(50), ago(30)),
        Flip(clock, State.OK, State.DOWN, ago(20), ago(18), Cause.CLOCK_DRIFT),
        Flip(reach, State.STALE, State.OK, ago(25), ago(10)),
    ]
    site.store.write_now(health.save, (), flips)
    _, text = await admin.get("/devices/cam-00002?lang=en")
    past = text.partition("<tbody>")[2].partition("</tbody>")[0]
    told = [datetime.fromisoformat(at) for at in re.findall(r'<tr><td><time datetime="([^"]+)"', past)]
    assert told == [ago(20), ago(25), ago(30)]


async def test_every_page_says_so_when_nothing_can_be_written(admin: Browser, site: Site) -> None:
    site.ready = False
    for path in ("/", "/devices", "/incidents"):
        _, text = await admin.get(f"{path}?lang=en")
        assert "does not take what was measured" in text

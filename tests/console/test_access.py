"""Who gets in, and what a foreign page, a stolen form or a guessed password can do."""

from __future__ import annotations

import asyncio
import logging
import re
from datetime import timedelta

import aiohttp
import pytest

from camera_registry.console.app import ROUTES
from camera_registry.console.routing import AnyRoute, Surface
from camera_registry.model.people import Role, User
from camera_registry.rules.access import PERMITTED, Action, Denied, authorize, may
from camera_registry.settings import Settings, Web
from camera_registry.store import Unavailable, access
from camera_registry.store.pictures import PictureKind
from tests.console.conftest import PASSWORD, Browser, Script, Site

GUARDED = [route for route in ROUTES if route.action is not None]


def named(route: AnyRoute) -> str:
    return f"{route.method} {route.path}"


def somewhere(route: AnyRoute) -> str:
    """A path of this route that names something that is there."""
    return (
        route.path.replace("/devices/{id}", "/devices/cam-00002")
        .replace("{id}", "nothing")
        .replace("{format}", "csv")
        .replace("{attachment}", "1")
        .replace("{number}", "1")
    )


async def test_the_first_administrator_is_made_with_the_one_time_token(browser: Browser, site: Site) -> None:
    token = site.store.write_now(access.make_setup_token, site.deps.now())
    assert token
    assert (await browser.get("/sign-in"))[0] == 303
    form = {"token": "wrong", "name": "root", "password": PASSWORD, "again": PASSWORD}
    assert (await browser.submit("/setup", form))[0] == 403
    assert (await browser.submit("/setup", {**form, "token": token, "again": "another one"}))[0] == 422
    weak = {**form, "token": token, "password": "short", "again": "short"}
    assert (await browser.submit("/setup", weak))[0] == 422
    assert await browser.submit("/setup", {**form, "token": token}) == (303, "/")
    assert (await browser.get("/"))[0] == 200
    again = {**form, "token": token, "name": "second"}
    assert (await browser.submit("/setup", again))[0] == 403
    assert (await browser.get("/setup"))[0] == 303


async def test_there_is_no_default_password(browser: Browser) -> None:
    for name, password in (("admin", "admin"), ("admin", ""), ("root", "12345"), ("admin", "camera")):
        assert await browser.sign_in(name, password) in (401, 429)


async def test_signing_in_and_out(browser: Browser, site: Site) -> None:
    site.user("lee", Role.VIEWER)
    status, location = await browser.submit("/sign-in", {"name": "lee", "password": PASSWORD, "next": "/devices?q=a"})
    assert (status, location) == (303, "/devices?q=a")
    assert (await browser.get("/"))[0] == 200
    assert (await browser.submit("/sign-out", {"csrf": await browser.csrf()}))[0] == 303
    assert (await browser.get("/"))[0] == 303
    assert [row.about for row in site.trail("sign_in")] == ["user/lee"]
    assert [row.about for row in site.trail("sign_out")] == ["user/lee"]


async def test_signing_in_leads_nowhere_else(browser: Browser, site: Site) -> None:
    site.user("lee", Role.VIEWER)
    for elsewhere in (
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "/a\r\nX: y",
    ):
        form = {"name": "lee", "password": PASSWORD, "next": elsewhere}
        assert await browser.submit("/sign-in", form) == (303, "/")


async def test_the_cookie_is_out_of_reach_of_scripts_and_foreign_forms(
    site: Site, session: aiohttp.ClientSession
) -> None:
    site.user("lee", Role.VIEWER)
    form = {"name": "lee", "password": PASSWORD}
    async with session.post(f"{site.url}/sign-in", data=form, allow_redirects=False) as answer:
        cookie = answer.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    site.settings = Settings(web=Web(public_url="https://registry.example"))
    async with session.post(f"{site.url}/sign-in", data=form, allow_redirects=False) as answer:
        cookie = answer.headers["Set-Cookie"]
        assert answer.headers["Strict-Transport-Security"]
    assert cookie.startswith("__Host-")
    assert "Secure" in cookie.split("; ")


async def test_wrong_passwords_cost_more_and_more_time(browser: Browser, site: Site) -> None:
    site.user("lee", Role.VIEWER)
    for _ in range(4):
        assert await browser.sign_in("lee", "wrong") == 401
    status, text = await browser.submit("/sign-in?lang=en", {"name": "lee", "password": PASSWORD})
    assert status == 429
    assert "wait 1 second" in text
    site.ahead = 2
    assert await browser.sign_in("lee") == 303
    assert len(site.trail("sign_in.failed")) == 4


async def test_a_wrong_name_and_a_wrong_password_look_the_same(browser: Browser, site: Site) -> None:
    site.user("lee", Role.VIEWER)
    _, wrong_password = await browser.submit("/sign-in", {"name": "lee", "password": "wrong"})
    _, wrong_name = await browser.submit("/sign-in", {"name": "eve", "password": "wrong"})
    assert wrong_password.replace("lee", "eve") == wrong_name
    assert re.search(r'name="password"[^>]* autofocus', wrong_name), "the name needs no second typing"
    assert not re.search(r'name="name"[^>]* autofocus', wrong_name)


async def test_a_session_ends_by_itself(browser: Browser, site: Site) -> None:
    site.user("lee", Role.VIEWER)
    await browser.sign_in("lee")
    site.ahead = 1700
    assert (await browser.get("/"))[0] == 200
    site.ahead = 3400
    assert (await browser.get("/"))[0] == 200
    site.ahead = 3400 + 1801
    assert (await browser.get("/"))[0] == 303


async def test_a_page_that_refreshes_itself_is_not_somebody_at_work(browser: Browser, site: Site) -> None:
    site.user("lee", Role.VIEWER)
    await browser.sign_in("lee")
    refresh = {"HX-Request": "true", "X-Background": "1"}
    site.ahead = 1700
    assert (await browser.get("/", **refresh))[0] == 200
    site.ahead = 1801
    status, _ = await browser.get("/", **refresh)
    assert status == 401


async def test_no_session_outlives_twelve_hours(browser: Browser, site: Site) -> None:
    site.user("lee", Role.VIEWER)
    await browser.sign_in("lee")
    for minutes in range(20, 720, 20):
        site.ahead = minutes * 60
        assert (await browser.get("/account"))[0] == 200
    site.ahead = timedelta(hours=12, seconds=1).total_seconds()
    assert (await browser.get("/account"))[0] == 303


async def test_a_new_password_signs_everything_else_out(browser: Browser, site: Site) -> None:
    site.user("lee", Role.VIEWER)
    await browser.sign_in("lee")
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as other_session:
        other = Browser(other_session, site)
        await other.sign_in("lee")
        form = {"csrf": await browser.csrf(), "old": PASSWORD, "password": "five other words by now", "again": "x"}
        assert (await browser.submit("/account", form))[0] == 422
        assert (await browser.submit("/account", {**form, "again": form["password"], "old": "wrong"}))[0] == 403
        status, location = await browser.submit("/account", {**form, "again": form["password"]})
        assert (status, location) == (303, "/account?done=1")
        assert (await browser.get("/"))[0] == 200
        assert (await other.get("/"))[0] == 303


async def test_whoever_has_a_session_can_not_guess_its_password_without_end(browser: Browser, site: Site) -> None:
    site.user("lee", Role.VIEWER)
    await browser.sign_in("lee")
    new = "five other words by now"
    form = {"csrf": await browser.csrf(), "password": new, "again": new}
    answers = [await browser.submit("/account?lang=en", {**form, "old": f"guess {number}"}) for number in range(6)]
    assert [status for status, _ in answers] == [403] * 4 + [429] * 2
    assert "The old password is wrong" in answers[0][1]
    assert (await browser.submit("/account", {**form, "old": PASSWORD}))[0] == 429, "not even the right one, for now"
    assert {(row.actor, row.about) for row in site.trail("user.password.failed")} == {("lee", "user/lee")}
    site.ahead = 3600
    await browser.sign_in("lee")
    form["csrf"] = await browser.csrf()
    assert await browser.submit("/account", {**form, "old": PASSWORD}) == (303, "/account?done=1")


async def test_a_form_without_the_sessions_token_is_refused(admin: Browser, site: Site) -> None:
    for form in ({}, {"csrf": ""}, {"csrf": "guess"}):
        assert (await admin.submit("/devices/cam-00002/probe", form))[0] == 403
    assert site.probed == []
    assert (await admin.submit("/devices/cam-00002/probe", {"csrf": await admin.csrf()}))[0] == 200
    assert site.probed == ["cam-00002"]


async def test_the_api_wants_the_sessions_token_too(admin: Browser, site: Site) -> None:
    url = f"{site.url}/api/v1/devices/cam-00002/life"
    async with admin.session.put(url, json={"life": "suspended"}) as answer:
        assert (answer.status, (await answer.json())["code"]) == (403, "csrf")
    async with admin.session.get(f"{site.url}/api/v1/session") as answer:
        csrf = (await answer.json())["csrf"]
    async with admin.session.put(url, json={"life": "suspended"}, headers={"X-CSRF-Token": csrf}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1.evil.example"]
)
async def test_a_foreign_page_cannot_post(admin: Browser, site: Site, origin: str) -> None:
    form = {"csrf": await admin.csrf()}
    assert (await admin.submit("/devices/cam-00002/probe", form, Origin=origin))[0] == 403
    assert (await admin.submit("/sign-in", {"name": "root", "password": PASSWORD}, Origin=origin))[0] == 403
    assert site.probed == []


async def test_a_name_of_somebody_elses_does_not_reach_a_loopback_listener(
    site: Site, session: aiohttp.ClientSession
) -> None:
    for path in ("/", "/metrics", "/healthz", "/api/v1/status"):
        async with session.get(site.url + path, headers={"Host": "evil.example"}, allow_redirects=False) as answer:
            assert answer.status == 421
    site.settings = Settings(web=Web(public_url="https://registry.example"))
    async with session.get(f"{site.url}/healthz", headers={"Host": "registry.example"}) as answer:
        assert answer.status == 200


async def test_metrics_are_open_to_this_machine_alone(site: Site, session: aiohttp.ClientSession) -> None:
    paths = ("/metrics", "/metrics/devices", "/sd/devices", "/sd/pages", "/sd/pollers", "/probe?target=cam-00002")
    site.settings = Settings(web=Web(public_url="https://registry.example"))
    for path in paths:
        async with session.get(site.url + path) as answer:
            assert answer.status == 200, path
        through_a_proxy = {"X-Forwarded-For": "203.0.113.9", "Host": "registry.example"}
        from_a_page = {"Sec-Fetch-Site": "cross-site"}
        for headers in (through_a_proxy, from_a_page):
            async with session.get(site.url + path, headers=headers) as answer:
                assert answer.status == 401, path
            async with session.get(site.url + path, headers={**headers, **site.token(Role.OPERATOR)}) as answer:
                assert answer.status == 200, path


async def test_no_route_opens_to_nobody(site: Site, session: aiohttp.ClientSession) -> None:
    headers = {"X-Forwarded-For": "203.0.113.9"}
    for route in GUARDED:
        url = site.url + somewhere(route)
        async with session.request(route.method, url, headers=headers, allow_redirects=False) as answer:
            is_page = route.surface is Surface.PAGE and route.path != "/events"
            assert answer.status == (303 if is_page else 401), named(route)


async def test_every_route_asks_for_its_action_whatever_the_role(site: Site, session: aiohttp.ClientSession) -> None:
    """Allowed roles get past the door (to a 404, a 422 or an answer); the others get 403 at it."""
    for role in Role:
        headers = site.token(role)
        for route in GUARDED:
            if route.path == "/events":
                continue
            async with session.request(
                route.method, site.url + somewhere(route), headers=headers, allow_redirects=False
            ) as answer:
                let_in = answer.status != 403
            assert let_in == (route.action in PERMITTED[role]), (role, named(route), answer.status)


def test_an_auditor_changes_nothing() -> None:
    changing = {Action.EDIT, Action.CREDENTIALS, Action.ADMINISTER, Action.RELOAD, Action.PROBE, Action.DISCOVER}
    assert not PERMITTED[Role.AUDITOR] & changing
    assert all(
        route.action in (Action.OWN, Action.REPORT, Action.FREEZE) or Role.AUDITOR not in roles
        for route in GUARDED
        # A question that is asked with a body writes nothing.
        if route.writes and not route.path.endswith("/what-if")
        for roles in [[role for role in Role if route.action in PERMITTED[role]]]
    )


def test_a_closed_account_may_do_nothing() -> None:
    assert not any(may(User("lee", Role.ADMIN, active=False), action) for action in Action)


def test_ones_own_account_is_nobody_elses() -> None:
    authorize(User("lee", Role.VIEWER), Action.OWN, "lee")
    with pytest.raises(Denied):
        authorize(User("root", Role.ADMIN), Action.OWN, "lee")


def test_whatever_writes_is_guarded() -> None:
    """Only signing in and setting up are open; they prove who one is."""
    open_writes = {named(route) for route in ROUTES if route.action is None and route.writes}
    assert open_writes == {"POST /sign-in", "POST /setup", "POST /api/v1/session"}


async def test_a_bad_token_is_refused_even_where_none_is_needed(script: Script) -> None:
    script.headers = {"Authorization": "Bearer crt_00000000_nothing"}
    for path in ("/metrics", "/api/v1/status"):
        assert (await script.ask("GET", path))[0] == 401


async def test_the_last_administrator_stays_and_an_edit_that_is_refused_changes_nothing(
    script: Script, browser: Browser, site: Site
) -> None:
    site.user("root", Role.ADMIN)
    locked_out = {"role": "viewer", "password": "another four words"}
    for method, body in (("PATCH", locked_out), ("PATCH", {"active": False}), ("DELETE", None)):
        status, answer, _ = await script.ask(method, "/api/v1/users/root", body)
        assert (status, answer["code"]) == (409, "refused")
    assert await browser.sign_in("root") == 303


async def test_a_changed_role_takes_effect_at_once(admin: Browser, site: Site, script: Script) -> None:
    site.user("second", Role.ADMIN)
    assert (await script.ask("PATCH", "/api/v1/users/root", {"role": "viewer"}))[0] == 200
    assert (await admin.get("/"))[0] == 303


async def test_guesses_sent_at_once_are_looked_at_one_by_one(site: Site, session: aiohttp.ClientSession) -> None:
    site.user("lee", Role.VIEWER)

    async def guess(number: int) -> int:
        form = {"name": "lee", "password": f"guess {number}"}
        async with session.post(f"{site.url}/sign-in", data=form, allow_redirects=False) as answer:
            return answer.status

    outcomes = await asyncio.gather(*(guess(number) for number in range(12)))
    assert sorted(outcomes) == [401] * 4 + [429] * 8


async def test_no_secret_reaches_the_log(
    admin: Browser, site: Site, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    csrf = await admin.csrf()
    await admin.submit("/sign-in", {"name": "root", "password": "canary-password"})
    await admin.get("/setup?token=canary-token")
    await admin.get("/devices?q=canary-search")
    await script.ask("PUT", "/api/v1/credentials/gate", {"username": "canary-user", "password": "canary-device"})
    token = script.headers["Authorization"].removeprefix("Bearer ")
    logged = caplog.text
    assert "/api/v1/credentials/gate" in logged
    for secret in ("canary", PASSWORD, csrf, token):
        assert secret not in logged


@pytest.mark.parametrize("site", [False], indirect=True)
async def test_a_listener_for_others_wants_a_token_for_everything(site: Site, session: aiohttp.ClientSession) -> None:
    for path in ("/metrics", "/metrics/devices", "/sd/devices", "/sd/pages", "/sd/pollers", "/probe?target=cam-00002"):
        async with session.get(site.url + path) as answer:
            assert answer.status == 401, path
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        async with session.get(site.url + path, headers=site.token(Role.OPERATOR)) as answer:
            assert answer.status == 200, path
    async with session.get(f"{site.url}/healthz", headers={"Host": "registry.city.example"}) as answer:
        assert answer.status == 200


async def test_a_token_that_only_reads_metrics_is_a_viewers(site: Site, session: aiohttp.ClientSession) -> None:
    headers = site.token(Role.VIEWER) | {"X-Forwarded-For": "203.0.113.9"}
    async with session.get(f"{site.url}/metrics", headers=headers) as answer:
        assert answer.status == 200
    async with session.get(f"{site.url}/probe?target=cam-00002", headers=headers) as answer:
        assert answer.status == 403
    assert site.probed == []


async def test_without_its_row_in_the_trail_no_picture_is_shown(
    admin: Browser, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pictures.save("cam-00003", "cam-00003-1", PictureKind.LAST, b"\xff\xd8 picture", site.deps.now())

    async def write(*_: object, **__: object) -> None:
        raise Unavailable("unavailable", why="the database is locked")

    monkeypatch.setattr(site.store, "write", write)
    async with admin.session.get(f"{site.url}/api/v1/devices/cam-00003/snapshot") as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert b"picture" not in await answer.read()
    assert (await admin.get("/devices/cam-00003"))[0] == 200, "what is only read is still shown"

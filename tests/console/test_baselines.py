"""Saying which pictures show how a view is meant to look."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest

from camera_registry.model.device import Channel
from camera_registry.model.health import Aspect, AspectState, Cause, Reason, State, Subject
from camera_registry.model.incident import Incident, Scope, Severity
from camera_registry.model.observation import ProbeSeen
from camera_registry.model.people import Role
from camera_registry.model.picture import Unjudged
from camera_registry.store import incidents
from camera_registry.store.pictures import PictureKind
from camera_registry.texts import texts
from tests.console import fleet
from tests.console.conftest import Browser, Script, Site

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


async def test_of_several_channels_one_must_be_named(script: Script, pictured: Site) -> None:
    entry = pictured.board.get(CAMERA)
    assert entry is not None
    both = (Channel(CHANNEL, CAMERA, 1), Channel(f"{CAMERA}-2", CAMERA, 2))
    pictured.board.swap([replace(entry, channels=both)], (), {})
    status, answer, _ = await script.ask("POST", PATH, {})
    assert (status, answer["code"]) == (422, "which_channel")
    assert f"{CAMERA}-2" in answer["remedy"]
    assert (await script.ask("POST", PATH, {"channel": CHANNEL}))[0] == 201


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
    judge(pictured)
    status, answer, _ = await script.ask("POST", PATH, {})
    assert (status, answer["code"]) == (409, "doubtful_picture")
    assert "遮挡" in answer["detail"]
    status, made, _ = await script.ask("POST", PATH, {"reason": "a canopy was built"})
    assert (status, made["reason"]) == (201, "a canopy was built")


JUDGED = {
    "faults": [
        {"cause": "covered", "score": 0.93, "evidence": {"hidden": 0.41}, "tiles": ["0110", *["0000"] * 8]},
    ],
    "not_checked": {"blurred": "stands_down", "dirty": "stands_down", "osd_clock": "no_clock"},
    "regime": "day",
    "references": 2,
}  # fmt: skip


def judge(site: Site, *, believed: bool = True) -> None:
    """Have the camera's newest picture found covered."""
    entry = site.board.get(CAMERA)
    assert entry is not None
    since = fleet.NOW.isoformat() if believed else None
    facts = {"judgement": JUDGED, "watched": {"covered": {"since": since, "seen": [], "clean": 0}}}
    run = ProbeSeen("snapshot", CHANNEL, fleet.NOW, 0.1, None, fleet.NOW, facts)
    site.board.swap([replace(entry, probes=(run,))], (), {})


async def test_the_page_tells_what_was_found_and_where_and_what_could_not_be_told(
    admin: Browser, pictured: Site
) -> None:
    judge(pictured)
    for language in ("en", "zh"):
        words = texts(language)
        _, text = await admin.get(f"/devices/{CAMERA}?lang={language}")
        _, _, seen = unescape(text).partition('id="seen"')
        assert words.name(Cause.COVERED) in seen
        assert "0.93" in seen
        assert seen.count('<rect class="down" x=') >= 2
        assert f"{words.name(Cause.BLURRED)}{words('list.comma')}{words.name(Cause.DIRTY)}" in seen
        assert words.name(Unjudged.NO_CLOCK) in seen
        assert words("seen.none") in seen
    judge(pictured, believed=False)
    assert texts("en")("seen.not_yet") in (await admin.get(f"/devices/{CAMERA}?lang=en"))[1]


async def test_a_black_picture_is_called_black_throughout_the_page(admin: Browser, pictured: Site) -> None:
    entry = pictured.board.get(CAMERA)
    assert entry is not None
    found = {**JUDGED, "faults": [{"cause": "no_signal", "score": 0.9, "evidence": {}, "tiles": []}]}
    run = ProbeSeen("snapshot", CHANNEL, fleet.NOW, 0.1, None, fleet.NOW, {"judgement": found, "watched": {}})
    about = Subject(CAMERA, Aspect.PICTURE, CHANNEL)
    for cause in (Cause.BLACK, Cause.NO_SIGNAL):
        held = AspectState(about, State.DOWN, State.DOWN, since=fleet.NOW, cause=cause)
        reason = Reason(Aspect.PICTURE, cause, fleet.NOW, "", CHANNEL)
        pictured.board.swap([replace(entry, probes=(run,), states=(held,), reasons=(reason,))], (), {})
        words = texts("zh")
        text = unescape((await admin.get(f"/devices/{CAMERA}?lang=zh"))[1])
        _, _, seen = text.partition('id="seen"')
        named, other = words.name(cause), words.name({Cause.BLACK: Cause.NO_SIGNAL}.get(cause, Cause.BLACK))
        assert f">{named}</span>" in seen
        assert f">{other}</span>" not in seen


async def test_a_picture_is_accepted_and_taken_back_on_the_page(admin: Browser, pictured: Site) -> None:
    judge(pictured)
    csrf = {"csrf": await admin.csrf(), "channel": CHANNEL, "kind": "last"}
    assert (await admin.submit(f"/devices/{CAMERA}/baselines", csrf))[0] == 409
    done = (303, f"/devices/{CAMERA}#seen")
    assert await admin.submit(f"/devices/{CAMERA}/baselines", {**csrf, "reason": "a canopy"}) == done
    _, text = await admin.get(f"/devices/{CAMERA}?lang=en")
    assert "a canopy" in text
    assert await admin.submit(f"/devices/{CAMERA}/baselines/1/take-back", {"csrf": csrf["csrf"]}) == done
    _, text = await admin.get(f"/devices/{CAMERA}?lang=en")
    assert "a canopy" not in text


async def test_a_picture_that_came_after_somebody_looked_is_not_accepted_for_the_one_that_was_seen(
    admin: Browser, script: Script, pictured: Site
) -> None:
    _, text = await admin.get(f"/devices/{CAMERA}?lang=en")
    judge(pictured)
    _, text = await admin.get(f"/devices/{CAMERA}?lang=en")
    looked_at = re.search(r'name="taken" value="([^"]+)"', text)
    assert looked_at
    pictured.pictures.save(CAMERA, CHANNEL, PictureKind.LAST, b"\xff\xd8 a lorry", fleet.NOW + timedelta(minutes=15))
    wanted = {"reason": "a canopy", "taken": looked_at[1]}
    assert (await script.ask("POST", PATH, wanted))[1]["code"] == "other_picture"
    form = {**wanted, "csrf": await admin.csrf(), "channel": CHANNEL, "kind": "last"}
    assert (await admin.submit(f"/devices/{CAMERA}/baselines", form))[0] == 409
    assert (await script.ask("GET", PATH))[1]["items"] == []


async def test_an_incident_that_ends_because_it_is_normal_says_so(script: Script, pictured: Site) -> None:
    judge(pictured)
    since = fleet.NOW - timedelta(minutes=12)
    incident = Incident(1, Scope.DEVICE, CAMERA, Cause.COVERED, Severity.P2, since, since, since)
    pictured.store.write_now(incidents.save, [incident], [])
    pictured.board.swap((), (), {1: incident})
    assert (await script.ask("POST", PATH, {"reason": "a canopy was built"}))[0] == 201
    _, told, _ = await script.ask("GET", "/api/v1/incidents/1")
    assert "a canopy was built" in str(told)


async def test_the_reference_stands_beside_the_last_picture_with_what_differs(admin: Browser, pictured: Site) -> None:
    judge(pictured)
    form = {"csrf": await admin.csrf(), "channel": CHANNEL, "kind": "last", "reason": "a canopy"}
    assert (await admin.submit(f"/devices/{CAMERA}/baselines", form))[0] == 303
    _, text = await admin.get(f"/devices/{CAMERA}?lang=zh")
    (laid_over,) = re.findall(r'<div class="difference">(.*?)</div>', text, re.DOTALL)
    last, reference = re.findall(r'src="([^"]+)"', unescape(laid_over))
    assert (last, reference) == (
        f"/api/v1/devices/{CAMERA}/snapshot?kind=last&channel={CHANNEL}",
        f"/api/v1/devices/{CAMERA}/baselines/1/picture",
    )
    assert text.count(reference) >= 2, "by itself, too"


async def test_a_good_picture_from_before_the_fault_needs_no_reason(script: Script, pictured: Site) -> None:
    judge(pictured)
    pictured.pictures.save(CAMERA, CHANNEL, PictureKind.LAST_GOOD, b"\xff\xd8 before", fleet.NOW - timedelta(days=1))
    assert (await script.ask("POST", PATH, {"kind": "last_good"}))[0] == 201


async def test_who_may_not_see_pictures_is_shown_nothing_of_them(browser: Browser, pictured: Site) -> None:
    pictured.user("looker", Role.VIEWER)
    await browser.sign_in("looker")
    _, text = await browser.get(f"/devices/{CAMERA}?lang=en")
    assert 'id="seen"' not in text


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUDITOR, Role.CREW])
async def test_only_those_who_work_with_devices_accept(script: Script, pictured: Site, role: Role) -> None:
    script.headers = pictured.token(role)
    assert (await script.ask("POST", PATH, {}))[0] == 403

"""Looking through what nobody has accepted yet, and accepting the rest in one go."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest

from camera_registry.model.baseline import Acceptance, Skipped, Unaccepted
from camera_registry.model.health import Cause
from camera_registry.model.observation import ProbeSeen
from camera_registry.model.people import Role
from camera_registry.rules.pictures.weather import AreaWeather
from camera_registry.store.pictures import PictureKind
from camera_registry.texts import texts
from tests.console import fleet
from tests.console.conftest import Browser, Script, Site

PATH = "/api/v1/baselines"
STRANGE, DOUBTFUL = "cam-00005", "cam-00006"


def channel(device: str) -> str:
    return f"{device}-1"


@pytest.fixture
def site(site: Site) -> Site:
    """Ten cameras judged by day: one is much darker than the others, one is covered."""
    entries = []
    for number in range(2, 12):
        entry = site.board.get(f"cam-{number:05d}")
        assert entry is not None
        device = entry.device.id
        judgement = {
            "faults": [{"cause": "covered", "score": 0.9, "evidence": {}, "tiles": []}] if device == DOUBTFUL else [],
            "not_checked": {},
            "references": 0,
            "regime": "day",
            "measures": {"mean": 20.0 if device == STRANGE else 100.0 + number, "noise": 1.0},
        }
        run = ProbeSeen("snapshot", channel(device), fleet.NOW, 0.1, None, fleet.NOW, {"judgement": judgement})
        entries.append(replace(entry, probes=(run,)))
        site.pictures.save(device, channel(device), PictureKind.LAST, b"\xff\xd8 picture", fleet.NOW)
    site.board.swap(entries, (), {})
    return site


async def test_the_strangest_come_first_and_those_in_doubt_are_only_counted(admin: Browser, site: Site) -> None:
    for language in ("en", "zh"):
        _, text = await admin.get(f"/baselines?lang={language}")
        words, text = texts(language), unescape(text)
        assert words.count("review.candidates", 9) in text
        assert words.count("review.doubtful", 1) in text
        shown = re.findall(r'<figure.*?href="/devices/([^"]+)"', text, re.DOTALL)
        assert shown[0] == STRANGE
        assert DOUBTFUL not in shown
        # Who can't be accepted together is named, with what is in doubt.
        assert re.search(rf"{DOUBTFUL}</code> · {words.name(Cause.COVERED)}", text)


async def test_what_is_ticked_is_left_out_and_the_rest_is_accepted(admin: Browser, site: Site) -> None:
    _, text = await admin.get("/baselines?lang=en")
    box = re.search(rf'type="checkbox" name="([^"]*{STRANGE}[^"]*)"', text)
    assert box
    csrf = {"csrf": await admin.csrf()}
    assert await admin.submit("/baselines", {**csrf, unescape(box[1]): "on"}) == (303, "/baselines")
    assert {device for device, _ in site.jobs.wanted} == {f"cam-{number:05d}" for number in range(2, 12)} - {
        STRANGE,
        DOUBTFUL,
    }
    _, text = await admin.get("/baselines?lang=en")
    assert "0 of 8" in text
    assert (await admin.submit("/baselines", csrf))[0] == 409
    assert await admin.submit("/baselines/stop", csrf) == (303, "/baselines")
    _, text = await admin.get("/baselines?lang=en")
    assert "Stopped." in text


async def test_what_stands_on_one_sheet_is_accepted_without_the_rest_and_of_one_area(
    admin: Browser, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("camera_registry.console.pages.review._SHOWN", 4)
    _, text = await admin.get("/baselines?lang=en&sheet=2")
    assert re.findall(r'href="/baselines\?sheet=(\d)"', text) == ["1", "3"]
    assert texts("en")("review_sheet.ticks") in text, "nobody is to think that ticks are kept from sheet to sheet"
    shown = {unescape(name) for name in re.findall(r'name="show ([^"]*)"', text)}
    assert len(shown) == 4
    form = {f"show {name}": "yes" for name in shown} | {"csrf": await admin.csrf(), "only": "yes"}
    assert (await admin.submit("/baselines", form))[0] == 303
    assert {json.dumps(key) for key in site.jobs.wanted} == shown
    entry = site.board.get(STRANGE)
    assert entry is not None
    _, text = await admin.get(f"/baselines?lang=en&area={entry.device.area}")
    assert STRANGE in text
    others = {one.device.area for one in site.board} - {entry.device.area, *site.board.names.area_parents.values()}
    for area in others:
        assert STRANGE not in (await admin.get(f"/baselines?area={area}"))[1]


async def test_who_accepts_pictures_of_an_area_or_a_season_stays_there(admin: Browser, site: Site) -> None:
    entry = site.board.get(DOUBTFUL)
    assert entry is not None
    area = entry.device.area
    csrf = {"csrf": await admin.csrf(), "area": area}
    assert await admin.submit("/baselines", csrf) == (303, f"/baselines?area={area}")
    await admin.submit("/baselines/stop", {"csrf": csrf["csrf"]})
    until = fleet.NOW + timedelta(days=1)
    site.sky.weather = [AreaWeather(area, fleet.NOW, 31, 84, until, until)]
    snow = {**csrf, "season": "yes", "reason": "snow"}
    assert await admin.submit("/baselines", snow) == (303, f"/baselines?area={area}&season=yes")


async def test_how_far_accepting_is_is_told_without_a_look_at_the_fleet_and_leads_back_to_the_sheet(
    admin: Browser, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked(*_: object) -> None:
        raise AssertionError("the whole fleet, every three seconds")

    monkeypatch.setattr("camera_registry.console.reviewing.review", looked)
    anew = texts("en")("review_sheet.anew")
    site.jobs.progress = Acceptance(running=True, begun=fleet.NOW, total=9, done=7, by="root")
    status, text = await admin.get("/baselines?lang=en", **{"HX-Request": "true"})
    assert (status, "7 of 9" in text, anew in text) == (200, True, False)
    site.jobs.progress = replace(site.jobs.progress, running=False, ended=fleet.NOW)
    status, text = await admin.get("/baselines?lang=en", **{"HX-Request": "true"})
    assert (status, anew in text) == (200, True)


async def test_who_was_passed_over_is_named_with_the_reason(admin: Browser, script: Script, site: Site) -> None:
    passed = (
        Skipped(STRANGE, channel(STRANGE), Unaccepted.UNLIKE, (Cause.MOVED,)),
        Skipped("gone", "", Unaccepted.GONE),
    )
    site.jobs.progress = Acceptance(begun=fleet.NOW, ended=fleet.NOW, total=9, done=7, skipped=2, passed=passed)
    for language in ("en", "zh"):
        words = texts(language)
        _, text = await admin.get(f"/baselines?lang={language}")
        assert f"{words.name(Unaccepted.UNLIKE)} {words.name(Cause.MOVED)}" in unescape(text)
        assert words.name(Unaccepted.GONE) in unescape(text)
    _, answer, _ = await script.ask("GET", PATH)
    assert answer["passed"][0] == {"device": STRANGE, "channel": channel(STRANGE), "why": "unlike", "causes": ["moved"]}


async def test_what_a_season_made_doubtful_is_accepted_together_with_a_reason_while_it_lasts(
    admin: Browser, script: Script, site: Site
) -> None:
    entry = site.board.get(DOUBTFUL)
    assert entry is not None
    area = entry.device.area
    wanted = {"area": area, "season": True, "reason": "snow lies since Sunday"}
    assert (await script.ask("POST", PATH, wanted))[1]["code"] == "no_weather"
    until = fleet.NOW + timedelta(days=1)
    site.sky.weather = [AreaWeather(area, fleet.NOW, 31, 84, until, until)]
    assert (await script.ask("POST", PATH, wanted | {"reason": " "}))[1]["code"] == "season_untold"
    _, text = await admin.get(f"/baselines?season=yes&lang=en&area={area}")
    assert re.findall(r'<figure.*?href="/devices/([^"]+)"', text, re.DOTALL) == [DOUBTFUL]
    assert (await script.ask("POST", PATH, wanted))[0] == 201
    assert list(site.jobs.wanted) == [(DOUBTFUL, channel(DOUBTFUL))]
    assert (site.jobs.terms.reason, Cause.COVERED in site.jobs.terms.of_season) == ("snow lies since Sunday", True)


async def test_a_forged_box_is_refused(admin: Browser, site: Site) -> None:
    for name in ("leave nonsense", "leave 7", 'leave ["a"]'):
        assert (await admin.submit("/baselines", {"csrf": await admin.csrf(), name: "on"}))[0] == 422
    assert site.jobs.wanted == ()


async def test_the_api_says_what_it_would_accept_and_accepts_it(script: Script, site: Site) -> None:
    _, answer, _ = await script.ask("GET", PATH)
    assert (answer["candidates"], answer["doubtful"], answer["running"]) == (9, 1, False)
    assert (answer["outliers"][0]["device"], answer["outliers"][0]["measure"]) == (STRANGE, "mean")
    assert answer["outliers"][0]["deviations"] < -3
    status, answer, _ = await script.ask("POST", PATH, {"leave_out": [STRANGE]})
    assert (status, answer["total"], answer["running"]) == (201, 8, True)
    assert (await script.ask("POST", PATH, {}))[0] == 409
    _, answer, _ = await script.ask("DELETE", PATH)
    assert (answer["running"], answer["stopped"]) == (False, True)


@pytest.mark.parametrize("wrong", [{"leave_out": ["cam-0005"]}, {"area": "nowhere"}])
async def test_nothing_is_accepted_where_a_name_is_wrong(script: Script, site: Site, wrong: dict[str, object]) -> None:
    status, answer, _ = await script.ask("POST", PATH, wrong)
    assert (status, answer["code"]) == (404, "not_found")
    assert ("cam-0005" if "leave_out" in wrong else "nowhere") in answer["detail"]
    assert site.jobs.wanted == ()


async def test_what_has_an_accepted_picture_in_its_light_is_not_asked_for_again(script: Script, site: Site) -> None:
    await script.ask("POST", f"/api/v1/devices/{STRANGE}/baselines", {})
    _, answer, _ = await script.ask("GET", PATH)
    assert answer["candidates"] == 8


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUDITOR, Role.CREW])
async def test_only_those_who_work_with_devices_accept_in_one_go(script: Script, site: Site, role: Role) -> None:
    script.headers = site.token(role)
    assert (await script.ask("POST", PATH, {}))[0] == 403
    assert site.jobs.wanted == ()

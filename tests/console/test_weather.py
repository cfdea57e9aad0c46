"""What many cameras of an area show at once, and what is in doubt, on pages and over the API."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from camera_registry.model.health import Cause
from camera_registry.model.observation import ProbeSeen
from camera_registry.rules.pictures.weather import AreaWeather, Coming
from camera_registry.store.pictures import PictureKind
from camera_registry.texts import texts
from tests.console import fleet
from tests.console.conftest import Browser, Script, Site

CAMERA, CHANNEL, AREA = "cam-00003", "cam-00003-1", "510104001"
SINCE = fleet.NOW - timedelta(days=3)
SNOW = AreaWeather(AREA, SINCE, 31, 84, fleet.NOW + timedelta(hours=23), SINCE + timedelta(days=14))
BEGAN = fleet.NOW - timedelta(days=5)
DOUBTS = [[True, BEGAN.isoformat(), (fleet.NOW - timedelta(hours=1)).isoformat(), 0.5, 31, 9, 86_400.0]]


@pytest.fixture
def doubtful(site: Site) -> Site:
    """A camera of which a cover is in doubt."""
    entry = site.board.get(CAMERA)
    assert entry is not None
    fault: dict[str, Any] = {"cause": "covered", "score": 0.5, "evidence": {}, "tiles": []}
    facts = {
        "judgement": {"faults": [fault], "not_checked": {}, "references": 3, "regime": "day", "by_day": True},
        "watched": {"covered": {"since": None, "seen": [], "clean": 0, "doubts": DOUBTS}},
    }
    run = ProbeSeen("snapshot", CHANNEL, fleet.NOW, 0.2, None, fleet.NOW, facts)
    site.board.swap([replace(entry, probes=(*entry.probes, run))])
    return site


async def shown(admin: Browser, path: str, language: str = "zh") -> str:
    """The text of a page."""
    status, text = await admin.get(f"{path}{'&' if '?' in path else '?'}lang={language}")
    assert status == 200
    return unescape(text)


async def test_what_is_in_doubt_is_shown_with_when_it_would_be_reported(
    admin: Browser, script: Script, doubtful: Site
) -> None:
    page = await shown(admin, f"/devices/{CAMERA}", "en")
    # Ten days at the limit, and one in which it may have been the weather.
    assert "by day 31 of 40 pictures have shown it since 11-18 16:00" in page
    assert "reported if it lasts until about 11-29 16:00" in page
    _, told, _ = await script.ask("GET", f"/api/v1/devices/{CAMERA}/doubts")
    assert told["weather"] is None
    (doubt,) = told["items"]
    assert (doubt["channel"], doubt["cause"], doubt["shown"], doubt["pictures"]) == (CHANNEL, "covered", 31, 40)
    assert doubt["until"] == "2026-11-29T08:00:00Z"
    assert not doubt["held"]
    _, healthy, _ = await script.ask("GET", "/api/v1/devices/cam-00004/doubts")
    assert healthy == {"weather": None, "items": [], "waiting": []}


async def test_what_waits_for_weather_that_may_come_says_so_and_what_can_be_done_at_once(
    admin: Browser, script: Script, doubtful: Site
) -> None:
    doubtful.pictures.save(CAMERA, CHANNEL, PictureKind.LAST, b"\xff\xd8 last", fleet.NOW)
    began = {(f"cam-0000{n}", ("snapshot", f"cam-0000{n}-1")): fleet.NOW - timedelta(minutes=n) for n in (3, 5)}
    until = fleet.NOW + timedelta(minutes=115)
    doubtful.sky.may_come = [Coming(AREA, began, timedelta(hours=2), until)]
    page = await shown(admin, f"/devices/{CAMERA}", "en")
    area = doubtful.board.names.areas[AREA]
    assert "has shown since 11-18 16:00" in page, "it was in doubt before"
    assert f"2 cameras of {area} began to show the like within 2 hours" in page
    assert "nothing of it is reported before 11-23 17:55" in page
    assert "not counted on before it is known whether weather comes" in page
    assert "reported if it lasts" not in page
    for said in (texts("en")("seen.normal"), texts("en")("order.by_hand.open")):
        assert page.count(said) == 2, "what it names is there to be used"
    page = await shown(admin, f"/devices/{CAMERA}")
    assert f"{area}有 2 台摄像机在 2 小时内开始出现同类现象" in page
    assert "11-23 17:55 之前不上报" in page
    _, told, _ = await script.ask("GET", f"/api/v1/devices/{CAMERA}/doubts")
    assert told["waiting"] == [
        {
            "channel": CHANNEL,
            "causes": ["covered"],
            "since": BEGAN.isoformat().replace("+00:00", "Z"),
            "area": AREA,
            "cameras": 2,
            "until": until.isoformat().replace("+00:00", "Z"),
        }
    ]
    assert [one["held"] for one in told["items"]] == [True]
    doubtful.sky.weather = [SNOW]
    assert "began to show the like" not in await shown(admin, f"/devices/{CAMERA}", "en"), "it has come"


async def test_what_is_seen_for_the_first_time_and_waits_for_weather_has_shown_since_its_camera_began_to(
    admin: Browser, script: Script, doubtful: Site
) -> None:
    entry = doubtful.board.get(CAMERA)
    assert entry is not None
    *others, run = entry.probes
    doubtful.board.swap([replace(entry, probes=(*others, replace(run, facts={**run.facts, "watched": {}})))])
    began = fleet.NOW - timedelta(minutes=20)
    coming = Coming("", {(CAMERA, ("snapshot", CHANNEL)): began}, timedelta(hours=2), fleet.NOW)
    doubtful.sky.may_come = [replace(coming, area=AREA)]
    _, told, _ = await script.ask("GET", f"/api/v1/devices/{CAMERA}/doubts")
    assert told["items"] == []
    assert [one["since"] for one in told["waiting"]] == [began.isoformat().replace("+00:00", "Z")]
    assert "has shown since 11-23 15:40" in await shown(admin, f"/devices/{CAMERA}", "en")


async def test_weather_over_an_area_is_told_where_people_look_for_it(
    admin: Browser, script: Script, doubtful: Site
) -> None:
    assert "可见" not in await shown(admin, "/")
    doubtful.sky.weather = [SNOW]
    said = "自 11-20 16:00 起多台摄像机同时出现同类现象（目前 84 台中有 31 台），很可能是天气所致"
    for path in ("/", f"/devices?area={AREA}", f"/devices/{CAMERA}"):
        page = await shown(admin, path)
        assert said in page, path
        assert "在 11-24 15:00 之前不报故障" in page, path
        assert "季节变化" not in page, path
    assert "天气未转好期间暂不计入" in await shown(admin, f"/devices/{CAMERA}")
    assert said not in await shown(admin, "/devices?area=510104002")
    _, told, _ = await script.ask("GET", "/api/v1/weather")
    assert [(one["area"], one["showing"], one["judged"]) for one in told["items"]] == [(AREA, 31, 84)]
    _, told, _ = await script.ask("GET", f"/api/v1/devices/{CAMERA}/doubts")
    assert told["weather"]["since"] == "2026-11-20T08:00:00Z"
    assert [one["held"] for one in told["items"]] == [True]
    assert [one["cause"] for one in told["items"]] == [Cause.COVERED]


async def test_weather_that_lasts_for_weeks_asks_people_to_look(admin: Browser, doubtful: Site) -> None:
    doubtful.sky.weather = [replace(SNOW, season=fleet.NOW - timedelta(hours=1))]
    page = await shown(admin, "/")
    assert "请抽查其中几台" in page
    assert f'href="/baselines?season=yes&area={AREA}"' in page

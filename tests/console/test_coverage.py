"""Coverage as people and programs see it: the API, the map and the page of a site give the same figures."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from camera_registry.board import Places
from camera_registry.model.health import Aspect, Cause, Flip, State, Subject
from camera_registry.model.people import Role
from camera_registry.model.place import Site, View
from camera_registry.rules.coverage.standing import views_by_site
from camera_registry.store import health, register
from tests.console import fleet
from tests.exporters.test_prometheus import parse, value

NOON = fleet.NOW + timedelta(hours=2)
"""What the clock shows: the register was filled two hours before."""
RING = [[102.7, 25.05], [102.701, 25.05], [102.701, 25.051], [102.7, 25.051], [102.7, 25.05]]
GATE = Site("gate", "北门", polygon=json.dumps({"type": "Polygon", "coordinates": [RING]}))
PIER = Site("pier", "码头")
VIEWS = (
    View("N", "gate", "north", ("cam-00000-1",)),
    View("S", "gate", "south", ("cam-00001-1", "cam-00002-1")),
    View("W", "pier", "west", ("cam-00001-1",)),
)
"""cam-00001 is lost behind the switch sw-001; the others are well."""


@pytest.fixture(autouse=True)
def places(site, store, board):
    """A site with two views, and one whose only camera is lost."""
    site.ahead = 7200
    seeing = {
        "cam-00000": {"longitude": 102.7, "latitude": 25.05, "azimuth": 45.0, "view_angle": 90.0, "view_range": 80.0},
        "cam-00002": {"longitude": 102.701, "latitude": 25.05},
    }
    entries = {id: board.get(id) for id in ("cam-00000", "cam-00001", "cam-00002")}
    moved = {id: replace(entry, device=replace(entry.device, **seeing.get(id, {}))) for id, entry in entries.items()}
    channels = [channel for entry in moved.values() for channel in entry.channels]
    devices = [entry.device for entry in moved.values()]
    items = [GATE, PIER, *devices, *channels, *VIEWS]
    store.write_now(register.apply, items, author="import", at=NOON - timedelta(days=40))
    since = NOON - timedelta(days=39)
    flips = [
        Flip(Subject(device.id, aspect), State.UNKNOWN, State.OK, since, since)
        for device in devices
        for aspect in (Aspect.REACH, Aspect.STREAM, Aspect.PICTURE)
    ]
    lost = NOON - timedelta(minutes=12)
    flips.append(Flip(Subject("cam-00001", Aspect.REACH), State.OK, State.DOWN, lost, lost, Cause.TIMEOUT))
    store.write_now(health.save, (), flips)
    board.places = Places({"gate": GATE, "pier": PIER}, views_by_site(VIEWS))
    board.swap(moved.values())


async def test_the_site_without_any_usable_view_comes_first(script):
    status, told, _ = await script.ask("GET", "/api/v1/coverage")
    assert status == 200
    assert [(one["site"], one["dark"], one["ratio"]) for one in told["sites"]] == [
        ("pier", True, 0.0),
        ("gate", False, 1.0),
    ]
    assert told["summary"]["covered"] == 2
    assert told["summary"]["required"] == 3


async def test_live_past_and_metrics_agree(script, site):
    live = (await script.ask("GET", "/api/v1/coverage"))[1]
    at = (site.deps.now()).isoformat().replace("+00:00", "Z")
    past = (await script.ask("GET", f"/api/v1/coverage?at={at}"))[1]
    assert past["sites"] == live["sites"]
    series = parse(site.deps.metrics.text())
    for one in live["sites"]:
        labels = {"site": one["site"]}
        assert value(series, "camera_site_views_covered", **labels) == one["covered"]
        assert value(series, "camera_site_coverage_ratio", **labels) == one["ratio"]


async def test_a_past_moment_and_a_period_tell_of_the_outage(script):
    before = (NOON - timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    told = (await script.ask("GET", f"/api/v1/coverage?at={before}"))[1]
    assert not any(one["dark"] for one in told["sites"])
    status, told, _ = await script.ask("GET", f"/api/v1/coverage/period?since={before}&site=pier")
    assert status == 200
    assert told["sites"][0]["dark_seconds"] == 12 * 60
    assert told["sites"][0]["times"]["ratio"] == pytest.approx(48 / 60)


async def test_what_if_tells_what_would_be_lost(script):
    status, told, _ = await script.ask("POST", "/api/v1/coverage/what-if", {"devices": ["cam-00000"]})
    assert (status, told["sites"]) == (200, [{"site": "gate", "lost": ["N"], "single": [], "dark": False}])
    assert (await script.ask("POST", "/api/v1/coverage/what-if", {"devices": ["nobody"]}))[0] == 404


async def test_blind_areas_are_geojson_and_a_missing_azimuth_is_told(script):
    told = json.loads(await _text(script, "/api/v1/coverage/blind"))
    gate, pier = told["features"]
    assert gate["geometry"]["type"] in ("Polygon", "MultiPolygon")
    assert 0 < gate["properties"]["ratio"] < 1
    assert pier["properties"]["not_computable"] == "no_polygon"
    sectors = json.loads(await _text(script, "/api/v1/coverage/sectors?site=gate"))
    assert [one["properties"]["device"] for one in sectors["features"]] == ["cam-00000"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/coverage?at=2030-01-01T00:00:00Z",
        "/api/v1/coverage/period?month=2030-01",
        "/api/v1/coverage/period?month=octob",
        "/api/v1/coverage/period",
    ],
)
async def test_what_can_not_be_known_is_refused_with_a_remedy(script, path):
    status, told, _ = await script.ask("GET", path)
    assert status == 422
    assert told["remedy"]


async def test_the_pages_show_the_map_and_the_site(admin):
    status, text = await admin.get("/coverage")
    assert status == 200
    assert 'class="dot ok"' in text
    assert 'class="blind"' in text
    status, text = await admin.get("/coverage/gate")
    assert status == 200
    assert "cam-00000" in text
    assert "/devices/cam-00000" in text
    assert (await admin.get("/coverage/pier?month=2026-10"))[0] == 200
    assert (await admin.get("/coverage/nowhere"))[0] == 404
    assert (await admin.get("/coverage/pier?month=2031-10"))[0] == 422


async def _text(script, path: str) -> str:
    async with script.session.get(script.site.url + path, headers=script.headers) as answer:
        assert answer.content_type == "application/geo+json"
        return await answer.text()


async def test_a_camera_of_which_nothing_is_known_is_said_to_count_as_not_seeing(browser, board, site):
    """The gate's only camera with a field of view falls silent: whether its ground is blind is not known, and said."""
    site.user("ann", Role.AUDITOR)
    await browser.sign_in("ann")
    page = (await browser.get("/coverage/gate?lang=en"))[1]
    assert "Ground" in page
    assert "not known whether" not in page
    board.swap(
        replace(entry, states=tuple(replace(one, settled=State.STALE) for one in entry.states))
        for entry in (board.get("cam-00000"), board.get("cam-00002"))
    )
    page = (await browser.get("/coverage/gate?lang=en"))[1]
    assert "Of 1 devices with a field of view it is not known" in page
    assert "single points can&#39;t be told" in page
    assert "No single device" not in page

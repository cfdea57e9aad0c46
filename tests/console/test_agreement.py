"""Page, API and metrics tell the same of the same fleet, at the size of a city district too."""

from __future__ import annotations

import re
from collections import Counter

from camera_registry.model.device import Life
from tests.console import fleet
from tests.console.conftest import Browser, Script, Site

DISTRICT = 11_000


async def statuses_told(browser: Browser, script: Script) -> list[Counter[str]]:
    """Counts by status as the page, the API and the metrics have them."""
    _, text = await browser.get("/")
    page = {name: int(n.replace(",", "")) for name, n in re.findall(r'status=(\w+)"><b class="n">([\d,]+)</b>', text)}
    _, answer, _ = await script.ask("GET", "/api/v1/status")
    _, text, _ = await script.ask("GET", "/metrics")
    metrics: Counter[str] = Counter()
    for status, value in re.findall(r'^camera_area_devices{.*status="(\w+)"} (\d+)$', text, re.MULTILINE):
        metrics[status] += int(value)
    return [Counter(page), Counter(answer["statuses"]), metrics]


async def test_page_api_and_metrics_agree(admin: Browser, script: Script, site: Site) -> None:
    counted = Counter(entry.status.value for entry in site.board if entry.device.life is Life.ACTIVE)
    assert all(+told == counted for told in await statuses_told(admin, script))
    site.board.swap(fleet.fleet(200))
    counted = Counter(entry.status.value for entry in site.board if entry.device.life is Life.ACTIVE)
    assert all(+told == counted for told in await statuses_told(admin, script))


async def test_they_agree_on_which_devices_why_and_since_when(admin: Browser, script: Script, site: Site) -> None:
    _, listed, _ = await script.ask("GET", "/api/v1/devices?status=down&limit=1000")
    _, text, _ = await script.ask("GET", "/metrics/devices")
    down = set(re.findall(r'^camera_up{device="([^"]+)"} 0$', text, re.MULTILINE))
    assert {one["id"] for one in listed["items"]} == down
    faults = set(
        re.findall(r'^camera_fault_active{device="([^"]+)",aspect="(\w+)",cause="(\w+)"} 1$', text, re.MULTILINE)
    )
    _, everything, _ = await script.ask("GET", "/api/v1/devices?limit=1000")
    told = {(one["id"], reason["aspect"], reason["cause"]) for one in everything["items"] for reason in one["reasons"]}
    assert told == faults
    _, page = await admin.get("/devices?status=down")
    assert set(re.findall(r'<td><a href="/devices/([^"]+)">', page)) == down


async def test_a_district_of_11000_devices_is_listed_searched_and_counted(
    admin: Browser, script: Script, site: Site
) -> None:
    site.board.swap(fleet.fleet(DISTRICT))
    status, text = await admin.get("/?lang=en")
    assert status == 200
    assert "1100 devices behind it" in text.replace(",", "")
    _, text = await admin.get("/devices?lang=en")
    assert f"{DISTRICT + 1:,} devices" in text
    assert text.count("<tr>") == 61
    _, text = await admin.get("/devices?lang=en&q=cam-10999")
    assert "1 device<" in text
    _, text = await admin.get("/devices/sw-001?lang=en")
    assert "1,100 devices behind it" in text
    seen, cursor = 0, ""
    while cursor is not None:
        _, answer, _ = await script.ask("GET", f"/api/v1/devices?order=worst&limit=1000&cursor={cursor}")
        seen, cursor = seen + len(answer["items"]), answer["next"]
    assert seen == DISTRICT + 1

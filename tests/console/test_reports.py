"""Reports over the API and on the page: asked for, followed, taken as files, called off, frozen."""

from __future__ import annotations

import asyncio
import io
import re
from datetime import timedelta
from urllib.parse import quote

import openpyxl
import pytest

from camera_registry.board import Names
from camera_registry.model.people import Role
from camera_registry.rules import availability
from camera_registry.rules.progress import Step, unwatched
from camera_registry.store import measuring
from exporters.report import html
from tests.console.conftest import Browser, Script, Site


async def made(script: Script, body: dict[str, object]) -> dict[str, object]:
    status, job, headers = await script.ask("POST", "/api/v1/reports", body)
    assert status == 201, job
    for _ in range(200):
        job = (await script.ask("GET", headers["Location"]))[1]
        if job["state"] not in ("waiting", "running"):
            return job
        await asyncio.sleep(0.05)
    raise AssertionError(job)


def month(site: Site) -> str:
    return f"{site.deps.now().astimezone(site.deps.zone()):%Y-%m}"


async def test_a_report_is_asked_for_followed_and_taken_in_any_format(script: Script, site: Site) -> None:
    job = await made(script, {"report": "availability", "month": month(site)})
    assert job["state"] == "done", job
    where = f"/api/v1/reports/{job['id']}"
    status, told, _ = await script.ask("GET", f"{where}/json")
    assert status == 200
    assert told["report"] == "availability"
    devices = {row["device"]: row["online"] for row in told["tables"]["devices"]["rows"]}
    content = await taken(script, f"{where}/xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[-1]
    assert {sheet.cell(row, 1).value for row in range(2, sheet.max_row + 1)} == set(devices)
    assert (await taken(script, f"{where}/csv")).startswith(b"\xef\xbb\xbf")
    assert (await script.ask("GET", f"{where}/exe"))[0] == 404
    assert (await script.ask("DELETE", where))[0] == 204
    assert (await script.ask("GET", where))[0] == 404


async def taken(script: Script, path: str) -> bytes:
    async with script.session.get(script.site.url + path, headers=script.headers) as answer:
        assert answer.status == 200
        return await answer.read()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"report": "availability", "month": "2026-13"}, "2026-13"),
        ({"report": "availability", "month": "2999-01"}, "has not begun"),
        ({"report": "contractors", "month": "2026-01", "zone": "Mars"}, "Mars"),
        ({"report": "files", "area": "nowhere"}, "nowhere"),
    ],
)
async def test_what_cannot_be_reported_is_refused_with_its_reason(
    script: Script, body: dict[str, object], said: str
) -> None:
    status, problem, _ = await script.ask("POST", "/api/v1/reports?lang=en", body)
    assert status == 422
    assert said in problem["detail"]


async def test_a_report_can_be_called_off_between_two_parts(
    script: Script, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, on = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    real = measuring.measure

    def slow(store: object, period: object, step: Step = unwatched, wanted: object = None) -> object:
        step(0, 2)
        loop.call_soon_threadsafe(started.set)
        asyncio.run_coroutine_threadsafe(on.wait(), loop).result(10)
        step(1, 2)
        return real(store, period, step, wanted)  # type: ignore[arg-type]

    monkeypatch.setattr("exporters.report.making.measure", slow)
    body = {"report": "availability", "month": month(site)}
    headers = (await script.ask("POST", "/api/v1/reports", body))[2]
    await started.wait()
    running = (await script.ask("GET", headers["Location"]))[1]
    assert (running["state"], running["done"], running["of"]) == ("running", 0, 2)
    assert (await script.ask("GET", f"{headers['Location']}/json"))[0] == 409
    assert (await script.ask("DELETE", headers["Location"]))[0] == 204
    on.set()
    monkeypatch.undo()
    # The next one is not kept waiting, and the cancelled one stays cancelled.
    assert (await made(script, body))["state"] == "done"
    assert (await script.ask("GET", headers["Location"]))[1]["state"] == "cancelled"


async def test_a_month_is_frozen_as_a_job_that_can_be_followed_and_called_off(
    script: Script, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = availability.month(month(site), site.deps.zone(), site.deps.now()).begins - timedelta(days=1)
    body = {"report": "availability", "month": f"{last.astimezone(site.deps.zone()):%Y-%m}", "freeze": True}
    on, loop, real = asyncio.Event(), asyncio.get_running_loop(), measuring.measure

    def slow(store: object, period: object, step: Step = unwatched, wanted: object = None) -> object:
        step(0, 2)
        asyncio.run_coroutine_threadsafe(on.wait(), loop).result(10)
        return real(store, period, step, wanted)  # type: ignore[arg-type]

    async def state() -> object:
        return (await script.ask("GET", headers["Location"]))[1]["state"]

    async def frozen() -> list[str]:
        return [one["period"] for one in (await script.ask("GET", "/api/v1/frozen-reports"))[1]["items"]]

    monkeypatch.setattr("exporters.report.making.measure", slow)
    status, _, headers = await script.ask("POST", "/api/v1/reports", body)
    assert status == 201
    while await state() == "waiting":
        await asyncio.sleep(0.01)
    assert (await script.ask("DELETE", headers["Location"]))[0] == 204
    on.set()
    while await state() != "cancelled":
        await asyncio.sleep(0.01)
    monkeypatch.undo()
    job = await made(script, {**body, "freeze": False})
    assert await frozen() == []
    # Of a report that is there already it is the same work, waited for.
    assert (await script.ask("POST", f"/api/v1/reports/{job['id']}/freeze"))[1]["id"] == job["id"]
    assert await frozen() == [body["month"]]
    again = await made(script, body)
    assert (again["state"], again["period"]) == ("done", body["month"])
    status, problem, _ = await script.ask("POST", "/api/v1/reports?lang=en", {**body, "month": month(site)})
    assert (status, problem["code"]) == (422, "report")


async def test_areas_and_contractors_are_chosen_by_a_part_of_their_name(browser: Browser, site: Site) -> None:
    site.user("ann", Role.AUDITOR)
    await browser.sign_in("ann")
    site.deps.board.names = Names(
        {"d1": "东城区", "d1-s1": "东城区街道", "d1-s2": "Riverside", **{f"g{n:04}": f"网格{n}" for n in range(5000)}},
        {"d1-s1": "d1", "d1-s2": "d1", "g0001": "d1-s2"},
        contractors={"huaan": "华安技防", "huaan-2": "华安二公司", "tianyi": "Tianyi"},
    )

    async def offered(field: str, typed: str) -> list[tuple[str, str]]:
        page = (await browser.get(f"/choices/{field}?{field}={quote(typed)}"))[1]
        return re.findall(r'<option value="([^"]+)">([^<]*)', page)

    page = (await browser.get("/reports?lang=en"))[1]
    assert '<option value="d1">东城区</option>' in page
    assert len(page) < 20_000, "thousands are searched, not sent"
    assert await offered("area", "东城") == [("d1", "东城区"), ("d1-s1", "东城区 / 东城区街道")]
    assert await offered("area", "river") == [("d1-s2", "东城区 / Riverside")]
    assert await offered("area", "G0001") == [("g0001", "东城区 / Riverside / 网格1")]
    assert await offered("contractor", "华安") == [("huaan", "华安技防"), ("huaan-2", "华安二公司")]

    async def asked(**given: str) -> str:
        form = {"csrf": await browser.csrf(), "report": "files", "month": month(site), **given}
        async with browser.session.post(f"{site.url}/reports?lang=en", data=form, allow_redirects=False) as answer:
            return str(answer.status) + await answer.text()

    several = await asked(contractor="华安")
    assert several.startswith("422")
    assert "华安技防 (huaan), 华安二公司 (huaan-2)" in several
    assert "东城 fits" not in await asked(area="东城区")
    assert (await asked(area="nowhere")).startswith("422")


async def test_an_auditor_makes_prints_and_freezes_and_a_viewer_freezes_nothing(browser: Browser, site: Site) -> None:
    site.user("ann", Role.AUDITOR)
    await browser.sign_in("ann")
    last = availability.month(month(site), site.deps.zone(), site.deps.now()).begins - timedelta(days=1)
    form = {
        "csrf": await browser.csrf(),
        "report": "availability",
        "month": f"{last.astimezone(site.deps.zone()):%Y-%m}",
    }
    assert await browser.submit("/reports", form) == (303, "/reports")
    for _ in range(200):
        _, page = await browser.get("/reports?lang=en")
        if "/reports/1/html" in page:
            break
        await asyncio.sleep(0.05)
    assert "Freeze the figures" in page
    async with browser.session.get(f"{browser.site.url}/reports/1/html") as answer:
        assert answer.headers["Content-Security-Policy"] == html.POLICY
        assert "<table" in await answer.text()
    assert await browser.submit("/reports/1/freeze", {"csrf": form["csrf"]}) == (303, "/reports")
    for _ in range(200):
        _, page = await browser.get("/reports?lang=en")
        if "/reports/2/html" in page:
            break
        await asyncio.sleep(0.05)
    # The freeze is listed by its month, and so is the report that was made of it.
    assert form["month"] in page.partition("Frozen periods")[2]
    async with browser.session.get(f"{browser.site.url}/reports/2/xlsx") as answer:
        assert f"availability-{form['month']}.xlsx" in answer.headers["Content-Disposition"]
    async with browser.session.get(f"{browser.site.url}/reports/2/html") as answer:
        assert "No figure has changed since they were frozen." in await answer.text()
    assert [row.actor for row in site.trail("report.freeze")] == ["ann"]
    site.user("eve", Role.VIEWER)
    await browser.sign_in("eve")
    assert "Freeze the figures" not in (await browser.get("/reports?lang=en"))[1]
    assert (await browser.submit("/reports/1/freeze", {"csrf": await browser.csrf()}))[0] == 403

"""Coverage of a whole city as work: asked for, followed, called off between two parts, taken; on the page, too."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from camera_registry.console import survey
from camera_registry.console.jobs import KEPT
from camera_registry.rules.geometry import extent
from tests.console.conftest import Browser, Script, Site
from tests.console.test_coverage import NOON, places

__all__ = ["places"]  # the fixture: two sites, of which one is dark


async def over(script: Script, where: str) -> dict[str, Any]:
    for _ in range(200):
        job: dict[str, Any] = (await script.ask("GET", where))[1]
        if job["state"] not in ("waiting", "running"):
            return job
        await asyncio.sleep(0.05)
    raise AssertionError(job)


async def asked(script: Script, **body: object) -> str:
    status, job, headers = await script.ask("POST", "/api/v1/coverage/jobs", body)
    assert status == 201, job
    return str(headers["Location"])


class Held:
    """Work that waits after each part until it is let go on, and counts the parts that it did."""

    def __init__(self) -> None:
        self.parts = 0
        self.reached = threading.Event()
        self.go_on = threading.Event()

    def around(self, real: Callable[..., Any], place: int) -> Callable[..., Any]:
        def held(*args: Any) -> Any:
            if len(args) <= place:
                return real(*args)  # of one site, at once
            tick = args[place]

            def slow() -> None:
                self.reached.set()
                assert self.go_on.wait(20)
                tick()
                self.parts += 1

            return real(*args[:place], slow, *args[place + 1 :])

        return held


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    """Both kinds of long work wait before each part."""
    found = Held()
    monkeypatch.setattr(survey, "sum_up", found.around(survey.sum_up, 4))
    monkeypatch.setattr(extent, "fields", found.around(extent.fields, 2))
    yield found
    found.go_on.set()


async def reached(held: Held) -> None:
    assert await asyncio.to_thread(held.reached.wait, 20)


async def test_a_period_is_asked_for_followed_and_taken(script: Script) -> None:
    since = NOON.replace(hour=0).isoformat().replace("+00:00", "Z")
    where = await asked(script, work="period", since=since, until=NOON.isoformat())
    job = await over(script, where)
    assert (job["state"], job["done"], job["of"]) == ("done", 2, 2)
    found = (await script.ask("GET", f"{where}/result"))[1]
    direct = (await script.ask("GET", f"/api/v1/coverage/period?since={since}&until={since[:11]}12:00:00Z"))[1]
    assert {one["site"] for one in found["sites"]} == {"gate", "pier"} == {one["site"] for one in direct["sites"]}
    # What waits for its answer is work like any other.
    assert len((await script.ask("GET", "/api/v1/coverage/jobs"))[1]["items"]) == 2


async def test_one_site_and_all_sites_are_summed_up_alike(script: Script) -> None:
    ask = "/api/v1/coverage/period?month=2026-10"
    whole = (await script.ask("GET", ask))[1]
    for one in whole["sites"]:
        (single,) = (await script.ask("GET", f"{ask}&site={one['site']}"))[1]["sites"]
        assert (single["times"], single["dark_seconds"]) == (one["times"], one["dark_seconds"])
    assert (await script.ask("GET", f"{ask}&site=nowhere"))[0] == 404


async def test_what_if_of_a_past_moment_is_work_and_names_what_is_not_there(script: Script) -> None:
    where = await asked(script, work="what_if", devices=["cam-00000"])
    assert (await over(script, where))["state"] == "done"
    found = (await script.ask("GET", f"{where}/result"))[1]
    assert found["sites"] == [{"site": "gate", "lost": ["N"], "single": [], "dark": False}]
    body = {"work": "what_if", "devices": ["nobody"]}
    assert (await script.ask("POST", "/api/v1/coverage/jobs", body))[0] == 404


async def test_work_that_is_called_off_stops_before_its_next_part(script: Script, held: Held) -> None:
    where = await asked(script, work="period", month="2026-10")
    await reached(held)
    job = (await script.ask("GET", where))[1]
    assert (job["state"], job["done"], job["of"]) == ("running", 0, 2)
    assert (await script.ask("GET", f"{where}/result"))[0] == 409
    assert (await script.ask("DELETE", where))[0] == 204
    held.go_on.set()
    # The next work is not kept waiting by what was called off, which did not even finish its first part.
    assert (await over(script, await asked(script, work="what_if", power=["mains"])))["state"] == "done"
    assert held.parts == 0
    assert (await script.ask("GET", where))[1]["state"] == "cancelled"
    assert (await script.ask("GET", f"{where}/result"))[0] == 409
    assert (await script.ask("DELETE", where))[0] == 204
    assert (await script.ask("GET", where))[0] == 404


async def test_a_program_that_waits_for_an_answer_is_told_that_it_was_called_off(script: Script, held: Held) -> None:
    waiting = asyncio.create_task(script.ask("GET", "/api/v1/coverage/blind"))
    await reached(held)
    (job,) = (await script.ask("GET", "/api/v1/coverage/jobs"))[1]["items"]
    assert job["work"] == "ground"
    # Who else wants the same ground follows the same work.
    assert (await asked(script, work="ground")).endswith(f"/{job['id']}")
    await script.ask("DELETE", f"/api/v1/coverage/jobs/{job['id']}")
    held.go_on.set()
    status, problem, _ = await waiting
    assert (status, bool(problem["remedy"])) == (409, True)


async def test_the_page_shows_how_far_its_map_is_and_calls_it_off(admin: Browser, site: Site, held: Held) -> None:
    token = {"csrf": await admin.csrf()}
    status, page = await admin.get("/coverage?lang=en")
    assert status == 200
    assert "<progress" in page
    assert 'action="/ground/cancel"' in page
    assert "北门" in page, "what the board knows is there at once"
    assert 'class="dot' not in page
    part = (await admin.get("/ground"))[1]
    assert "<progress" in part
    assert "<html" not in part
    assert await admin.submit("/ground/cancel", token) == (303, "/coverage")
    page = (await admin.get("/coverage?lang=en"))[1]
    assert "called off" in page
    assert "<progress" not in page, "nobody has asked for it again"
    held.go_on.set()
    assert await admin.submit("/ground", token) == (303, "/coverage")
    page = (await admin.get("/coverage?lang=en"))[1]
    assert 'class="dot ok"' in page
    assert "<progress" not in page
    async with admin.session.get(f"{site.url}/ground") as answer:
        assert answer.headers["HX-Refresh"] == "true"


async def test_the_page_does_without_its_map_where_too_much_waits(admin: Browser, script: Script, held: Held) -> None:
    for _ in range(KEPT):
        await asked(script, work="period", month="2026-10")
    status, page = await admin.get("/coverage?lang=en")
    assert (status, "北门" in page, "<progress" in page) == (200, True, False)


async def test_the_page_of_a_site_waits_for_nobody(admin: Browser, script: Script) -> None:
    whole = (await script.ask("GET", "/api/v1/coverage/jobs"))[1]["items"]
    assert whole == []
    status, page = await admin.get("/coverage/gate?lang=en")
    assert (status, "Of " in page, 'class="blind"' in page) == (200, True, True)
    assert (await script.ask("GET", "/api/v1/coverage/jobs"))[1]["items"] == []

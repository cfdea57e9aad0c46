"""What pictures of a device were like over weeks: the same on its page and over the API."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from html import unescape

from camera_registry.model.baseline import Baseline, Regime
from camera_registry.model.observation import ProbeSeen
from camera_registry.model.trend import PictureDay
from camera_registry.store import picture_days
from camera_registry.texts import texts
from tests.console import fleet
from tests.console.conftest import Accepted, Browser, Script, Site

CAMERA, CHANNEL = "cam-00003", "cam-00003-1"
TODAY = fleet.NOW.date()


def dulled(site: Site, days: int = 60) -> None:
    """A lens that has lost a percent a day since its view was accepted, with today not over."""
    begins = TODAY - timedelta(days=days)
    told = [
        PictureDay(CAMERA, CHANNEL, Regime.DAY, begins + timedelta(days=n), begins, 40, 1 - n / 100, 0.98, 1.0, 0.99)
        for n in range(days)
    ]
    site.store.write_now(picture_days.save, told)
    now = {"now": ["((((", "bbbb", "dddd"], "usual": 0.99}
    drift = {"level": 0.4, "a_day": -0.01, "sure": 1.0, "dirty": True, "due": TODAY.isoformat()}
    lights = {"day": {**now, "drift": drift}}
    sketch = {"begins": begins.isoformat(), "day": TODAY.isoformat(), "at": fleet.NOW.isoformat(), "lights": lights}
    entry = site.board.get(CAMERA)
    assert entry is not None
    run = ProbeSeen("snapshot", CHANNEL, fleet.NOW, 0.1, None, fleet.NOW, {"trend": sketch})
    site.board.swap([replace(entry, probes=(run,))], (), {})
    gallery = site.deps.gallery
    assert isinstance(gallery, Accepted)
    accepted = fleet.NOW - timedelta(days=days)
    gallery.kept.append(Baseline(1, CAMERA, CHANNEL, Regime.DAY, accepted, "", "li", accepted))


async def test_the_days_of_a_lens_are_told_with_what_began_them_and_where_they_lead(script: Script, site: Site) -> None:
    dulled(site)
    status, answer, _ = await script.ask("GET", f"/api/v1/devices/{CAMERA}/trend")
    assert status == 200
    (line,) = answer["items"]
    assert (line["channel"], line["light"], line["untold"]) == (CHANNEL, "day", None)
    assert line["drift"]["due"] == TODAY.isoformat()
    assert line["marks"] == [{"day": (TODAY - timedelta(days=60)).isoformat(), "kind": "accepted"}]
    assert len(line["days"]) == 61
    assert (line["days"][10]["contrast"], line["days"][10]["usual"], line["days"][10]["pictures"]) == (0.9, 0.99, 40)
    today = line["days"][-1]
    assert (today["day"], today["contrast"], today["sharpness"], today["pictures"]) == (TODAY.isoformat(), 0.4, 0.98, 4)
    assert (await script.ask("GET", "/api/v1/devices/cam-00004/trend"))[1]["items"] == []


async def test_the_page_draws_them_without_a_style_of_its_own(admin: Browser, site: Site) -> None:
    dulled(site)
    for language in ("en", "zh"):
        words = texts(language)
        _, text = await admin.get(f"/devices/{CAMERA}?lang={language}")
        _, _, section = unescape(text).partition('id="trend"')
        section, _, _ = section.partition("</section>")
        assert section.count("<polyline") == 3
        assert 'class="accepted"' in section
        assert words("trend.falls", rate="1.0", due=TODAY.isoformat()) in section
        assert "style=" not in section
    assert 'id="trend"' not in (await admin.get("/devices/cam-00004?lang=en"))[1]

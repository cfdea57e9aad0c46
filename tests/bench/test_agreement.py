"""A service with a fleet that fails, and a real Prometheus beside it: three views of the same seconds agree."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from bench.agreement import Views, beside, compare, demo

SCRAPE = 1
SECONDS = 10
FAULTS = """
seed = 1

[[step]]
at = 11
for = 6
fault = "power_off"
target = ["cam-00008", "cam-00005"]

[[step]]
at = 12
fault = "black"
target = ["cam-00009"]

[[step]]
at = 10
fault = "power_off"
target = ["cam-00010"]
"""


@pytest.mark.timeout(540)
async def test_api_workbook_and_prometheus_tell_the_same_of_a_fleet_that_fails(tmp_path: Path) -> None:
    faults = tmp_path / "faults.toml"
    faults.write_text(FAULTS, encoding="utf-8")
    async with (
        demo(14, faults, tmp_path, every=2) as (service, token),
        beside(service.removeprefix("http://"), SCRAPE, tmp_path) as prometheus,
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session,
    ):
        now = datetime.now(UTC)
        # What planned work covers is in no rate, however lost it is.
        window = {
            "begins": now.isoformat(),
            "ends": (now + timedelta(hours=1)).isoformat(),
            "reason": "new lens",
            "devices": ["cam-00010"],
        }
        async with session.post(f"{service}/api/v1/windows", json=window) as answer:
            assert answer.status == 201, await answer.text()
        await asyncio.sleep(6)
        begins = datetime.now(UTC).replace(microsecond=0)
        await asyncio.sleep(SECONDS + 4 * SCRAPE)
        views = Views(session, service, token, prometheus)
        found = await compare(views, begins, begins + timedelta(seconds=SECONDS), 2 * SCRAPE)
    assert found.faults == []
    assert found.equal > 150
    figures = {one.what: one for one in found.figures}
    assert (figures["online cam-00010"].report, figures["online cam-00010"].sampled) == (None, None)
    # Where nothing happened there is nothing to explain: equal to the digit.
    still = [one for one in found.figures if not one.flips]
    assert len(still) > 10
    assert all(one.report == one.sampled for one in still)
    moved = [one for one in found.figures if one.flips and one.what.startswith("online cam")]
    assert any(one.report is not None and one.report < 1 for one in moved), moved

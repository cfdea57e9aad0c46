"""What is shipped for Prometheus and Alertmanager is valid, tested, bilingual, and works with the real programs."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from camera_registry.board import Board
from camera_registry.model.device import Kind
from camera_registry.model.health import Status
from exporters import discovery, exposition
from exporters.prometheus import DevicePage
from exporters.service import ServiceMetrics
from tests.exporters.boards import board, entry, lost
from tests.exporters.monitoring import SHIPPED, Monitoring, monitoring
from tests.servers import ROOT, promtool_binary

RULES = SHIPPED / "prometheus" / "alerts.yml"
UNIT_TESTS = sorted((SHIPPED / "prometheus" / "tests").glob("*.yml"))
ALERTS: dict[str, dict[str, Any]] = {
    rule["alert"]: rule
    for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
}


def run(*command: str | Path) -> None:
    done = subprocess.run(command, cwd=SHIPPED / "prometheus", capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_configuration_is_valid() -> None:
    run(promtool_binary(), "check", "config", "prometheus.yml")
    run(ROOT / "usr/bin/amtool", "check-config", "../alertmanager/alertmanager.yml")


def test_the_rules_pass_their_unit_tests() -> None:
    run(promtool_binary(), "test", "rules", *UNIT_TESTS)


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_has_a_unit_test_in_which_it_fires(name: str) -> None:
    cases = [
        case
        for file in UNIT_TESTS
        for test in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]
        for case in test.get("alert_rule_test", ())
    ]
    assert [case for case in cases if case["alertname"] == name and case["exp_alerts"]]


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_in_both_languages_what_it_is_and_what_to_do(name: str) -> None:
    told = ALERTS[name]["annotations"]
    assert all(told[key] for key in ("summary", "description", "summary_zh", "description_zh"))
    assert not told["summary"].isascii() or told["summary"] != told["summary_zh"]
    assert any("\u4e00" <= letter <= "\u9fff" for letter in told["summary_zh"] + told["description_zh"])
    assert ALERTS[name]["labels"]["severity"] in {"critical", "warning", "info", "none"}


def served(made: Board) -> web.Application:
    """The pages of a board, as the console mounts them."""
    devices, metrics = DevicePage(made), ServiceMetrics(made, "1.2.3")
    metrics.poller("local", up=True)
    metrics.reloaded(done=True)

    async def own_page(_: web.Request) -> web.Response:
        return web.Response(body=metrics.text(), headers={"Content-Type": exposition.CONTENT_TYPE})

    async def device_page(request: web.Request) -> web.Response:
        asked = request.query
        body = await devices.render(asked.get("area", ""), asked.get("kind", ""), subtree=asked.get("subtree") != "0")
        headers = {"Content-Type": exposition.CONTENT_TYPE}
        if exposition.accepts_gzip(request.headers.get("Accept-Encoding", "")):
            headers["Content-Encoding"], body = "gzip", exposition.compress(body)
        return web.Response(body=body, headers=headers)

    async def pages(request: web.Request) -> web.Response:
        return web.Response(body=discovery.pages(made, request.host, 2), content_type=discovery.CONTENT_TYPE)

    async def pollers(request: web.Request) -> web.Response:
        return web.Response(body=discovery.pollers(request.host, ["local"]), content_type=discovery.CONTENT_TYPE)

    application = web.Application()
    application.router.add_get("/metrics", own_page)
    application.router.add_get("/metrics/devices", device_page)
    application.router.add_get("/sd/pages", pages)
    application.router.add_get("/sd/pollers", pollers)
    return application


@pytest.fixture
def fleet() -> Board:
    return board(
        entry("sw-1", kind=Kind.NETWORK, area="north-1"),
        entry("cam-1", area="north-1", parent="sw-1"),
        entry("cam-2", area="north-1", parent="sw-1"),
        entry("cam-3", area="north-2"),
        entry("cam-4", area="south"),
        entry("cam-5", Status.UNKNOWN, area="south"),
    )


@pytest.fixture
async def watched(fleet: Board, tmp_path: Path) -> AsyncIterator[Monitoring]:
    async with TestServer(served(fleet)) as service, monitoring(f"127.0.0.1:{service.port}", tmp_path) as running:
        yield running


@pytest.mark.timeout(450)
async def test_a_real_prometheus_finds_the_pages_and_a_real_alertmanager_tells_of_a_camera_that_is_down_and_back(
    fleet: Board, watched: Monitoring
) -> None:
    async with asyncio.timeout(360):
        # Every device is scraped once, from more than one page, and what is unknown is absent.
        await watched.becomes("camera_up", {"sw-1": 1, "cam-1": 1, "cam-2": 1, "cam-3": 1, "cam-4": 1})
        pages = await watched.ask('up{job="cameras"}')
        assert len(pages) > 1
        assert set(pages.values()) == {1}
        assert not [labels for labels in await watched.ask("camera_up") if {"instance", "page"} & set(dict(labels))]

        fleet.swap([lost("cam-3", area="north-2")])
        alert = await watched.next_alert("CameraDown")
        assert alert["labels"]["device"] == "cam-3"
        assert alert["labels"]["area"] == "north-2"
        assert alert["annotations"]["summary"] == "device cam-3 (cam-3) in area north-2 is down"
        assert alert["annotations"]["summary_zh"] == "区域 north-2 的 device cam-3(cam-3)离线"

        fleet.swap([entry("cam-3", area="north-2")])
        alert = await watched.next_alert("CameraDown", status="resolved")
        assert alert["labels"]["device"] == "cam-3"


@pytest.mark.timeout(450)
async def test_a_dead_switch_reaches_people_as_one_alert_even_before_its_cameras_are_known_to_be_behind_it(
    fleet: Board, watched: Monitoring
) -> None:
    async with asyncio.timeout(360):
        await watched.becomes("parent:camera_device_info:count", {"sw-1": 2})
        fleet.swap([lost("sw-1", kind=Kind.NETWORK, area="north-1")])
        assert (await watched.next_alert("ParentDown"))["labels"]["parent"] == "sw-1"
        # Lost, but not yet explained by the parent: Prometheus fires, Alertmanager holds it back.
        fleet.swap([entry(id, Status.DOWN, area="north-1", parent="sw-1") for id in ("cam-1", "cam-2")])
        fleet.swap([lost("cam-4", area="south")])
        assert (await watched.next_alert("CameraDown"))["labels"]["device"] == "cam-4"
        firing = 'ALERTS{alertname="CameraDown",alertstate="firing"}'
        await watched.becomes(firing, {"cam-1": 1, "cam-2": 1, "cam-4": 1})
        fleet.swap([entry("cam-4", area="south")])
        resolved = await watched.next_alert("CameraDown", status="resolved")
        assert resolved["labels"]["device"] == "cam-4"
        assert watched.devices_told >= {("ParentDown", "sw-1"), ("CameraDown", "cam-4")}
        assert not watched.devices_told & {("CameraDown", "cam-1"), ("CameraDown", "cam-2")}
        # Explained: they do not even fire.
        fleet.swap([lost(id, area="north-1", blamed="sw-1") for id in ("cam-1", "cam-2")])
        await watched.becomes(firing, {})

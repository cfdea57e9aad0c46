"""The dashboard that is shipped loads, asks in valid PromQL, and asks only for what is there to be asked for."""

from __future__ import annotations

import json
import os
import re
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from camera_registry.board import Board
from exporters.prometheus import FAMILIES
from exporters.service import ServiceMetrics
from tests.exporters.boards import entry
from tests.exporters.monitoring import SHIPPED
from tests.servers import promtool_binary

DASHBOARDS = sorted((SHIPPED / "grafana").glob("*.json"))


def loaded(file: Path) -> dict[str, Any]:
    made = json.loads(file.read_text(encoding="utf-8"))
    assert isinstance(made, dict)
    return made


def queries(dashboard: dict[str, Any]) -> list[str]:
    """Every query, with variables filled in as Grafana does."""
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    return [expression.replace("$area", ".*") for expression in asked]


@pytest.fixture(params=DASHBOARDS, ids=lambda file: file.stem)
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    return loaded(request.param)


def test_there_is_one() -> None:
    assert DASHBOARDS


def test_it_has_what_grafana_needs_to_load_it(dashboard: dict[str, Any]) -> None:
    assert dashboard["uid"]
    assert dashboard["title"]
    assert dashboard["schemaVersion"] >= 36
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    names = {variable["name"] for variable in dashboard["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(dashboard["panels"])))
    assert used <= names | {"__all"}
    for panel in dashboard["panels"]:
        assert {"type", "title", "gridPos", "targets", "datasource"} <= set(panel)
        assert panel["datasource"]["uid"] == "${datasource}", "no data source of some other machine"
        letters = [target["refId"] for target in panel["targets"]]
        assert len(set(letters)) == len(letters)


def test_no_panel_lies_on_another(dashboard: dict[str, Any]) -> None:
    for one, other in combinations([panel["gridPos"] for panel in dashboard["panels"]], 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above
        assert one["x"] + one["w"] <= 24


def test_prometheus_can_read_its_queries(dashboard: dict[str, Any], tmp_path: Path) -> None:
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries(dashboard))]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}), encoding="utf-8")
    command = (promtool_binary(), "check", "rules", file)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(rules)} rules found" in done.stdout


def test_it_asks_for_nothing_that_is_not_exported(dashboard: dict[str, Any]) -> None:
    board = Board()
    board.swap([entry("cam-1", area="north")])
    metrics = ServiceMetrics(board, "1.2.3")
    # What the composition root adds.
    for name in ("camera_registry_outbox_pending", "camera_registry_outbox_overdue_seconds"):
        metrics.follow(name, "Notices.", lambda: 0)
    metrics.follow("camera_registry_poller_processes", "Processes.", lambda: 0)
    metrics.follow_count("camera_registry_poller_restarts_total", "Processes.", lambda: 0)
    metrics.follow_processes("camera_registry_poller", lambda: {"1": os.getpid()})
    exported = set(re.findall(r"^# TYPE (\S+)", metrics.text().decode(), re.MULTILINE))
    exported |= {family.name for family in FAMILIES}
    asked = {
        re.sub(r"_bucket$", "", name) for query in queries(dashboard) for name in re.findall(r"\bcamera_\w+", query)
    }
    assert asked - exported == set()

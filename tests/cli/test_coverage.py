"""`audit coverage` and `report coverage` at the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from camera_registry.cli import main
from camera_registry.model.device import Channel, Device, Kind
from camera_registry.model.health import Aspect, Cause, Flip, State, Subject
from camera_registry.model.place import Site, View
from camera_registry.rules.coverage.sight import NEEDED
from camera_registry.store import Store, health, register
from tests.shaped import shaped

NOW = datetime.now(UTC)


@pytest.fixture
def config(tmp_path):
    """Two sites behind one switch: the gate is covered by two cameras, the pier by one that is lost for an hour."""
    path = tmp_path / "camera_registry.toml"
    path.write_text(f'[storage]\ndirectory = "{tmp_path / "data"}"\n')
    cameras = [Device(id, Kind.CAMERA, parent="sw") for id in ("a", "b", "c")]
    items = [
        Site("gate"),
        Site("pier"),
        Device("sw", Kind.NETWORK),
        *cameras,
        *(Channel(f"{one.id}/1", one.id) for one in cameras),
        View("N", "gate", channels=("a/1", "b/1")),
        View("W", "pier", channels=("c/1",)),
    ]
    since, lost = NOW - timedelta(hours=3), NOW - timedelta(hours=1)
    flips = [
        Flip(Subject(one.id, aspect), State.UNKNOWN, State.OK, since, since) for one in cameras for aspect in NEEDED
    ]
    flips.append(Flip(Subject("c", Aspect.REACH), State.OK, State.DOWN, lost, lost, Cause.TIMEOUT))
    with Store.open("", shaped(tmp_path / "data")) as store:
        store.write_now(register.apply, items, author="root", at=NOW - timedelta(hours=4))
        store.write_now(health.save, (), flips)
    return str(path)


def told(capsys, *args: str) -> tuple[int, dict]:
    code = main([*args, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_an_uncovered_site_is_told_first_and_is_a_fault(config, capsys):
    code, answer = told(capsys, "--config", config, "audit", "coverage")
    assert (code, [(one["site"], one["dark"]) for one in answer["sites"]]) == (1, [("pier", True), ("gate", False)])
    assert [point["id"] for point in answer["sites"][1]["single_points"]] == ["sw"]


def test_a_past_moment_at_which_all_was_covered_is_good(config, capsys):
    at = (NOW - timedelta(hours=2)).isoformat()
    code, answer = told(capsys, "--config", config, "audit", "coverage", "--at", at)
    assert (code, answer["summary"]["ratio"]) == (0, 1.0)


def test_what_would_be_lost_without_devices(config, capsys):
    code, answer = told(capsys, "--config", config, "audit", "coverage", "--without", "sw")
    assert (code, answer["sites"]) == (1, [{"site": "gate", "lost": ["N"], "single": [], "dark": True}])
    code, answer = told(capsys, "--config", config, "audit", "coverage", "--without", "a")
    assert (code, answer["sites"]) == (0, [{"site": "gate", "lost": [], "single": ["N"], "dark": False}])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_month_in_words(config, capsys, language):
    arguments = ["--config", config, "--lang", language, "audit", "coverage", "--month", f"{NOW:%Y-%m}"]
    assert main(arguments) in (0, 1)
    assert "gate" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "value"),
    [("--month", "2099-01"), ("--month", "9999-12"), ("--month", "lately"), ("--at", "2099-01-01"), ("--without", "x")],
)
def test_what_can_not_be_known_is_refused_by_its_place(config, capsys, option, value):
    assert main(["--config", config, "audit", "coverage", option, value]) == 2
    assert value in capsys.readouterr().err


def test_the_report_tells_the_same_as_the_audit(config, capsys):
    _, month = told(capsys, "--config", config, "audit", "coverage", "--month", f"{NOW:%Y-%m}")
    _, report = told(capsys, "--config", config, "report", "coverage", "--month", f"{NOW:%Y-%m}")
    assert report["facts"]["coverage"] == pytest.approx(month["times"]["ratio"], abs=1e-3)


@pytest.fixture
def square(config, tmp_path):
    """The same with all views covered, and a site for which nobody named a view."""
    with Store.open("", tmp_path / "data") as store:
        store.write_now(register.apply, [Site("square")], author="root", at=NOW - timedelta(hours=3))
    return config


def test_a_site_without_views_is_an_error_with_its_place_wherever_coverage_is_audited(square, capsys, tmp_path):
    past = ("--at", (NOW - timedelta(hours=2)).isoformat())
    code, answer = told(capsys, "--config", square, "audit", "coverage", *past)
    assert (code, answer["summary"]["without_views"]) == (1, ["square"])
    assert main(["--config", square, "--lang", "en", "audit", "coverage", *past]) == 1
    first = capsys.readouterr().out
    assert "site square" in first
    assert "Add a view" in first
    code, files = told(capsys, "--config", square, "audit", "files")
    assert (code, [row["site"] for row in files["tables"]["sites"]["rows"]]) == (1, ["square"])
    assert main(["--config", square, "doctor"]) == 1
    assert "FAULT sites: 1 sites have no views, so their coverage can't be told: square;" in capsys.readouterr().out

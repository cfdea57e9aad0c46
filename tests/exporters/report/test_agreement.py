"""The last hour by three ways: the API's JSON, the workbook, and Prometheus by its recording rules."""

from __future__ import annotations

import io
import json
import random
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
import yaml

from camera_registry.model.device import Device, Kind
from camera_registry.model.health import Aspect, AspectState, Flip, State, Subject
from camera_registry.model.maintenance import Cover, Window, WindowKind
from camera_registry.model.policy import PollPolicy
from camera_registry.store import Store, health, register, windows
from camera_registry.texts import texts
from exporters.report.catalog import render
from exporters.report.making import Desk
from exporters.report.order import Kind as Report
from exporters.report.order import Order
from tests.exporters.monitoring import SHIPPED
from tests.servers import promtool_binary

BEGINS = datetime(2026, 10, 7, 8, tzinfo=UTC)
STEP = timedelta(seconds=30)
STEPS = 120
"""An hour, in steps of a scrape."""
ASPECTS = (Aspect.REACH, Aspect.STREAM, Aspect.PICTURE)
Held = Mapping[tuple[str, Aspect], list[State]]


def fleet() -> Held:
    """What holds of each aspect in each step: long stretches, now and then lost or silent."""
    dice = random.Random(3)
    held: dict[tuple[str, Aspect], list[State]] = {}
    for device in ("cam-1", "cam-2", "cam-3"):
        for aspect in ASPECTS:
            states: list[State] = []
            while len(states) < STEPS:
                state = dice.choice([State.OK, State.OK, State.DOWN, State.STALE])
                states += [state] * dice.randrange(5, 40)
            held[device, aspect] = states[:STEPS]
    return held


def stored(held: Held, folder: Path) -> Store:
    store = Store.open(f"sqlite:///{folder}/rates.db", folder)
    devices = [Device(id, Kind.CAMERA, contractor="") for id in sorted({device for device, _ in held})]
    store.write_now(register.apply, devices, author="test", at=BEGINS - timedelta(days=1))
    for (device, aspect), states in held.items():
        subject = Subject(device, aspect)
        flips = [
            Flip(subject, before, after, BEGINS + place * STEP, BEGINS + place * STEP)
            for place, (before, after) in enumerate(zip([State.UNKNOWN, *states], states, strict=False))
            if before is not after
        ]
        store.write_now(health.save, [AspectState(subject, read_at=BEGINS + STEPS * STEP)], flips)
    return store


def series(held: Held) -> list[dict[str, str]]:
    """What Prometheus scrapes at the end of each step."""
    found = []
    for (device, aspect), states in held.items():
        labels = f'{{device="{device}",aspect="{aspect.value}"}}'
        value = {State.OK: "1", State.DOWN: "0", State.STALE: "_"}
        known = " ".join("0" if state is State.STALE else "1" for state in states)
        found.append({"series": f"camera_aspect_known{labels}", "values": f"_ {known}"})
        # A series that is gone from a scrape is marked so (stale); a mere gap would be bridged.
        told, before = ["_"], ""
        for state in states:
            told.append("stale" if state is State.STALE and before not in ("", "_", "stale") else value[state])
            before = told[-1]
        found.append({"series": f"camera_aspect_state{labels}", "values": " ".join(told)})
    return found


def test_api_workbook_and_metrics_give_the_same_figures(tmp_path: Path) -> None:
    held = fleet()
    ends = BEGINS + STEPS * STEP
    with stored(held, tmp_path) as store:
        desk = Desk(store, PollPolicy({}, {}), "Asia/Shanghai", lambda: ends + timedelta(hours=1))
        document = desk.make(Order(Report.AVAILABILITY, begins=BEGINS, ends=ends), texts("zh"))
    (told,) = json.loads(render(document, "json"))["tables"]["total"]["rows"]
    assert 0 < told["intact"] < told["online"] < 1
    assert 0 < told["unknown"] < 1
    sheet = openpyxl.load_workbook(io.BytesIO(render(document, "xlsx")))[document.table("total").title]
    # A workbook holds 16 digits of a number.
    assert [sheet.cell(2, place).value for place in (2, 3)] == pytest.approx(
        [told["online"], told["intact"]], rel=1e-15
    )
    sampled(tmp_path, series(held), {measure: told[measure] for measure in ("online", "intact")})


def sampled(folder: Path, told: list[dict[str, str]], figures: Mapping[str, float]) -> None:
    """Hold the recording rules of the last hour, over these series, to what a report has."""
    rules = {
        "rule_files": [str(SHIPPED / "prometheus" / "recording.yml")],
        "evaluation_interval": "30s",
        "tests": [
            {
                "interval": "30s",
                "input_series": told,
                "promql_expr_test": [
                    {
                        "expr": f"camera:{measure}:ratio_1h",
                        "eval_time": "1h",
                        "exp_samples": [{"labels": f"camera:{measure}:ratio_1h", "value": value}],
                    }
                    for measure, value in figures.items()
                ],
            }
        ],
    }
    case = folder / "case.yml"
    case.write_text(yaml.safe_dump(rules), encoding="utf-8")
    done = subprocess.run(
        [promtool_binary(), "test", "rules", case], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_edges_of_a_window_a_camera_that_comes_later_and_an_open_outage_are_told_alike_everywhere(
    tmp_path: Path,
) -> None:
    """An hour of 120 steps. cam-a is lost in steps 30 to 50, planned work covers 20 to 40: 20 planned, 10 lost, 90
    good. cam-b is registered at step 60 and known from 62 on: 60 not in service, 2 unknown, 58 good. cam-c is lost
    from step 100 on and still is: 100 good, 20 lost. Together 248 good of 278: 89.208 %."""
    ok, down, stale = State.OK, State.DOWN, State.STALE
    reach = {
        "cam-a": [ok] * 30 + [down] * 20 + [ok] * 70,
        "cam-b": [stale] * 62 + [ok] * 58,
        "cam-c": [ok] * 100 + [down] * 20,
    }
    ends = BEGINS + STEPS * STEP
    with stored({(id, Aspect.REACH): states for id, states in reach.items() if id != "cam-b"}, tmp_path) as store:
        late = Device("cam-b", Kind.CAMERA)
        store.write_now(register.apply, [late], author="test", at=BEGINS + 60 * STEP)
        subject = Subject("cam-b", Aspect.REACH)
        first = Flip(subject, State.UNKNOWN, ok, BEGINS + 62 * STEP, BEGINS + 62 * STEP)
        store.write_now(health.save, [AspectState(subject, read_at=ends)], [first])
        cover, edges = Cover(devices=("cam-a",)), (BEGINS + 20 * STEP, BEGINS + 40 * STEP)
        store.write_now(windows.create, Window(0, WindowKind.FIXED, cover, *edges, "work", "li", BEGINS))
        desk = Desk(store, PollPolicy({}, {}), "Asia/Shanghai", lambda: ends + timedelta(hours=1))
        document = desk.make(Order(Report.AVAILABILITY, begins=BEGINS, ends=ends), texts("zh"))
    tables = json.loads(render(document, "json"))["tables"]
    (told,) = tables["total"]["rows"]
    seconds = STEP.seconds
    parts = ("online_good", "online_bad", "maintenance", "idle", "online_unknown")
    assert [told[part] for part in parts] == [one * seconds for one in (248, 30, 20, 60, 2)]
    assert told["online"] == 248 / 278
    assert {row["device"]: row["online"] for row in tables["devices"]["rows"]} == {
        "cam-a": 0.9, "cam-b": 1.0, "cam-c": 100 / 120,
    }  # fmt: skip
    sheet = openpyxl.load_workbook(io.BytesIO(render(document, "xlsx")))[document.table("total").title]
    row = dict(
        zip((column.name for column in document.table("total").columns), (one.value for one in sheet[2]), strict=True)
    )
    assert row["online"] == pytest.approx(248 / 278, rel=1e-15)
    assert [row[part] for part in parts] == [timedelta(seconds=told[part]) for part in parts]
    for form, shown in (("html", "89.208 %"), ("csv", str(248 / 278))):
        assert shown in render(document, form).decode("utf-8")
    words = {ok: ("1", "1"), down: ("0", "1"), stale: ("_", "0")}
    scraped = []
    for id, states in reach.items():
        known = [words[one][1] if id != "cam-b" or place >= 60 else "_" for place, one in enumerate(states)]
        labels = f'{{device="{id}",aspect="reach"}}'
        scraped.append(
            {"series": f"camera_aspect_state{labels}", "values": " ".join(["_", *(words[one][0] for one in states)])}
        )
        scraped.append({"series": f"camera_aspect_known{labels}", "values": " ".join(["_", *known])})
    planned = ["_"] * 21 + ["1"] * 20 + ["stale"] + ["_"] * 79
    scraped.append({"series": 'camera_maintenance{device="cam-a"}', "values": " ".join(planned)})
    sampled(tmp_path, scraped, {"online": told["online"]})

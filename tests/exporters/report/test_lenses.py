"""The plan of lens cleaning as it is handed out: from kept days of pictures to figures in a workbook and on a page."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest

from camera_registry.cli import main
from camera_registry.model.baseline import Regime
from camera_registry.model.device import Device, Kind
from camera_registry.model.place import Area
from camera_registry.model.trend import PictureDay
from camera_registry.store import Store, picture_days, register

BEGIN = date(2026, 9, 1)
REGISTERED = datetime(2026, 8, 1, tzinfo=UTC)
ENDS = date(2026, 11, 1)
CAMERAS = ("cam-dirty", "cam-slow", "cam-clean", "cam-blind")


def day(camera: str, n: int, contrast: float) -> PictureDay:
    """What was seen on the n-th day after acceptance; what is usual is a contrast of 1.0."""
    # A wobble that is in no step with the days: no camera shows the same twice.
    wobble = (n * 7 % 5 - 2) / 500
    return PictureDay(camera, "", Regime.DAY, BEGIN + timedelta(days=n), BEGIN, 20, contrast + wobble, 0.9, 0.95, 1.0)


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A registry in which one lens loses 0.7 % a day, one 0.3 %, one nothing, and of one nothing is known."""
    file = tmp_path / "settings.toml"
    text = f'language = "en"\ntime_zone = "Asia/Shanghai"\n[storage]\ndirectory = "{tmp_path / "data"}"\n'
    file.write_text(text, encoding="utf-8")
    with Store.open("", tmp_path / "data") as store:
        area = Area("east", "East")
        devices = [Device(id, Kind.CAMERA, id.upper(), area="east") for id in CAMERAS]
        store.write_now(register.apply, [area, *devices], author="test", at=REGISTERED)
        for n in range((ENDS - BEGIN).days):
            seen = [
                day("cam-dirty", n, 1 - 0.007 * n),
                day("cam-slow", n, 1 - 0.003 * n),
                day("cam-clean", n, 1.0),
            ]
            store.write_now(picture_days.save, seen)
        # What comes after the period must not be in it: the lens was cleaned in November.
        store.write_now(picture_days.save, [day("cam-dirty", 70, 1.0)])
    return str(file)


def made(config: str, tmp_path: Path, form: str) -> bytes:
    out = tmp_path / f"out.{form}"
    args = ["--config", config, "--lang", "en", "report", "availability", "--month", "2026-10"]
    assert main([*args, "--format", form, "--output", str(out)]) == 0
    return out.read_bytes()


def test_the_plan_names_dull_lenses_how_dull_they_are_and_by_when_they_are_of_no_use(
    config: str, tmp_path: Path
) -> None:
    tables = json.loads(made(config, tmp_path, "json"))["tables"]
    rows = tables["lenses"]["rows"]
    assert [row["device"] for row in rows] == ["cam-dirty", "cam-slow"], "the most urgent first, and clean ones never"
    dirty, slow = rows
    # On 31 October, the 61st day: 1 - 60 x 0.007 = 0.58; 0.08 above the limit of 0.5 is 0.08 / 0.007 = 11.4 days.
    assert dirty["level"] == pytest.approx(0.58, abs=0.01)
    assert dirty["a_day"] == pytest.approx(-0.007, abs=0.0003)
    assert date(2026, 11, 10) <= date.fromisoformat(dirty["due"]) <= date(2026, 11, 14)
    # 1 - 60 x 0.003 = 0.82; 0.32 / 0.003 = 107 days.
    assert slow["level"] == pytest.approx(0.82, abs=0.01)
    assert date(2027, 2, 5) <= date.fromisoformat(slow["due"]) <= date(2027, 2, 27)
    (east,) = tables["lenses_by_area"]["rows"]
    assert (east["name"], east["lenses"], east["due_14"], east["due_30"]) == ("East", 2, 1, 1)
    assert {row["device"] for row in tables["lenses_untold"]["rows"]} == {"cam-blind"}
    assert [row["lenses"] for row in tables["lenses_untold_by_reason"]["rows"]] == [1]


def test_workbook_and_page_hold_the_same_figures(config: str, tmp_path: Path) -> None:
    told = json.loads(made(config, tmp_path, "json"))["tables"]["lenses"]
    book = openpyxl.load_workbook(io.BytesIO(made(config, tmp_path, "xlsx")))
    rows = {row[0]: row for row in book["Lenses to clean"].iter_rows(values_only=True)}
    page = made(config, tmp_path, "html").decode()
    for one in told["rows"]:
        cells = rows[one["device"]]
        assert cells[7] == pytest.approx(one["level"], rel=1e-12)
        assert cells[8] == pytest.approx(one["a_day"], rel=1e-9)
        due = cells[9]
        assert isinstance(due, datetime)
        assert due.date().isoformat() == one["due"]
        assert one["due"] in page
    # On paper what can't be told is counted by reason; who it is stands in the workbook.
    assert "cam-blind" not in page.partition("Lenses of which nothing can be told")[2].partition("<h2>")[0]
    assert "cam-blind" in {row[0] for row in book["Lenses not told of, one by one"].iter_rows(values_only=True)}

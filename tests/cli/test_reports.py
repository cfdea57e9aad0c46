"""`report` and `audit files` at the command line."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from camera_registry.cli import main
from camera_registry.model.device import Device, Kind
from camera_registry.model.health import Aspect, AspectState, Flip, State, Subject
from camera_registry.store import Store, health, register
from tests.shaped import shaped

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def config(tmp_path: Path) -> str:
    """Settings of a registry with one camera that was lost for the second half of April 2026."""
    file = tmp_path / "settings.toml"
    file.write_text(f'[storage]\ndirectory = "{tmp_path / "data"}"\n', encoding="utf-8")
    with Store.open("", shaped(tmp_path / "data")) as store:
        device = Device("=cmd|'/c calc'!A1", Kind.CAMERA, "North gate")
        store.write_now(register.apply, [device], author="test", at=AT)
        subject = Subject(device.id, Aspect.REACH)
        # April has 30 days in UTC too; the 16th begins half-way.
        steps = ((AT, State.OK), (datetime(2026, 4, 16, tzinfo=UTC), State.DOWN))
        flips = [Flip(subject, State.UNKNOWN, after, at, at) for at, after in steps]
        store.write_now(health.save, [AspectState(subject, read_at=datetime(2026, 6, 1, tzinfo=UTC))], flips)
    return str(file)


def test_a_report_goes_to_a_file_in_the_format_of_its_name(config: str, tmp_path: Path) -> None:
    for name in ("out.xlsx", "out.csv", "out.html", "out.json"):
        args = ["--config", config, "report", "availability", "--month", "2026-04", "--zone", "UTC"]
        assert main([*args, "--output", str(tmp_path / name)]) == 0
    told = json.loads((tmp_path / "out.json").read_bytes())
    assert told["tables"]["total"]["rows"][0]["online"] == 0.5
    assert told["facts"]["version"].startswith("2/")
    assert (tmp_path / "out.xlsx").read_bytes().startswith(b"PK")


def test_one_table_is_a_plain_file_and_no_formula(config: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    args = ["--config", config, "report", "availability", "--from", "2026-04-15", "--to", "2026-04-17", "--zone", "UTC"]
    assert main([*args, "--table", "devices"]) == 0
    header, row = csv.reader(io.StringIO(capfdbinary.readouterr().out.decode("utf-8-sig")))
    assert row[0] == "'=cmd|'/c calc'!A1"
    assert dict(zip(header, row, strict=True))["Online rate"] == "0.5"


def test_a_mistake_says_what_and_where(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    for args, said in (
        (["--month", "2026-13"], "2026-13"),
        (["--month", "2999-01"], "not begun"),
        (["--month", "2026-04", "--zone", "Mars"], "Mars"),
        (["--month", "2026-04", "--table", "nothing"], "total"),
        ([], "--month"),
        (["--month", "2026-04", "--from", "2026-04-01"], "--month"),
    ):
        assert main(["--config", config, "report", "contractors", *args]) == 2
        assert said in capsys.readouterr().err or said == "total"


def test_device_files_are_audited(config: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", config, "--json", "audit", "files"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["facts"]["file_rate"] == 0
    assert {row["field"] for row in told["tables"]["findings"]["rows"]} >= {"Serial number", "Contractor"}


def test_a_frozen_month_says_so(config: str, capfd: pytest.CaptureFixture[str]) -> None:
    args = ["--config", config, "--json", "report", "availability", "--month", "2026-04", "--freeze"]
    assert main(args) == 0
    assert main(args) == 0
    out, err = capfd.readouterr()
    assert "were frozen before" in err
    assert '"frozen":"' in out

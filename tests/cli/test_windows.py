"""Maintenance is planned and called off from the command line, beside a running service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from camera_registry.cli import main
from tests.service.whole import write_settings


def _run(capsys: pytest.CaptureFixture[str], settings: Path, *words: str) -> list[dict[str, Any]]:
    assert main(["--config", str(settings), "--json", "windows", *words]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_window_is_planned_shown_and_called_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = write_settings(tmp_path)
    (tmp_path / "few.csv").write_text(
        "record,id,host,kind\narea,north,,\ndevice,cam-1,127.0.0.1,camera\n", encoding="utf-8"
    )
    assert main(["--config", str(settings), "--json", "import", str(tmp_path / "few.csv")]) == 0
    capsys.readouterr()
    times = ("--begins", "2096-10-01T02:00", "--ends", "2096-10-01T04:00")
    made = _run(capsys, settings, "add", *times, "--reason", "mast", "--device", "cam-1", "--area", "north")
    assert made[0]["begins"] == "2096-10-01T02:00+08:00"
    assert (made[0]["devices"], made[0]["areas"], made[0]["muted"]) == (["cam-1"], ["north"], 1)
    assert _run(capsys, settings, "list") == made
    gone = _run(capsys, settings, "cancel", str(made[0]["id"]))
    assert gone[0]["cancelled_at"] is not None
    assert _run(capsys, settings, "list") == []
    assert _run(capsys, settings, "list", "--all") == gone


def test_a_window_that_can_t_be_is_refused_with_the_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = write_settings(tmp_path)
    head = ["--config", str(settings), "--lang", "en", "windows"]
    assert main([*head, "add", "--reason", "mast", "--device", "cam-1"]) == 2
    assert main([*head, "add", "--reason", "mast", "--zone", "Mars/North", "--device", "cam-1"]) == 2
    assert "Mars/North" in capsys.readouterr().err
    end = ("--ends", "2096-10-01")
    assert main([*head, "add", "--reason", " ", *end, "--device", "cam-1"]) == 2
    assert "no reason" in capsys.readouterr().err
    assert (
        main([*head, "add", "--reason", "mast", *end, "--device", "cam-x", "--parent", "sw-x", "--area", "south"]) == 2
    )
    assert "not registered: cam-x, sw-x, south" in capsys.readouterr().err
    assert main([*head, "cancel", "7"]) == 2
    assert "windows list --all" in capsys.readouterr().err

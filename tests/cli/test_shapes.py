"""What commands do with a database of another release: they leave it as it is and say what to do."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from camera_registry.cli import main
from camera_registry.store import Store
from camera_registry.store.connection import SQLITE_FILE

COMMANDS = (
    ("export", "all.csv"),
    ("windows", "list"),
    ("user", "list"),
    ("token", "list"),
    ("credential", "list"),
    ("audit", "coverage"),
    ("audit", "files"),
    ("audit", "verify"),
    ("report", "availability", "--month", "2026-10"),
    ("backup",),
    ("import", "one.csv"),
    ("windows", "add", "--device", "cam-1", "--ends", "2096-10-01", "--reason", "mast"),
    ("token", "create", "scraper", "--role", "viewer"),
)


@pytest.fixture
def head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    settings = '[storage]\ndirectory = "data"\n[web]\nport = 0\n[devices]\nnetworks = ["127.0.0.0/8"]\n'
    (tmp_path / "settings.toml").write_text(settings, encoding="utf-8")
    (tmp_path / "one.csv").write_text("record,id,kind,host\ndevice,cam-1,camera,127.0.0.1\n", encoding="utf-8")
    return ["--config", "settings.toml"]


def marked(data: Path, version: str) -> None:
    """The database as another release would have left it, as far as its mark says."""
    with closing(sqlite3.connect(data / SQLITE_FILE)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))


@pytest.mark.parametrize(
    ("version", "says"), [("0015", "is of an older release"), ("9999", "is of a newer version of this program")]
)
def test_no_command_but_those_that_are_for_it_changes_a_database_of_another_release(
    version: str, says: str, head: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    Store.open("", data).close()
    marked(data, version)
    before = (data / SQLITE_FILE).read_bytes()
    for words in COMMANDS:
        assert main([*head, *words]) == 2, words
        assert says in capsys.readouterr().err, words
    assert main([*head, "doctor"]) == 1
    assert says in capsys.readouterr().out
    assert (data / SQLITE_FILE).read_bytes() == before
    assert not (data / "backups").exists()


def test_a_backup_can_be_put_back_in_place_of_a_database_of_a_newer_release(head: list[str], tmp_path: Path) -> None:
    assert main([*head, "import", "one.csv"]) == 0
    assert main([*head, "backup", "before.db"]) == 0
    marked(tmp_path / "data", "9999")
    assert main([*head, "restore", "before.db"]) == 0
    assert main([*head, "export", "all.csv"]) == 0
    assert "cam-1" in (tmp_path / "all.csv").read_text(encoding="utf-8-sig")

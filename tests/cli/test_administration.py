"""The commands of administrators, and what becomes of a database in their hands."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from camera_registry import cli
from camera_registry.store import Store, credentials, keys
from camera_registry.store.credentials import Vault


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CAMERA_REGISTRY_PASSWORD", "correct horse battery")
    (tmp_path / "site.toml").write_text('[storage]\ndirectory = "data"\n', encoding="utf-8")
    return tmp_path


def command(home: Path, *words: str) -> int:
    return cli.main(["--config", str(home / "site.toml"), "--lang", "en", *words])


def told(home: Path, capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, object]]:
    capsys.readouterr()
    assert command(home, "--json", *words) == 0
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return found


def test_init_makes_what_is_missing_and_leaves_what_exists(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(home, "init") == 0
    first = capsys.readouterr().out
    assert "One-time set-up token" in first
    key = (home / "data" / "credentials.key").read_bytes()
    assert (home / "data" / "credentials.key").stat().st_mode & 0o777 == 0o600
    command(home, "user", "add", "root", "--role", "admin")
    capsys.readouterr()
    assert command(home, "init") == 0
    assert "no set-up token" in capsys.readouterr().out
    assert (home / "data" / "credentials.key").read_bytes() == key


def test_an_empty_list_says_so(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(home, "user", "list") == 0
    assert capsys.readouterr().out == "nothing so far\n"
    assert told(home, capsys, "user", "list") == []


def test_users_are_added_changed_and_removed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(home, "user", "add", "root", "--role", "admin") == 0
    assert command(home, "user", "add", "ann", "--role", "viewer") == 0
    assert command(home, "user", "role", "ann", "operator") == 0
    assert command(home, "user", "disable", "ann") == 0
    assert command(home, "user", "password", "ann") == 0
    assert told(home, capsys, "user", "list") == [
        {"name": "ann", "role": "operator", "crew": None, "active": False},
        {"name": "root", "role": "admin", "crew": None, "active": True},
    ]
    assert command(home, "user", "list") == 0
    shown = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert shown == [
        ["name", "role", "crew", "active"],
        ["ann", "operator", "-", "no"],
        ["root", "admin", "-", "yes"],
    ]
    assert command(home, "--lang", "zh", "user", "list") == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()][1] == ["ann", "operator", "-", "否"]
    assert command(home, "user", "remove", "ann") == 0
    assert command(home, "user", "remove", "root") == 2
    assert "last active administrator" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("user", "role", "nobody", "admin"), "there is no user nobody"),
        (("user", "password", "nobody"), "there is no user nobody"),
        (("user", "add", "li", "--role", "crew", "--crew", "east"), "there is no crew east; import the crews first"),
        (("user", "add", "li", "--role", "viewer", "--crew", "east"), "li is of the role Viewer"),
        (("token", "revoke", "crt_0"), "there is no token crt_0"),
        (("credential", "remove", "none"), "there is no credential none"),
        (("credential", "set", "east", "--username", "u"), "there is no key file"),
        (("restore", "missing.db"), "there is no such file"),
    ],
)
def test_what_does_not_exist_is_told(
    home: Path, words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(home, *words) == 2
    assert message in capsys.readouterr().err


def test_a_weak_password_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CAMERA_REGISTRY_PASSWORD", "short")
    assert command(home, "user", "add", "root", "--role", "admin") == 2
    assert "too short" in capsys.readouterr().err


def test_a_token_is_shown_once(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (made,) = told(home, capsys, "token", "create", "prometheus", "--role", "viewer")
    text = str(made["token"])
    listed = told(home, capsys, "token", "list")
    assert text.startswith(str(listed[0]["prefix"]))
    assert text not in json.dumps(listed)
    assert command(home, "token", "revoke", str(listed[0]["prefix"])) == 0
    assert told(home, capsys, "token", "list") == []


def test_a_credential_is_set_listed_without_its_content_and_survives_a_new_key(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command(home, "init")
    file = home / "secret"
    file.write_text("c4n4ry\n", encoding="utf-8")
    assert command(home, "credential", "set", "east", "--username", "us3r", "--password-file", str(file)) == 0
    before = (home / "data" / "credentials.key").read_bytes()
    assert command(home, "credential", "rotate-key") == 0
    assert (home / "data" / "credentials.key").read_bytes() != before
    command(home, "credential", "list")
    spoken = "".join(capsys.readouterr())
    assert "east" in spoken
    assert "c4n4ry" not in spoken
    assert "us3r" not in spoken
    (key,) = keys.read_keys(home / "data" / "credentials.key")
    with Store.open("", home / "data") as store:
        assert store.read_now(credentials.load, Vault([key]))["east"].password == "c4n4ry"


def test_audit_verify_finds_an_edited_row(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command(home, "user", "add", "root", "--role", "admin")
    assert command(home, "audit", "verify") == 0
    connection = sqlite3.connect(home / "data" / "camera_registry.db")
    connection.executescript("DROP TRIGGER audit_no_update; UPDATE audit SET actor = 'eve' WHERE id = 1;")
    connection.close()
    capsys.readouterr()
    assert command(home, "audit", "verify") == 1
    assert "first at row 1" in capsys.readouterr().out


def test_a_backup_into_a_folder_that_is_not_there_makes_none_and_names_it(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command(home, "init")
    missing = home / "mnt" / "nas"
    assert command(home, "--lang", "zh", "backup", str(missing / "copy.db")) == 2
    assert f"没有目录 {missing}" in capsys.readouterr().err
    assert not missing.parent.exists()
    assert command(home, "backup", str(home / "copy.db")) == 0


def test_a_backup_brings_back_what_was_and_keeps_what_it_replaced(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command(home, "user", "add", "root", "--role", "admin")
    copy = home / "copy.db"
    assert command(home, "backup", str(copy)) == 0
    assert copy.stat().st_mode & 0o777 == 0o600
    command(home, "user", "add", "ann", "--role", "viewer")
    assert command(home, "restore", str(copy)) == 0
    assert [row["name"] for row in told(home, capsys, "user", "list")] == ["root"]
    (kept,) = (home / "data" / "backups").glob("before-restore-*.db")
    assert command(home, "restore", str(kept)) == 0
    assert [row["name"] for row in told(home, capsys, "user", "list")] == ["ann", "root"]


def test_a_restore_beside_a_running_service_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = home / "copy.db"
    command(home, "backup", str(copy))
    with Store.open("", home / "data") as service:
        service.claim()
        assert command(home, "restore", str(copy)) == 2
    assert "another service runs on this database" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0" + bytes(4000)])
def test_what_is_no_backup_is_not_restored(home: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    command(home, "user", "add", "root", "--role", "admin")
    (home / "bad.db").write_bytes(content)
    assert command(home, "restore", str(home / "bad.db")) == 2
    assert "not a backup of camera-registry" in capsys.readouterr().err
    assert [row["name"] for row in told(home, capsys, "user", "list")] == ["root"]


def test_a_damaged_backup_is_not_restored(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command(home, "user", "add", "root", "--role", "admin")
    copy = home / "copy.db"
    command(home, "backup", str(copy))
    content = copy.read_bytes()
    copy.write_bytes(content[:8192] + b"\xff" * 8192 + content[16384:])
    assert command(home, "restore", str(copy)) == 2
    assert str(copy) in capsys.readouterr().err
    assert [row["name"] for row in told(home, capsys, "user", "list")] == ["root"]


def test_a_database_of_a_newer_version_is_one_message(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command(home, "init")
    connection = sqlite3.connect(home / "data" / "camera_registry.db")
    connection.executescript("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    capsys.readouterr()
    assert command(home, "user", "list") == 2
    assert "newer version of this program" in capsys.readouterr().err


def test_a_key_file_that_others_can_read_is_one_message(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command(home, "init")
    (home / "data" / "credentials.key").chmod(0o644)
    assert command(home, "credential", "set", "east", "--username", "u") == 2
    assert "chmod 600" in capsys.readouterr().err


def test_a_database_that_is_busy_is_told_with_what_to_do(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command(home, "init")
    monkeypatch.setattr("camera_registry.store.connection.BUSY_SECONDS", 0.1)
    connection = sqlite3.connect(home / "data" / "camera_registry.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    assert command(home, "user", "add", "root", "--role", "admin") == 2
    assert "give the command again" in capsys.readouterr().err
    connection.close()


def test_a_user_is_called_what_the_api_would_take_too(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("", "a\nb", "a b", "x" * 65):
        assert command(home, "user", "add", name, "--role", "viewer") == 2
        assert "a user name is 1 to 64 characters" in capsys.readouterr().err


def test_a_backup_or_a_copy_to_restore_is_never_the_database_itself(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(home, "init") == 0
    for name in ("camera_registry.db", "camera_registry.db-wal"):
        assert command(home, "backup", str(home / "data" / name)) == 2
        assert "this is the database itself" in capsys.readouterr().err
    assert command(home, "restore", str(home / "data/camera_registry.db")) == 2
    assert "this is the database itself" in capsys.readouterr().err
    assert command(home, "audit", "verify") == 0


def test_a_backup_that_can_t_be_written_leaves_nothing_behind(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "taken.db").mkdir()
    assert command(home, "backup", str(home / "taken.db")) == 2
    assert "taken.db: it can't be written: Is a directory" in capsys.readouterr().err
    assert not (home / "taken.db.partial").exists()

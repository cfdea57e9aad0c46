"""Passwords of devices can't be read from what lies on disk, nor moved to where they do not belong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from camera_registry.model.device import Device, Kind
from camera_registry.model.people import Credential
from camera_registry.store import Refused, Store, StoreError, audit, backup, credentials, keys, register
from camera_registry.store.credentials import Vault

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
CANARY = "c4n4ry-Paßwort-密"
USER_CANARY = "us3r-c4n4ry"


@pytest.fixture
def vault() -> Vault:
    return Vault([keys.new_key()])


def put(store: Store, vault: Vault, id: str, password: str) -> int:
    return store.write_now(credentials.put, vault, id, USER_CANARY, password, author="ann", at=AT)


def test_a_credential_comes_back_and_its_version_grows_only_when_it_changes(store: Store, vault: Vault) -> None:
    assert put(store, vault, "east", CANARY) == 1
    assert put(store, vault, "east", CANARY) == 1
    before = store.read_now(register.version)
    assert put(store, vault, "east", "other") == 2
    assert store.read_now(credentials.load, vault) == {"east": Credential("east", USER_CANARY, "other", 2)}
    assert store.read_now(register.version) > before


def test_a_planted_password_is_nowhere_on_disk_and_in_no_listing(tmp_path: Path, vault: Vault) -> None:
    with Store.open("", tmp_path / "data") as store:
        put(store, vault, "east", CANARY)
        put(store, vault, "west", CANARY)
        assert store.file is not None
        backup.copy(store.file, tmp_path / "backup.db")
        spoken = repr(store.read_now(audit.trail)) + repr(store.read_now(credentials.listed))
        spoken += repr(store.read_now(credentials.load, vault)) + repr(keys.new_key())
        on_disk = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
        assert (tmp_path / "data" / "camera_registry.db-wal").stat().st_size > 0
    for secret in (CANARY, USER_CANARY):
        assert secret.encode() not in on_disk
        assert secret not in spoken


def test_thousands_of_credentials_are_stored_in_one_go_and_only_what_differs_moves(store: Store, vault: Vault) -> None:
    given = [Credential(f"device/{number}", "admin", f"secret-{number}", 0) for number in range(2000)]
    assert store.write_now(credentials.put_all, vault, given, author="ann", at=AT) == 2000
    given[7] = Credential("device/7", "admin", "other", 0)
    assert store.write_now(credentials.put_all, vault, given, author="ann", at=AT) == 1
    kept = store.read_now(credentials.load, vault)
    assert (kept["device/7"].password, kept["device/7"].version, kept["device/8"].version) == ("other", 2, 1)
    assert store.read_now(audit.verify).rows == 2001


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE credential SET sealed = (SELECT sealed FROM credential WHERE id = 'west') WHERE id = 'east'",
        "UPDATE credential SET version = version + 1 WHERE id = 'east'",
    ],
)
def test_a_sealed_password_that_was_moved_or_brought_back_does_not_open(
    store: Store, vault: Vault, statement: str
) -> None:
    put(store, vault, "east", "one")
    put(store, vault, "west", "two")
    store.write_now(lambda tx: tx.execute(text(statement)))
    with pytest.raises(StoreError, match=r"credential east is not what was stored.*set the credential anew"):
        store.read_now(credentials.fetch, vault, "east")


def test_a_credential_of_an_unknown_key_is_told_with_a_remedy_and_can_be_set_anew(store: Store, vault: Vault) -> None:
    put(store, vault, "east", CANARY)
    other = Vault([keys.new_key()])
    with pytest.raises(StoreError, match="put the key file of this database back"):
        store.read_now(credentials.load, other)
    assert put(store, other, "east", CANARY) == 2


def test_keys_are_changed_without_losing_a_password(store: Store) -> None:
    old, new = keys.new_key(), keys.new_key()
    put(store, Vault([old]), "east", CANARY)
    both = Vault([new, old])
    assert store.read_now(credentials.load, both)["east"].password == CANARY
    assert store.write_now(credentials.rotate, Vault([old]), both, author="ann", at=AT) == 1
    assert store.read_now(credentials.load, Vault([new]))["east"] == Credential("east", USER_CANARY, CANARY, 1)


@pytest.mark.parametrize("use", ["credential", "onvif_credential", "snmp_credential"])
def test_a_credential_in_use_is_not_removed(store: Store, vault: Vault, use: str) -> None:
    put(store, vault, "east", CANARY)
    camera = replace(Device("cam-1", Kind.CAMERA), **{use: "east"})
    store.write_now(register.apply, [camera], author="ann", at=AT)
    assert [(listed.id, listed.devices) for listed in store.read_now(credentials.listed)] == [("east", 1)]
    with pytest.raises(Refused, match="still used by device cam-1"):
        store.write_now(credentials.remove, "east", author="ann", at=AT)
    store.write_now(register.apply, [Device("cam-1", Kind.CAMERA)], author="ann", at=AT)
    assert store.write_now(credentials.remove, "east", author="ann", at=AT)


def test_a_key_file_is_its_owners_alone_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "credentials.key"
    made = (keys.new_key(), keys.new_key())
    keys.write_keys(path, made)
    assert path.stat().st_mode & 0o777 == 0o600
    assert keys.read_keys(path) == made


def test_a_bad_key_file_is_one_clear_message(tmp_path: Path) -> None:
    path = tmp_path / "credentials.key"
    with pytest.raises(StoreError, match=r"there is no key file; `camera-registry init` makes one"):
        keys.read_keys(path)
    path.write_text("c2hvcnQ=\n")
    path.chmod(0o640)
    with pytest.raises(StoreError, match=r"can be read by others.*chmod 600"):
        keys.read_keys(path)
    path.chmod(0o600)
    with pytest.raises(StoreError, match="this is not a key file"):
        keys.read_keys(path)

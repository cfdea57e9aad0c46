"""An inventory is written as a whole, against the register as it is when it is written."""

from __future__ import annotations

from datetime import UTC, datetime

from camera_registry.model.place import Area
from camera_registry.model.register import Register
from camera_registry.rules.inventory import files
from camera_registry.rules.inventory.problems import Flaw
from camera_registry.store import Store, credentials, intake, keys, register
from camera_registry.store.credentials import Vault

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SHEETS = files.read(b"id,kind,area,username,password\ncam-1,camera,east,admin,c4n4ry\ncam-2,camera,,,\n")


def test_what_became_unsound_between_look_and_take_is_told_and_not_written(store: Store) -> None:
    vault = Vault([keys.new_key()])
    store.write_now(register.apply, [Area("east")], author="ann", at=AT)
    looked = store.read_now(intake.look, SHEETS, [])
    assert looked.inventory.sound
    store.write_now(register.apply, [], [("area", "east")], author="bob", at=AT)
    found, stored = store.write_now(intake.take, SHEETS, [], looked, vault, author="ann", at=AT)
    assert Flaw.UNKNOWN_REFERENCE in [problem.flaw for problem in found.problems]
    assert stored == 0
    assert store.read_now(register.load_register) == Register()
    assert store.read_now(credentials.listed) == []


def test_devices_and_their_passwords_are_written_together(store: Store) -> None:
    vault = Vault([keys.new_key()])
    store.write_now(register.apply, [Area("east")], author="ann", at=AT)
    looked = store.read_now(intake.look, SHEETS, [])
    found, stored = store.write_now(intake.take, SHEETS, [], looked, vault, author="ann", at=AT)
    assert (found.created, stored) == (2, 1)
    assert store.read_now(credentials.load, vault)["device/cam-1"].password == "c4n4ry"
    assert store.read_now(register.load_register).devices["cam-1"].credential == "device/cam-1"

"""Credentials of devices at rest: AES-256-GCM, bound to the credential's id and version, write-only for people.

User name and password are sealed together. A user name alone opens no camera, but it is half of a login and often
the same through a whole city, so a stolen database or backup shall not give it away either; nothing lists it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, Row, delete, or_, select

from camera_registry.model.people import Credential
from camera_registry.store import audit
from camera_registry.store.errors import Refused, StoreError
from camera_registry.store.keys import Key, new_key, read_keys, write_keys
from camera_registry.store.register import touch
from camera_registry.store.statements import rows_by_id, upsert
from camera_registry.store.tables import ITEMS, CredentialRow, table

_CREDENTIALS = table(CredentialRow)
_NAMED = tuple(ITEMS["device"].c[name] for name in ("credential", "onvif_credential", "snmp_credential"))
"""The columns of a device that name one."""
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Listed:
    """All that people see of a credential."""

    id: str
    version: int
    changed_at: datetime
    devices: int


class Vault:
    """Seals with the first key, opens with any of them."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._sealing = keys[0]
        self._ciphers = {key.name: AESGCM(key.secret) for key in keys}

    def seal(self, credential: Credential) -> tuple[str, bytes]:
        """The name of the key, and what is kept."""
        nonce = os.urandom(_NONCE_BYTES)
        plain = orjson.dumps([credential.username, credential.password])
        bound = _bound(credential.id, credential.version)
        return self._sealing.name, nonce + self._ciphers[self._sealing.name].encrypt(nonce, plain, bound)

    def open(self, row: Row[tuple[object, ...]]) -> Credential:
        """The credential in a row. Raises StoreError if the key is not at hand or the row was tampered with."""
        cipher = self._ciphers.get(row.key)
        if cipher is None:
            raise StoreError("key_missing", id=row.id, sealed_with=row.key)
        sealed: bytes = row.sealed
        try:
            plain = cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound(row.id, row.version))
        except InvalidTag as error:
            raise StoreError("tampered", id=row.id) from error
        username, password = orjson.loads(plain)
        return Credential(row.id, username, password, row.version)


def open_vault(tx: Connection, path: Path) -> Vault:
    """The vault of the key file, which is made for a database that holds no credential yet. Raises StoreError: for a
    database that does, only its own key file will do."""
    if not path.exists() and tx.execute(select(_CREDENTIALS.c.id).limit(1)).first() is None:
        write_keys(path, [new_key()])
    return Vault(read_keys(path))


def put(tx: Connection, vault: Vault, id: str, username: str, password: str, *, author: str, at: datetime) -> int:
    """Store a credential; returns its version, which grows only if user name or password differ from before."""
    put_all(tx, vault, [Credential(id, username, password)], author=author, at=at)
    row = _rows(tx, [id])[id]
    version: int = row.version
    return version


def put_all(tx: Connection, vault: Vault, given: Sequence[Credential], *, author: str, at: datetime) -> int:
    """Store credentials, whatever versions they bear; returns how many were new or differed from before."""
    present = _rows(tx, [credential.id for credential in given])
    changed = []
    for credential in given:
        row = present.get(credential.id)
        if row is None or not _holds(vault, row, credential):
            version = 1 if row is None else row.version + 1
            changed.append(Credential(credential.id, credential.username, credential.password, version))
    if changed:
        upsert(tx, _CREDENTIALS, [_sealed_row(vault, credential, at) for credential in changed])
        entries = [audit.Entry("credential.set", f"credential/{one.id}", {"version": one.version}) for one in changed]
        audit.append_many(tx, entries, author, at)
        touch(tx)
    return len(changed)


def load(tx: Connection, vault: Vault) -> dict[str, Credential]:
    """Every credential, for the poller. One that can't be opened raises StoreError: half a fleet without passwords
    would look like half a fleet of faults."""
    return {row.id: vault.open(row) for row in tx.execute(select(_CREDENTIALS))}


def fetch(tx: Connection, vault: Vault, id: str) -> Credential | None:
    """One credential."""
    row = _rows(tx, [id]).get(id)
    return None if row is None else vault.open(row)


def listed(tx: Connection) -> list[Listed]:
    """What there is, without anything secret."""
    used: dict[str, int] = {}
    for row in tx.execute(select(*_NAMED)):
        for id in set(row):
            used[id] = used.get(id, 0) + 1
    query = select(_CREDENTIALS.c.id, _CREDENTIALS.c.version, _CREDENTIALS.c.changed_at).order_by(_CREDENTIALS.c.id)
    return [Listed(row.id, row.version, row.changed_at, used.get(row.id, 0)) for row in tx.execute(query)]


def remove(tx: Connection, id: str, *, author: str, at: datetime) -> bool:
    """Forget a credential; False if there is none. Raises Refused while devices use it."""
    used = or_(*(column == id for column in _NAMED))
    users = list(tx.execute(select(ITEMS["device"].c.id).where(used).limit(5)).scalars())
    if users:
        raise Refused("credential_used", id=id, devices=", ".join(users))
    if not tx.execute(delete(_CREDENTIALS).where(_CREDENTIALS.c.id == id)).rowcount:
        return False
    audit.append(tx, author, "credential.remove", f"credential/{id}", None, at)
    touch(tx)
    return True


def rotate(tx: Connection, old: Vault, new: Vault, *, author: str, at: datetime) -> int:
    """Seal every credential with the new vault's first key; returns how many. Versions stay: the passwords do."""
    rows = [_sealed_row(new, old.open(row), row.changed_at) for row in tx.execute(select(_CREDENTIALS))]
    upsert(tx, _CREDENTIALS, rows)
    audit.append(tx, author, "credential.rotate_key", "credential", {"credentials": len(rows)}, at)
    return len(rows)


def _rows(tx: Connection, ids: Sequence[str]) -> dict[str, Row[tuple[object, ...]]]:
    return rows_by_id(tx, _CREDENTIALS, ids)


def _sealed_row(vault: Vault, credential: Credential, at: datetime) -> dict[str, object]:
    key, sealed = vault.seal(credential)
    return {"id": credential.id, "version": credential.version, "key": key, "sealed": sealed, "changed_at": at}


def _holds(vault: Vault, row: Row[tuple[object, ...]], given: Credential) -> bool:
    try:
        kept = vault.open(row)
    except StoreError:
        # What can't be opened is replaced: setting it anew is the remedy that its message names.
        return False
    return (kept.username, kept.password) == (given.username, given.password)


def _bound(id: str, version: int) -> bytes:
    """What a sealed value is bound to, so that it can't be moved to another row or brought back after a change."""
    return orjson.dumps([id, version])

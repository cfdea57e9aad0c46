"""The key file: who can read it can read every device's password, so it is the owner's alone and not in the database.

Lines of base64, one 256-bit key each. The first seals; the others still open, so that a change of keys can be
interrupted anywhere: write [new, old], seal everything anew, write [new].
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from camera_registry.store import durable
from camera_registry.store.errors import StoreError

_BYTES = 32


@dataclass(frozen=True, slots=True)
class Key:
    """A key and the name it goes by: the first digits of its hash, which tell nothing of it."""

    name: str
    secret: bytes

    def __repr__(self) -> str:
        return f"Key(name={self.name!r})"


def new_key() -> Key:
    """A key that nobody has seen."""
    return _key(secrets.token_bytes(_BYTES))


def write_keys(path: Path, keys: Sequence[Key]) -> None:
    """Write the key file, whole or not at all, for its owner alone."""
    durable.write(path, b"".join(base64.b64encode(key.secret) + b"\n" for key in keys))


def read_keys(path: Path) -> tuple[Key, ...]:
    """The keys in the file, the sealing one first. Raises StoreError with the remedy."""
    try:
        if path.stat().st_mode & 0o077:
            raise StoreError("open_key_file", file=path)
        lines = path.read_text(encoding="ascii").split()
    except FileNotFoundError as error:
        raise StoreError("no_key_file", file=path) from error
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError("unreadable_key_file", file=path, why=error) from error
    try:
        found = tuple(_key(base64.b64decode(line, validate=True)) for line in lines)
    except binascii.Error:
        found = ()
    if not found or any(len(key.secret) != _BYTES for key in found):
        raise StoreError("foreign_key_file", file=path)
    return found


def _key(secret: bytes) -> Key:
    return Key(hashlib.sha256(b"camera-registry key\0" + secret).hexdigest()[:8], secret)

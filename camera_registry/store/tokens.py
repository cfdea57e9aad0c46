"""Tokens for programs: a prefix to recognise them by, and a secret that is shown once and kept only as a hash."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from camera_registry.model.people import Role
from camera_registry.store import audit
from camera_registry.store.access import digest
from camera_registry.store.statements import insert
from camera_registry.store.tables import TokenRow, table

_TOKENS = table(TokenRow)

_MARK = "crt"
"""Begins every token, so that scanners for leaked secrets can know one."""
_NOTE_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Token:
    """All that is known of a token. ``note_due``: call ``note_use``."""

    prefix: str
    name: str
    role: Role
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    note_due: bool = False


def create(tx: Connection, name: str, role: Role, *, expires_at: datetime | None, author: str, at: datetime) -> str:
    """A new token; the returned text is the only copy."""
    prefix = f"{_MARK}_{secrets.token_hex(4)}"
    text = f"{prefix}_{secrets.token_urlsafe(32)}"
    row = {"prefix": prefix, "token_hash": digest(text), "name": name, "role": role, "created_by": author}
    insert(tx, _TOKENS, [{**row, "created_at": at, "expires_at": expires_at, "used_at": None}])
    until = None if expires_at is None else expires_at.isoformat()
    audit.append(tx, author, "token.create", f"token/{prefix}", {"name": name, "role": role.value, "until": until}, at)
    return text


def find(tx: Connection, text: str, at: datetime) -> Token | None:
    """The token, if it is known and has not expired."""
    row = tx.execute(select(_TOKENS).where(_TOKENS.c.token_hash == digest(text))).first()
    if row is None or (row.expires_at is not None and row.expires_at <= at):
        return None
    due = row.used_at is None or at - row.used_at > _NOTE_EVERY
    return Token(
        row.prefix, row.name, row.role, row.created_by, row.created_at, row.expires_at, row.used_at, note_due=due
    )


def note_use(tx: Connection, prefix: str, at: datetime) -> None:
    """Remember when a token was last used, so that a forgotten one shows."""
    tx.execute(update(_TOKENS).where(_TOKENS.c.prefix == prefix).values(used_at=at))


def listed(tx: Connection) -> list[Token]:
    """Every token, oldest first."""
    rows = tx.execute(select(_TOKENS).order_by(_TOKENS.c.created_at, _TOKENS.c.prefix))
    return [
        Token(row.prefix, row.name, row.role, row.created_by, row.created_at, row.expires_at, row.used_at)
        for row in rows
    ]


def revoke(tx: Connection, prefix: str, *, author: str, at: datetime) -> bool:
    """End a token at once; False if there is none."""
    if not tx.execute(delete(_TOKENS).where(_TOKENS.c.prefix == prefix)).rowcount:
        return False
    audit.append(tx, author, "token.revoke", f"token/{prefix}", None, at)
    return True

"""Sessions of browsers, kept on the server: what the cookie holds is random and only its hash is stored."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, or_, update

from camera_registry.model.people import User
from camera_registry.store.access import digest, user_of, with_contractor
from camera_registry.store.statements import insert
from camera_registry.store.tables import AccountRow, SessionRow, table

_SESSIONS = table(SessionRow)
_ACCOUNTS = table(AccountRow)

_TOUCH_EVERY = timedelta(minutes=1)
"""A page view is noted at most this often: reading must not mean writing."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lasts without use, and at most."""

    idle: timedelta
    absolute: timedelta


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in user. ``csrf`` must come back with every edit. ``touch_due``: call ``touch`` with the cookie."""

    user: User
    csrf: str
    created_at: datetime
    touch_due: bool


def create(tx: Connection, account: str, address: str, at: datetime) -> str:
    """Begin a session; the returned secret goes into the cookie and nowhere else."""
    secret = secrets.token_urlsafe(32)
    row = {"token_hash": digest(secret), "account": account, "csrf": secrets.token_urlsafe(32), "address": address}
    insert(tx, _SESSIONS, [{**row, "created_at": at, "seen_at": at}])
    return secret


def find(tx: Connection, secret: str, at: datetime, limits: Limits) -> Session | None:
    """The session of a cookie, if it is still good and its account may sign in."""
    query = (
        with_contractor()
        .add_columns(_SESSIONS.c.csrf, _SESSIONS.c.created_at.label("begun_at"), _SESSIONS.c.seen_at)
        .join(_SESSIONS, _SESSIONS.c.account == _ACCOUNTS.c.name)
        .where(_SESSIONS.c.token_hash == digest(secret))
    )
    row = tx.execute(query).first()
    if row is None or not row.active or at - row.seen_at > limits.idle or at - row.begun_at > limits.absolute:
        return None
    return Session(user_of(row), row.csrf, row.begun_at, at - row.seen_at > _TOUCH_EVERY)


def touch(tx: Connection, secret: str, at: datetime) -> None:
    """Note that the session was used."""
    tx.execute(update(_SESSIONS).where(_SESSIONS.c.token_hash == digest(secret)).values(seen_at=at))


def end(tx: Connection, secret: str) -> None:
    """Sign out."""
    tx.execute(delete(_SESSIONS).where(_SESSIONS.c.token_hash == digest(secret)))


def sweep(tx: Connection, at: datetime, limits: Limits) -> int:
    """Forget sessions that are over; returns how many."""
    over = or_(_SESSIONS.c.seen_at < at - limits.idle, _SESSIONS.c.created_at < at - limits.absolute)
    return tx.execute(delete(_SESSIONS).where(over)).rowcount

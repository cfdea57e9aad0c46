"""Who may sign in: accounts, the one-time set-up token, and the memory of failed attempts."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, select, update

from camera_registry.model.people import Role, User
from camera_registry.store import audit
from camera_registry.store.columns import clean
from camera_registry.store.errors import Refused
from camera_registry.store.statements import insert, upsert
from camera_registry.store.tables import AccountRow, CrewRow, LoginFailureRow, SessionRow, SetupRow, table

_ACCOUNTS = table(AccountRow)
_CREWS = table(CrewRow)
_SESSIONS = table(SessionRow)
_SETUP = table(SetupRow)
_FAILURES = table(LoginFailureRow)

FREE_FAILURES = 3
"""So many wrong passwords in a row cost nothing; each further one doubles the wait, from one second."""
FREE_FAILURES_ADDRESS = 20
"""The same for an address: a whole office may sign in through one."""
SETUP_TOKENS = 3
LONGEST_WAIT = timedelta(minutes=15)
FORGET_FAILURES = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Account:
    """A user with what a sign-in is compared with."""

    user: User
    password_hash: str
    created_at: datetime


def digest(secret: str) -> str:
    """What is kept of a random secret. A plain hash is enough: 256 random bits can't be guessed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def accounts(tx: Connection) -> list[Account]:
    """Everybody, by name."""
    return [_account(row) for row in tx.execute(with_contractor().order_by(_ACCOUNTS.c.name))]


def account(tx: Connection, name: str) -> Account | None:
    """One account."""
    row = tx.execute(with_contractor().where(_ACCOUNTS.c.name == clean(name))).first()
    return None if row is None else _account(row)


def user_of(row: Row[Any]) -> User:
    """The user in a row of ``account``, joined with the ``contractor`` of the crew."""
    return User(row.name, row.role, row.language, row.active, row.crew, row.contractor or "")


def create_account(tx: Connection, user: User, password_hash: str, *, author: str, at: datetime) -> None:
    """Add somebody. Set-up tokens that wait are void from then on. Raises Refused if the name is taken, or the
    crew does not fit."""
    if account(tx, user.name) is not None:
        raise Refused("user_exists", name=user.name)
    _refuse_wrong_crew(tx, user)
    row = {"name": user.name, "role": user.role, "language": user.language, "active": user.active, "crew": user.crew}
    tx.execute(delete(_SETUP))
    insert(tx, _ACCOUNTS, [{**row, "password_hash": password_hash, "created_at": at}])
    audit.append(tx, author, "user.create", f"user/{user.name}", _told(user, {"role": user.role.value}), at)


def edit_account(tx: Connection, user: User, *, author: str, at: datetime) -> None:
    """Change role, crew, language or whether an account may sign in; a changed role or crew or a closed account ends
    its sessions. Whoever is of a crew no more leaves it.

    Raises Refused for a name that does not exist, for a crew that does not fit, and where nobody could administer the
    registry any more.
    """
    before = _existing(tx, user.name)
    if user.role is not Role.CREW and before.user.role is Role.CREW:
        user = replace(user, crew="", contractor="")
    if before.user == user:
        return
    _refuse_wrong_crew(tx, user)
    if before.user.role is Role.ADMIN and before.user.active and not (user.role is Role.ADMIN and user.active):
        _refuse_last_admin(tx, user.name)
    values = {"role": user.role, "language": user.language, "active": user.active, "crew": user.crew}
    tx.execute(update(_ACCOUNTS).where(_ACCOUNTS.c.name == user.name).values(**values))
    if before.user.role is not user.role or before.user.crew != user.crew or not user.active:
        _end_sessions(tx, user.name)
    detail = {"role": user.role.value, "active": user.active, "language": user.language}
    audit.append(tx, author, "user.edit", f"user/{user.name}", _told(user, detail), at)


def set_password(tx: Connection, name: str, password_hash: str, *, author: str, at: datetime) -> None:
    """Change a password; all sessions of the account end. Raises Refused for a name that does not exist."""
    _existing(tx, name)
    tx.execute(update(_ACCOUNTS).where(_ACCOUNTS.c.name == name).values(password_hash=password_hash))
    _end_sessions(tx, name)
    forgive(tx, _subject(name))
    audit.append(tx, author, "user.password", f"user/{name}", None, at)


def remove_account(tx: Connection, name: str, *, author: str, at: datetime) -> None:
    """Forget somebody; what they did stays in the audit trail. Raises Refused like ``edit_account``."""
    before = _existing(tx, name)
    if before.user.role is Role.ADMIN and before.user.active:
        _refuse_last_admin(tx, name)
    _end_sessions(tx, name)
    tx.execute(delete(_ACCOUNTS).where(_ACCOUNTS.c.name == name))
    audit.append(tx, author, "user.remove", f"user/{name}", None, at)


def make_setup_token(tx: Connection, at: datetime) -> str | None:
    """A token that lets its bearer make the first administrator, shown now and never again. None once there is an
    account. `init` and the first starts give one each; the newest few are good until one of them is spent."""
    if tx.execute(select(func.count()).select_from(_ACCOUNTS)).scalar():
        return None
    token = secrets.token_urlsafe(24)
    insert(tx, _SETUP, [{"token_hash": digest(token), "created_at": at}])
    newest = select(_SETUP.c.token_hash).order_by(_SETUP.c.created_at.desc()).limit(SETUP_TOKENS)
    kept = list(tx.execute(newest).scalars())
    tx.execute(delete(_SETUP).where(_SETUP.c.token_hash.not_in(kept)))
    audit.append(tx, "system", "setup.token", "setup", None, at)
    return token


def set_up(tx: Connection, token: str, user: User, password_hash: str, *, at: datetime) -> bool:
    """Make the first administrator; False if the token is not one that waits. All that wait are spent by it."""
    if not setup_token_fits(tx, token):
        return False
    create_account(tx, user, password_hash, author="system", at=at)
    return True


def setup_token_fits(tx: Connection, token: str) -> bool:
    """Whether this is a set-up token that waits to be used."""
    return tx.execute(select(_SETUP.c.token_hash).where(_SETUP.c.token_hash == digest(token))).first() is not None


def sign_in_wait(tx: Connection, account_name: str, address: str, at: datetime) -> timedelta:
    """How long this account, or this address, has to wait before a password is looked at again."""
    waits = [timedelta(0)]
    for subject, free in _subjects(account_name, address):
        row = tx.execute(select(_FAILURES).where(_FAILURES.c.subject == subject)).first()
        if row is not None and row.failures > free and at - row.at < FORGET_FAILURES:
            # The exponent is capped so that the power stays small; the wait is capped long before.
            wait = min(LONGEST_WAIT, timedelta(seconds=2 ** min(row.failures - free - 1, 20)))
            waits.append(row.at + wait - at)
    return max(waits)


def note_failure(tx: Connection, account_name: str, address: str, at: datetime, *, own: bool = False) -> None:
    """Remember a wrong password, for the account (whether it exists or not) and for the address. ``own``: somebody who
    is signed in gave it for their own."""
    tx.execute(delete(_FAILURES).where(_FAILURES.c.at < at - FORGET_FAILURES))
    for subject, _ in _subjects(account_name, address):
        count = tx.execute(select(_FAILURES.c.failures).where(_FAILURES.c.subject == subject)).scalar() or 0
        upsert(tx, _FAILURES, [{"subject": subject, "failures": count + 1, "at": at}])
    name = clean(account_name)[:100]
    actor, action = (name, "user.password.failed") if own else ("anonymous", "sign_in.failed")
    audit.append(tx, actor, action, f"user/{name}", {"address": address}, at)


def forgive(tx: Connection, *subjects: str) -> None:
    """Forget the failures of these subjects."""
    tx.execute(delete(_FAILURES).where(_FAILURES.c.subject.in_(subjects)))


def note_success(tx: Connection, account_name: str, address: str, at: datetime) -> None:
    """Forget the account's failures. The address keeps its own: one good password must not pay for guessing others."""
    forgive(tx, _subject(account_name))
    audit.append(tx, account_name, "sign_in", f"user/{account_name}", {"address": address}, at)


def _subject(account_name: str) -> str:
    return f"account:{clean(account_name)[:100]}"


def _subjects(account_name: str, address: str) -> Sequence[tuple[str, int]]:
    return (_subject(account_name), FREE_FAILURES), (f"address:{address}", FREE_FAILURES_ADDRESS)


def with_contractor() -> Select[Any]:
    """Accounts joined with their crews, for ``user_of``; more columns may be added."""
    return select(_ACCOUNTS, _CREWS.c.contractor).join(_CREWS, _CREWS.c.id == _ACCOUNTS.c.crew, isouter=True)


def _account(row: Row[Any]) -> Account:
    return Account(user_of(row), row.password_hash, row.created_at)


def _told(user: User, detail: Mapping[str, object]) -> Mapping[str, object]:
    return {**detail, "crew": user.crew} if user.crew else detail


def _refuse_wrong_crew(tx: Connection, user: User) -> None:
    if not user.crew:
        return
    if user.role is not Role.CREW:
        raise Refused("user_no_crew", name=user.name, role=user.role)
    if tx.execute(select(_CREWS.c.id).where(_CREWS.c.id == clean(user.crew))).first() is None:
        raise Refused("no_crew", crew=user.crew)


def _existing(tx: Connection, name: str) -> Account:
    found = account(tx, name)
    if found is None:
        raise Refused("no_user", name=name)
    return found


def _refuse_last_admin(tx: Connection, name: str) -> None:
    others = select(func.count()).where(
        _ACCOUNTS.c.role == Role.ADMIN, _ACCOUNTS.c.active.is_(True), _ACCOUNTS.c.name != name
    )
    if not tx.execute(others).scalar():
        raise Refused("last_admin", name=name)


def _end_sessions(tx: Connection, name: str) -> None:
    tx.execute(delete(_SESSIONS).where(_SESSIONS.c.account == name))

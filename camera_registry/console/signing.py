"""Setting up, signing in and out, for pages and API alike: back-off before a password is looked at, and audit rows."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from weakref import WeakValueDictionary

from aiohttp import web

from camera_registry.console import identity
from camera_registry.console.deps import Deps
from camera_registry.console.problems import Problem
from camera_registry.console.routing import Asked
from camera_registry.model.people import Role, User
from camera_registry.settings import Settings
from camera_registry.store import access, audit, sessions
from camera_registry.store.access import Account
from camera_registry.store.errors import Refused
from camera_registry.store.passwords import Passwords, weakness

PASSWORDS = web.AppKey("passwords", Passwords)


class Doors:
    """One sign-in at a time for each account: a hundred guesses sent at once must not all be looked at before the
    first failure is noted."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, name: str) -> asyncio.Lock:
        return self._locks.setdefault(name, asyncio.Lock())


DOORS = web.AppKey("doors", Doors)


@dataclass(frozen=True, slots=True)
class Begun:
    """A session that has just begun."""

    user: User
    secret: str
    csrf: str

    def __repr__(self) -> str:
        return f"Begun(user={self.user!r})"


async def is_new(deps: Deps) -> bool:
    """Whether nobody has an account yet."""
    return not await deps.store.read(access.accounts)


async def sign_in(asked: Asked[Any, Any], name: str, password: str) -> Begun:
    """Begin a session. Raises Problem: wrong, or too many wrong before."""
    async with asked.request.app[DOORS].of(name):
        account = await _proven(asked, name, password)
        await asked.deps.store.write(access.note_success, name, identity.address(asked.request), asked.deps.now())
    return await _begin(asked, account.user)


async def _proven(asked: Asked[Any, Any], name: str, password: str, *, own: bool = False) -> Account:
    """The account of that name, if this is its password. Raises Problem: it is not, or too many were wrong before.
    ``own``: somebody who is signed in proves it again. Behind the door of that name."""
    deps, address = asked.deps, identity.address(asked.request)
    wait = await deps.store.read(access.sign_in_wait, name, address, deps.now())
    if wait > timedelta(0):
        seconds = math.ceil(wait.total_seconds())
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            "wait",
            headers={"Retry-After": str(seconds)},
            wait=asked.words.duration(timedelta(seconds=seconds)),
        )
    account = await deps.store.read(access.account, name)
    matches = await asked.request.app[PASSWORDS].matches(account.password_hash if account else None, password)
    now = deps.now()
    if account is None or not matches or not account.user.active:
        await deps.store.write(access.note_failure, name, address, now, own=own)
        if own:
            raise Problem(HTTPStatus.FORBIDDEN, "wrong_old_password")
        raise Problem(HTTPStatus.UNAUTHORIZED, "wrong_password")
    return account


async def set_up(asked: Asked[Any, Any], token: str, name: str, password: str) -> Begun:
    """Make the first administrator and sign in. Raises Problem."""
    deps = asked.deps
    name = name.strip()
    if not name or not name.isprintable():
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "user_name")
    if not await deps.store.read(access.setup_token_fits, token):
        raise Problem(HTTPStatus.FORBIDDEN, "setup_token")
    password_hash = await hashed(asked, password, name)
    user = User(name, Role.ADMIN, asked.words.language)
    if not await deps.store.write(access.set_up, token, user, password_hash, at=deps.now()):
        raise Problem(HTTPStatus.FORBIDDEN, "setup_token")
    return await _begin(asked, user)


async def hashed(asked: Asked[Any, Any], password: str, name: str) -> str:
    """What is kept of a new password. Raises Problem for a weak one."""
    if weakness(password, name) is not None:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "weak_password")
    return await asked.request.app[PASSWORDS].hash(password)


async def change_password(asked: Asked[Any, Any], old: str, password: str) -> Begun:
    """Change one's own password; every other session of the account ends. Raises Problem, after too many wrong ones
    too: whoever sits down at somebody's open page could else try as many as they like."""
    deps, name = asked.deps, asked.user.name
    async with asked.request.app[DOORS].of(name):
        account = await _proven(asked, name, old, own=True)
    password_hash = await hashed(asked, password, name)
    try:
        await deps.store.write(access.set_password, name, password_hash, author=name, at=deps.now())
    except Refused as error:
        raise Problem(HTTPStatus.CONFLICT, "refused", why=error) from error
    return await _begin(asked, account.user)


async def _begin(asked: Asked[Any, Any], user: User) -> Begun:
    deps = asked.deps
    secret = await deps.store.write(sessions.create, user.name, identity.address(asked.request), deps.now())
    session = await deps.store.read(sessions.find, secret, deps.now(), identity.limits(deps.settings()))
    return Begun(user, secret, session.csrf if session else "")


async def sign_out(asked: Asked[Any, Any]) -> None:
    """End the session; a token has none to end."""
    if asked.who is not None and asked.who.secret:
        await asked.deps.store.write(sessions.end, asked.who.secret)
        name = asked.user.name
        await asked.deps.store.write(audit.append, name, "sign_out", f"user/{name}", None, asked.deps.now())


def set_cookie(response: web.StreamResponse, session: Begun, settings: Settings) -> None:
    """The cookie that is the session: out of reach of scripts, never sent along by foreign pages' forms."""
    response.set_cookie(
        identity.cookie_name(settings),
        session.secret,
        max_age=int(settings.web.session_absolute),
        path="/",
        httponly=True,
        samesite="Lax",
        secure=identity.is_secure(settings),
    )


def clear_cookie(response: web.StreamResponse, settings: Settings) -> None:
    response.del_cookie(identity.cookie_name(settings), path="/", secure=identity.is_secure(settings))

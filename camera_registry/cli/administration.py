"""The commands of administrators: `user`, `token`, `credential` and `audit`."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from camera_registry.cli import coverage
from camera_registry.cli.outcome import FAULT, GOOD, CommandError
from camera_registry.cli.reports import audit_files, output
from camera_registry.cli.usage import table
from camera_registry.cli.values import number
from camera_registry.model.people import NAME, Role, User
from camera_registry.texts import Texts, texts

if TYPE_CHECKING:
    from camera_registry.cli.shape import Commands
    from camera_registry.store import Store

Command = Callable[[argparse.Namespace], int]

_MOST_DAYS = 36_500
"""A hundred years."""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Add the commands."""
    _add_user(commands, common)
    _add_token(commands, common)
    _add_credential(commands, common)
    audit = _group(commands, common, "audit")
    _verb(audit, common, "verify", audit_verify)
    coverage.add(audit, common)
    files = _verb(audit, common, "files", audit_files)
    files.add_argument("--area", default="", metavar="ID")
    files.add_argument("--contractor", default="", metavar="ID")
    output(files)


def _add_user(commands: Commands, common: argparse.ArgumentParser) -> None:
    verbs = _group(commands, common, "user")
    roles = [role.value for role in Role]
    _verb(verbs, common, "list", user_list)
    adding = _verb(verbs, common, "add", user_add, "name")
    adding.add_argument("--role", choices=roles, required=True)
    adding.add_argument("--language", choices=("zh", "en"), default="zh")
    adding.add_argument("--crew", default="")
    _password_option(adding)
    _password_option(_verb(verbs, common, "password", user_password, "name"))
    _verb(verbs, common, "role", user_role, "name").add_argument("role", choices=roles)
    moving = _verb(verbs, common, "crew", user_crew, "name")
    moving.add_argument("crew")
    _verb(verbs, common, "disable", user_disable, "name")
    _verb(verbs, common, "enable", user_enable, "name")
    _verb(verbs, common, "remove", user_remove, "name")


def _add_token(commands: Commands, common: argparse.ArgumentParser) -> None:
    verbs = _group(commands, common, "token")
    _verb(verbs, common, "list", token_list)
    making = _verb(verbs, common, "create", token_create, "name")
    making.add_argument("--role", choices=[role.value for role in Role], required=True)
    making.add_argument("--days", type=number(0, _MOST_DAYS), default=365)
    _verb(verbs, common, "revoke", token_revoke, "prefix")


def _add_credential(commands: Commands, common: argparse.ArgumentParser) -> None:
    verbs = _group(commands, common, "credential")
    _verb(verbs, common, "list", credential_list)
    setting = _verb(verbs, common, "set", credential_set, "id")
    setting.add_argument("--username", default="")
    _password_option(setting)
    _verb(verbs, common, "remove", credential_remove, "id")
    _verb(verbs, common, "rotate-key", credential_rotate)


def user_list(args: argparse.Namespace) -> int:
    """Show everybody."""
    from camera_registry.store import access

    with _store(args) as store:
        users = [account.user for account in store.read_now(access.accounts)]
    return _show(args, [_user_row(user) for user in users])


def user_add(args: argparse.Namespace) -> int:
    """Add somebody."""
    from camera_registry.store import access

    if not re.fullmatch(NAME, args.name):
        raise CommandError("user_name")
    user = User(args.name, Role(args.role), args.language, crew=args.crew)
    kept = _new_password(args)
    with _store(args) as store:
        store.write_now(access.create_account, user, kept, **_by())
    return _show(args, [_user_row(user)])


def user_password(args: argparse.Namespace) -> int:
    """Set a password."""
    from camera_registry.store import access

    kept = _new_password(args)
    with _store(args) as store:
        store.write_now(access.set_password, args.name, kept, **_by())
    return GOOD


def user_role(args: argparse.Namespace) -> int:
    """Give another role."""
    return _edit_user(args, lambda user: replace(user, role=Role(args.role)))


def user_crew(args: argparse.Namespace) -> int:
    """Make somebody one of another crew."""
    return _edit_user(args, lambda user: replace(user, crew=args.crew))


def user_disable(args: argparse.Namespace) -> int:
    """Let a user sign in no more."""
    return _edit_user(args, lambda user: replace(user, active=False))


def user_enable(args: argparse.Namespace) -> int:
    """Let a user sign in again."""
    return _edit_user(args, lambda user: replace(user, active=True))


def user_remove(args: argparse.Namespace) -> int:
    """Forget a user."""
    from camera_registry.store import access

    with _store(args) as store:
        store.write_now(access.remove_account, args.name, **_by())
    return GOOD


def token_list(args: argparse.Namespace) -> int:
    """Show all tokens."""
    from camera_registry.store import tokens

    with _store(args) as store:
        found = store.read_now(tokens.listed)
    rows = [
        {
            "prefix": token.prefix,
            "name": token.name,
            "role": token.role.value,
            "expires_at": _time(token.expires_at),
            "used_at": _time(token.used_at),
        }
        for token in found
    ]
    return _show(args, rows)


def token_create(args: argparse.Namespace) -> int:
    """Make a token."""
    from camera_registry.store import tokens

    by = _by()
    expires_at = by["at"] + timedelta(days=args.days) if args.days else None
    with _store(args) as store:
        text = store.write_now(tokens.create, args.name, Role(args.role), expires_at=expires_at, **by)
    return _show(args, [{"token": text, "expires_at": _time(expires_at)}])


def token_revoke(args: argparse.Namespace) -> int:
    """End a token."""
    from camera_registry.store import tokens

    with _store(args) as store:
        if not store.write_now(tokens.revoke, args.prefix, **_by()):
            raise CommandError("no_token", prefix=args.prefix)
    return GOOD


def credential_list(args: argparse.Namespace) -> int:
    """Show which credentials there are."""
    from camera_registry.store import credentials

    with _store(args) as store:
        found = store.read_now(credentials.listed)
    rows = [
        {"id": one.id, "version": one.version, "changed_at": _time(one.changed_at), "devices": one.devices}
        for one in found
    ]
    return _show(args, rows)


def credential_set(args: argparse.Namespace) -> int:
    """Store a user name and password."""
    from camera_registry.cli.opening import password_from, settings_of, vault_of
    from camera_registry.store import credentials

    vault = vault_of(settings_of(args))
    password = password_from(args.password_file, args.id)
    with _store(args) as store:
        version = store.write_now(credentials.put, vault, args.id, args.username, password, **_by())
    return _show(args, [{"id": args.id, "version": version}])


def credential_remove(args: argparse.Namespace) -> int:
    """Forget a credential."""
    from camera_registry.store import credentials

    with _store(args) as store:
        if not store.write_now(credentials.remove, args.id, **_by()):
            raise CommandError("no_credential", id=args.id)
    return GOOD


def credential_rotate(args: argparse.Namespace) -> int:
    """Change the key: first it can open, then it seals everything, then the old one goes. Interrupted anywhere, every
    credential can still be opened, and the command can be given again."""
    from camera_registry.cli.opening import key_file, settings_of
    from camera_registry.store import StoreError, credentials, keys
    from camera_registry.store.credentials import Vault

    path = key_file(settings_of(args))
    try:
        with _store(args) as store:
            held = keys.read_keys(path)
            both = (keys.new_key(), *held)
            keys.write_keys(path, both)
            count = store.write_now(credentials.rotate, Vault(held), Vault(both), **_by())
            keys.write_keys(path, both[:1])
    except (OSError, StoreError) as error:
        raise CommandError("told", why=error) from error
    return _show(args, [{"credentials": count, "key_file": str(path)}])


def audit_verify(args: argparse.Namespace) -> int:
    """Check the chain of the audit trail."""
    from camera_registry.store import audit
    from camera_registry.texts import texts

    with _store(args) as store:
        verdict = store.read_now(audit.verify)
    if args.json:
        print(json.dumps(asdict(verdict)))
    else:
        words = texts(args.lang)
        key = "administration.audit_good" if verdict.broken is None else "administration.audit_broken"
        print(words(key, rows=verdict.rows, broken=verdict.broken, reason=verdict.reason))
    return GOOD if verdict.broken is None else FAULT


def _user_row(user: User) -> Mapping[str, object]:
    return {"name": user.name, "role": user.role.value, "crew": user.crew or None, "active": user.active}


def _edit_user(args: argparse.Namespace, edit: Callable[[User], User]) -> int:
    from camera_registry.store import access

    with _store(args) as store:
        found = store.read_now(access.account, args.name)
        if found is None:
            raise CommandError("no_user", name=args.name)
        store.write_now(access.edit_account, edit(found.user), **_by())
    return GOOD


def _new_password(args: argparse.Namespace) -> str:
    """The hash of a password that is good enough."""
    from camera_registry.cli.opening import password_from
    from camera_registry.store.passwords import MAX_LENGTH, MIN_LENGTH, Passwords, weakness

    password = password_from(args.password_file, args.name)
    if (problem := weakness(password, args.name)) is not None:
        why = texts(args.lang)(f"weak_password.{problem}", least=MIN_LENGTH, most=MAX_LENGTH)
        raise CommandError("told", why=why)
    passwords = Passwords()
    try:
        return passwords.hash_now(password)
    finally:
        passwords.close()


@contextmanager
def _store(args: argparse.Namespace) -> Iterator[Store]:
    from camera_registry.cli.opening import settings_of, store_of

    with store_of(settings_of(args)) as store:
        yield store


class _By(TypedDict):
    author: str
    at: datetime


def _by() -> _By:
    """Who gives the command, and when."""
    from camera_registry.cli.opening import author

    return {"author": author(), "at": datetime.now(UTC)}


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")


def _show(args: argparse.Namespace, rows: Sequence[Mapping[str, object]]) -> int:
    if args.json:
        print(json.dumps(rows, ensure_ascii=False))
        return GOOD
    words = texts(args.lang)
    if not rows:
        print(words("listed.none"))
    else:
        head = [words(f"listed.{name}") for name in rows[0]]
        lines = [head, *([_cell(words, value) for value in row.values()] for row in rows)]
        print("\n".join(table(lines)))
    return GOOD


def _cell(words: Texts, value: object) -> str:
    if isinstance(value, bool):
        return words("listed.yes") if value else words("listed.no")
    return "-" if value is None else str(value)


def _group(commands: Commands, common: argparse.ArgumentParser, name: str) -> Commands:
    group = commands.add_parser(name, parents=[common])
    return group.add_subparsers(title="commands", dest="verb", metavar="VERB", required=True)


def _verb(
    verbs: Commands, common: argparse.ArgumentParser, name: str, command: Command, argument: str = ""
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, parents=[common])
    if argument:
        parser.add_argument(argument, metavar=argument.upper())
    parser.set_defaults(func=command)
    return parser


def _password_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--password-file", type=Path, metavar="FILE")

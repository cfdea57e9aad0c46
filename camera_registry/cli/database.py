"""The commands that make, migrate, copy and bring back the database: `init`, `migrate`, `backup`, `restore`."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from camera_registry.cli.outcome import GOOD, CommandError, why

if TYPE_CHECKING:
    from camera_registry.cli.shape import Commands


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Add the commands."""
    init = commands.add_parser("init", parents=[common])
    init.set_defaults(func=make)
    moving = commands.add_parser("migrate", parents=[common])
    moving.set_defaults(func=migrate)
    copying = commands.add_parser("backup", parents=[common])
    copying.add_argument("file", type=Path, nargs="?", metavar="FILE")
    copying.set_defaults(func=copy)
    restoring = commands.add_parser("restore", parents=[common])
    restoring.add_argument("file", type=Path, metavar="FILE")
    restoring.set_defaults(func=restore)


def make(args: argparse.Namespace) -> int:
    """Make what a new registry needs."""
    from camera_registry.cli.opening import key_file, settings_of, store_of
    from camera_registry.store import Shape, StoreError, access, credentials
    from camera_registry.texts import texts

    loaded = settings_of(args)
    path = key_file(loaded)
    with store_of(loaded, Shape.UPGRADED) as store:
        try:
            made = not path.exists()
            store.read_now(credentials.open_vault, path)
        except (OSError, StoreError) as error:
            raise CommandError("told", why=error) from error
        token = store.write_now(access.make_setup_token, datetime.now(UTC))
    told = {"directory": str(loaded.storage.directory), "key_file": str(path), "setup_token": token}
    if args.json:
        print(json.dumps(told, ensure_ascii=False))
        return GOOD
    words = texts(args.lang)
    print(words("database.ready", directory=loaded.storage.directory))
    print(words("database.key_made" if made else "database.key_kept", file=path))
    print(words("database.no_token") if token is None else words("database.token", token=token))
    return GOOD


def migrate(args: argparse.Namespace) -> int:
    """Bring the database up to date: opening it does that."""
    from camera_registry.cli.opening import settings_of, store_of
    from camera_registry.store import Shape
    from camera_registry.store.migrations import HEAD
    from camera_registry.texts import texts

    with store_of(settings_of(args), Shape.UPGRADED):
        pass
    print(json.dumps({"version": HEAD}) if args.json else texts(args.lang)("database.migrated", version=HEAD))
    return GOOD


def copy(args: argparse.Namespace) -> int:
    """Copy the database."""
    from camera_registry.cli.opening import author, settings_of, store_of
    from camera_registry.store import audit, backup
    from camera_registry.texts import texts

    loaded = settings_of(args)
    with store_of(loaded) as store:
        if store.file is None:
            raise CommandError("dump")
        if args.file is not None and not args.file.absolute().parent.is_dir():
            # More often a disk that is not mounted than a folder that nobody has made yet.
            raise CommandError("no_folder", file=args.file, folder=args.file.absolute().parent)
        target = args.file or loaded.storage.directory / "backups" / f"{_stamp()}.db"
        _require_other(target, store.file)
        store.write_now(audit.append, author(), "database.backup", "database", None, datetime.now(UTC))
        try:
            backup.copy(store.file, target)
        except OSError as error:
            raise CommandError("unwritable", file=target, why=why(error)) from error
    print(json.dumps({"file": str(target)}) if args.json else texts(args.lang)("database.copied", file=target))
    return GOOD


def restore(args: argparse.Namespace) -> int:
    """Put a copy in place of the database, after copying what was there."""
    from camera_registry.cli.opening import author, settings_of, store_of
    from camera_registry.store import Shape, StoreError, audit, backup
    from camera_registry.texts import texts

    loaded = settings_of(args)
    try:
        backup.check(args.file)
        with store_of(loaded, Shape.ANY) as store:
            if store.file is None:
                raise CommandError("undump")
            _require_other(args.file, store.file)
            store.claim()
            kept = loaded.storage.directory / "backups" / f"before-restore-{_stamp()}.db"
            backup.copy(store.file, kept)
            backup.restore(args.file, store.file)
        # A copy of an earlier version is brought up to date.
        with store_of(loaded, Shape.UPGRADED) as store:
            detail = {"kept": kept.name}
            store.write_now(audit.append, author(), "database.restore", "database", detail, datetime.now(UTC))
    except StoreError as error:
        raise CommandError("told", why=error) from error
    except OSError as error:
        raise CommandError("unrestored", file=args.file, why=why(error)) from error
    told = {"restored": str(args.file), "kept": str(kept)}
    print(json.dumps(told) if args.json else texts(args.lang)("database.restored", file=args.file, kept=kept))
    return GOOD


def _require_other(file: Path, database: Path) -> None:
    """Raises CommandError where a copy is the database itself, or what SQLite keeps beside it."""
    if file.resolve() in {database.with_name(database.name + end).resolve() for end in ("", "-wal", "-shm")}:
        raise CommandError("own_database", file=file)


def _stamp() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"

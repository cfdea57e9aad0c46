"""Copies of a live SQLite database, and their way back. Both run beside open connections, page by page.

PostgreSQL has its own tools for this (pg_dump, pg_restore, continuous archiving), and they are better.
"""

from __future__ import annotations

import errno
import sqlite3
from contextlib import closing
from pathlib import Path

from camera_registry.store.errors import StoreError
from camera_registry.store.migrations import known_versions

_LEFT_ALONE_SECONDS = 15.0


def copy(source: Path, target: Path) -> None:
    """Copy a live database, complete and consistent, into one file for its owner alone; its folder is made if there is
    none. Raises OSError."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    try:
        partial.touch(mode=0o600)
        with closing(_read_only(source)) as reading, closing(sqlite3.connect(partial)) as writing:
            reading.backup(writing)
            # A copy is one file: no -wal beside it that somebody could forget.
            writing.execute("PRAGMA journal_mode=DELETE")
        partial.replace(target)
    except sqlite3.Error as error:
        raise OSError(errno.EIO, str(error), str(target)) from error
    finally:
        partial.unlink(missing_ok=True)


def check(source: Path) -> str:
    """The version of a copy that is good to restore. Raises StoreError for anything else."""
    if not source.is_file():
        raise StoreError("no_copy", file=source)
    try:
        with closing(_read_only(source)) as reading:
            if reading.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise StoreError("damaged_copy", file=source)
            row = reading.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise StoreError("foreign_copy", file=source, why=error) from error
    if row is None or row[0] not in known_versions():
        raise StoreError("newer_copy", file=source)
    return str(row[0])


def restore(source: Path, target: Path) -> None:
    """Put a copy in place of everything in a database, in one transaction: killed half-way, the old content stays.
    Raises OSError."""
    try:
        with closing(_read_only(source)) as reading, closing(sqlite3.connect(target)) as writing:
            writing.execute(f"PRAGMA busy_timeout={int(_LEFT_ALONE_SECONDS * 1000)}")
            reading.backup(writing)
            writing.execute("PRAGMA journal_mode=WAL")
    except sqlite3.Error as error:
        raise OSError(errno.EIO, str(error), str(target)) from error


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)

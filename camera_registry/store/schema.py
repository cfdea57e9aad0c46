"""Brings a database to the shape this program knows, or says why it can't.

All steps run in one transaction on both databases: killed half-way, the old shape is what remains.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from camera_registry.store.errors import StoreError
from camera_registry.store.migrations import HEAD

_STEPS = Path(__file__).with_name("migrations")


def migrate(engine: Engine, directory: Path) -> str | None:
    """Bring the database up to date. Returns the version it had (None: it was empty)."""
    with engine.connect() as connection:
        before = version(connection)
        empty = before is None and not inspect(connection).get_table_names()
    if before == HEAD:
        return before
    _refuse_strangers(before, empty=empty)
    if before is not None and engine.dialect.name == "sqlite":
        assert engine.url.database is not None
        name = f"before-migration-from-{before}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.db"
        copy(Path(engine.url.database), directory / "backups" / name)
    with engine.begin() as connection:
        # Another process may have done it while we waited for the lock.
        if version(connection) != HEAD:
            _upgrade(connection)
    return before


def version(connection: Connection) -> str | None:
    """The newest step this database has taken; None before the first."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def copy(source: Path, target: Path) -> None:
    """Copy a live SQLite database, complete and consistent, for its owner alone."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    partial.touch(mode=0o600)
    reading = sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)
    writing = sqlite3.connect(partial)
    try:
        reading.backup(writing)
        # A copy is one file: no -wal beside it that somebody could forget.
        writing.execute("PRAGMA journal_mode=DELETE")
    finally:
        writing.close()
        reading.close()
    partial.replace(target)


def _refuse_strangers(before: str | None, *, empty: bool) -> None:
    known = sorted(path.stem[:4] for path in (_STEPS / "versions").glob("[0-9]*.py"))
    if before is not None and before not in known:
        raise StoreError(
            f"the database is of a newer version of this program (its shape is {before}, this program knows up to"
            f" {HEAD}): install the newer version again, or restore a backup that was made before the upgrade"
        )
    if before is None and not empty:
        raise StoreError(
            "the database holds tables of another program: name an empty database in [storage] url, or another file"
        )


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - slow to load, and needed once in the life of a version
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_STEPS).replace("%", "%%"))
    command.upgrade(config, "head")

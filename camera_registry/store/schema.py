"""Brings a database to the shape this program knows, or says why it can't.

All steps run in one transaction on both databases: killed half-way, the old shape is what remains.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum, auto
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from camera_registry.store import backup
from camera_registry.store.errors import StoreError
from camera_registry.store.migrations import HEAD, STEPS, known_versions


class Shape(Enum):
    """What is done about the shape of a database that is opened."""

    UPGRADED = auto()
    """It is made where there is none, and brought up to date."""
    MADE = auto()
    """It is made where there is none; one of another release stays as it is and is refused."""
    KEPT = auto()
    """It must be there and of this release."""
    ANY = auto()
    """It is taken as it is."""


def settle(writer: Engine, reader: Engine, directory: Path, shape: Shape = Shape.UPGRADED) -> str | None:
    """Make sure that the database has the shape that is wanted. Returns the version it had (None: it was empty). One
    that is up to date is only read: opening it does not wait for somebody's long write. Raises StoreError."""
    with reader.connect() as connection:
        before = version(connection)
        empty = before is None and not inspect(connection).get_table_names()
    if before == HEAD or shape is Shape.ANY:
        return before
    _refuse_strangers(before, empty=empty)
    if empty and shape is Shape.KEPT:
        raise StoreError("no_database", database=writer.url.render_as_string(hide_password=True))
    if not empty and shape is not Shape.UPGRADED:
        raise StoreError("older_database", has=before, known=HEAD)
    if before is not None and writer.dialect.name == "sqlite":
        assert writer.url.database is not None
        name = f"before-migration-from-{before}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.db"
        backup.copy(Path(writer.url.database), directory / "backups" / name)
    with writer.begin() as connection:
        # Another process may have done it while we waited for the lock.
        if version(connection) != HEAD:
            _upgrade(connection)
    return before


def demand(connection: Connection) -> None:
    """Raise StoreError unless the database has the shape that this program knows."""
    found = version(connection)
    _refuse_strangers(found, empty=False)
    if found != HEAD:
        raise StoreError("older_database", has=found, known=HEAD)


def version(connection: Connection) -> str | None:
    """The newest step this database has taken; None before the first."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _refuse_strangers(before: str | None, *, empty: bool) -> None:
    if before is not None and before not in known_versions():
        raise StoreError("newer_database", has=before, known=HEAD)
    if before is None and not empty:
        raise StoreError("foreign_database")


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - slow to load, and needed once in the life of a version
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(STEPS).replace("%", "%%"))
    command.upgrade(config, "head")

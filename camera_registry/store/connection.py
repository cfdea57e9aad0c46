"""How this program talks to each database: addresses, switches set on every connection, and how a write begins.

SQLite: one file, WAL, ``synchronous=FULL`` (an acknowledged write survives kill -9 and a power cut), foreign keys
on, writes begin with BEGIN IMMEDIATE: the default deferred BEGIN loses updates or fails half-way when two write.
PostgreSQL: psycopg 3; writes begin with an advisory lock, which gives the same promise: one writer at a time, also
between the service and commands.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool

from camera_registry.store.errors import StoreError

SQLITE_FILE = "camera_registry.db"
BUSY_SECONDS = 15.0
"""How long a write waits for another process's write before it fails as unavailable."""
_SWITCHES = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "temp_store=MEMORY",
    # The log of a large import does not stay that large on disk.
    "journal_size_limit=16777216",
)
_WRITE_LOCK = 0x63616D0001
_APPLICATION = f"camera-registry {os.getpid()}"


def address(url: str, directory: Path) -> URL:
    """The database that ``url`` names; empty: SQLite in the data directory. Raises StoreError."""
    if not url:
        return URL.create("sqlite", database=str(directory / SQLITE_FILE))
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreError("no_address") from error
    match parsed.get_backend_name():
        case "sqlite":
            if not parsed.database or parsed.database == ":memory:":
                raise StoreError("no_sqlite_file")
            return parsed
        case "postgresql" | "postgres":
            return parsed.set(drivername="postgresql+psycopg")
        case other:
            raise StoreError("no_dialect", given=other)


def writer(url: URL) -> Engine:
    """An engine whose transactions write; it has one connection."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, "BEGIN IMMEDIATE", size=1)
    engine = _postgresql(url, size=1)

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITE_LOCK})")

    return engine


def reader(url: URL, size: int) -> Engine:
    """An engine whose transactions each see one unchanging picture of the database, and cannot write."""
    if url.get_backend_name() == "sqlite":
        engine = _sqlite(url, "BEGIN", size=size)

        @event.listens_for(engine, "connect")
        def forbid_writing(connection: Any, record: object) -> None:
            connection.execute("PRAGMA query_only=ON")

        return engine
    return _postgresql(url, size=size).execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def onlooker(url: URL) -> Engine:
    """An engine for one reader that leaves the database as it finds it, file for file."""
    if url.get_backend_name() != "sqlite":
        return reader(url, 1)
    path = Path(url.database or "").resolve()
    # Where there is no log beside it nobody has it open, and then none need be made to read it.
    how = {"mode": "ro"} if path.with_name(f"{path.name}-wal").exists() else {"immutable": "1"}
    there = url.set(database=f"file:{quote(str(path))}", query={"uri": "true", **how})
    return _sqlite(there, "BEGIN", size=1, switches=("query_only=ON",))


def make_file(path: Path) -> None:
    """Make the SQLite file for its owner alone; SQLite gives its -wal and -shm files the same rights."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def need_file(path: Path) -> None:
    """Raises StoreError where there is no SQLite file; to connect would make one."""
    if not path.exists():
        raise StoreError("no_database", database=path)


def _sqlite(url: URL, begin_statement: str, *, size: int, switches: Iterable[str] = _SWITCHES) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        # The driver must not begin transactions of its own; `begin` below does, with the right kind.
        connection.isolation_level = None
        for switch in switches:
            connection.execute(f"PRAGMA {switch}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql(begin_statement)

    return engine


def _postgresql(url: URL, *, size: int) -> Engine:
    return create_engine(
        url,
        pool_size=size,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={
            "application_name": _APPLICATION,
            "connect_timeout": 10,
            "options": f"-c lock_timeout={int(BUSY_SECONDS * 1000)} -c timezone=UTC",
        },
    )

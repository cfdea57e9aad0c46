"""The store itself: runs jobs on threads, each in one transaction; one writer, a few readers.

A job is an ordinary function whose first argument is the transaction. What it wrote is committed, on disk, when
the call returns; when it raises, nothing of it was written.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, ParamSpec, Self, TypeAlias, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from camera_registry.store import connection, instance, schema
from camera_registry.store.errors import Conflict, Full, Held, StoreError, Unavailable
from camera_registry.store.reserve import Reserve
from camera_registry.store.schema import Shape

Transaction: TypeAlias = Connection
"""What a job runs its statements in. Jobs neither commit nor roll back."""

P = ParamSpec("P")
T = TypeVar("T")

READERS = 4
_FULL = frozenset({"SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE"})
"""SQLite's names of what a full disk does to a write, as file systems tell it."""


class Store:
    """One database. Safe to use from the event loop (``write``, ``read``) and from threads (``*_now``)."""

    def __init__(self, writer: Engine, reader: Engine, directory: Path) -> None:
        self.directory = directory
        self._writer = writer
        self._reader = reader
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="store-write")
        self._reading = ThreadPoolExecutor(READERS, thread_name_prefix="store-read")
        self._claim: instance.Claim | None = None
        self.reserve = Reserve(directory, 0)
        """Disk space to fall back upon; a service keeps some (``keep_back``), commands do not."""

    @classmethod
    def open(cls, url: str, directory: Path, shape: Shape = Shape.UPGRADED) -> Self:
        """Open the database, making or migrating it first if ``shape`` says so. Raises StoreError.

        ``url`` empty: SQLite in ``directory``. A SQLite file is copied aside before it is migrated. A database of a
        newer version of this program is refused.
        """
        target = connection.address(url, directory)
        writer, reader = connection.writer(target), connection.reader(target, READERS)
        try:
            file = Path(target.database or "") if writer.dialect.name == "sqlite" else None
            if shape is not Shape.KEPT:
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                if file is not None:
                    connection.make_file(file)
            elif file is not None:
                connection.need_file(file)
            schema.settle(writer, reader, directory, shape)
        except (OSError, DBAPIError, StoreError) as error:
            writer.dispose()
            reader.dispose()
            if isinstance(error, StoreError):
                raise
            shown = target.render_as_string(hide_password=True)
            raise StoreError("unopened", database=shown, why=_reason(error)) from error
        return cls(writer, reader, directory)

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._writer.dialect.name

    @property
    def file(self) -> Path | None:
        """The SQLite file, if it is one."""
        name = self._writer.url.database
        return Path(name) if self.dialect == "sqlite" and name else None

    async def write(self, job: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``job`` on the writer thread; return after the commit. Raises Unavailable, Conflict, or what it raises.

        A caller that is cancelled does not stop a job that has begun: it commits or fails as a whole.
        """
        running = self._writing.submit(self._write, lambda tx: job(tx, *args, **kwargs))
        return await asyncio.wrap_future(running)

    async def read(self, job: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``job`` on a reader thread; it sees one unchanging picture of the database."""
        running = self._reading.submit(_run, self._reader, lambda tx: job(tx, *args, **kwargs))
        return await asyncio.wrap_future(running)

    def write_now(self, job: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """``write`` for commands and threads."""
        return self._writing.submit(self._write, lambda tx: job(tx, *args, **kwargs)).result()

    def read_now(self, job: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """``read`` for commands and threads."""
        return self._reading.submit(_run, self._reader, lambda tx: job(tx, *args, **kwargs)).result()

    def keep_back(self, megabytes: int) -> None:
        """Keep so much disk space in reserve from now on: a SQLite database goes on in it when the disk is full."""
        self.reserve = Reserve(self.directory, megabytes if self.file is not None else 0)
        self.reserve.keep()

    def _write(self, job: Callable[[Transaction], T]) -> T:
        try:
            return _run(self._writer, job)
        except Full:
            if not self.reserve.give_up():
                raise
            # What the log holds goes into the file, so that the log begins anew and grows no more.
            with contextlib.closing(self._writer.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return _run(self._writer, job)

    def claim(self) -> None:
        """Make this process the one service on this database, until it closes the store or dies. Raises StoreError.

        Commands (import, backup) need no claim: they write beside a service, one transaction at a time.
        """
        if self._claim is None:
            self._claim = instance.claim(self._writer, self.file)

    def held_by(self) -> str:
        """Which service runs on this database, or an empty text. Asked by taking its place for a moment."""
        try:
            instance.claim(self._writer, self.file).release()
        except Held as held:
            return held.holder
        return ""

    def hold(self) -> None:
        """Make sure of the claim from time to time: a database server that restarts forgets it. Raises ClaimLost when
        another service has taken it meanwhile, Unavailable while the server can't be asked."""
        if self._claim is not None:
            self._claim.hold()

    def close(self) -> None:
        """Finish the jobs that were given, then let go of the database."""
        self._reading.shutdown()
        self._writing.shutdown()
        self._reader.dispose()
        self._writer.dispose()
        if self._claim is not None:
            self._claim.release()
            self._claim = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


@contextlib.contextmanager
def onlooking(url: str, directory: Path) -> Iterator[Transaction]:
    """A transaction that sees one unchanging picture of a database and leaves it as it is: it is neither made nor
    brought up to date. ``url`` as in ``Store.open``. Raises StoreError, also where it is of an older release."""
    target = connection.address(url, directory)
    engine = connection.onlooker(target)
    try:
        with engine.begin() as tx:
            schema.demand(tx)
            yield tx
    except DBAPIError as error:
        shown = target.render_as_string(hide_password=True)
        raise StoreError("unopened", database=shown, why=_reason(error)) from error
    finally:
        engine.dispose()


def _run(engine: Engine, job: Callable[[Transaction], T]) -> T:
    try:
        with engine.begin() as tx:
            return job(tx)
    except IntegrityError as error:
        raise Conflict("conflict", why=_reason(error)) from error
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        if getattr(getattr(error, "orig", None), "sqlite_errorname", "") in _FULL:
            raise Full("full", why=_reason(error)) from error
        raise Unavailable("unavailable", why=_reason(error)) from error
    except DBAPIError as error:
        raise StoreError("failed", why=_reason(error)) from error


def _reason(error: Exception) -> str:
    """The database's own words, without the statement and its values: those may hold a secret."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__

"""One service a database: a second one is refused and told who holds it; a dead one holds nothing.

SQLite: flock on a file beside the database. PostgreSQL: an advisory lock on a connection of its own. The kernel or
the server lets go of either when the holder dies, however it dies.
"""

from __future__ import annotations

import fcntl
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine
from sqlalchemy.engine.interfaces import DBAPIConnection

from camera_registry.store.errors import ClaimLost, Held, StoreError, Unavailable

_INSTANCE_LOCK = 0x63616D0002


class Claim(Protocol):
    """Held until released or until the process ends."""

    def hold(self) -> None:
        """Make sure of it. Raises ClaimLost, or Unavailable while nobody can tell."""
        ...

    def release(self) -> None:
        """Let go."""
        ...


def claim(engine: Engine, file: Path | None) -> Claim:
    """Take the one place there is on this database. Raises Held that names the holder."""
    return _ServerClaim(engine) if file is None else _FileClaim(file.with_name(file.name + ".lock"))


class _FileClaim:
    """The kernel keeps it for as long as the process lives; there is nothing to make sure of."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 200).decode("utf-8", "replace").strip() or "another process"
            os.close(descriptor)
            raise Held("held_file", file=path, holder=holder) from None
        os.ftruncate(descriptor, 0)
        who = f"process {os.getpid()} on {socket.gethostname()}, since {datetime.now(UTC):%F %T} UTC\n"
        os.write(descriptor, who.encode())
        self._descriptor = descriptor

    def hold(self) -> None:
        pass

    def release(self) -> None:
        # The file stays: removing it would let two processes hold locks on two files of one name.
        os.close(self._descriptor)


class _ServerClaim:
    """The server keeps it for as long as the connection lives: a restart of the server, or a cut, ends it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._refused = engine.dialect.loaded_dbapi.Error
        """What the driver raises. Asked of the engine: who keeps a file loads no driver for a server."""
        self._connection = self._take()

    def hold(self) -> None:
        try:
            self._connection.cursor().execute("SELECT 1")
        except self._refused:
            self._connection.close()
            try:
                self._connection = self._take()
            except Unavailable:
                raise
            except StoreError as error:
                raise ClaimLost("claim_lost", why=error) from error

    def release(self) -> None:
        self._connection.close()

    def _take(self) -> DBAPIConnection:
        try:
            return self._try()
        except self._refused as error:
            raise Unavailable("holder_unknown") from error

    def _try(self) -> DBAPIConnection:
        positional, named = self._engine.dialect.create_connect_args(self._engine.url)
        connection = self._engine.dialect.connect(*positional, **named)
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("SELECT set_config('application_name', %s, false)", (_who(),))
        cursor.execute("SELECT pg_try_advisory_lock(%s)", (_INSTANCE_LOCK,))
        row = cursor.fetchone()
        if row is not None and row[0]:
            return connection
        cursor.execute(
            "SELECT application_name, client_addr FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE locktype = 'advisory' AND granted AND ((classid::bigint << 32) | objid::bigint) = %s",
            (_INSTANCE_LOCK,),
        )
        holder = cursor.fetchone()
        connection.close()
        named_holder = "another process" if holder is None else f"{holder[0]}, from {holder[1] or 'this machine'}"
        raise Held("held", holder=named_holder)


def _who() -> str:
    return f"camera-registry process {os.getpid()} on {socket.gethostname()}"[:63]

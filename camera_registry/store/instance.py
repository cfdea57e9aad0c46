"""One service a database: a second one is refused and told who holds it; a dead one holds nothing.

SQLite: flock on a file beside the database. PostgreSQL: an advisory lock on a connection of its own. The kernel or
the server lets go of either when the holder dies, however it dies.
"""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from camera_registry.store.errors import StoreError

_INSTANCE_LOCK = 0x63616D0002
_REMEDY = "stop that one first, or give this one a database of its own ([storage] in the settings)"


@dataclass(frozen=True, slots=True)
class Claim:
    """Held until released or until the process ends."""

    release: Callable[[], None]


def claim(engine: Engine, file: Path | None) -> Claim:
    """Take the one place there is on this database. Raises StoreError that names the holder."""
    return _claim_server(engine) if file is None else _claim_file(file.with_name(file.name + ".lock"))


def _claim_file(path: Path) -> Claim:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 200).decode("utf-8", "replace").strip() or "another process"
        os.close(descriptor)
        raise StoreError(f"{path}: another service runs on this database ({holder}); {_REMEDY}") from None
    os.ftruncate(descriptor, 0)
    os.write(
        descriptor, f"process {os.getpid()} on {socket.gethostname()}, since {datetime.now(UTC):%F %T} UTC\n".encode()
    )
    # The file stays: removing it would let two processes hold locks on two files of one name.
    return Claim(lambda: os.close(descriptor))


def _claim_server(engine: Engine) -> Claim:
    holding = engine.dialect.create_connect_args(engine.url)
    connection = engine.dialect.connect(*holding[0], **holding[1])
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("SELECT set_config('application_name', %s, false)", (_who(),))
    cursor.execute("SELECT pg_try_advisory_lock(%s)", (_INSTANCE_LOCK,))
    row = cursor.fetchone()
    if row is not None and row[0]:
        return Claim(connection.close)
    cursor.execute(
        "SELECT application_name, client_addr FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE locktype = 'advisory' AND granted AND ((classid::bigint << 32) | objid::bigint) = %s",
        (_INSTANCE_LOCK,),
    )
    holder = cursor.fetchone()
    connection.close()
    named = "another process" if holder is None else f"{holder[0]}, from {holder[1] or 'this machine'}"
    raise StoreError(f"another service runs on this database ({named}); {_REMEDY}")


def _who() -> str:
    return f"camera-registry process {os.getpid()} on {socket.gethostname()}"[:63]

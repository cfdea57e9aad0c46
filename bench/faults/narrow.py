"""Runs the service as if the disk of its data directory were small: `python -m bench.faults.narrow`, then as ever.

A double of a full disk for whoever may not mount a small one: once the files in the directory are as large as the disk,
each statement that writes fails as SQLite fails then, and no room is reported free. What a file system does on top (a
log that was cut, a shared memory that can't grow) takes a real one.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections import namedtuple
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from camera_registry.cli import main

MEGABYTES = 48
"""Of the small disk: the reserve and some more."""
WRITES = ("INSERT", "UPDATE", "DELETE")


def room(directory: Path) -> int:
    """Bytes that are free."""
    return max(0, MEGABYTES * 1_048_576 - sum(file.stat().st_size for file in directory.glob("*") if file.is_file()))


def narrow() -> None:
    """Make the disk small for this process."""
    usage = namedtuple("usage", "total used free")  # noqa: PYI024 - as shutil has it
    shutil.disk_usage = lambda path: usage(MEGABYTES * 1_048_576, 0, room(Path(path)))  # type: ignore[assignment]

    @event.listens_for(Engine, "do_execute")
    def refuse(cursor: Any, statement: str, parameters: object, context: Any) -> None:
        file = context.engine.url.database
        if statement.lstrip().startswith(WRITES) and not room(Path(file).parent):
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorname = "SQLITE_FULL"
            raise error


if __name__ == "__main__":
    narrow()
    sys.exit(main())

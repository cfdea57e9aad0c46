"""The reserve: a file that keeps disk space back, so that there is room to go on writing when the disk is full."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from pathlib import Path

log = logging.getLogger(__name__)

NAME = "reserve"
MEGABYTE = 1_048_576


class Reserve:
    """One file of ``megabytes`` in the data directory; 0: none is kept. Safe to use from threads: files are."""

    def __init__(self, directory: Path, megabytes: int) -> None:
        self._file = directory / NAME
        self._size = megabytes * MEGABYTE

    @property
    def spent(self) -> bool:
        """Whether it was given up and could not be made again: the disk is full, or nearly so."""
        return self._size > 0 and not self._file.exists()

    def keep(self) -> None:
        """Make it where there is none, if that leaves as much again free."""
        if not self.spent or shutil.disk_usage(self._file.parent).free < 2 * self._size:
            return
        partial = self._file.with_name(f"{NAME}.partial")
        try:
            with partial.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self._size)
            partial.replace(self._file)
        except OSError as error:
            partial.unlink(missing_ok=True)
            log.warning("no disk space is kept in reserve: %s", error)

    def give_up(self) -> bool:
        """Make its room free; False: there is none to give."""
        with contextlib.suppress(FileNotFoundError):
            self._file.unlink()
            log.error(
                "the disk is full: %d MB that were kept in reserve are used now; make room", self._size // MEGABYTE
            )
            return True
        return False

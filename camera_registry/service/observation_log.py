"""The observation log: takes down what reaches the ledger and the casebook, off the loop, and never holds either up.

What was noted is on disk before the store has what it led to. A line that can't be written is lost and counted; the
next one that can is preceded by a record of how many are missing.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import os
import shutil
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from camera_registry import __version__
from camera_registry.service.replay.reading import NAMES
from camera_registry.service.replay.records import Line, Lost, Record, encode, header

log = logging.getLogger(__name__)

MOST_WAITING = 20_000
"""Records that wait for a disk that does not answer; what comes then is lost."""


class Silent:
    """What takes nothing down: the log of a service that keeps none."""

    keeps = False
    n = 0
    """The number of the newest record."""

    def note(self, at: datetime, record: Record) -> int:
        """Take down what is given to the rules at this time; returns its number (0: nothing was taken down)."""
        return 0

    async def flush(self) -> None:
        """Write what was noted."""

    async def run(self) -> None:
        """Write what nobody else has written, and put old files away, until cancelled."""

    def close(self) -> None:
        """Write what waits and let go of the file."""


class ObservationLog(Silent):
    """Files of one folder, the oldest of which are compressed and at last removed. ``note`` may be called anywhere."""

    keeps = True

    def __init__(self, folder: Path, size: int, most: int, now: Callable[[], datetime]) -> None:
        self.lost = 0
        """Records that were lost since the service began."""
        self.failing = False
        """Whether the newest could not be written."""
        self._folder, self._size, self._most, self._now = folder, size, most, now
        self._waiting: list[Line] = []
        self._missing = 0
        self._why = ""
        self._guard = threading.Lock()
        self._turn = threading.Lock()
        self._file: BinaryIO | None = None
        self._path: Path | None = None
        self._good = 0

    def note(self, at: datetime, record: Record) -> int:
        with self._guard:
            self.n += 1
            if len(self._waiting) < MOST_WAITING:
                self._waiting.append(Line(self.n, at, record))
            else:
                self._lose(1, "the disk did not answer")
            return self.n

    async def flush(self) -> None:
        if self._waiting:
            await asyncio.to_thread(self.write)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(1)
            await self.flush()
            await asyncio.to_thread(self.tidy)

    def write(self) -> None:
        """Write what waits. What the disk refuses is lost."""
        with self._turn:
            with self._guard:
                batch, self._waiting = self._waiting, []
                if not batch:
                    return
                if self._missing:
                    # In the place of the newest that is missing, so that numbers go on without a gap of their own.
                    batch.insert(0, Line(batch[0].n - 1, self._now(), Lost(self._missing, self._why)))
            try:
                self._append(b"".join(map(encode, batch)))
            except OSError as error:
                reason = error.strerror or str(error)
                with self._guard:
                    self._lose(sum(1 for line in batch if not isinstance(line.record, Lost)), reason)
                if not self.failing:
                    log.warning("%s: the observation log can't be written: %s", self._path or self._folder, reason)
                self.failing = True
            else:
                if self.failing:
                    log.warning("the observation log is written again; %d records are missing", self._missing)
                if isinstance(batch[0].record, Lost):
                    with self._guard:
                        self._missing -= batch[0].record.records
                self.failing = False

    def tidy(self) -> None:
        """Compress the files that are full, and remove those that are too many."""
        try:
            for path in self._folder.glob("*.jsonl"):
                if path != self._path:
                    _compress(path)
            kept = sorted(self._folder.glob(NAMES))
            for path in kept[: max(0, len(kept) - self._most)]:
                path.unlink()
        except OSError as error:
            log.warning("old files of the observation log stay as they are: %s", error)

    def close(self) -> None:
        self.write()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _append(self, data: bytes) -> None:
        if self._file is None or self._good > self._size:
            self._open()
        assert self._file is not None
        try:
            _write_all(self._file, data)
        except OSError:
            # A line that was written in part would look like damage.
            os.ftruncate(self._file.fileno(), self._good)
            raise
        self._good += len(data)

    def _open(self) -> None:
        """Begin a new file: each start has one of its own, so that only the last line of a file can be torn."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        newest = max((int(path.name.split(".")[0].split("-")[1]) for path in self._folder.glob(NAMES)), default=0)
        path = self._folder / f"observations-{newest + 1:06}.jsonl"
        first = header(__version__)
        # Without a buffer of Python's, which a kill would lose.
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600), "wb", buffering=0)
        try:
            _write_all(file, first)
        except OSError:
            file.close()
            path.unlink()
            raise
        if self._file is not None:
            self._file.close()
        self._file, self._path, self._good = file, path, len(first)

    def _lose(self, records: int, why: str) -> None:
        self._missing += records
        self.lost += records
        self._why = why


def _write_all(file: BinaryIO, data: bytes) -> None:
    # A disk that is nearly full takes a part and says nothing.
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def _compress(path: Path) -> None:
    made = path.with_name(path.name + ".part")
    with path.open("rb") as whole, gzip.open(made, "wb", compresslevel=3) as packed:
        shutil.copyfileobj(whole, packed, 1 << 20)
    made.chmod(0o600)
    made.replace(path.with_name(path.name + ".gz"))
    path.unlink()

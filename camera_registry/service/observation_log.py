"""The observation log: takes down what reaches the ledger and the casebook, off the loop, and never holds either up.

What was noted is on disk before the store has what it led to. A line that can't be written is lost and counted; the
next one that can is preceded by a record of how many are missing. Beside a file lies a checkpoint, what was remembered
when it began, so that nothing waits until that is written; but for the first of a run, which begins with all of it.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import os
import shutil
import threading
from collections.abc import Awaitable, Callable
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

from camera_registry import __version__
from camera_registry.service.memory import Lists, Part
from camera_registry.service.replay.reading import CHECKPOINT, NAMES
from camera_registry.service.replay.records import Checkpoint, Line, Lost, Record, Remembered, encode, header
from camera_registry.store import Unavailable

log = logging.getLogger(__name__)

MOST_WAITING = 20_000
"""Records that wait for a disk that does not answer; what comes then is lost."""


class Silent:
    """What takes nothing down: the log of a service that keeps none."""

    keeps = False
    lost = 0
    """Records that were lost since the service began."""
    failing = False
    """Whether the newest could not be written."""
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
        self._folder, self._size, self._most, self._now = folder, size, most, now
        self.checkpoint: Callable[[], Awaitable[None]]
        """Begins a new file with a checkpoint, by ``turn`` and ``keep``. Raises Unavailable."""
        self._waiting: list[Line | int] = []
        """Lines, and the numbers of the files that begin between them."""
        self._missing = 0
        self._why = ""
        self._guard = threading.Lock()
        self._turn = threading.Lock()
        self._number = 0
        """That of the file which is written; 0: it is not known yet."""
        self._given = 0
        """The highest that a file was given."""
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
            if self._good > self._size:
                try:
                    await self.checkpoint()
                except Unavailable as error:
                    log.warning("the observation log goes on in its file until the store answers: %s", error)
            await asyncio.to_thread(self.tidy)

    def turn(self) -> tuple[Path, int]:
        """Go on in a new file with the next record. Returns the place of its checkpoint, and the record before."""
        with self._guard:
            self._given += 1
            self._waiting.append(self._given)
            return self._folder / f"{_name(self._given)}{CHECKPOINT}.jsonl.gz", self.n

    def keep(self, path: Path, n: int, at: datetime, checkpoint: Checkpoint, lists: Lists) -> None:
        """Write a checkpoint to its place, as things stood after record ``n``; a few seconds for a city."""
        part = path.with_name(path.name + ".part")
        try:
            with _created(part) as file, gzip.open(file, "wb", compresslevel=3) as packed:
                packed.write(header(__version__) + encode(Line(n, at, checkpoint)))
                for some in lists.parts():
                    packed.write(encode(Line(n, at, Remembered(some))))
                packed.write(encode(Line(n, at, Remembered(Part(), last=True))))
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            log.warning("%s: there is no checkpoint for this file: %s", path, error)

    def write(self) -> None:
        """Write what waits. What the disk refuses is lost."""
        with self._turn:
            with self._guard:
                batch, self._waiting = self._waiting, []
            for same, some in groupby(batch, lambda one: isinstance(one, Line)):
                if same:
                    self._write([one for one in some if isinstance(one, Line)])
                else:
                    self._leave(max(one for one in some if isinstance(one, int)))

    def _write(self, batch: list[Line]) -> None:
        with self._guard:
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
        """Compress the files that are full, and remove those that are too many, with their checkpoints."""
        try:
            for path in self._folder.glob("*.jsonl"):
                if path != self._path:
                    _compress(path)
            kept = sorted(self._folder.glob(NAMES))
            numbers = sorted({_number(path) for path in kept})
            for path in kept:
                if _number(path) in numbers[: -self._most]:
                    path.unlink()
        except OSError as error:
            log.warning("old files of the observation log stay as they are: %s", error)

    def close(self) -> None:
        self.write()
        self._leave(self._number)

    def _append(self, data: bytes) -> None:
        if self._good > 2 * self._size and self._given == self._number:
            # While the store does not answer there is no checkpoint, but a file still has an end.
            with self._guard:
                self._given += 1
            self._leave(self._given)
        if self._file is None:
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
        if not self._number:
            newest = max(map(_number, self._folder.glob(NAMES)), default=0)
            self._number = self._given = newest + 1
        path = self._folder / f"{_name(self._number)}.jsonl"
        first = header(__version__)
        file = _created(path)
        try:
            _write_all(file, first)
        except OSError:
            file.close()
            path.unlink()
            raise
        self._file, self._path, self._good = file, path, len(first)

    def _leave(self, number: int) -> None:
        """Let go of the file; what comes next goes into that of this number."""
        if self._file is not None:
            self._file.close()
        self._file, self._number, self._good = None, number, 0

    def _lose(self, records: int, why: str) -> None:
        self._missing += records
        self.lost += records
        self._why = why


def _name(number: int) -> str:
    return f"observations-{number:06}"


def _number(path: Path) -> int:
    return int(path.name.split(".")[0].split("-")[1])


def _created(path: Path) -> BinaryIO:
    # Without a buffer of Python's, which a kill would lose.
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600), "wb", buffering=0)


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

"""Photographs of work orders as files, under names of our own: the hash of what is in them.

Whoever took one was told that it is kept, so it is on disk before that: written aside, synced, renamed.
"""

from __future__ import annotations

import contextlib
import hashlib
from datetime import datetime, timedelta
from pathlib import Path

from camera_registry.store import durable
from camera_registry.store.columns import instant

_ABANDONED = timedelta(hours=1)


class Photographs:
    """The photographs under one directory. The calls block for a disk access each; run them on a thread."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def save(self, order: int, jpeg: bytes) -> str:
        """Keep a photograph of an order; returns its SHA-256, by which it is found again."""
        sha256 = hashlib.sha256(jpeg).hexdigest()
        durable.write(self._path(order, sha256), jpeg)
        return sha256

    def read(self, order: int, sha256: str) -> bytes | None:
        """The photograph, or None when it is kept no more, or is not what was kept."""
        try:
            jpeg = self._path(order, sha256).read_bytes()
        except FileNotFoundError:
            return None
        return jpeg if hashlib.sha256(jpeg).hexdigest() == sha256 else None

    def sweep(self, now: datetime, keep: timedelta) -> int:
        """Remove what is older than ``keep``, and what an interrupted write left; returns how many photographs went."""
        removed = 0
        for file in self.directory.glob("*/*"):
            partial = file.suffix == ".partial"
            with contextlib.suppress(FileNotFoundError):
                if now - instant(file.stat().st_mtime_ns // 1000) > (_ABANDONED if partial else keep):
                    file.unlink()
                    removed += not partial
        return removed

    def _path(self, order: int, sha256: str) -> Path:
        name = hashlib.sha256(f"{order}\0{sha256}".encode()).hexdigest()[:40]
        return self.directory / name[:2] / f"{name}.jpg"

"""Small JPEG pictures kept as health evidence: files with names of our own, the newest of each kind per channel.

Evidence may be lost in a power cut, so nothing is synced to disk; a file is written aside and renamed, so a reader
never sees half of one. The time of the picture is the file's own time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from camera_registry.store.columns import instant, microseconds

MAX_BYTES = 2_000_000
_JPEG_BEGIN = b"\xff\xd8"
_ABANDONED = timedelta(hours=1)
_EARLIER = timedelta(minutes=15)
"""How old the earlier picture is, at least: what drives past is gone by then."""


class PictureKind(StrEnum):
    """Which picture of a channel."""

    LAST = "last"
    LAST_GOOD = "last_good"
    LAST_FAULTY = "last_faulty"
    EARLIER = "earlier"
    """One from before the last one, as long as none of the channel is accepted: it bears the last one out."""
    BASELINE = "baseline"


@dataclass(frozen=True, slots=True)
class Picture:
    """A kept picture and when it was taken."""

    jpeg: bytes
    at: datetime


class Proof(StrEnum):
    """Which picture of a work order."""

    BEFORE = "before"
    AFTER = "after"


class Pictures:
    """The pictures under one directory. The calls block for a disk access each; run them on a thread."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.withheld: frozenset[tuple[str, str]] = frozenset()
        """Device and channel of those that nobody may look at until they are masked."""

    def save(self, device: str, channel: str, kind: PictureKind, jpeg: bytes, at: datetime) -> None:
        """Keep a picture in place of the earlier one of its kind. Raises ValueError for what is no small JPEG."""
        if not jpeg.startswith(_JPEG_BEGIN) or len(jpeg) > MAX_BYTES:
            raise ValueError(f"evidence of {device} is not a JPEG of at most {MAX_BYTES} bytes ({len(jpeg)} bytes)")
        _write(self._path(device, channel, kind), jpeg, at)

    def set_aside(self, device: str, channel: str, now: datetime) -> None:
        """Keep the last picture as the earlier one, where a new one comes and there is none of long enough ago."""
        earlier = self._path(device, channel, PictureKind.EARLIER)
        taken = _taken(earlier)
        if taken is not None and now - taken <= _EARLIER:
            return
        last = self.kept(device, channel, PictureKind.LAST)
        if last is not None:
            _write(earlier, last.jpeg, last.at)

    def read(self, device: str, channel: str, kind: PictureKind) -> Picture | None:
        """A kept picture, or None, also of a channel that is withheld."""
        return None if (device, channel) in self.withheld else self.kept(device, channel, kind)

    def kept(self, device: str, channel: str, kind: PictureKind) -> Picture | None:
        """A kept picture, or None, whoever may look at it."""
        return _read(self._path(device, channel, kind))

    def times(self, device: str, channel: str) -> dict[PictureKind, datetime]:
        """Which pictures of a channel there are, and when they were taken."""
        found: dict[PictureKind, datetime] = {}
        for kind in PictureKind if (device, channel) not in self.withheld else ():
            taken = _taken(self._path(device, channel, kind))
            if taken is not None:
                found[kind] = taken
        return found

    def remove(self, device: str, channel: str, kind: PictureKind | None = None) -> None:
        """Forget a channel's picture of a kind, or all of its pictures."""
        for one in PictureKind if kind is None else (kind,):
            self._path(device, channel, one).unlink(missing_ok=True)

    def sweep(self, now: datetime, keep: timedelta) -> int:
        """Remove pictures older than ``keep``, whatever their kind, and what an interrupted write left; returns how
        many pictures went."""
        removed = 0
        for file in self.directory.glob("*/*"):
            with contextlib.suppress(FileNotFoundError):
                if file.name.endswith(".partial"):
                    # Its time may be the picture's already; the inode's change time is when it was written.
                    if now - datetime.fromtimestamp(file.stat().st_ctime, UTC) > _ABANDONED:
                        file.unlink()
                elif now - instant(file.stat().st_mtime_ns // 1000) > keep:
                    file.unlink()
                    removed += 1
        return removed

    def _path(self, device: str, channel: str, kind: PictureKind) -> Path:
        name = hashlib.sha256(f"{device}\0{channel}\0{kind}".encode("utf-8", "replace")).hexdigest()[:40]
        return self.directory / name[:2] / f"{name}.jpg"


class Proofs:
    """The picture before and the one after the work of each order, in files that are named by its number."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.withheld: frozenset[str] = frozenset()
        """Devices of whose orders nobody may look at a picture until it is masked."""

    def keep(self, order: int, proof: Proof, picture: Picture) -> None:
        """Keep a picture for an order, in place of an earlier one."""
        _write(self._path(order, proof), picture.jpeg, picture.at)

    def show(self, order: int, about: str, proof: Proof) -> Picture | None:
        """A kept picture of an order about a device, or None, also where that is withheld."""
        return None if about in self.withheld else self.read(order, proof)

    def read(self, order: int, proof: Proof) -> Picture | None:
        """A kept picture, or None, whoever may look at it."""
        return _read(self._path(order, proof))

    def kept(self) -> dict[int, frozenset[Proof]]:
        """Which pictures there are, by the order's number."""
        found: dict[int, frozenset[Proof]] = {}
        for file in self.directory.glob("*.jpg"):
            number, _, proof = file.stem.partition("-")
            found[int(number)] = found.get(int(number), frozenset()) | {Proof(proof)}
        return found

    def remove(self, order: int, proof: Proof | None = None) -> None:
        """Forget one of an order's pictures, or both."""
        for one in Proof if proof is None else (proof,):
            self._path(order, one).unlink(missing_ok=True)

    def _path(self, order: int, proof: Proof) -> Path:
        return self.directory / f"{order}-{proof.value}.jpg"


def _write(path: Path, jpeg: bytes, at: datetime) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_bytes(jpeg)
    taken = microseconds(at) * 1000
    os.utime(partial, ns=(taken, taken))
    partial.replace(path)


def _taken(path: Path) -> datetime | None:
    try:
        return instant(path.stat().st_mtime_ns // 1000)
    except FileNotFoundError:
        return None


def _read(path: Path) -> Picture | None:
    try:
        with path.open("rb") as file:
            jpeg = file.read()
            at = instant(os.fstat(file.fileno()).st_mtime_ns // 1000)
    except FileNotFoundError:
        return None
    return Picture(jpeg, at) if jpeg.startswith(_JPEG_BEGIN) else None

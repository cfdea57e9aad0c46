"""Keeps what somebody wants accepted until it is done, so that a service that is stopped half way goes on with it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from camera_registry.model.baseline import Terms
from camera_registry.store import durable


@dataclass(frozen=True, slots=True)
class Wanted:
    """The newest pictures of these ``channels`` (device and channel), in their order, wanted by somebody at ``begun``
    (aware UTC)."""

    channels: tuple[tuple[str, str], ...]
    by: str
    begun: datetime
    terms: Terms


_WANTED = TypeAdapter(Wanted)


class AcceptanceFile:
    """The file of the job under way; there is none where nothing is. The calls block for a disk access each."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def save(self, wanted: Wanted) -> None:
        """Keep it. It is on the disk when this returns. Raises OSError."""
        durable.write(self._path, _WANTED.dump_json(wanted))

    def load(self) -> Wanted | None:
        """What is still wanted; None: nothing, or nothing that can be read."""
        try:
            return _WANTED.validate_json(self._path.read_bytes())
        except (OSError, ValidationError):
            return None

    def forget(self) -> None:
        """Nothing is wanted any more."""
        with suppress(OSError):
            self._path.unlink()

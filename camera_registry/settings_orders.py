"""This file has the settings of what people and other systems bring to work orders: photographs, and their reports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from camera_registry.model.wrong import Wrong
from camera_registry.settings_section import Section, empty, unread


class Photographs(Section):
    """Photographs of work orders: how large they may come, how large they are kept, how many, and for how long."""

    max_megabytes: float = Field(8, gt=0, le=8)
    longest_side: int = Field(1600, ge=320, le=2400)
    """Pixels."""
    per_order: int = Field(20, ge=1, le=200)
    keep_days: float = Field(400, ge=1)

    @property
    def max_bytes(self) -> int:
        return int(self.max_megabytes * 1024 * 1024)


class Callback(Section):
    """How a ticket platform reports on orders: with a token, or signed with the secret in ``secret_file``."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")] = "platform"
    """Under which its reports stand in time lines and in the audit trail, as ``callback/NAME``."""
    secret_file: Path | None = None

    def located(self, folder: Path) -> Callback:
        """The same, its path made whole."""
        return self.model_copy(update={"secret_file": self.secret_file and (folder / self.secret_file).resolve()})

    def secret(self) -> bytes:
        """What reports are signed with; empty: nothing. Raises OSError."""
        return self.secret_file.read_bytes().strip() if self.secret_file else b""

    def flaws(self) -> Iterator[Wrong]:
        """What pydantic can't see: a file that can't be read."""
        if self.secret_file is None:
            return
        try:
            if not self.secret():
                yield empty("callback.secret_file", self.secret_file)
        except OSError as error:
            yield unread("callback.secret_file", self.secret_file, error)

"""The seam of channels: a message to be taken somewhere, and the two ways in which that may fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from camera_registry.model.incident import Severity
from camera_registry.model.notice import Notice, Occasion


@dataclass(frozen=True, slots=True)
class Message:
    """One message as a channel sends it. ``subject`` is one line, ``lines`` the text, both in the channel's language.

    ``key`` is the same each time it is sent. ``notices`` are the first of ``total``, each with its own ``headline``;
    ``counts`` tells all of them. ``link`` leads to where more stands.
    """

    key: str
    channel: str
    subject: str
    lines: tuple[str, ...]
    notices: tuple[Notice, ...]
    headlines: tuple[str, ...]
    total: int
    counts: Mapping[tuple[Occasion, Severity], int]
    severity: Severity
    digest: bool
    link: str
    sent_at: datetime


class DeliveryError(Exception):
    """A channel did not take a message. ``permanent``: nor will it ever as it is; else it is tried again, not before
    ``retry_after`` seconds if the receiver asked for that. ``detail`` holds no secret."""

    def __init__(self, detail: str, *, permanent: bool = False, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.permanent = permanent
        self.retry_after = retry_after


class Channel(Protocol):
    """Somewhere that messages go. Its caller sets the deadline."""

    async def send(self, message: Message) -> None:
        """Hand a message over. Raises DeliveryError."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...

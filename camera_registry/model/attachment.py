"""Attachments of a work order: photographs by which a crew shows what it found and what it left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AttachmentKind(StrEnum):
    """What a photograph shows."""

    BEFORE = "before"
    AFTER = "after"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Attachment:
    """One photograph of an order: a JPEG of ``size`` bytes, whose SHA-256 in hexadecimal is ``sha256``. The number is
    given when it is kept. What is known of it outlives the picture itself."""

    id: int
    order: int
    kind: AttachmentKind
    author: str
    at: datetime
    size: int
    width: int
    height: int
    sha256: str

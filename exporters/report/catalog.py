"""The formats of reports by name, each loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

from exporters.report.document import Document

MEDIA = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "pdf": "application/pdf",
}
"""The media type of each format."""


class _Writer(Protocol):
    def write(self, document: Document) -> bytes: ...


def render(document: Document, kind: str) -> bytes:
    """The document in a format of ``MEDIA``. Raises ``pdf.NoBrowser`` where that can't be had."""
    assert kind in MEDIA
    return cast("_Writer", import_module(f"exporters.report.{kind}")).write(document)

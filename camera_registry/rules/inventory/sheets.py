"""Sheets: what a CSV file or a workbook holds, before anybody has asked what it means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

Cell = str | int | float | bool | datetime | date | time | timedelta | None
"""What a spreadsheet holds in a cell; a CSV file holds only text."""

CLEAR = "-"
"""Written in a cell, it empties the field; an empty cell leaves the field as it is."""


class Mark(str):
    """``CLEAR`` as an export writes it. A text that happens to be the same is written differently."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows as they stand in the file, empty ones included, so that the first has number 1. A CSV file has no name."""

    name: str
    rows: Sequence[Sequence[Cell]]


class Unreadable(Exception):
    """Bytes that are no inventory file; the message says why and what to do."""

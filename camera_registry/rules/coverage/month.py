"""This file goes from one month of a time zone to the next."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from camera_registry.rules.availability import midnight


def begin(text: str, zone: ZoneInfo) -> datetime:
    """When a month ``YYYY-MM`` begins, in UTC."""
    return midnight(date(int(text[:4]), int(text[5:]), 1), zone)


def following(text: str) -> str:
    """The month after ``YYYY-MM``."""
    return _moved(text, 1)


def preceding(text: str) -> str:
    """The month before."""
    return _moved(text, -1)


def _moved(text: str, by: int) -> str:
    count = int(text[:4]) * 12 + int(text[5:]) - 1 + by
    return f"{count // 12:04}-{count % 12 + 1:02}"

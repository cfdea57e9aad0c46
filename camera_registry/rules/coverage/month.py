"""This file lays out the months of a time zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo


class BadMonth(ValueError):
    """What was asked for is no month of which anything can be known; the message says why and what to do."""


def month(text: str, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """From when, included, until when a month ``YYYY-MM`` of a zone lasts, in UTC; the present one until ``now``.
    Raises BadMonth."""
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text) or text < "1970":
        raise BadMonth("write a month as 2026-10")
    since = begin(text, zone)
    if since >= now:
        raise BadMonth("that month is in the future; nothing is known of it")
    return since, min(begin(following(text), zone), now)


def begin(text: str, zone: ZoneInfo) -> datetime:
    """When a month begins, in UTC."""
    return datetime(int(text[:4]), int(text[5:]), 1, tzinfo=zone).astimezone(UTC)


def following(text: str) -> str:
    """The month after ``YYYY-MM``."""
    return _moved(text, 1)


def preceding(text: str) -> str:
    """The month before."""
    return _moved(text, -1)


def _moved(text: str, by: int) -> str:
    count = int(text[:4]) * 12 + int(text[5:]) - 1 + by
    return f"{count // 12:04}-{count % 12 + 1:02}"

"""This file puts cells into words, for formats that hold text alone, and makes device text harmless."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from exporters.report.document import Cell, Ratio

DASH = "–"
_MARK = "\N{REPLACEMENT CHARACTER}"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection")."""
_NUMBER = re.compile(r"[+-][0-9]+(\.[0-9]+)?")


def clean(text: str) -> str:
    """``text`` without what neither XML nor a spreadsheet takes: control characters and lone surrogates."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(one if one.isprintable() or one in "\n\t" or one == "\u3000" else _MARK for one in whole)


def harmless(text: str) -> str:
    """``text`` as a field of a CSV file that no spreadsheet takes for a formula; a number with its sign is none."""
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def shown(cell: Cell, zone: ZoneInfo) -> str:
    """A cell as people read it. A share is cut, never rounded up: 99.9999 % is not 100 %."""
    text = DASH
    match cell:
        case Ratio(value):
            text = percent(value)
        case timedelta():
            text = clock(cell)
        case datetime():
            text = f"{cell.astimezone(zone):%Y-%m-%d %H:%M:%S}"
        case date():
            text = cell.isoformat()
        case str():
            text = clean(cell)
        case int():
            text = f"{cell:,}"
        case float() if math.isfinite(cell):
            text = f"{cell:,.2f}"
    return text


def plain(cell: Cell, zone: ZoneInfo) -> str | int | float | None:
    """A cell as programs read it: shares as 0 to 1, lengths in seconds, times in ISO 8601 with their offset."""
    found: str | int | float | None = None
    match cell:
        case Ratio(value):
            found = value
        case timedelta():
            seconds = cell / timedelta(seconds=1)
            found = int(seconds) if seconds.is_integer() else seconds
        case datetime():
            found = cell.astimezone(zone).isoformat()
        case date():
            found = cell.isoformat()
        case str():
            found = clean(cell)
        case int():
            found = cell
        case float() if math.isfinite(cell):
            found = cell
    return found


def percent(value: float, digits: int = 3) -> str:
    """A share in per cent, cut after so many digits. What is a hair below a digit by the arithmetic of floats is it."""
    return f"{math.floor(value * 100 * 10**digits + 1e-6) / 10**digits:.{digits}f} %"


def clock(length: timedelta) -> str:
    """A length as hours, minutes and seconds; whole milliseconds where there are any."""
    sign = "-" if length < timedelta() else ""
    seconds, thousandths = divmod(abs(length) // timedelta(milliseconds=1), 1000)
    rest = f".{thousandths:03d}" if thousandths else ""
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{rest}"

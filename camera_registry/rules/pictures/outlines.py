"""This file reads where something stands in a picture, as people type it, and how a burnt-in clock is written.

Places are shares of the picture, 0 to 1 from its upper left corner, so they hold at any resolution: a box is four
numbers (left, top, width, height), a polygon six or more (x and y of each corner).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Point = tuple[float, float]
Outline = tuple[Point, ...]
"""The corners of a polygon, each x and y; the last is joined with the first."""
Box = tuple[float, float, float, float]
"""Left, top, width and height."""

CORNERS = 32
"""Most corners of an outline."""
CLOCK = "YYYY-MM-DD HH:MM:SS"
"""How a clock is written, where nothing is said of it."""
CODES = ("YYYY", "MM", "DD", "HH", "MM", "SS")
"""What a clock is written with; the second MM are the minutes."""

_NUMBER = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(%?)")
_BETWEEN = re.compile(r"[\s,，、()（）]+")
_CODE = re.compile(r"YYYY|AM/PM|[AP]M|TT|MM|DD|HH|SS|(?:星期|周)[X一二三四五六日天]|[年月日时時分秒]|[-/.:, ]")
_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?")
_PLACES = 4
"""Decimals that are kept: less than a pixel of any camera."""


def outline(text: str) -> Outline:
    """The corners of a box or a polygon. Raises ValueError for anything else, numbers outside 0 to 1 excepted."""
    numbers = _numbers(text)
    if len(numbers) == 4:
        left, top, width, height = numbers
        right, below = round(left + width, _PLACES), round(top + height, _PLACES)
        return (left, top), (right, top), (right, below), (left, below)
    if len(numbers) < 6 or len(numbers) % 2 or len(numbers) > 2 * CORNERS:
        raise ValueError(f"{len(numbers)} numbers are neither a box nor a polygon")
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def box(text: str) -> Box:
    """A box. Raises ValueError for anything else, numbers outside 0 to 1 excepted."""
    left, top, width, height = _numbers(text)
    return left, top, width, height


def inside(corners: Outline) -> bool:
    """Whether all of it lies in the picture."""
    return all(0 <= x <= 1 and 0 <= y <= 1 for x, y in corners)


def written(text: str) -> str:
    """The same outline as it is kept: the numbers of a box with blanks, a polygon's corners as ``x,y``."""
    numbers = [f"{number:g}" for number in _numbers(text)]
    if len(numbers) == 4:
        return " ".join(numbers)
    return " ".join(f"{x},{y}" for x, y in zip(numbers[::2], numbers[1::2], strict=True))


def layout(text: str) -> str:
    """How a clock is written, by the codes of ``CODES``; besides AM/PM, 年月日, and 星期X for any day of the week.

    Raises ValueError that names what can't be used."""
    upper = text.upper()
    strange = _CODE.sub("", upper)
    if strange:
        raise ValueError(strange)
    named = re.findall("YYYY|MM|DD|HH|SS", upper)
    missing = [code for code in ("YYYY", "DD", "HH") if named.count(code) != 1]
    missing += ["MM"] * (2 - min(2, named.count("MM"))) or (["MM"] if named.count("MM") > 2 else [])
    if missing or named.count("SS") > 1:
        raise ValueError(" ".join(missing) or "SS")
    return upper


def zone(text: str) -> tzinfo:
    """A time zone: its name (Asia/Urumqi), or its hours from UTC (+06:00, UTC+6). Raises ValueError."""
    if text.upper() in ("UTC", "GMT"):
        return UTC
    match = _OFFSET.fullmatch(text.upper())
    if match is not None:
        sign, hours, minutes = match.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
        if offset > timedelta(hours=14):
            raise ValueError(text)
        return timezone(-offset if sign == "-" else offset)
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(text) from error


def _numbers(text: str) -> Sequence[float]:
    found = []
    for part in _BETWEEN.split(text.strip(" ,()（），、")):
        match = _NUMBER.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is no number")
        found.append(round(float(match[1]) / (100 if match[2] else 1), _PLACES))
    return found

"""This file reads a device's clock: GetSystemDateAndTime (ONVIF Core 8.3.5)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from lxml import etree

from probes.wire.soap import Operation, local_of
from probes.wire.soap_shapes import Texts, texts_in
from probes.wire.text import clean, whole

_POSIX_ZONE = re.compile(r"(?:<[^>]{1,20}>|[A-Za-z]{3,40}?)([+-]?)(\d{1,2})(?::(\d{1,2}))?")
_CLOCK = frozenset({"utcdatetime", "localdatetime", "datetimetype", "tz"})
_MOMENT = ("year", "month", "day", "hour", "minute", "second")
_MIDNIGHT = timedelta(0)
_SAME = timedelta(seconds=2)
_DIGITS = 14
"""Of a moment, as long as one can be."""


@dataclass(frozen=True, slots=True)
class Clock:
    """GetSystemDateAndTime. ``moment`` is the device's time in UTC; ``other`` what it may be instead, where the device
    tells the same for UTC and for its local time although its zone says that they differ. ``source`` is "ntp", "manual"
    or empty."""

    moment: datetime
    other: datetime | None = None
    source: str = ""


def clock_in(status: int, body: bytes) -> Clock | None:
    """``read_clock`` of an answer with this HTTP status and these bytes. Raises SoapError."""
    return _clock_of(texts_in(status, body, Operation.TIME, _texts))


def read_time(answer: etree._Element) -> datetime | None:
    """The device's clock in UTC, or None; see ``read_clock``."""
    clock = read_clock(answer)
    return clock.moment if clock is not None else None


def read_clock(answer: etree._Element) -> Clock | None:
    """The device's clock: UTCDateTime, else LocalDateTime with its POSIX zone, else None.

    A leap second (60) or hour 24 rolls over; daylight saving is not applied, since rules differ from device to device.
    """
    return _clock_of(_texts(answer))


def moment_of(year: int, month: int, day: int, hour: int, minute: int, second: int) -> datetime | None:
    """A moment in UTC as devices count: hour 24 is the next day's first, minute 60 the next hour's, seconds leap. None
    for what is none."""
    try:
        if hour < 24 and minute < 60 and second < 60:
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        if hour <= 24 and minute <= 60 and second <= 61:
            return datetime(year, month, day, tzinfo=UTC) + timedelta(hours=hour, minutes=minute, seconds=second)
    except (ValueError, OverflowError):
        pass
    return None


def _texts(answer: etree._Element) -> Texts:
    """The parts of UTCDateTime, those of LocalDateTime, the zone and the source; empty where there is none."""
    told = _first_of_each(answer, _CLOCK)
    return (
        *_parts(told.get("utcdatetime")),
        *_parts(told.get("localdatetime")),
        *((part.text or "") if (part := told.get(name)) is not None else "" for name in ("tz", "datetimetype")),
    )


def _clock_of(texts: Texts) -> Clock | None:
    utc, local, zone = _moment(texts[:6]), _moment(texts[6:12]), texts[12]
    source = clean(texts[13]).lower()
    source = source if source in ("ntp", "manual") else ""
    try:
        by_zone = local + _west_of_utc(clean(zone)) if local is not None else None
    except OverflowError:
        by_zone = None
    if utc is None:
        return Clock(by_zone, source=source) if by_zone is not None else None
    same = local is not None and abs(utc - local) <= _SAME
    return Clock(utc, by_zone if same and by_zone != local else None, source)


@lru_cache(256)
def _west_of_utc(zone: str) -> timedelta:
    """What is added to local time to make it UTC, by a POSIX zone ("CST-8" is eight hours *east*); nothing if it can't
    be read."""
    found = _POSIX_ZONE.match(zone)
    if found is None:
        return _MIDNIGHT
    sign, hours, minutes = found.groups()
    west = timedelta(hours=int(hours), minutes=int(minutes or 0))
    if west > timedelta(hours=24):
        return _MIDNIGHT
    return -west if sign == "-" else west


def _first_of_each(answer: etree._Element, names: Collection[str]) -> Mapping[str, etree._Element]:
    """The first element of each of these (lower-case) local names anywhere below ``answer``, in one walk."""
    found: dict[str, etree._Element] = {}
    for element in answer.iter(etree.Element):
        name = local_of(element.tag)
        if name in names:
            found.setdefault(name, element)
    return found


def _parts(element: etree._Element | None) -> Texts:
    if element is None:
        return ("",) * len(_MOMENT)
    told = {local_of(part.tag): part.text for part in element.iter(etree.Element)}
    return tuple(told.get(name) or "" for name in _MOMENT)


def _moment(texts: Texts) -> datetime | None:
    digits = "".join(texts)
    if all(texts) and len(digits) <= _DIGITS and digits.isascii() and digits.isdigit():
        return moment_of(*map(int, texts))  # what all but a few say
    year, month, day, hour, minute, second = map(whole, texts)
    if year is None or month is None or day is None or hour is None or minute is None:
        return None
    return moment_of(year, month, day, hour, minute, second or 0)

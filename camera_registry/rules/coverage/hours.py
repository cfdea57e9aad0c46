"""This file decides when a site's hours are in force: ``HH:MM-HH:MM`` by the wall clock of a time zone, empty: always.

Hours that end before they begin run past midnight (``22:00-06:00``); hours that end where they begin are the whole day.
On the days when clocks change, hours last as long as the wall clock makes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

Span = tuple[datetime, datetime]
"""From, included, and until, not included."""

_DAY = timedelta(days=1)


def in_force(hours: str, zone: ZoneInfo, since: datetime, until: datetime) -> list[Span]:
    """The spans of ``since`` to ``until`` in which ``hours`` are in force, oldest first, none touching the next."""
    if not hours:
        return [(since, until)] if since < until else []
    found: list[Span] = []
    for begin, end in _daily(hours, zone, since, until):
        span = max(begin, since), min(end, until)
        if span[0] >= span[1]:
            continue
        if found and span[0] <= found[-1][1]:
            found[-1] = found[-1][0], max(span[1], found[-1][1])
        else:
            found.append(span)
    return found


def is_in_force(hours: str, zone: ZoneInfo, at: datetime) -> bool:
    """Whether ``hours`` are in force at this moment."""
    return bool(in_force(hours, zone, at, at + timedelta(microseconds=1)))


def _daily(hours: str, zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[Span]:
    begins, ends = (_minutes(part) for part in hours.split("-"))
    if ends <= begins:
        ends += 24 * 60
    day = since.astimezone(zone).date() - _DAY
    last = until.astimezone(zone).date()
    while day <= last:
        yield _moment(day, begins, zone), _moment(day, ends, zone)
        day += _DAY


def _minutes(clock: str) -> int:
    hour, minute = clock.split(":")
    return 60 * int(hour) + int(minute)


def _moment(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """The wall clock's so-manyth minute of a day, in UTC; a minute that clocks skip is where they skip to."""
    days, minute = divmod(minutes, 24 * 60)
    wall = datetime.combine(day + days * _DAY, time(minute // 60, minute % 60), zone)
    return wall.astimezone(UTC)

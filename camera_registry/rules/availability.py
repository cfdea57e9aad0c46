"""This file decides which time counts: periods and days of a zone, and the stretches that are kept out of rates.

What is good, bad or unknown at an instant, by the last flip of each aspect before it:

- an aspect counts from its first confirmed state until it is no longer measured; reach counts always;
- down and flapping are bad, ok is good, stale and never confirmed are unknown; a suspicion is no flip, and one that is
  confirmed began at its first sign;
- a device with several channels is as good as its worst;
- bad goes before unknown, and unknown before good.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from camera_registry.model.device import Life
from camera_registry.model.incident import Incident, Party
from camera_registry.model.rates import Excluded, Exclusion
from camera_registry.rules.coverage.steps import Steps

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_YEARS = range(1970, 9000)
"""Of times that can be moved to any other time zone."""


class NoPeriod(ValueError):
    """A period that can't be reported on; the message is the key of a text, ``values`` what it names."""

    def __init__(self, flaw: str, **values: str) -> None:
        super().__init__(flaw)
        self.flaw = flaw
        self.values = values


@dataclass(frozen=True, slots=True)
class Period:
    """From ``begins`` until ``ends`` (not included), told by the clock of ``zone``."""

    begins: datetime
    ends: datetime
    zone: ZoneInfo
    name: str

    def days(self) -> list[datetime]:
        """Where the days of the zone begin in it, with ``begins`` first. A day of 23 or 25 hours is one day."""
        found = [self.begins]
        day = self.begins.astimezone(self.zone).date()
        while (begin := midnight(day := day + timedelta(days=1), self.zone)) < self.ends:
            found.append(begin)
        return found

    def whole_days(self) -> list[tuple[datetime, datetime]]:
        """The days that lie in it from their beginning to their end."""
        days = [*self.days(), self.ends]
        return [(day, until) for day, until in pairwise(days) if self._at_midnight(day) and self._at_midnight(until)]

    def _at_midnight(self, at: datetime) -> bool:
        return midnight(at.astimezone(self.zone).date(), self.zone) == at


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a day of a zone begins, in UTC. Where clocks are put forward at midnight it begins at the next hour."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name. Raises NoPeriod."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise NoPeriod("zone", zone=name) from None


def month(name: str, zone: ZoneInfo, now: datetime) -> Period:
    """A calendar month (``2026-10``) of a zone, or what has passed of it. Raises NoPeriod."""
    if not _MONTH.fullmatch(name) or name < "1970":
        raise NoPeriod("month", month=name)
    first = date(int(name[:4]), int(name[5:]), 1)
    begins = midnight(first, zone)
    if begins >= now:
        raise NoPeriod("future", month=name)
    after = midnight((first + timedelta(days=32)).replace(day=1), zone)
    return Period(begins, min(after, now), zone, f"{first:%Y-%m}")


def between(begins: datetime, ends: datetime, zone: ZoneInfo, now: datetime) -> Period:
    """Any period; times without a zone are of ``zone``. Raises NoPeriod."""
    if not all(one.year in _YEARS for one in (begins, ends)):
        raise NoPeriod("far", first=str(_YEARS[0]), last=str(_YEARS[-1]))
    begins, ends = (
        (one if one.tzinfo is not None else one.replace(tzinfo=zone)).astimezone(UTC) for one in (begins, ends)
    )
    if ends <= begins:
        raise NoPeriod("reversed", begins=begins.isoformat(), ends=ends.isoformat())
    if begins >= now:
        raise NoPeriod("future", month=begins.astimezone(zone).isoformat())
    ends = min(ends, now)
    return Period(begins, ends, zone, name_of(begins, ends, zone))


def name_of(begins: datetime, ends: datetime, zone: ZoneInfo) -> str:
    """What people call a stretch by the clock of a zone: a whole month 2026-10, whole days by the first and the last,
    all else by the minutes in which it begins and ends."""
    first, last = begins.astimezone(zone), ends.astimezone(zone)
    if not (midnight(first.date(), zone) == begins and midnight(last.date(), zone) == ends):
        return f"{first:%Y-%m-%d %H:%M} – {last:%Y-%m-%d %H:%M}"
    day = last.date() - timedelta(days=1)
    if first.day == last.day == 1 and (day.year, day.month) == (first.year, first.month):
        return f"{first:%Y-%m}"
    return f"{first:%Y-%m-%d}" if day == first.date() else f"{first:%Y-%m-%d} – {day:%Y-%m-%d}"


def idle(
    device: str, lives: Steps[Mapping[str, object] | None], begins: datetime, ends: datetime
) -> Iterator[Excluded]:
    """When a device was not meant to work, by what was intended for it (``life``; None: it was not registered)."""
    for begin, end in pairwise([begins, *lives.between(begins, ends), ends]):
        value = lives.at(begin)
        if value is None or value["life"] != Life.ACTIVE:
            yield Excluded(device, begin, end, Exclusion.IDLE, "unregistered" if value is None else str(value["life"]))


def charged_to_parents(incident: Incident, ends: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The stretches of a device's own incident that were charged to a parent."""
    untils = [*(span.since for span in incident.spans[1:]), incident.ended or ends]
    for span, until in zip(incident.spans, untils, strict=False):
        if span.party is Party.PARENT and span.since < until:
            yield span.since, until


def joined(spans: Iterable[Excluded], begins: datetime, ends: datetime) -> list[Excluded]:
    """The stretches inside the period, in order, each cut to it."""
    cut = (replace(span, begins=max(span.begins, begins), ends=min(span.ends, ends)) for span in spans)
    return sorted(span for span in cut if span.begins < span.ends)

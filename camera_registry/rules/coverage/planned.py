"""This file lays out when planned work covered which device in a period."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from camera_registry.model.maintenance import Window, WindowKind
from camera_registry.rules.coverage.hours import Span
from camera_registry.rules.maintenance import Planned


def planned_spans(planned: Iterable[Planned], since: datetime, until: datetime) -> Mapping[str, list[Span]]:
    """The spans of ``since`` to ``until`` in which each device was covered by a window; they may overlap."""
    found: dict[str, list[Span]] = {}
    for one in planned:
        spans = [(max(begin, since), min(end, until)) for begin, end in turns(one.window, since, until)]
        for device in one.covered:
            found.setdefault(device, []).extend(span for span in spans if span[0] < span[1])
    return found


def turns(window: Window, since: datetime, until: datetime) -> list[Span]:
    """When a window was in force, as far as that touches ``since`` to ``until``; a cancelled one until then."""
    if window.kind is WindowKind.RECURRING:
        found = _recurring(window, since, until)
    elif window.kind is WindowKind.FLEXIBLE:
        found = [] if window.began is None else [(window.began, window.began + window.lasts)]
    else:
        found = [] if window.ends is None else [(window.begins, window.ends)]
    if window.cancelled_at is not None:
        found = [(begin, min(end, window.cancelled_at)) for begin, end in found]
    return [(begin, end) for begin, end in found if begin < end and begin < until and end > since]


def _recurring(window: Window, since: datetime, until: datetime) -> list[Span]:
    first = max(window.begins, since - window.lasts) - timedelta(seconds=1)
    last = until if window.ends is None else min(until, window.ends)
    found = []
    for local in CronSim(window.schedule, first.astimezone(ZoneInfo(window.zone))):
        begin = local.astimezone(window.begins.tzinfo)
        if begin >= last:
            break
        if begin >= window.begins:
            found.append((begin, begin + window.lasts))
    return found

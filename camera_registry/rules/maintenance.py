"""This file decides when a maintenance window is in force, and which devices it covers, now and in the past."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from camera_registry.model.device import Device, Life
from camera_registry.model.maintenance import Cover, Window, WindowKind
from camera_registry.model.rates import Excluded, Exclusion
from camera_registry.model.register import Register
from camera_registry.rules import of_then
from camera_registry.rules.availability import NoPeriod, zone_of
from camera_registry.rules.of_then import Edit
from camera_registry.rules.places import way_up
from camera_registry.rules.topology import Parents, ancestors

_INSTANT = timedelta(microseconds=1)
"""The shortest time there is."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One time in which a window is in force."""

    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Planned:
    """A window and the devices it covers at present."""

    window: Window
    covered: frozenset[str]


def turn(window: Window, now: datetime) -> Turn | None:
    """The newest turn that ``now`` lies in, if the window is in force; its beginning included, its end not."""
    return max(_turns(window, now, now + _INSTANT), key=lambda one: one.begins, default=None)


def _turns(window: Window, since: datetime, until: datetime) -> Iterator[Turn]:
    """Every turn of a window that touches a period, for the present and for rates alike. One that begins before the
    window ends is held to its length, also where the next begins meanwhile; a cancellation ends all."""
    starts: Iterable[datetime] = ()
    length = window.lasts
    if window.kind is WindowKind.FIXED and window.ends is not None:
        starts, length = (window.begins,), window.ends - window.begins
    elif window.kind is WindowKind.FLEXIBLE and window.began is not None:
        starts = (window.began,)
    elif window.kind is WindowKind.RECURRING:
        starts = _recurring(window, since - length, min(until, window.ends or until))
    for begins in starts:
        ends = min(begins + length, window.cancelled_at or begins + length)
        if begins < min(until, ends) and ends > since:
            yield Turn(begins, ends)


def _recurring(window: Window, since: datetime, until: datetime) -> Iterator[datetime]:
    first = max(since, window.begins) - timedelta(seconds=1)
    for found in CronSim(window.schedule, first.astimezone(ZoneInfo(window.zone))):
        begins = found.astimezone(UTC)
        if begins >= until:
            return
        if begins >= window.begins:
            yield begins


def armed(window: Window, at: datetime) -> bool:
    """Whether a loss that began at ``at`` sets this flexible window off."""
    return (
        window.kind is WindowKind.FLEXIBLE
        and window.began is None
        and window.begins <= at
        and (window.ends is None or at < window.ends)
        and (window.cancelled_at is None or at < window.cancelled_at)
    )


def flaw(window: Window) -> str:
    """Why a window can't be kept, as the key of a text; empty: it can."""
    cover = window.cover
    if not window.reason.strip():
        return "no_reason"
    if not (cover.devices or cover.tags or cover.areas or cover.parents):
        return "covers_nothing"
    if window.ends is None and window.kind is not WindowKind.RECURRING:
        return "no_end"
    if window.ends is not None and window.ends <= window.begins:
        return "ends_before"
    if window.kind is not WindowKind.FIXED and window.lasts <= timedelta():
        return "no_length"
    return _flaw_of_time(window)


def strangers(cover: Cover, is_device: Callable[[str], bool], is_area: Callable[[str], bool]) -> tuple[str, ...]:
    """What is to be covered by name and is not registered, by which a window would cover nothing unnoticed. A tag may
    be given to devices later."""
    devices = (id for id in (*cover.devices, *cover.parents) if not is_device(id))
    return (*devices, *(id for id in cover.areas if not is_area(id)))


def _flaw_of_time(window: Window) -> str:
    """The zone of any window is asked, for its times are told by it."""
    try:
        begins = window.begins.astimezone(zone_of(window.zone))
        # Both: the words of the schedule, and whether such a day ever comes.
        comes = window.kind is not WindowKind.RECURRING or next(CronSim(window.schedule, begins), None) is not None
    except NoPeriod:
        return "zone"
    except CronSimError:
        return "schedule"
    return "" if comes else "schedule"


def plan(
    windows: Iterable[Window], devices: Mapping[str, Device], area_parents: Mapping[str, str], parents: Parents
) -> tuple[Planned, ...]:
    """Each window with what it covers by the register as it is now."""
    return tuple(Planned(window, _covered(window, devices, area_parents, parents)) for window in windows)


def muted(windows: Iterable[Window], devices: Sequence[Device], area_parents: Mapping[str, str]) -> dict[int, int]:
    """How many devices in service each window keeps quiet while it is in force, by its number."""
    parents = {one.id: one.parents for one in devices}
    working = {one.id: one for one in devices if one.life is Life.ACTIVE}
    return {one.window.id: len(one.covered) for one in plan(windows, working, area_parents, parents)}


def over(window: Window, now: datetime) -> bool:
    """Whether a window will not come into force any more."""
    if turn(window, now) is not None:
        return False
    return window.cancelled_at is not None or (window.ends is not None and window.ends + window.lasts <= now)


def _covered(
    window: Window, devices: Mapping[str, Device], area_parents: Mapping[str, str], parents: Parents
) -> frozenset[str]:
    cover = window.cover
    named, tags, above = set(cover.devices), set(cover.tags), set(cover.parents)
    wanted = set(cover.areas)
    areas = {area for area in area_parents if wanted and not wanted.isdisjoint(way_up(area, area_parents))}
    return frozenset(
        id
        for id, device in devices.items()
        if id in named
        or id in above
        or (device.area and device.area in areas)
        or (tags and not tags.isdisjoint(device.tags))
        or (above and any(one in above for one in ancestors(id, parents)))
    )


def reached(
    windows: Iterable[Window], present: Register, edits: Sequence[Edit], begins: datetime, ends: datetime
) -> Iterator[Excluded]:
    """When devices were under planned work from ``begins`` until ``ends``, by what each window covered in the register
    of the time; ``edits`` are those since the period began, newest first."""
    wide: list[tuple[Window, list[tuple[datetime, datetime]]]] = []
    for window in windows:
        when = _joined(_inside(((one.begins, one.ends) for one in _turns(window, begins, ends)), begins, ends))
        cover = window.cover
        if when and (cover.tags or cover.areas or cover.parents):
            wide.append((window, when))
        else:
            yield from (_planned(window.id, id, *span) for span in when for id in cover.devices)
    if not wide:
        return
    spans: dict[tuple[int, str], list[tuple[datetime, datetime]]] = {}
    for since, until, devices, areas in of_then.eras(present, list(filter(_moves, edits)), begins, ends):
        here = {one.id: cut for one, when in wide if (cut := _inside(when, since, until))}
        if here:
            above = {area.id: area.parent for area in areas.values()}
            parents = {device.id: device.parents for device in devices.values()}
            for planned in plan((one for one, _ in wide if one.id in here), devices, above, parents):
                for id in planned.covered:
                    spans.setdefault((planned.window.id, id), []).extend(here[planned.window.id])
    for (number, id), found in spans.items():
        yield from (_planned(number, id, *span) for span in _joined(found))


def _moves(edit: Edit) -> bool:
    """Whether an edit may change what a window covers."""
    fields = {"device": ("area", "tags", "parent", "backup_parent"), "area": ("parent",)}.get(edit.kind, ())
    return bool(fields) and (edit.before is None or "id" in edit.before or not edit.before.keys().isdisjoint(fields))


def _inside(
    spans: Iterable[tuple[datetime, datetime]], since: datetime, until: datetime
) -> list[tuple[datetime, datetime]]:
    return [(max(begin, since), min(end, until)) for begin, end in spans if begin < until and end > since]


def _joined(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """In order, those that touch made one."""
    found: list[tuple[datetime, datetime]] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((begin, end))
    return found


def _planned(window: int, device: str, begins: datetime, ends: datetime) -> Excluded:
    return Excluded(device, begins, ends, Exclusion.MAINTENANCE, str(window))


def in_force(planned: Sequence[Planned], now: datetime) -> dict[int, Turn]:
    """The turns of the windows that are in force, by the window's number."""
    return {one.window.id: found for one in planned if (found := turn(one.window, now)) is not None}

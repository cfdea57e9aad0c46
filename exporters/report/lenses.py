"""Writes the plan of lens cleaning: which lenses have become dull, how fast, and by when they are of no use."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from camera_registry.model.device import Device, Kind, Life
from camera_registry.model.register import Register
from camera_registry.model.trend import Drift, LensPolicy, PictureDay, Untold
from camera_registry.rules.pictures.drift import WINDOW, drift
from camera_registry.store.measuring import Measured
from camera_registry.store.reports import Told
from exporters.report.document import Cell, Chart, ChartKind, Ratio, Section, Table
from exporters.report.wording import Writing

_SEEING = frozenset({Kind.CAMERA, Kind.TRAFFIC_UNIT, Kind.RECORDER})
_SILENT = 14
_SOON = (14, 30)
_NEVER = date.max


@dataclass(frozen=True, slots=True)
class Lenses:
    """What the plan rests on: the ``days`` of pictures in the weeks before the period ended, by channel and light; the
    channels of which a picture was ``accepted``; how often faults were ``told`` that cleaning may mend."""

    days: Sequence[Sequence[PictureDay]] = ()
    accepted: frozenset[tuple[str, str]] = frozenset()
    told: Sequence[Told] = ()
    policy: LensPolicy = field(default_factory=LensPolicy)


@dataclass(frozen=True, slots=True)
class _Lens:
    """One channel, in the light in which it is worst."""

    device: Device
    channel: str
    newest: PictureDay | None = None
    drift: Drift | None = None
    why: Untold | None = None

    @property
    def key(self) -> tuple[date, float, str]:
        """The most urgent first: by the day of no use, then by what is left."""
        found = self.drift
        return (found.due or _NEVER, found.level, self.device.id) if found else (_NEVER, 1.0, self.device.id)


def section(measured: Measured, lenses: Lenses, writing: Writing) -> Section:
    """The plan as of the end of the period."""
    words = writing.words
    known = list(_lenses(measured, lenses))
    plan = sorted((one for one in known if one.drift is not None and _is_due(one.drift, lenses.policy)), key=_urgency)
    untold = [one for one in known if one.drift is None]
    columns = ("device", "name", "channel", "area", "contractor", "light", "since", "level", "a_day", "due")
    told = {one.device: one for one in lenses.told}
    rows = [(*_about(one), *_figures(one, writing), *_faults(told.get(one.device.id))) for one in plan]
    planned = {one.device.id for one in plan}
    rows += [
        (one.device, device.name, "", device.area, device.contractor, None, None, None, None, None, *_faults(one))
        for one in lenses.told
        if one.device not in planned and (device := measured.devices.get(one.device)) is not None
    ]
    formula = words(
        "report.lenses",
        fall=f"{lenses.policy.fall:.0%}",
        limit=f"{lenses.policy.limit:.0%}",
        seen=len(known) - len(untold),
        of=len(known),
    )
    table = Table(
        "lenses",
        words("report.table.lenses"),
        writing.columns(*columns, "times", "last"),
        tuple(rows),
        note=words("report.table_note.lenses"),
    )
    whys = Counter(one.why for one in untold if one.why is not None)
    reasons = Table(
        "lenses_untold_by_reason",
        words("report.table.lenses_untold"),
        writing.columns("why", "lenses"),
        tuple((words.name(why), n) for why, n in whys.most_common()),
    )
    without = Table(
        "lenses_untold",
        words("lenses_untold.each"),
        writing.columns("device", "name", "channel", "area", "contractor", "why"),
        tuple((*_about(one), words.name(one.why)) for one in untold if one.why is not None),
        printed=0,
    )
    chart = Chart(ChartKind.BAR, words("report.chart.lenses"), "lenses", "device", ("level",))
    groups = tuple(_grouped(measured, plan, by, writing) for by in ("contractor", "area"))
    return Section(words("report.section.lenses"), (formula,), (chart,), (table, *groups, reasons, without))


def _lenses(measured: Measured, lenses: Lenses) -> Iterable[_Lens]:
    ends = measured.period.ends.astimezone(measured.period.zone).date()
    by_channel: dict[tuple[str, str], list[Sequence[PictureDay]]] = defaultdict(list)
    for days in lenses.days:
        by_channel[days[0].device, days[0].channel].append(days)
    channels = _channels(measured.register)
    for id, device in sorted(measured.devices.items()):
        if device.kind not in _SEEING or device.life is not Life.ACTIVE:
            continue
        for channel in channels.get(id) or [""]:
            yield _worst(device, channel, by_channel.get((id, channel), ()), lenses, ends)


def _worst(device: Device, channel: str, lights: Sequence[Sequence[PictureDay]], lenses: Lenses, ends: date) -> _Lens:
    found = [
        _Lens(device, channel, days[-1], drifts)
        for days in lights
        if (drifts := drift(days, days[-1].usual, lenses.policy)) is not None
    ]
    recent = [one for one in found if one.newest is not None and ends - one.newest.day <= timedelta(days=_SILENT)]
    if recent:
        return min(recent, key=_urgency)
    if (device.id, channel) not in lenses.accepted:
        why = Untold.NOT_ACCEPTED
    elif found:
        why = Untold.SILENT
    else:
        why = Untold.TOO_FEW_DAYS if lights else Untold.NOT_COMPARED
    return _Lens(device, channel, why=why)


def _urgency(one: _Lens) -> tuple[date, float, str]:
    return one.key


def _is_due(found: Drift, policy: LensPolicy) -> bool:
    return found.due is not None or found.level <= 1 - policy.fall / 2


def _channels(register: Register) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for channel in register.channels.values():
        found[channel.device].append(channel.id)
    return found


def _about(one: _Lens) -> tuple[Cell, ...]:
    return one.device.id, one.device.name, one.channel, one.device.area, one.device.contractor


def _figures(one: _Lens, writing: Writing) -> tuple[Cell, ...]:
    newest, found = one.newest, one.drift
    assert newest is not None
    assert found is not None
    due = None if found.due is None else max(found.due, newest.day)
    return writing.words.name(newest.regime), newest.begins, Ratio(found.level), Ratio(found.a_day), due


def _faults(told: Told | None) -> tuple[Cell, Cell]:
    return (0, None) if told is None else (told.times, told.last)


def _grouped(measured: Measured, plan: Sequence[_Lens], by: str, writing: Writing) -> Table:
    """How many lenses wait, by whom or where; and of how many the day is near."""
    register = measured.register
    names = {one.id: one.name for one in (register.contractors if by == "contractor" else register.areas).values()}
    groups: dict[str, list[_Lens]] = defaultdict(list)
    for one in plan:
        groups[getattr(one.device, by)].append(one)
    ends = measured.period.ends.astimezone(measured.period.zone).date()
    soon = [ends + timedelta(days=days) for days in _SOON]
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            key or writing.words("report.nowhere"),
            names.get(key, ""),
            len(some),
            *(sum(one.key[0] <= day for one in some) for day in soon),
        )
        for key, some in sorted(groups.items())
    )
    columns = writing.columns("group", "name", "lenses", *(f"due_{days}" for days in _SOON))
    return Table(f"lenses_by_{by}", writing.words(f"report.table.lenses_by_{by}"), columns, rows)


def first_day(ends: date) -> date:
    """The first day that a plan as of ``ends`` looks at."""
    return ends - timedelta(days=WINDOW + _SILENT)

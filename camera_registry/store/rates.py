"""Computes rates from flips, in the database: never from counts of checks.

One pass over the flips of some devices: every change of what holds is an event with the difference that it makes;
running sums of the differences say what holds between two events; their lengths are added up by whom they belong to.
Several counts share an integer, so that one running sum does for all of them (``&`` reads one):

- ``state``, 15 bits each: aspects that keep a device from being online, of which nobody knows whether they do; those
  that keep it from being intact, likewise;
- ``apart``, 12 bits each: stretches of maintenance, of a lost parent, of being idle, of silence; then the day's number;
- ``recording``, 15 bits each: recordings that are required, gaps in them, holes in what is known of them, hours off.

The sums of whole days that have passed are kept, with the newest flip and a digest of what was kept out of them; a
later flip that began before the day was over, or another digest, makes that day be computed anew.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import Connection, TextClause, delete, func, select, text

from camera_registry.model.rates import SUMS, Excluded, Exclusion, Sums
from camera_registry.model.recording import Recording
from camera_registry.store.columns import microseconds
from camera_registry.store.rate_tables import RateDayRow, RateMarkRow
from camera_registry.store.statements import batches, upsert
from camera_registry.store.tables import FlipRow, table

_DAYS = table(RateDayRow)
_MARKS = table(RateMarkRow)
_FLIPS = table(FlipRow)

_MAINTENANCE, _PARENT, _IDLE, _SILENT, _DAY = (1 << 12 * place for place in range(5))
_TWELVE, _FIFTEEN = (1 << 12) - 1, (1 << 15) - 1
_OFFLINE, _DOUBTFUL, _FAULTY, _UNSURE = (1 << 15 * place for place in range(4))
_REQUIRED, _MISSING, _UNSEARCHED, _OFF = (1 << 15 * place for place in range(4))
_WEIGHTS = {
    Exclusion.MAINTENANCE: (_MAINTENANCE, 0),
    Exclusion.PARENT: (_PARENT, 0),
    Exclusion.IDLE: (_IDLE, 0),
    Exclusion.SILENT: (_SILENT, 0),
    Exclusion.HOURS: (0, _OFF),
}
"""What a stretch adds to ``apart`` and to ``recording``."""
_SOURCES = {
    "sqlite": """
    chosen(unit, device, gone) AS MATERIALIZED (
      SELECT key, json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(:devices)),
    border(number, at) AS MATERIALIZED (SELECT key + 1, value FROM json_each(:borders)),
    apart(unit, at, until, apart, recording) AS MATERIALIZED (
      SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
        json_extract(value, '$[3]'), json_extract(value, '$[4]') FROM json_each(:apart))""",
    "postgresql": """
    chosen(unit, device, gone) AS MATERIALIZED (
      SELECT CAST(place AS integer) - 1, value->>0, CAST(value->>1 AS integer)
      FROM jsonb_array_elements(CAST(:devices AS jsonb)) WITH ORDINALITY AS given(value, place)),
    border(number, at) AS MATERIALIZED (
      SELECT place, CAST(value #>> '{}' AS bigint)
      FROM jsonb_array_elements(CAST(:borders AS jsonb)) WITH ORDINALITY AS given(value, place)),
    apart(unit, at, until, apart, recording) AS MATERIALIZED (
      SELECT CAST(value->>0 AS integer), CAST(value->>1 AS bigint), CAST(value->>2 AS bigint),
        CAST(value->>3 AS bigint), CAST(value->>4 AS bigint) FROM jsonb_array_elements(CAST(:apart AS jsonb)))""",
}
"""What is handed in, as tables; a device by its place, because numbers are sorted faster than names."""

_STEPS = f""",
    known(unit, device, channel, aspect) AS MATERIALIZED (
      SELECT unit, s.device, channel, aspect FROM chosen CROSS JOIN aspect_state s WHERE s.device = chosen.device
      UNION SELECT unit, f.device, channel, aspect FROM chosen CROSS JOIN flip f
        WHERE gone = 1 AND f.device = chosen.device
      UNION SELECT unit, device, '', 'reach' FROM chosen),
    subject(number, unit, device, channel, aspect, bad, doubtful) AS MATERIALIZED (
      SELECT ROW_NUMBER() OVER (ORDER BY unit, channel, aspect), unit, device, channel, aspect,
        CASE WHEN aspect IN ('reach', 'stream') THEN {_OFFLINE} ELSE {_FAULTY} END,
        CASE WHEN aspect IN ('reach', 'stream') THEN {_DOUBTFUL} ELSE {_UNSURE} END
      FROM known WHERE aspect IN ('reach', 'stream', 'picture', 'clock')),
    chain(number, unit, at, id, after, bad, doubtful, aspect) AS (
      SELECT number, unit, CAST(:from AS bigint), CAST(0 AS bigint),
        (SELECT f.after FROM flip f
         WHERE f.device = subject.device AND f.channel = subject.channel AND f.aspect = subject.aspect
           AND f.at <= :from
         ORDER BY f.at DESC, f.id DESC LIMIT 1), bad, doubtful, aspect
      FROM subject
      UNION ALL SELECT number, unit, f.at, f.id, f.after, bad, doubtful, f.aspect
      FROM subject CROSS JOIN flip f
      WHERE f.device = subject.device AND f.channel = subject.channel AND f.aspect = subject.aspect
        AND f.at > :from AND f.at < :end),
    level(number, unit, at, id, value) AS (
      SELECT number, unit, at, id,
        CASE WHEN after = 'ok' THEN 0 WHEN after IN ('down', 'flapping') THEN bad
          WHEN (after IS NULL OR after = 'unknown') AND aspect <> 'reach' THEN 0 ELSE doubtful END
      FROM chain),
    move(unit, at, change) AS (
      SELECT unit, at, value - LAG(value, 1, CAST(0 AS bigint)) OVER (PARTITION BY number ORDER BY at, id)
      FROM level),
    event(unit, at, state, apart, recording) AS (
      SELECT unit, at, change, CAST(0 AS bigint), CAST(0 AS bigint) FROM move WHERE change <> 0
      UNION ALL SELECT unit, border.at, 0, {_DAY}, 0 FROM chosen CROSS JOIN border
      UNION ALL SELECT unit, at, 0, apart, recording FROM apart
      UNION ALL SELECT unit, until, 0, -apart, -recording FROM apart WHERE until < :end
      UNION ALL SELECT unit, CASE WHEN since > :from THEN since ELSE :from END, 0, 0, {_REQUIRED}
        FROM chosen CROSS JOIN recording r WHERE r.device = chosen.device AND since < :end
      UNION ALL SELECT unit, CASE WHEN until > :from THEN until ELSE :from END, 0, 0,
          CASE WHEN ended THEN -{_REQUIRED} ELSE {_UNSEARCHED} END
        FROM chosen CROSS JOIN recording r WHERE r.device = chosen.device AND until < :end
      UNION ALL SELECT unit, CASE WHEN since > :from THEN since ELSE :from END, 0, 0,
          CASE WHEN lack = 'missing' THEN {_MISSING} ELSE {_UNSEARCHED} END
        FROM chosen CROSS JOIN recording_gap g WHERE g.device = chosen.device AND since < :end AND until > :from
      UNION ALL SELECT unit, until, 0, 0, CASE WHEN lack = 'missing' THEN -{_MISSING} ELSE -{_UNSEARCHED} END
        FROM chosen CROSS JOIN recording_gap g WHERE g.device = chosen.device AND until < :end AND until > :from),
    -- What several events at one instant sum up to, one by one, never held.
    instant(unit, at, state, apart, recording) AS (
      SELECT unit, at, CAST(SUM(state) AS bigint), CAST(SUM(apart) AS bigint), CAST(SUM(recording) AS bigint)
      FROM event GROUP BY unit, at),
    held(unit, length, state, apart, recording, state_change, apart_change) AS (
      SELECT unit, LEAD(at, 1, CAST(:end AS bigint)) OVER past - at, CAST(SUM(state) OVER past AS bigint),
        CAST(SUM(apart) OVER past AS bigint), CAST(SUM(recording) OVER past AS bigint), state, apart
      FROM instant WINDOW past AS (PARTITION BY unit ORDER BY at ROWS UNBOUNDED PRECEDING))
"""  # noqa: S608 - of constants
_BEGUN = f"""(apart & {_DAY - 1}) = 0 AND (state & {_OFFLINE * _FIFTEEN}) <> 0 AND NOT (
      (apart - apart_change & {_DAY - 1}) = 0 AND (state - state_change & {_OFFLINE * _FIFTEEN}) <> 0)"""
"""Whether an outage begins: the device is lost on its own account, and just before it was not."""


def _holds(counter: str, unit: int, *units: int) -> str:
    """Whether any of these counts in a counter is not 0."""
    width = _TWELVE if counter == "apart" else _FIFTEEN
    return f"({counter} & {sum(one * width for one in (unit, *units))}) <> 0"


def _parts() -> dict[str, str]:
    """``SUMS`` of what is held between two events, but for the good: it is what the rest leaves of a day."""
    idle, silent, lost = (_holds("apart", unit) for unit in (_IDLE, _SILENT, _PARENT))
    out, unmeasured = _holds("apart", _IDLE, _MAINTENANCE), _holds("apart", _IDLE, _MAINTENANCE, _SILENT)
    offline, doubtful = _holds("state", _OFFLINE), _holds("state", _DOUBTFUL)
    faulty, unsure = _holds("state", _OFFLINE, _FAULTY), _holds("state", _DOUBTFUL, _UNSURE)
    behind = f"{offline} AND {lost}"
    required = f"recording <> 0 AND NOT {out} AND recording < {_OFF}"
    gaps, holes = (f"(recording / {unit} & {_FIFTEEN})" for unit in (_MISSING, _UNSEARCHED))
    return {
        "idle": _total("length", idle),
        "maintenance": _total("length", f"{_holds('apart', _MAINTENANCE)} AND NOT {idle}"),
        "online_bad": _total("length", f"{offline} AND NOT {lost} AND NOT {unmeasured}"),
        "online_parent": _total("length", f"{behind} AND NOT {unmeasured}"),
        "online_unknown": _total("length", f"({silent} OR {doubtful} AND NOT {offline}) AND NOT {out}"),
        "intact_bad": _total("length", f"{faulty} AND NOT ({behind}) AND NOT {unmeasured}"),
        "intact_unknown": _total("length", f"({silent} OR {unsure} AND NOT {faulty}) AND NOT {out}"),
        "recording_good": _total(f"length * ((recording & {_FIFTEEN}) - {gaps} - {holes})", required),
        "recording_bad": _total(f"length * {gaps}", f"{required} AND NOT {lost}"),
        "recording_parent": _total(f"length * {gaps}", f"{required} AND {lost}"),
        "recording_unknown": _total(f"length * {holes}", required),
        "outages": _total("1", _BEGUN),
    }


def _total(what: str, when: str) -> str:
    return f"CAST(COALESCE(SUM({what}) FILTER (WHERE {when}), 0) AS bigint)"


def _good(measure: str) -> str:
    rest = ("idle", "maintenance", f"{measure}_bad", "online_parent", f"{measure}_unknown")
    return " - ".join(["length", *rest])


def _statement(dialect: str, *, keep: bool) -> TextClause:
    parts = _parts()
    told = {name: name for name in parts} | {
        "online_good": _good("online"),
        "intact_good": _good("intact"),
        # Who is lost behind a parent is neither online nor intact.
        "intact_parent": "online_parent",
    }
    # Besides the beginning of each day, only what is amiss or recorded is added up: most of the time it is neither.
    steps = f"""{_STEPS},
    account AS (
      SELECT *, apart / {_DAY} AS number FROM held
      WHERE apart >= {_DAY} AND (apart / {_DAY} > (apart - apart_change) / {_DAY} OR state <> 0 OR recording <> 0
        OR (apart & {_DAY - 1}) <> 0)),
    total(unit, number, {", ".join(parts)}) AS (
      SELECT unit, number, {", ".join(parts.values())} FROM account GROUP BY unit, number),
    span(number, at, length) AS MATERIALIZED (
      SELECT number, at, LEAD(at, 1, CAST(:end AS bigint)) OVER (ORDER BY at) - at FROM border),
    day(device, at, {", ".join(SUMS)}) AS (
      SELECT device, at, {", ".join(told[name] for name in SUMS)}
      FROM total JOIN chosen USING (unit) JOIN span USING (number))"""  # noqa: S608 - of constants
    if keep:
        head = f"INSERT INTO rate_day (device, day, {', '.join(SUMS)}, zone)"
        return text(f"{head} WITH {_SOURCES[dialect]}{steps} SELECT day.*, CAST(:zone AS text) FROM day")  # noqa: S608 - of constants
    sums = ", ".join(f"SUM({name})" for name in SUMS)
    return text(f"WITH {_SOURCES[dialect]}{steps} SELECT device, {sums} FROM day GROUP BY device")  # noqa: S608 - of constants


@dataclass(frozen=True, slots=True)
class Stretch:
    """Devices to compute over some days: ``borders`` are where each begins, ``ends`` where the last one ends."""

    devices: Sequence[tuple[str, bool]]
    """Each with whether it is gone from the register."""
    borders: Sequence[datetime]
    ends: datetime
    apart: Sequence[Excluded]


def compute(tx: Connection, stretch: Stretch) -> dict[str, Sums]:
    """The sums of each device over the stretch."""
    rows = tx.execute(_statement(tx.dialect.name, keep=False), _values(stretch))
    return {row[0]: Sums(*map(int, row[1:])) for row in rows}


def keep(tx: Connection, zone: str, stretch: Stretch) -> None:
    """Put the sums of each device and day in place of what was kept."""
    named = [id for id, _ in stretch.devices]
    days = list(stretch.borders)
    for part in batches(named):
        tx.execute(delete(_DAYS).where(_DAYS.c.zone == zone, _DAYS.c.day.in_(days), _DAYS.c.device.in_(part)))
    tx.execute(_statement(tx.dialect.name, keep=True), {"zone": zone, **_values(stretch)})


def _values(stretch: Stretch) -> dict[str, object]:
    # What holds just before the beginning is looked at too, so that an outage that goes on is not one that begins.
    before = microseconds(stretch.borders[0]) - 1
    end = microseconds(stretch.ends)
    named = {id: place for place, (id, _) in enumerate(stretch.devices)}
    apart = [
        [named[one.device], max(microseconds(one.begins), before), min(microseconds(one.ends), end), *_WEIGHTS[one.why]]
        for one in stretch.apart
        if one.device in named and microseconds(one.ends) > before and microseconds(one.begins) < end
    ]
    return {
        "devices": orjson.dumps([[id, int(gone)] for id, gone in stretch.devices]).decode(),
        "borders": orjson.dumps([microseconds(at) for at in stretch.borders]).decode(),
        "apart": orjson.dumps(apart).decode(),
        "from": before,
        "end": end,
    }


Day = tuple[datetime, datetime]
"""Where a day begins and where it ends."""


def stale_days(tx: Connection, zone: str, days: Sequence[Day], digests: Mapping[datetime, str]) -> list[Day]:
    """The days whose sums are not kept, or not any more."""
    first, last = days[0][0], days[-1][0]
    rows = tx.execute(select(_MARKS).where(_MARKS.c.zone == zone, _MARKS.c.day >= first, _MARKS.c.day <= last))
    marks = {row.day: (row.flip, row.digest) for row in rows}
    # The earliest change that was stored since a day was computed: whatever it began in, and all that follows.
    late = {
        flip: tx.execute(select(func.min(_FLIPS.c.at)).where(_FLIPS.c.id > flip)).scalar()
        for flip in {flip for flip, _ in marks.values()}
    }
    return [
        (day, until)
        for day, until in days
        if day not in marks
        or marks[day][1] != digests[day]
        or ((since := late[marks[day][0]]) is not None and since < until)
    ]


def mark(tx: Connection, zone: str, flip: int, digests: Mapping[datetime, str]) -> None:
    """Note that the sums of these days are kept and hold every flip until ``flip``."""
    rows = [{"zone": zone, "day": day, "flip": flip, "digest": digest} for day, digest in digests.items()]
    upsert(tx, _MARKS, rows)


def kept(
    tx: Connection, zone: str, begins: datetime, ends: datetime, devices: Sequence[str] | None = None
) -> dict[str, Sums]:
    """The sums of each device, or of each of these, over the days that are kept from ``begins`` until ``ends``."""
    sums = [func.sum(_DAYS.c[name]) for name in SUMS]
    query = (
        select(_DAYS.c.device, *sums)
        .where(_DAYS.c.zone == zone, _DAYS.c.day >= begins, _DAYS.c.day < ends)
        .group_by(_DAYS.c.device)
    )
    found: dict[str, Sums] = {}
    for part in [None] if devices is None else batches(devices):
        chosen = query if part is None else query.where(_DAYS.c.device.in_(part))
        found |= {row[0]: Sums(*map(int, row[1:])) for row in tx.execute(chosen)}
    return found


def by_day(
    tx: Connection, zone: str, begins: datetime, ends: datetime, devices: Iterable[str] | None = None
) -> dict[datetime, Sums]:
    """The sums of each kept day, of all devices or of these."""
    sums = [func.sum(_DAYS.c[name]) for name in SUMS]
    query = (
        select(_DAYS.c.day, *sums)
        .where(_DAYS.c.zone == zone, _DAYS.c.day >= begins, _DAYS.c.day < ends)
        .group_by(_DAYS.c.day)
        .order_by(_DAYS.c.day)
    )
    found: dict[datetime, Sums] = {}
    for part in [None] if devices is None else batches(devices):
        chosen = query if part is None else query.where(_DAYS.c.device.in_(part))
        for row in tx.execute(chosen):
            found[row[0]] = found.get(row[0], Sums()) + Sums(*map(int, row[1:]))
    return found


def digests(
    days: Sequence[Day], apart: Iterable[Excluded], recordings: Iterable[Recording], devices: Iterable[str]
) -> dict[datetime, str]:
    """What each day's sums rest on besides flips, in few letters: the devices that were there, what is kept apart, and
    what recorders have.

    A device that was idle all day does not count: one that is registered today changes no day before."""
    absent: list[set[str]] = [set() for _ in days]
    lines: list[list[str]] = [[] for _ in days]

    def tell(what: str, since: datetime, until: datetime) -> None:
        for place, when in _by_day(days, since, until):
            lines[place].append(what + when)

    for one in sorted(apart):
        for place, when in _by_day(days, one.begins, one.ends):
            if one.why is Exclusion.IDLE and not when:
                absent[place].add(one.device)
            else:
                lines[place].append(f"{one.device}\0{one.why.value}{when}")
    for recording in recordings:
        what = f"{recording.device}\0{recording.token}"
        tell(what, recording.since, recording.until)
        if not recording.ended and days:
            tell(f"{what}\0unknown", recording.until, days[-1][1])
        for gap in recording.gaps:
            tell(f"{what}\0{gap.lack.value}", gap.since, gap.until)
    everybody = sorted(devices)
    found: dict[datetime, str] = {}
    for (day, _), gone, told in zip(days, absent, lines, strict=True):
        there = everybody if not gone else [id for id in everybody if id not in gone]
        found[day] = hashlib.sha256("\n".join([*there, "", *told]).encode()).hexdigest()[:32]
    return found


def _by_day(days: Sequence[Day], since: datetime, until: datetime) -> Iterator[tuple[int, str]]:
    """The days that a stretch touches, by their places, and from when until when; nothing: all day."""
    for place in range(max(bisect_right(days, since, key=_begin) - 1, 0), bisect_left(days, until, key=_begin)):
        begin, end = max(since, days[place][0]), min(until, days[place][1])
        if (begin, end) == days[place]:
            yield place, ""
        elif begin < end:
            yield place, f"\0{begin}\0{end}"


def _begin(day: Day) -> datetime:
    return day[0]

"""Computes rates from flips, in the database: never from counts of checks.

One pass over the flips of some devices: every change of what holds is an event with the difference that it makes;
running sums of the differences say what holds between two events; their lengths are added up by whom they belong to.
Several counts share an integer, so that one running sum does for all of them:

- of aspects: 1 for each that is unknown, a million for each that is bad, a million millions for each that is measured;
- of what is kept apart: 1 for each maintenance, a million for each parent, a million millions for each stretch of being
  idle, a thousand times that for silence.

The sums of whole days that have passed are kept, with the newest flip and a digest of what was kept out of them; a
later flip that began before the day was over, or another digest, makes that day be computed anew.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import Connection, TextClause, delete, func, select, text

from camera_registry.model.rates import SUMS, Excluded, Exclusion, Sums
from camera_registry.store.columns import microseconds
from camera_registry.store.rate_tables import RateDayRow, RateMarkRow
from camera_registry.store.statements import batches, upsert
from camera_registry.store.tables import FlipRow, table

_DAYS = table(RateDayRow)
_MARKS = table(RateMarkRow)
_FLIPS = table(FlipRow)

_MANY = 1_000_000
_WEIGHTS = {
    Exclusion.MAINTENANCE: 1,
    Exclusion.PARENT: _MANY,
    Exclusion.IDLE: _MANY**2,
    Exclusion.SILENT: _MANY**2 * 1000,
}
_SOURCES = {
    "sqlite": """
    chosen(unit, device, gone) AS MATERIALIZED (
      SELECT key, json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(:devices)),
    border(at) AS MATERIALIZED (SELECT value FROM json_each(:borders)),
    apart(unit, at, until, weight) AS MATERIALIZED (
      SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
        json_extract(value, '$[3]') FROM json_each(:apart))""",
    "postgresql": """
    chosen(unit, device, gone) AS MATERIALIZED (
      SELECT CAST(place AS integer) - 1, value->>0, CAST(value->>1 AS integer)
      FROM jsonb_array_elements(CAST(:devices AS jsonb)) WITH ORDINALITY AS given(value, place)),
    border(at) AS MATERIALIZED (
      SELECT CAST(value #>> '{}' AS bigint) FROM jsonb_array_elements(CAST(:borders AS jsonb))),
    apart(unit, at, until, weight) AS MATERIALIZED (
      SELECT CAST(value->>0 AS integer), CAST(value->>1 AS bigint), CAST(value->>2 AS bigint),
        CAST(value->>3 AS bigint) FROM jsonb_array_elements(CAST(:apart AS jsonb)))""",
}
"""What is handed in, as tables; a device by its place, because numbers are sorted faster than names."""

_STEPS = """,
    known(unit, device, channel, aspect) AS MATERIALIZED (
      SELECT unit, s.device, channel, aspect FROM chosen CROSS JOIN aspect_state s WHERE s.device = chosen.device
      UNION SELECT unit, f.device, channel, aspect FROM chosen CROSS JOIN flip f
        WHERE gone = 1 AND f.device = chosen.device
      UNION SELECT unit, device, '', 'reach' FROM chosen),
    subject(number, unit, device, channel, aspect) AS MATERIALIZED (
      SELECT ROW_NUMBER() OVER (ORDER BY unit, channel, aspect), unit, device, channel, aspect
      FROM known WHERE aspect IN ('reach', 'stream', 'picture', 'clock', 'recording')),
    chain(number, unit, aspect, at, id, after) AS (
      SELECT number, unit, aspect, CAST(:from AS bigint), CAST(0 AS bigint),
        (SELECT f.after FROM flip f
         WHERE f.device = subject.device AND f.channel = subject.channel AND f.aspect = subject.aspect
           AND f.at <= :from
         ORDER BY f.at DESC, f.id DESC LIMIT 1)
      FROM subject
      UNION ALL SELECT number, unit, f.aspect, f.at, f.id, f.after
      FROM subject CROSS JOIN flip f
      WHERE f.device = subject.device AND f.channel = subject.channel AND f.aspect = subject.aspect
        AND f.at > :from AND f.at < :end),
    level(number, unit, aspect, at, id, value) AS (
      SELECT number, unit, aspect, at, id,
        CASE WHEN after IN ('down', 'flapping') THEN 1000001000000
          WHEN after = 'ok' THEN 1000000000000
          WHEN (after IS NULL OR after = 'unknown') AND aspect <> 'reach' THEN 0
          ELSE 1000000000001 END
      FROM chain),
    move(unit, aspect, at, change) AS (
      SELECT unit, aspect, at,
        value - LAG(value, 1, CAST(0 AS bigint)) OVER (PARTITION BY number ORDER BY at, id)
      FROM level),
    event(unit, at, online, intact, recording, apart, day) AS (
      SELECT unit, at,
        CASE WHEN aspect IN ('reach', 'stream') THEN change ELSE 0 END,
        CASE WHEN aspect IN ('picture', 'clock') THEN change ELSE 0 END,
        CASE WHEN aspect = 'recording' THEN change ELSE 0 END,
        CAST(0 AS bigint), CAST(NULL AS bigint)
      FROM move WHERE change <> 0
      UNION ALL SELECT unit, at, 0, 0, 0, weight, NULL FROM apart
      UNION ALL SELECT unit, until, 0, 0, 0, -weight, NULL FROM apart WHERE until < :end
      UNION ALL SELECT unit, border.at, 0, 0, 0, 0, border.at FROM chosen CROSS JOIN border),
    held(unit, at, online, intact, recording, apart, day, length) AS (
      SELECT unit, at,
        CAST(SUM(online) OVER past AS bigint), CAST(SUM(intact) OVER past AS bigint),
        CAST(SUM(recording) OVER past AS bigint), CAST(SUM(apart) OVER past AS bigint),
        MAX(day) OVER past, LEAD(at, 1, CAST(:end AS bigint)) OVER past - at
      FROM event WINDOW past AS (PARTITION BY unit ORDER BY at ROWS UNBOUNDED PRECEDING)),
    owner(unit, at, day, length, party, online, intact, recording, behind) AS (
      SELECT unit, at, day, length,
        CASE WHEN apart / 1000000000000 % 1000 > 0 THEN 'idle'
          WHEN apart % 1000000 > 0 THEN 'maintenance'
          WHEN apart >= 1000000000000000 THEN 'silent' ELSE '' END,
        CASE WHEN online / 1000000 % 1000000 > 0 THEN 'bad' WHEN online % 1000000 > 0 THEN 'unknown'
          ELSE 'good' END,
        CASE WHEN (online + intact) / 1000000 % 1000000 > 0 THEN 'bad'
          WHEN (online + intact) % 1000000 > 0 THEN 'unknown' ELSE 'good' END,
        CASE WHEN recording < 1000000000000 THEN '' WHEN recording / 1000000 % 1000000 > 0 THEN 'bad'
          WHEN recording % 1000000 > 0 THEN 'unknown' ELSE 'good' END,
        apart / 1000000 % 1000000
      -- Of several events at one instant the last one has the length; what the others sum up to never held.
      FROM held WHERE length > 0),
    account(unit, at, day, length, party, online, intact, recording) AS (
      SELECT unit, at, day, length, party,
        CASE WHEN party <> '' THEN party WHEN online = 'bad' AND behind > 0 THEN 'parent' ELSE online END,
        CASE WHEN party <> '' THEN party WHEN online = 'bad' AND behind > 0 THEN 'parent' ELSE intact END,
        CASE WHEN recording = '' OR party <> '' THEN recording || party
          WHEN recording = 'bad' AND behind > 0 THEN 'parent' ELSE recording END
      FROM owner),
    begun(unit, day, length, party, online, intact, recording, outage) AS (
      SELECT unit, day, length, party, online, intact, recording,
        CASE WHEN online = 'bad' AND LAG(online, 1, '') OVER (PARTITION BY unit ORDER BY at) <> 'bad'
          THEN 1 ELSE 0 END
      FROM account)
"""
_LENGTH = "CAST(SUM(CASE WHEN {} THEN length ELSE 0 END) AS bigint)"


def _sums() -> str:
    silent = {
        "online": "online IN ('unknown', 'silent')",
        "intact": "intact IN ('unknown', 'silent')",
        # Of a device without recordings the recording is empty, and the party stands alone.
        "recording": "recording IN ('unknown', 'goodsilent', 'badsilent', 'unknownsilent')",
    }
    found = [_LENGTH.format("party = 'idle'"), _LENGTH.format("party = 'maintenance'")]
    for measure in ("online", "intact", "recording"):
        found += [_LENGTH.format(f"{measure} = '{part}'") for part in ("good", "bad", "parent")]
        found.append(_LENGTH.format(silent[measure]))
    return ", ".join([*found, "CAST(SUM(outage) AS bigint)"])


def _statement(dialect: str, *, keep: bool) -> TextClause:
    head = f"INSERT INTO rate_day (zone, day, device, {', '.join(SUMS)}) " if keep else ""
    first, group = ("CAST(:zone AS text), day, device", "unit, day") if keep else ("device", "unit")
    summed = f"SELECT {group}, {_sums()} FROM begun WHERE day IS NOT NULL GROUP BY {group}"  # noqa: S608 - of constants
    total = f", total({group}, {', '.join(SUMS)}) AS ({summed})"
    told = f"SELECT {first}, {', '.join(SUMS)} FROM total JOIN chosen USING (unit)"  # noqa: S608 - of constants
    return text(f"{head}WITH {_SOURCES[dialect]}{_STEPS}{total} {told}")


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
    return {row[0]: Sums(*row[1:]) for row in rows}


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
        [named[one.device], max(microseconds(one.begins), before), min(microseconds(one.ends), end), _WEIGHTS[one.why]]
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


def newest_flip(tx: Connection) -> int:
    """The number of the newest flip; 0: there is none."""
    return tx.execute(select(func.max(_FLIPS.c.id))).scalar() or 0


def kept(tx: Connection, zone: str, begins: datetime, ends: datetime) -> dict[str, Sums]:
    """The sums of each device over the days that are kept from ``begins`` until ``ends``."""
    sums = [func.sum(_DAYS.c[name]) for name in SUMS]
    query = (
        select(_DAYS.c.device, *sums)
        .where(_DAYS.c.zone == zone, _DAYS.c.day >= begins, _DAYS.c.day < ends)
        .group_by(_DAYS.c.device)
    )
    return {row[0]: Sums(*map(int, row[1:])) for row in tx.execute(query)}


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


def digests(days: Sequence[Day], apart: Iterable[Excluded], devices: Iterable[str]) -> dict[datetime, str]:
    """What each day's sums rest on besides flips, in few letters: the devices that were there, and what is kept apart.

    A device that was idle all day does not count: one that is registered today changes no day before."""
    begins = [day for day, _ in days]
    absent: list[set[str]] = [set() for _ in days]
    lines: list[list[str]] = [[] for _ in days]
    for one in sorted(apart):
        first = max(bisect_right(begins, one.begins) - 1, 0)
        for place in range(first, bisect_left(begins, one.ends)):
            day, until = days[place]
            begin, end = max(one.begins, day), min(one.ends, until)
            if one.why is Exclusion.IDLE and (begin, end) == (day, until):
                absent[place].add(one.device)
            elif begin < end:
                lines[place].append(f"{one.device}\0{one.why.value}\0{begin}\0{end}")
    everybody = sorted(devices)
    found: dict[datetime, str] = {}
    for day, gone, told in zip(begins, absent, lines, strict=True):
        there = everybody if not gone else [id for id in everybody if id not in gone]
        found[day] = hashlib.sha256("\n".join([*there, "", *told]).encode()).hexdigest()[:32]
    return found

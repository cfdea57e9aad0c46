"""Keeps what recorders have: a run is folded into what is known, in the transaction that keeps the run itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, select, update

from camera_registry.model.recording import Gap, Lack, NotComputable, Recording, Searched
from camera_registry.rules import recorded
from camera_registry.store.columns import clean
from camera_registry.store.recording_tables import RecordingGapRow, RecordingRow
from camera_registry.store.statements import batches, insert, upsert
from camera_registry.store.tables import SeenRow, table

_RECORDINGS = table(RecordingRow)
_GAPS = table(RecordingGapRow)
_SEEN = table(SeenRow)


@dataclass(frozen=True, slots=True)
class Told:
    """What the newest run tells of a device: of each recording what was searched, and which ones are to be written into
    (None: not told)."""

    device: str
    searched: Sequence[Searched]
    expected: frozenset[str] | None


def take_in(tx: Connection, told: Iterable[Told]) -> None:
    """Fold runs into what is known; the same run again changes nothing."""
    by_device = {one.device: one for one in told}
    known = {(one.device, one.token): one for one in load(tx, by_device)}
    found = [
        recorded.fold(one.device, known.get((one.device, clean(seen.token))), seen)
        for one in by_device.values()
        for seen in one.searched
    ]
    for new in found:
        before = known.get((new.device, clean(new.token)))
        if before == new:
            continue
        values = {name: getattr(new, name) for name in ("device", "since", "until", "ended")}
        upsert(tx, _RECORDINGS, [values | {"token": clean(new.token), "name": clean(new.name)}])
        if before is None or before.gaps != new.gaps:
            tx.execute(delete(_GAPS).where(_GAPS.c.device == new.device, _GAPS.c.token == clean(new.token)))
            insert(tx, _GAPS, [_gap_row(new, gap) for gap in new.gaps])
    for one in known.values():
        expected = by_device[one.device].expected
        if expected is not None and one.token not in expected and not one.ended:
            which = (_RECORDINGS.c.device == one.device) & (_RECORDINGS.c.token == one.token)
            tx.execute(update(_RECORDINGS).where(which).values(ended=True))


def _gap_row(recording: Recording, gap: Gap) -> dict[str, object]:
    values = {name: getattr(gap, name) for name in ("since", "until", "lack", "resolution")}
    return {"device": recording.device, "token": clean(recording.token), **values}


def load(tx: Connection, devices: Iterable[str] | None = None) -> list[Recording]:
    """What is known of the recordings of these devices, or of all."""
    found: list[Recording] = []
    for some in [None] if devices is None else batches(devices):
        gaps: dict[tuple[str, str], list[Gap]] = {}
        for row in tx.execute(_of(select(_GAPS).order_by(_GAPS.c.since), _GAPS, some)):
            gap = Gap(row.since, row.until, row.lack, row.resolution)
            gaps.setdefault((row.device, row.token), []).append(gap)
        query = select(_RECORDINGS).order_by(_RECORDINGS.c.device, _RECORDINGS.c.token)
        for row in tx.execute(_of(query, _RECORDINGS, some)):
            own = tuple(gaps.get((row.device, row.token), ()))
            found.append(Recording(row.device, row.token, row.name, row.since, row.until, row.ended, own))
    return found


def _of(query: Any, target: Any, devices: Sequence[str] | None) -> Any:
    return query if devices is None else query.where(target.c.device.in_(devices))


@dataclass(frozen=True, slots=True)
class Missing:
    """A gap of a recording, cut to a period; ``open``: it goes on, as far as is known."""

    device: str
    recording: str
    since: datetime
    until: datetime
    resolution: float
    open: bool


def missing(tx: Connection, begins: datetime, ends: datetime, device: str | None = None) -> list[Missing]:
    """The gaps that touch a period, the longest part of it first."""
    same = and_(_GAPS.c.device == _RECORDINGS.c.device, _GAPS.c.token == _RECORDINGS.c.token)
    query = select(_GAPS, _RECORDINGS.c.name, _RECORDINGS.c.until.label("known"), _RECORDINGS.c.ended).join(
        _RECORDINGS, same
    )
    query = query.where(_GAPS.c.lack == Lack.MISSING, _GAPS.c.since < ends, _GAPS.c.until > begins)
    if device is not None:
        query = query.where(_GAPS.c.device == device)
    found = [
        Missing(
            row.device,
            row.name or row.token,
            max(row.since, begins),
            min(row.until, ends),
            row.resolution,
            row.until == row.known and not row.ended,
        )
        for row in tx.execute(query)
    ]
    return sorted(found, key=lambda one: (one.since - one.until, one.device, one.recording, one.since))


def not_computable(tx: Connection, device: str | None = None) -> dict[str, NotComputable]:
    """The devices that are asked for recordings and do not tell what they recorded, and why."""
    query = select(_SEEN.c.device, _SEEN.c.facts).where(_SEEN.c.probe == "recording")
    if device is not None:
        query = query.where(_SEEN.c.device == device)
    return {row.device: why for row in tx.execute(query) if (why := recorded.why_not(row.facts)) is not None}

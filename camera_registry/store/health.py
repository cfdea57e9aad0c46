"""Keeps what health found: present states, the newest run of each probe, and flips, the history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, text

from camera_registry.model.chain import Link, LinkSeen, LinkState, Way
from camera_registry.model.health import AspectState, Flip, Subject
from camera_registry.model.observation import Failure, FailureKind, ProbeSeen, Stage
from camera_registry.store.columns import clean
from camera_registry.store.statements import insert, rows, subtree, upsert
from camera_registry.store.tables import ITEMS, FlipRow, SeenRow, StateRow, table

_STATES = table(StateRow)
_SEEN = table(SeenRow)
_FLIPS = table(FlipRow)
_EVIDENCE = tuple(field.name for field in fields(AspectState))[1:]
"""What a state holds besides its subject: columns of the same names."""


@dataclass(frozen=True, slots=True)
class StoredFlip:
    """A flip with its number; numbers grow in the order in which flips were stored."""

    id: int
    flip: Flip


def save(
    tx: Connection,
    states: Iterable[AspectState] = (),
    flips: Iterable[Flip] = (),
    seen: Iterable[tuple[str, ProbeSeen]] = (),
) -> None:
    """Write one batch: states and newest runs replace what was known, flips are appended. ``seen`` pairs each run
    with its device. The caller passes only what changed, each subject at most once."""
    upsert(tx, _STATES, [_state_row(state) for state in states])
    upsert(tx, _SEEN, [_seen_row(device, run) for device, run in seen])
    insert(tx, _FLIPS, [_flip_row(flip) for flip in flips])


def load_states(tx: Connection) -> list[AspectState]:
    """Every state, for a start."""
    columns = [_STATES.c[name] for name in ("device", "aspect", "channel", *_EVIDENCE)]
    return [
        AspectState(Subject(device, aspect, channel), *evidence)
        for device, aspect, channel, *evidence in rows(tx, select(*columns))
    ]


def load_seen(tx: Connection) -> list[tuple[str, ProbeSeen]]:
    """The newest run of each probe of each device, for a start."""
    columns = [
        _SEEN.c[name] for name in ("device", "probe", "channel", "at", "took", "failure", "last_success", "facts")
    ]
    return [
        (device, ProbeSeen(probe, channel, at, took, _failure(failure), last_success, facts))
        for device, probe, channel, at, took, failure, last_success, facts in rows(tx, select(*columns))
    ]


def flips(
    tx: Connection,
    *,
    device: str | None = None,
    area: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before_id: int | None = None,
    limit: int = 100,
) -> list[StoredFlip]:
    """Flips, newest first; ``area`` takes its subtree along, ``since`` is included, ``until`` is not.

    The next page is what has ``before_id`` = the last one's id.
    """
    query = select(_FLIPS).order_by(_FLIPS.c.id.desc()).limit(limit)
    if device is not None:
        query = query.where(_FLIPS.c.device == device)
    if area is not None:
        devices = ITEMS["device"]
        query = query.where(_FLIPS.c.device.in_(select(devices.c.id).where(devices.c.area.in_(subtree(area)))))
    if since is not None:
        query = query.where(_FLIPS.c.at >= since)
    if until is not None:
        query = query.where(_FLIPS.c.at < until)
    if before_id is not None:
        query = query.where(_FLIPS.c.id < before_id)
    return [StoredFlip(row.id, _flip(row)) for row in tx.execute(query)]


def integrity(tx: Connection) -> list[str]:
    """What the database finds wrong with itself; empty: nothing. PostgreSQL checks its pages as it reads them."""
    if tx.dialect.name != "sqlite":
        return []
    found = [str(row[0]) for row in tx.execute(text("PRAGMA integrity_check"))]
    broken = [
        f"{row[0]} row {row[1]} refers to a missing {row[2]}" for row in tx.execute(text("PRAGMA foreign_key_check"))
    ]
    return [line for line in found if line != "ok"] + broken


def flips_after(tx: Connection, id: int) -> list[Flip]:
    """Every flip that was stored after one, oldest first."""
    return [_flip(row) for row in tx.execute(select(_FLIPS).where(_FLIPS.c.id > id).order_by(_FLIPS.c.id))]


def newest_flip(tx: Connection) -> int:
    """The number of the newest flip; 0: there is none."""
    return tx.execute(select(func.max(_FLIPS.c.id))).scalar() or 0


def _state_row(state: AspectState) -> dict[str, object]:
    subject = state.subject
    evidence = {name: getattr(state, name) for name in _EVIDENCE}
    evidence["detail"] = clean(state.detail)
    return {"device": subject.device, "aspect": subject.aspect, "channel": subject.channel, **evidence}


def _seen_row(device: str, run: ProbeSeen) -> dict[str, object]:
    failure = run.failure
    return {
        "device": device,
        "channel": run.channel,
        "probe": run.probe,
        "at": run.at,
        "took": run.took,
        "failure": None if failure is None else _failure_row(failure),
        "last_success": run.last_success,
        "facts": run.facts,
    }


def _failure_row(failure: Failure) -> dict[str, object]:
    row: dict[str, object] = {"kind": failure.kind.value, "stage": failure.stage.value, "detail": failure.detail}
    if failure.key:
        row |= {"key": failure.key, "values": dict(failure.values)}
    if failure.way is not None:
        links = [[seen.link, seen.state, seen.key, dict(seen.values), seen.seconds] for seen in failure.way.links]
        row["way"] = {"at": failure.way.at.isoformat(), "links": links}
    return row


def _failure(kept: Mapping[str, Any] | None) -> Failure | None:
    if kept is None:
        return None
    kind, stage = FailureKind(kept["kind"]), Stage(kept["stage"])
    way = _way(kept["way"]) if "way" in kept else None
    return Failure(kind, stage, kept["detail"], kept.get("key", ""), kept.get("values", {}), way)


def _way(kept: Mapping[str, Any]) -> Way:
    links = (LinkSeen(Link(link), LinkState(state), *told) for link, state, *told in kept["links"])
    return Way(datetime.fromisoformat(kept["at"]), tuple(links))


def _flip_row(flip: Flip) -> dict[str, object]:
    return {
        "device": flip.subject.device,
        "channel": flip.subject.channel,
        "aspect": flip.subject.aspect,
        "before": flip.before,
        "after": flip.after,
        "at": flip.at,
        "confirmed_at": flip.confirmed_at,
        "cause": flip.cause,
        "detail": clean(flip.detail),
    }


def _flip(row: Row[Any]) -> Flip:
    subject = Subject(row.device, row.aspect, row.channel)
    return Flip(subject, row.before, row.after, row.at, row.confirmed_at, row.cause, row.detail)

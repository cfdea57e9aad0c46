"""Keeps what health found: present states, the newest run of each probe, and flips, the history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, func, select, text

from camera_registry.model.chain import Link, LinkSeen, LinkState, Way
from camera_registry.model.health import Aspect, AspectState, Flip, State, Subject
from camera_registry.model.observation import Failure, FailureKind, ProbeSeen, Stage
from camera_registry.store.columns import clean, microseconds
from camera_registry.store.statements import insert, rows, subtree, upsert
from camera_registry.store.tables import ITEMS, FlipRow, SeenRow, StateRow, table

_STATES = table(StateRow)
_SEEN = table(SeenRow)
_FLIPS = table(FlipRow)
_WORDS = {aspect: aspect.value for aspect in Aspect}
_EVIDENCE = tuple(field.name for field in fields(AspectState))[1:]
"""What a state holds besides its subject: columns of the same names."""

_T = TypeVar("_T")


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


def move(tx: Connection, states: Iterable[AspectState], seen: Iterable[tuple[str, ProbeSeen]]) -> None:
    """Write of these states and runs that they are as they were, at a later time. Most of what is written is that, and
    it costs a fifth of a row; where one is not as it is stored, whole rows are written, as by ``save``."""
    resting, others = _parted(states, _rests)
    told = [
        (microseconds(one.read_at), one.subject.device, _WORDS[one.subject.aspect], one.subject.channel,
         microseconds(one.since))
        for one in resting if one.read_at is not None and one.since is not None
    ]  # fmt: skip
    if _run(tx, _LATER_STATE, told) < len(resting):
        others += resting
    upsert(tx, _STATES, [_state_row(state) for state in others])
    well, rest = _parted(seen, lambda one: one[1].failure is None and one[1].last_success is not None)
    runs = [(microseconds(run.at), run.took, microseconds(run.last_success), device, run.channel, run.probe)
            for device, run in well if run.last_success is not None]  # fmt: skip
    if _run(tx, _LATER_RUN, runs) < len(well):
        rest += well
    upsert(tx, _SEEN, [_seen_row(device, run) for device, run in rest])


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


_LATER_STATE = """UPDATE aspect_state SET read_at = {0} WHERE device = {1} AND aspect = {2} AND channel = {3}
AND since = {4} AND settled = 'ok' AND state = 'ok' AND good AND changes = 0 AND run = 0"""
_LATER_RUN = """UPDATE probe_seen SET at = {0}, took = {1}, last_success = {2}
WHERE device = {3} AND channel = {4} AND probe = {5} AND failure IS NULL"""


def _rests(state: AspectState) -> bool:
    """Whether all that is stored of a state, but its times, follows from its being in order, and having been so."""
    in_order = state.state is State.OK and state.settled is State.OK and state.good is True
    return in_order and not (state.changes or state.run)


def _run(tx: Connection, statement: str, rows: Sequence[tuple[object, ...]]) -> int:
    """Run a statement for each of these rows of plain values; how many were found. SQLAlchemy would look at each value
    twice."""
    if not rows:
        return 0
    mark = "?" if tx.dialect.paramstyle == "qmark" else "%s"
    return tx.exec_driver_sql(statement.format(*[mark] * len(rows[0])), list(rows)).rowcount


def _parted(values: Iterable[_T], chosen: Callable[[_T], bool]) -> tuple[list[_T], list[_T]]:
    """Those that are chosen, and the others."""
    parts: tuple[list[_T], list[_T]] = [], []
    for value in values:
        parts[not chosen(value)].append(value)
    return parts


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
        "facts": dict(run.facts),
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

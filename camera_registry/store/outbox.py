"""The outbox: notices from the transaction in which they came to be owed until a channel has taken them.

A channel's worker claims one message at a time (a *batch* of notices) by a conditional UPDATE, sends it, and marks it.
Whoever dies in between leaves a batch whose lease runs out; it is then claimed again whole, with the same key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from camera_registry.model.notice import WAITING, Audience, Batch, Delivery, Notice, NoticeState, Occasion, Owing
from camera_registry.rules import notices as rules
from camera_registry.rules.notices import Told
from camera_registry.store.columns import clean
from camera_registry.store.incident_tables import DeliveryRow, NoticeRow
from camera_registry.store.statements import batches, insert
from camera_registry.store.tables import table

_NOTICES = table(NoticeRow)
_DELIVERIES = table(DeliveryRow)
_ONE = _NOTICES.c
_OWED = (NoticeState.PENDING, NoticeState.SENDING)
_PLAIN = (
    "key", "channel", "occasion", "severity", "created_at", "not_before", "incident", "grouping", "state", "attempts",
    "error", "batch", "finished_at", "id",
)  # fmt: skip

MOST = 500
"""Notices in one message that is no digest."""
SHOWN = 50
"""Notices of a digest that are told one by one; of the others it tells how many."""
MOST_IN_DIGEST = 20_000

Unwanted = Callable[[Occasion, int | None], str]
"""Why a notice is not to be sent any more; empty: it is. Called on the store's thread."""


def owe(tx: Connection, notices: Sequence[Notice], note: Callable[[Told], None] | None = None) -> None:
    """Keep what is owed, each key once; what ``follows`` only for channels that were told of the incident before.

    Belongs into the transaction that keeps the incidents. ``note`` is shown what was told before.
    """
    if not notices:
        return
    told = told_of(tx, {one.incident for one in notices if one.incident is not None})
    if note is not None:
        note(told)
    kept, hastened = rules.due_to(notices, told)
    for one in hastened:
        # It waits for the morning perhaps, and must not any more.
        _hasten(tx, one)
    if kept:
        statement = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(_NOTICES)
        tx.execute(statement.on_conflict_do_nothing(index_elements=["key"]), [_row(one) for one in kept])


def told_of(tx: Connection, incidents: Iterable[int]) -> Told:
    """Which channels were told of which incidents, or will be whatever happens."""
    # What only waits, and was never tried, may still be found not to be wanted.
    certain = or_(_ONE.occasion.not_in(WAITING), _ONE.attempts > 0)
    return {
        (row.channel, row.incident)
        for batch in batches(incidents)
        for row in tx.execute(
            select(_ONE.channel, _ONE.incident)
            .where(_ONE.incident.in_(batch), _ONE.state != NoticeState.MUTED, certain)
            .distinct()
        )
    }


def owed_after(tx: Connection, id: int) -> list[Notice]:
    """Every notice that followed from a step and was stored after one, oldest first; not what time alone made due."""
    own = and_(_ONE.id > id, _ONE.occasion != Occasion.TEST, ~_ONE.key.contains("+"))
    return [_notice(row) for row in tx.execute(select(_NOTICES).where(own).order_by(_ONE.id)).mappings()]


def newest(tx: Connection) -> int:
    """The number of the newest notice; 0: there is none."""
    return tx.execute(select(func.max(_ONE.id))).scalar() or 0


def _hasten(tx: Connection, notice: Notice) -> None:
    mine = and_(_ONE.channel == notice.channel, _ONE.incident == notice.incident)
    unsent = and_(_ONE.state == NoticeState.PENDING, _ONE.attempts == 0, _ONE.occasion.not_in(WAITING))
    later = _ONE.not_before > notice.not_before
    values = {"not_before": notice.not_before, "severity": notice.severity}
    tx.execute(update(_NOTICES).where(mine, unsent, later).values(values))


def owing(tx: Connection) -> dict[str, Owing]:
    """What is owed to each channel now."""
    query = (
        select(_ONE.channel, _ONE.state, func.count().label("n"), func.min(_ONE.not_before).label("next"))
        .where(_ONE.state.in_((*_OWED, NoticeState.FAILED)))
        .group_by(_ONE.channel, _ONE.state)
    )
    found: dict[str, Owing] = {}
    for row in tx.execute(query):
        before = found.get(row.channel, Owing(0, 0, None))
        if row.state is NoticeState.FAILED:
            found[row.channel] = Owing(before.pending, row.n, before.next)
        else:
            due = row.next if before.next is None else min(before.next, row.next)
            found[row.channel] = Owing(before.pending + row.n, before.failed, due)
    return found


def release(tx: Connection) -> None:
    """Give back what a process that is gone was about to send. For a start: there is one service on a database."""
    tx.execute(
        update(_NOTICES).where(_ONE.state == NoticeState.SENDING).values(state=NoticeState.PENDING, leased_until=None)
    )


def claim(tx: Connection, audience: Audience, now: datetime, lease: timedelta, unwanted: Unwanted) -> Batch | None:
    """Take the next message of a channel, if one is due; nobody else gets it until ``lease`` is over.

    A message that was tried before comes as it was. Of one incident nothing overtakes what is owed before it.
    """
    _mute_unwanted(tx, audience.channel, now, unwanted)
    mine = and_(_ONE.channel == audience.channel, _free(now))
    ready = and_(mine, _ONE.not_before <= now, ~_blocked())
    first = tx.execute(select(_NOTICES).where(ready).order_by(_ONE.id).limit(1)).mappings().first()
    if first is None:
        return None
    if first["batch"]:
        key, digest = first["batch"], first["digest"]
        wanted = and_(_ONE.batch == key, _free(now))
    else:
        wanted, digest = _gathered(tx, audience, mine, first, now)
        key = f"{first['key']}@{first['id']}"
    claimed = tx.execute(
        update(_NOTICES)
        .where(wanted)
        .values(
            state=NoticeState.SENDING,
            batch=key,
            digest=digest,
            attempts=_ONE.attempts + 1,
            leased_until=now + lease,
        )
    ).rowcount
    return _load(tx, audience.channel, key, digest=digest, total=claimed)


def _free(now: datetime) -> ColumnElement[bool]:
    """Nobody is sending it."""
    return or_(_ONE.state == NoticeState.PENDING, and_(_ONE.state == NoticeState.SENDING, _ONE.leased_until <= now))


def _blocked(*, batched_only: bool = False) -> ColumnElement[bool]:
    """Something of the same incident is owed to the same channel before it."""
    earlier = _NOTICES.alias("earlier")
    conditions = [
        earlier.c.channel == _ONE.channel,
        earlier.c.incident == _ONE.incident,
        earlier.c.id < _ONE.id,
        earlier.c.state.in_(_OWED),
        or_(earlier.c.occasion.not_in(WAITING), earlier.c.attempts > 0),
    ]
    if batched_only:
        conditions.append(earlier.c.batch != "")
    return exists().where(*conditions)


def _gathered(
    tx: Connection, audience: Audience, mine: ColumnElement[bool], first: RowMapping, now: datetime
) -> tuple[ColumnElement[bool], bool]:
    """Which notices go with the first one: all that are due if there are too many, else those of its kind."""
    fresh = and_(mine, _ONE.batch == "")
    if audience.digest:
        due = and_(fresh, _ONE.not_before <= now, ~_blocked(batched_only=True))
        ids = select(_ONE.id).where(due).order_by(_ONE.id).limit(MOST_IN_DIGEST)
        if (tx.execute(select(func.count()).select_from(ids.subquery())).scalar() or 0) > audience.digest:
            return _ONE.id.in_(ids), True
        soon = now + timedelta(seconds=audience.group_wait)
        kind = and_(fresh, _ONE.grouping == first["grouping"], _ONE.not_before <= soon, ~_blocked())
    else:
        # Whoever wants no digests is a program: it is told everything, in as few messages as hold it.
        kind = and_(fresh, _ONE.not_before <= now, ~_blocked())
    return _ONE.id.in_(select(_ONE.id).where(kind).order_by(_ONE.id).limit(MOST)), False


def _load(tx: Connection, channel: str, key: str, *, digest: bool, total: int) -> Batch:
    mine = _ONE.batch == key
    rows = tx.execute(
        select(_ONE.occasion, _ONE.severity, func.count().label("n"))
        .where(mine, _ONE.state == NoticeState.SENDING)
        .group_by(_ONE.occasion, _ONE.severity)
    )
    counts = {(row.occasion, row.severity): row.n for row in rows}
    order = (_ONE.severity, _ONE.id) if digest else (_ONE.id,)
    query = select(_NOTICES).where(mine, _ONE.state == NoticeState.SENDING).order_by(*order)
    notices = tuple(_notice(row) for row in tx.execute(query.limit(SHOWN if digest else MOST)).mappings())
    return Batch(key, channel, notices, total, counts, max(one.attempts for one in notices), digest)


def _mute_unwanted(tx: Connection, channel: str, now: datetime, unwanted: Unwanted) -> None:
    query = select(_ONE.id, _ONE.occasion, _ONE.incident).where(
        _ONE.channel == channel,
        _ONE.state == NoticeState.PENDING,
        _ONE.attempts == 0,
        _ONE.not_before <= now,
    )
    reasons: dict[str, list[int]] = {}
    for row in tx.execute(query.limit(MOST_IN_DIGEST)):
        if reason := unwanted(row.occasion, row.incident):
            reasons.setdefault(reason, []).append(row.id)
    for reason, ids in reasons.items():
        for batch in batches(ids):
            tx.execute(
                update(_NOTICES)
                .where(_ONE.id.in_(batch))
                .values(state=NoticeState.MUTED, error=reason, finished_at=now)
            )


def delivered(tx: Connection, batch: Batch, attempt: Delivery, following: Sequence[Notice] = ()) -> None:
    """The channel has it. ``following`` is owed because of that, unless the like is owed already."""
    _finish(tx, batch, attempt, NoticeState.DELIVERED)
    if not following:
        return
    waiting = select(_ONE.channel, _ONE.incident).where(
        _ONE.state == NoticeState.PENDING,
        _ONE.occasion == Occasion.REPEATED,
        _ONE.channel == batch.channel,
        _ONE.incident.in_([one.incident for one in following]),
    )
    known = {(row.channel, row.incident) for row in tx.execute(waiting)}
    owe(tx, [one for one in following if (one.channel, one.incident) not in known])


def refused(tx: Connection, batch: Batch, attempt: Delivery) -> None:
    """The channel will never take it as it is."""
    _finish(tx, batch, attempt, NoticeState.FAILED)


def postponed(tx: Connection, batch: Batch, attempt: Delivery, not_before: datetime) -> None:
    """It could not be sent now, and is tried again."""
    values = {"state": NoticeState.PENDING, "not_before": not_before, "error": clean(attempt.error)}
    tx.execute(update(_NOTICES).where(*_claimed(batch)).values(leased_until=None, **values))
    log(tx, attempt)


def _finish(tx: Connection, batch: Batch, attempt: Delivery, state: NoticeState) -> None:
    values = {"state": state, "error": clean(attempt.error), "finished_at": attempt.at, "leased_until": None}
    tx.execute(update(_NOTICES).where(*_claimed(batch)).values(values))
    log(tx, attempt)


def _claimed(batch: Batch) -> tuple[ColumnElement[bool], ...]:
    return _ONE.batch == batch.key, _ONE.state == NoticeState.SENDING


def log(tx: Connection, attempt: Delivery) -> None:
    """Write one attempt down."""
    row = {name: getattr(attempt, name) for name in ("batch", "channel", "at", "took", "result", "notices")}
    insert(tx, _DELIVERIES, [{**row, "error": clean(attempt.error)}])


def retry(tx: Connection, id: int, now: datetime) -> int:
    """Have what failed for good tried again, with all of its message. Returns how many notices; 0: it did not fail."""
    row = tx.execute(select(_ONE.batch).where(_ONE.id == id, _ONE.state == NoticeState.FAILED)).first()
    if row is None:
        return 0
    return tx.execute(
        update(_NOTICES)
        .where(_ONE.batch == row.batch, _ONE.state == NoticeState.FAILED)
        .values(state=NoticeState.PENDING, not_before=now, finished_at=None)
    ).rowcount


def dismiss(tx: Connection, channel: str, now: datetime, *, owed: bool) -> int:
    """Give up what a channel refused and, with ``owed``, what it is still owed: for one that is there no more. Returns
    how many notices; they are kept as not sent."""
    given_up = (NoticeState.FAILED, NoticeState.PENDING) if owed else (NoticeState.FAILED,)
    return tx.execute(
        update(_NOTICES)
        .where(_ONE.channel == channel, _ONE.state.in_(given_up))
        .values(state=NoticeState.MUTED, error="dismissed", finished_at=now)
    ).rowcount


def page(
    tx: Connection,
    *,
    channel: str = "",
    state: NoticeState | None = None,
    incident: int | None = None,
    before_id: int | None = None,
    limit: int = 100,
) -> list[Notice]:
    """Notices, newest first."""
    given = {"channel": channel or None, "state": state, "incident": incident}
    conditions = [_ONE[name] == value for name, value in given.items() if value is not None]
    if before_id is not None:
        conditions.append(_ONE.id < before_id)
    query = select(_NOTICES).where(*conditions).order_by(_ONE.id.desc()).limit(limit)
    return [_notice(row) for row in tx.execute(query).mappings()]


def attempts(tx: Connection, *, before_id: int | None = None, limit: int = 100) -> list[Delivery]:
    """The delivery log, newest first."""
    query = select(_DELIVERIES).order_by(_DELIVERIES.c.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(_DELIVERIES.c.id < before_id)
    return [Delivery(**row) for row in tx.execute(query).mappings()]


def shift(tx: Connection, step: timedelta) -> None:
    """Follow the system's clock, which was set by ``step``: what is owed is due neither earlier nor later by that."""
    moved = step // timedelta(microseconds=1)
    times = {
        name: type_coerce(type_coerce(_ONE[name], BigInteger) + moved, _ONE[name].type)
        for name in ("not_before", "leased_until")
    }
    tx.execute(update(_NOTICES).where(_ONE.state.in_(_OWED)).values(times))


def sweep(tx: Connection, before: datetime) -> None:
    """Forget what was delivered or muted, and the attempts, before this time. What failed stays until it is tried."""
    over = (NoticeState.DELIVERED, NoticeState.MUTED)
    tx.execute(delete(_NOTICES).where(_ONE.state.in_(over), _ONE.created_at < before))
    tx.execute(delete(_DELIVERIES).where(_DELIVERIES.c.at < before))


def _row(notice: Notice) -> dict[str, object]:
    row: dict[str, Any] = {name: getattr(notice, name) for name in _PLAIN if name != "id"}
    return {**row, "digest": False, "leased_until": None, "told": dict(notice.values)}


def _notice(row: RowMapping) -> Notice:
    return Notice(**{name: row[name] for name in _PLAIN}, values=row["told"])

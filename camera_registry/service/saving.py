"""What the recorder writes together: each of these is one transaction, or none of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from camera_registry.model.device import Device
from camera_registry.model.incident import IncidentChange
from camera_registry.model.notice import Notice
from camera_registry.model.observation import Facts, ProbeSeen
from camera_registry.model.roster import Run
from camera_registry.model.work_order import OrderChange
from camera_registry.rules.adoption import adopt
from camera_registry.rules.notices import Told
from camera_registry.service.changes import Changes
from camera_registry.store import (
    audit,
    decisions,
    health,
    incidents,
    orders,
    outbox,
    picture_days,
    recordings,
    register,
    windows,
)

AUTHOR = "poller"
"""Whose name stands under what the register took over from devices."""

Note = Callable[[Told], None]
"""Is shown which channels had been told of which incidents."""


def marked(tx: Connection, n: int, save: Callable[[Connection, Note | None], None], told: Note | None) -> None:
    """Whatever ``save`` writes, and that record ``n`` of the log (0: there is none) led to it."""
    save(tx, told)
    if n:
        decisions.mark(tx, n)


def batch(
    tx: Connection,
    changes: Changes,
    searched: Iterable[recordings.Told],
    notices: Sequence[Notice],
    told: Note | None,
    keep_days: int,
) -> None:
    """Everything that one look at the world has changed, in one transaction."""
    health.save(tx, changes.states.values(), changes.flips, _with_devices(changes.seen))
    # What waited for the store meanwhile may have changed since it moved.
    moved = [state for subject, state in changes.moved.items() if subject not in changes.states]
    again = {key: run for key, run in changes.again.items() if key not in changes.seen}
    health.move(tx, moved, _with_devices(again))
    recordings.take_in(tx, searched)
    incidents.save(tx, changes.incidents.values(), changes.steps, changes.affected.values())
    orders.save(tx, changes.orders.values(), changes.order_steps)
    outbox.owe(tx, notices, told)
    picture_days.save(tx, changes.days.values(), keep_days)
    for window, began in changes.set_off.items():
        windows.set_off(tx, window, began)


def _with_devices(runs: Mapping[tuple[str, Run], ProbeSeen]) -> list[tuple[str, ProbeSeen]]:
    return [(device, run) for (device, _), run in runs.items()]


def edit(tx: Connection, step: IncidentChange, notices: Sequence[Notice], told: Note | None) -> None:
    """What a person did about an incident, and who is told of it."""
    incidents.save(tx, [step.incident], [step])
    outbox.owe(tx, notices, told)
    detail = {"text": step.text} if step.text else {}
    audit.append(tx, step.actor, f"incident.{step.step.value}", f"incident/{step.incident.id}", detail, step.at)


def remark(tx: Connection, step: IncidentChange) -> None:
    """What is noted on an incident, which changes nothing of it."""
    incidents.save(tx, (), [step])
    audit.append(tx, step.actor, f"incident.{step.step.value}", f"incident/{step.incident.id}", None, step.at)


def order(tx: Connection, step: OrderChange, notices: Sequence[Notice], told: Note | None) -> None:
    """A step of a work order, and who is told of it."""
    orders.save(tx, [step.order], [step])
    outbox.owe(tx, notices, told)


def adopted(tx: Connection, told: dict[str, Facts], at: datetime) -> None:
    """What devices told of themselves, in those fields of their files that are empty."""
    # Read anew inside the transaction: somebody may have edited the file since the device was asked.
    filled: list[Device] = []
    for device, facts in told.items():
        stored = register.get(tx, "device", device)
        if stored is not None and isinstance(stored.item, Device):
            better = adopt(stored.item, facts)
            if better is not None:
                filled.append(better)
    register.apply(tx, filled, author=AUTHOR, at=at)

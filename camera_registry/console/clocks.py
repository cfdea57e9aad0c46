"""The two clocks of a work order: how long the device is out, and how long the contractor has had."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from camera_registry.console.routing import Asked
from camera_registry.model.work_order import WorkOrder
from camera_registry.rules.dispatch import hours
from camera_registry.store import incidents

_Ask = Asked[Any, Any]


async def outage(asked: _Ask, order: WorkOrder) -> timedelta:
    """The outage so far, by the newest incident of the order."""
    deps = asked.deps
    incident = deps.board.incidents.get(order.incident) or await deps.store.read(incidents.get, order.incident)
    return timedelta(0) if incident is None else (incident.ended or deps.now()) - incident.started


def work(asked: _Ask, order: WorkOrder) -> timedelta:
    """The contractor's time since the order was sent: in the hours of its calendar, and not while it is on hold."""
    return hours.worked(order, asked.deps.settings().dispatch_policy(), asked.deps.now())

"""What dispatch remembers between two calls, and what surrounds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from camera_registry.model.dispatch import DispatchPolicy
from camera_registry.model.health import AspectState, Subject
from camera_registry.model.incident import Incident
from camera_registry.model.register import Register
from camera_registry.model.work_order import OrderChange, WorkOrder


@dataclass(frozen=True, slots=True)
class OrderBook:
    """The orders that may still change by themselves: those that are not over, and those whose fault may be back.
    ``last_id`` is the newest order's number, ``wake`` when time alone may change something next (None: never)."""

    orders: Mapping[int, WorkOrder] = field(default_factory=dict)
    last_id: int = 0
    wake: datetime | None = None


def _deaf(subject: Subject) -> AspectState | None:
    return None


@dataclass(frozen=True, slots=True)
class Scene:
    """What surrounds the orders: the register, the table of rules, every open incident, and what is heard of each
    subject by now."""

    register: Register = field(default_factory=Register)
    policy: DispatchPolicy = field(default_factory=DispatchPolicy)
    incidents: Mapping[int, Incident] = field(default_factory=dict)
    heard: Callable[[Subject], AspectState | None] = _deaf


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What one call has changed: steps in order, and the orders as they stand."""

    changes: tuple[OrderChange, ...] = ()
    orders: tuple[WorkOrder, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes or self.orders)

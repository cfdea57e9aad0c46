"""Whom work orders are sent to, and what they and incidents are about, by the names that people know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from camera_registry.board import Board
from camera_registry.console.routing import Asked
from camera_registry.model.incident import Incident, Scope
from camera_registry.model.people import Contractor, Crew
from camera_registry.model.work_order import WorkOrder
from camera_registry.store import register


@dataclass(frozen=True, slots=True)
class Sent:
    """Crews and contractors, by their identifiers."""

    crews: dict[str, Crew]
    contractors: dict[str, Contractor]

    def crew(self, id: str) -> str:
        return (self.crews[id].name if id in self.crews else "") or id

    def contractor(self, id: str) -> str:
        return (self.contractors[id].name if id in self.contractors else "") or id

    def who(self, order: WorkOrder) -> str:
        """Crew and contractor of an order; empty: nobody yet."""
        return " · ".join(filter(None, (self.crew(order.crew), self.contractor(order.contractor))))


def called(board: Board, shown: Iterable[Incident] | Iterable[WorkOrder]) -> dict[int, str]:
    """What people call that which each of these is about, by its number."""
    names: dict[int, str] = {}
    for one in shown:
        entry = board.get(one.about) if one.scope is Scope.DEVICE else None
        name = entry.device.name if entry is not None else ""
        names[one.id] = name or (board.names.areas.get(one.about, "") if one.scope is Scope.AREA else "") or one.about
    return names


async def people(asked: Asked[Any, Any]) -> Sent:
    kept = await asked.deps.store.read(register.load_register, ("crew", "contractor"))
    return Sent(dict(kept.crews), dict(kept.contractors))

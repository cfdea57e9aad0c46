"""Whom work orders are sent to, by the names that people know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from camera_registry.console.routing import Asked
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


async def people(asked: Asked[Any, Any]) -> Sent:
    kept = await asked.deps.store.read(register.load_register, ("crew", "contractor"))
    return Sent(dict(kept.crews), dict(kept.contractors))

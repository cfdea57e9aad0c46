"""Incidents, audiences and a receiver of webhooks that can be told to fail, for tests of notices."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from camera_registry.model.health import Aspect, Cause, Subject
from camera_registry.model.incident import Incident, IncidentChange, Scope, Severity, Step
from camera_registry.model.work_order import Deadlines, Due, OrderState, WorkOrder

NOON = datetime(2026, 10, 1, 4, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def incident(id: int = 1, about: str = "cam-1", **values: object) -> Incident:
    made = Incident(
        id,
        Scope.DEVICE,
        about,
        Cause.TIMEOUT,
        Severity.P2,
        NOON,
        at(20),
        at(80),
        area="east-1",
        symptoms=(Subject(about, Aspect.REACH),),
    )
    return replace(made, **values)  # type: ignore[arg-type]


def opened(id: int = 1, when: datetime = NOON, **values: object) -> IncidentChange:
    return IncidentChange(Step.OPENED, when, incident(id, f"cam-{id}", **values))


def step(kind: Step, before: Incident, when: datetime = NOON, **values: object) -> IncidentChange:
    after = replace(before, version=before.version + 1, **values)  # type: ignore[arg-type]
    return IncidentChange(kind, when, after)


def resolved(before: Incident, when: datetime = NOON) -> IncidentChange:
    return step(Step.RESOLVED, before, when, ended=when)


def order(id: int = 1, incident_id: int = 1, **values: object) -> WorkOrder:
    one = incident(incident_id, f"cam-{incident_id}")
    limits, due = Deadlines(60, 120, 180), Due(at(60), at(120), at(180))
    made = WorkOrder(id, one.id, one.scope, one.about, one.cause, one.severity, NOON, NOON, limits)
    sent = {"state": OrderState.ASSIGNED, "contractor": "weibao-1", "crew": "crew-1", "due": due}
    whole = {"area": one.area, "symptoms": one.symptoms, **sent, **values}
    return replace(made, **whole)  # type: ignore[arg-type]


@dataclass
class Receiver:
    """What it was sent, oldest first, and what it answers: a status, or a function that does something else."""

    url: str = ""
    got: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    asked: int = 0
    answer: Callable[[web.Request], web.StreamResponse | float | None] = lambda request: None

    @property
    def told(self) -> list[tuple[int, str]]:
        """Each notice that arrived: incident and occasion."""
        return [(one["incident"], one["occasion"]) for message in self.got for one in message["notices"]]

    @property
    def keys(self) -> list[str]:
        return [message["key"] for message in self.got]

    async def receive(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        answer = self.answer(request)
        if isinstance(answer, float):
            await asyncio.sleep(answer)
        elif answer is not None:
            return answer
        self.bodies.append(await request.read())
        self.headers.append(dict(request.headers))
        self.got.append(await request.json())
        return web.Response()


@asynccontextmanager
async def receiving(port: int = 0, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """A receiver on loopback."""
    receiver = Receiver()
    application = web.Application()
    application.router.add_post("/hook", receiver.receive)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls).start()
    receiver.url = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield receiver
    await runner.cleanup()

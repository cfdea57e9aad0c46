"""What the API answers about incidents and maintenance windows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from camera_registry.console.api.answers import Copied
from camera_registry.model.health import Aspect, Cause
from camera_registry.model.incident import Affected, Incident, Party, Scope, Severity, Step
from camera_registry.model.maintenance import Window, WindowKind
from camera_registry.rules import maintenance
from camera_registry.store.incidents import StoredStep


class AcknowledgementAnswer(Copied):
    by: str
    at: datetime
    until: datetime | None
    sticky: bool
    note: str


class CalledAnswer(Copied):
    cause: Cause
    since: datetime


class SymptomAnswer(Copied):
    device: str
    aspect: Aspect
    channel: str


class IncidentAnswer(BaseModel):
    id: int
    scope: Scope
    about: str = Field(description="a device's identifier, or what the scope says: a network, an area, a power source")
    area: str
    cause: Cause
    severity: Severity
    detail: str
    started: datetime = Field(description="the first loss")
    confirmed_at: datetime
    opened_at: datetime
    ended: datetime | None
    flapping: bool
    parent: int | None = Field(description="the incident that explains this one")
    window: int | None = Field(description="the maintenance window that mutes it")
    affected: int = Field(description="devices lost behind it, the most at one time")
    acknowledged: AcknowledgementAnswer | None
    assignee: str
    charged: dict[Party, float] = Field(description="seconds by who they are charged to; they sum up to the outage")
    version: int = Field(description="the ETag's number, for If-Match")

    @classmethod
    def of(cls, incident: Incident, now: datetime) -> IncidentAnswer:
        return cls(**_plain(incident, now))


class StepAnswer(Copied):
    at: datetime
    step: Step
    cause: Cause
    severity: Severity
    actor: str = Field(description="who did it; empty: found by the service")
    other: int | None = Field(description="the incident or window concerned")
    text: str


class AffectedAnswer(Copied):
    device: str
    since: datetime
    until: datetime | None


class WholeIncident(IncidentAnswer):
    """An incident with its history and everything behind it."""

    symptoms: list[SymptomAnswer]
    causes: list[CalledAnswer]
    steps: list[StepAnswer]
    behind: list[AffectedAnswer] = Field(description="devices that were lost behind it, in the order of their loss")
    children: list[int] = Field(description="incidents that this one explains")

    @classmethod
    def whole(
        cls,
        incident: Incident,
        now: datetime,
        steps: Iterable[StoredStep],
        behind: Iterable[Affected],
        children: Iterable[Incident],
    ) -> WholeIncident:
        return cls(
            **_plain(incident, now),
            symptoms=[SymptomAnswer.of(one) for one in incident.symptoms],
            causes=[CalledAnswer.of(one) for one in incident.causes],
            steps=[StepAnswer.of(one) for one in steps],
            behind=[AffectedAnswer.of(one) for one in behind],
            children=[one.id for one in children],
        )


class WindowAnswer(BaseModel):
    id: int
    kind: WindowKind
    begins: datetime
    ends: datetime | None
    lasts: float
    schedule: str
    zone: str
    began: datetime | None = Field(description="when the first loss set a flexible window off")
    reason: str
    author: str
    created_at: datetime
    cancelled_at: datetime | None
    cancelled_by: str
    devices: list[str]
    tags: list[str]
    areas: list[str]
    parents: list[str]
    in_force: bool
    muted: int | None = Field(description="devices in service that it keeps quiet; null: it is over")

    @classmethod
    def of(cls, window: Window, now: datetime, muted: int | None) -> WindowAnswer:
        return cls(
            id=window.id,
            kind=window.kind,
            begins=window.begins,
            ends=window.ends,
            lasts=window.lasts.total_seconds(),
            schedule=window.schedule,
            zone=window.zone,
            began=window.began,
            reason=window.reason,
            author=window.author,
            created_at=window.created_at,
            cancelled_at=window.cancelled_at,
            cancelled_by=window.cancelled_by,
            devices=list(window.cover.devices),
            tags=list(window.cover.tags),
            areas=list(window.cover.areas),
            parents=list(window.cover.parents),
            in_force=maintenance.turn(window, now) is not None,
            muted=muted,
        )


class MutedAnswer(BaseModel):
    """How many of the devices in service a window would keep quiet."""

    muted: int
    in_service: int


def _plain(incident: Incident, now: datetime) -> dict[str, Any]:
    seen = incident.acknowledged
    return {
        **{
            name: getattr(incident, name)
            for name in IncidentAnswer.model_fields
            if name not in ("acknowledged", "charged")
        },
        "acknowledged": seen and AcknowledgementAnswer.of(seen),
        "charged": {party: time.total_seconds() for party, time in incident.charged(now).items()},
    }

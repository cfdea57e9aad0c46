"""What the API answers about work orders. Durations are seconds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, Field

from camera_registry.console.api.answers import Copied
from camera_registry.console.ordering import next_due
from camera_registry.model.attachment import Attachment, AttachmentKind
from camera_registry.model.health import Cause
from camera_registry.model.incident import Scope, Severity
from camera_registry.model.work_order import CancelReason, HoldReason, OrderState, OrderStep, Phase, WorkOrder
from camera_registry.rules.dispatch.deeds import Deed
from camera_registry.store.orders import StoredStep

_NESTED = ("due", "late", "next_due", "overdue", "holds", "rating", "reference")


class DueAnswer(Copied):
    """When each phase is overdue; null: not while the order is on hold, or nobody is sent."""

    accept: datetime | None
    arrive: datetime | None
    repair: datetime | None


class HoldAnswer(Copied):
    reason: HoldReason
    by: str
    since: datetime
    until: datetime | None
    note: str


class RatingAnswer(Copied):
    stars: int
    by: str
    at: datetime
    remark: str


class OrderAnswer(BaseModel):
    """A work order. ``state`` is where it stands; the times are those of the crew's word."""

    id: int
    incident: int = Field(description="the newest incident that it is about; 0: none, a person opened it")
    scope: Scope
    about: str
    cause: Cause
    severity: Severity
    state: OrderState
    area: str
    contractor: str
    crew: str = Field(description="empty: any crew of the contractor may take it")
    affected: int
    opened_at: datetime
    sent_at: datetime
    accepted_at: datetime | None
    arrived_at: datetime | None
    fixed_at: datetime | None
    recovered_at: datetime | None
    verified_at: datetime | None
    closed_at: datetime | None = Field(description="when it was closed or cancelled")
    cancelled: CancelReason | None
    due: DueAnswer
    next_due: datetime | None = Field(description="when the next phase that is still to be done is, or was, due")
    overdue: list[Phase] = Field(description="phases still to be done that were due before now")
    escalations: int
    repeats: int = Field(description="how often the fault was back after it was said to be mended")
    holds: list[HoldAnswer]
    rating: RatingAnswer | None
    version: int = Field(description="the ETag's number, for If-Match")

    @classmethod
    def of(cls, order: WorkOrder, now: datetime) -> OrderAnswer:
        return cls(**_plain(order, now))


class OrderStepAnswer(Copied):
    at: datetime
    step: OrderStep
    state: OrderState = Field(description="where the order stood after it")
    actor: str = Field(description="who did it; empty: the service")
    details: dict[str, str | int]
    note: str


class AttachmentAnswer(Copied):
    """A photograph of an order; ``GET`` its number beneath ``attachments`` for the JPEG while it is kept."""

    id: int
    kind: AttachmentKind
    author: str
    at: datetime
    size: int
    width: int
    height: int
    sha256: str


class WholeOrder(OrderAnswer):
    """An order with its time line, its photographs, its two clocks, and what whoever asks may do to it now."""

    outage: float = Field(description="how long the device has been out, by the incident")
    worked: float = Field(description="the contractor's time since the order was sent, without holds")
    detail: str = Field(description="what its incident was found by, as of an incident; empty: nothing, or by hand")
    reference: str = Field(description="what the ticket platform calls it")
    possible: list[Deed]
    steps: list[OrderStepAnswer]
    attachments: list[AttachmentAnswer]

    @classmethod
    def whole(
        cls,
        order: WorkOrder,
        now: datetime,
        *,
        clocks: tuple[timedelta, timedelta],
        detail: str,
        reference: str,
        possible: Iterable[Deed],
        steps: Iterable[StoredStep],
        attachments: Iterable[Attachment],
    ) -> WholeOrder:
        return cls(
            **_plain(order, now),
            outage=clocks[0].total_seconds(),
            worked=clocks[1].total_seconds(),
            detail=detail,
            reference=reference,
            possible=list(possible),
            steps=[OrderStepAnswer.of(one) for one in steps],
            attachments=[AttachmentAnswer.of(one) for one in attachments],
        )


class ReportAnswer(BaseModel):
    """What became of a report; ``repeated``: it had come before, and nothing was done now."""

    order: OrderAnswer
    repeated: bool


def _plain(order: WorkOrder, now: datetime) -> dict[str, Any]:
    due, rating = order.due, order.rating
    late = [phase for phase in order.pending() if (at := due.of(phase)) is not None and at <= now]
    return {
        **{name: getattr(order, name) for name in OrderAnswer.model_fields if name not in _NESTED},
        "due": DueAnswer.of(due),
        "next_due": next_due(order),
        "overdue": late,
        "holds": [HoldAnswer.of(one) for one in order.holds],
        "rating": rating and RatingAnswer.of(rating),
    }

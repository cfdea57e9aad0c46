"""What may be sent about work orders."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from camera_registry.console.api.incident_questions import Said
from camera_registry.console.api.questions import PastQuestion, Question, Text
from camera_registry.console.photographs import OrderPicture
from camera_registry.console.schemas import Blank, OptionalCause, RowNumber
from camera_registry.model.attachment import AttachmentKind
from camera_registry.model.health import Cause
from camera_registry.model.incident import Severity
from camera_registry.model.work_order import CancelReason, HoldReason, OrderState
from camera_registry.store.sorting import Sorting

Stars = Annotated[int, Field(ge=1, le=5)]


class OrdersQuestion(PastQuestion):
    """``open`` left out: open and over. ``area`` takes its subtree along; ``about`` is a device, or what else the
    incident is about; ``overdue``: a phase that is still to be done was due before now. ``since`` and ``until`` are
    about the opening. ``order`` ``worst``: by severity, then by when it was opened; ``due``: by what is due next."""

    open: bool | None = None
    state: Annotated[OrderState | None, Blank] = None
    contractor: Text = ""
    crew: Text = ""
    area: Text = ""
    about: Text = ""
    incident: RowNumber | None = None
    cause: OptionalCause = None
    overdue: bool = False
    order: Sorting = Sorting.NEWEST


class OpenBody(Question):
    """What is to be done about a device, for what cause; ``severity`` left out: as the rules have it."""

    device: Annotated[str, Field(min_length=1, max_length=200)]
    cause: Cause
    text: Annotated[str, Field(min_length=1, max_length=2000)]
    severity: Severity | None = None


class AssignBody(Question):
    """A crew, or any crew of a contractor."""

    crew: Text = ""
    contractor: Text = ""


class HoldBody(Question):
    reason: HoldReason
    note: Said = ""


class SaidBody(Question):
    note: Said = ""


class CloseBody(Question):
    """A person confirms what the probes have verified; ``stars`` rates the work, 5 is best."""

    stars: Stars | None = None
    remark: Said = ""


class RateBody(Question):
    stars: Stars
    remark: Said = ""


class CancelBody(Question):
    reason: CancelReason
    note: Said = ""


class AttachQuestion(Question):
    kind: AttachmentKind = AttachmentKind.OTHER


class Reported(StrEnum):
    """What another system can report of an order."""

    ACCEPTED = "accepted"
    ARRIVED = "arrived"
    HELD = "held"
    RESUMED = "resumed"
    FIXED = "fixed"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    REOPENED = "reopened"
    NOTED = "noted"


class ReportBody(Question):
    """One report of a ticket platform. ``event`` is its own number for it: the same one again does nothing. The order
    is named by our number, or by the ``reference`` that an earlier report gave it; both together keep the reference.
    ``reason`` is that of a hold or a cancellation, ``by`` who did it there."""

    event: Annotated[str, Field(min_length=1, max_length=200)]
    status: Reported
    order: RowNumber | None = None
    reference: Text = ""
    reason: Text = ""
    note: Said = ""
    by: Text = ""
    stars: Stars | None = None

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.order is None and not self.reference:
            raise ValueError("name the order by `order` or by `reference`")
        known: dict[Reported, type[StrEnum]] = {Reported.HELD: HoldReason, Reported.CANCELLED: CancelReason}
        reasons = known.get(self.status)
        if reasons is not None and self.reason not in {one.value for one in reasons}:
            raise ValueError(f"`reason` is one of: {', '.join(one.value for one in reasons)}")
        return self


class PictureQuestion(Question):
    """``before``: the fault; ``after``: the first good one since; ``last_good``: the last one before the fault, of a
    channel."""

    kind: OrderPicture = OrderPicture.BEFORE
    channel: Text = ""

"""What may be sent about notices, and what the API answers about them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from camera_registry.console.api.questions import NewestQuestion, Text
from camera_registry.console.schemas import RowNumber
from camera_registry.model.incident import Severity
from camera_registry.model.notice import Delivery, Notice, NoticeState, Occasion, Standing


class NoticesQuestion(NewestQuestion):
    channel: Text = ""
    state: NoticeState | None = None
    incident: RowNumber | None = None


class NoticeAnswer(BaseModel):
    id: int
    key: str
    channel: str
    occasion: Occasion
    severity: Severity
    incident: int | None
    created_at: datetime
    not_before: datetime = Field(description="when it is due")
    state: NoticeState
    attempts: int
    error: str = Field(description="why the last attempt failed, or why it is not sent")
    message: str = Field(description="the key of the message it went in; empty: not tried yet")
    finished_at: datetime | None
    values: dict[str, str | int | bool | None]

    @classmethod
    def of(cls, notice: Notice) -> NoticeAnswer:
        same = ("id", "key", "channel", "occasion", "severity", "incident", "created_at", "not_before", "state")
        plain = {name: getattr(notice, name) for name in (*same, "attempts", "error", "finished_at")}
        return cls(**plain, message=notice.batch, values=dict(notice.values))


class DeliveryAnswer(BaseModel):
    id: int
    message: str
    channel: str
    at: datetime
    took: float = Field(description="seconds")
    result: str = Field(description="delivered, retry or failed")
    notices: int
    error: str

    @classmethod
    def of(cls, attempt: Delivery) -> DeliveryAnswer:
        names = ("id", "channel", "at", "took", "result", "notices", "error")
        return cls(message=attempt.batch, **{name: getattr(attempt, name) for name in names})


class ChannelAnswer(BaseModel):
    name: str
    kind: str = Field(description="empty: it is no longer in the settings, and only its debts are left")
    pending: int
    failed: int
    failures: int = Field(description="failed attempts in a row")
    error: str

    @classmethod
    def of(cls, one: Standing) -> ChannelAnswer:
        owing = one.owing
        return cls(
            name=one.name,
            kind=one.kind,
            pending=owing.pending,
            failed=owing.failed,
            failures=one.failures,
            error=one.error,
        )


class ChannelsAnswer(BaseModel):
    items: list[ChannelAnswer]


class CountAnswer(BaseModel):
    notices: int = Field(description="how many notices that concerned")


class ForeignAlert(BaseModel):
    """One alert as Alertmanager tells it. What is not named here is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    status: Literal["firing", "resolved"]
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class AlertmanagerBody(BaseModel):
    """What Alertmanager's webhook sends, version 4."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    version: Literal["4"]
    receiver: str = ""
    alerts: Annotated[tuple[ForeignAlert, ...], Field(max_length=1000)]


class AlertmanagerAnswer(BaseModel):
    noted: int = Field(description="notes written to open incidents")
    known: int = Field(description="alerts that stood in the time line already")
    unmatched: int = Field(description="alerts about nothing that an open incident is about")

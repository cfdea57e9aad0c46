"""What the API answers with. Field names are the vocabulary's; times are ISO 8601 in UTC, durations seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Generic, Self, TypeVar

from pydantic import BaseModel, Field

from camera_registry.board import BoardEntry, chain_of
from camera_registry.console.api import bodies
from camera_registry.console.cursor import R, cut
from camera_registry.model.chain import Link, LinkSeen, LinkState, first_broken
from camera_registry.model.device import Kind, Life
from camera_registry.model.health import Aspect, AspectState, Cause, State, Status
from camera_registry.model.observation import FailureKind, ProbeSeen, Stage
from camera_registry.model.recording import Lack, NotComputable, Recording
from camera_registry.store.health import StoredFlip
from camera_registry.store.register import Stored
from camera_registry.texts import texts

T = TypeVar("T")


class Listed(BaseModel, Generic[T]):
    """A page of a list. ``next`` is the cursor of the page behind it, null on the last one."""

    items: list[T]
    next: str | None = None


def page(found: Sequence[R], limit: int, told: Callable[[R], T]) -> Listed[T]:
    """One page of these rows, of which one more than ``limit`` was looked for to see whether there are more."""
    shown, last = cut(found, limit)
    return Listed(items=[told(one) for one in shown], next=None if last is None else str(last))


class Copied(BaseModel):
    """Fields of something of ours, under the same names."""

    @classmethod
    def of(cls, found: object) -> Self:
        return cls.model_validate(found, from_attributes=True)


class ReasonAnswer(Copied):
    aspect: Aspect
    cause: Cause
    since: datetime | None
    detail: str
    channel: str
    blamed: str = Field(description="the parent device that explains it, or empty")


class AspectAnswer(BaseModel):
    """``state`` is what is shown now, ``suspect`` while a change waits for confirmation; ``settled`` is confirmed."""

    aspect: Aspect
    channel: str
    state: State
    settled: State
    since: datetime | None
    cause: Cause | None
    detail: str
    read_at: datetime | None

    @classmethod
    def of(cls, held: AspectState) -> AspectAnswer:
        return cls(
            aspect=held.subject.aspect,
            channel=held.subject.channel,
            state=held.state,
            settled=held.settled,
            since=held.begun,
            cause=held.cause,
            detail=held.detail,
            read_at=held.read_at,
        )


class FailureAnswer(Copied):
    kind: FailureKind
    stage: Stage
    detail: str


class ProbeAnswer(BaseModel):
    probe: str
    channel: str
    at: datetime
    took: float
    ok: bool
    failure: FailureAnswer | None
    last_success: datetime | None
    facts: dict[str, Any]

    @classmethod
    def of(cls, run: ProbeSeen) -> ProbeAnswer:
        failure = run.failure
        return cls(
            probe=run.probe,
            channel=run.channel,
            at=run.at,
            took=run.took,
            ok=failure is None,
            failure=failure and FailureAnswer.of(failure),
            last_success=run.last_success,
            facts=dict(run.facts),
        )


class LinkAnswer(BaseModel):
    """One link between us and the picture. ``seconds``: how long it took to find out; null: it was not asked."""

    link: Link
    state: LinkState
    seconds: float | None
    detail: str

    @classmethod
    def of(cls, seen: LinkSeen) -> LinkAnswer:
        return cls(link=seen.link, state=seen.state, seconds=seen.seconds, detail=texts("en").link(seen))


class DeviceSummary(BaseModel):
    """A device's health in one line of a list."""

    id: str
    name: str
    kind: Kind
    life: Life
    area: str
    site: str
    parent: str
    contractor: str
    host: str
    status: Status
    since: datetime | None
    reasons: list[ReasonAnswer]

    @classmethod
    def of(cls, entry: BoardEntry) -> DeviceSummary:
        return cls(**_summary(entry))


class DeviceAnswer(DeviceSummary):
    """Everything known of a device: its health as the board has it, its file as the register has it."""

    aspects: list[AspectAnswer]
    probes: list[ProbeAnswer]
    chain: list[LinkAnswer] = Field(description="every link between us and the picture, in the order of asking")
    broken: Link | None = Field(description="the first link that is broken")
    file: dict[str, Any]
    channels: list[dict[str, Any]]
    version: int = Field(description="the ETag's number, for If-Match")

    @classmethod
    def whole(
        cls, entry: BoardEntry, file: dict[str, Any], channels: list[dict[str, Any]], version: int
    ) -> DeviceAnswer:
        chain = chain_of(entry)
        broken = first_broken(chain)
        return cls(
            **_summary(entry),
            aspects=[AspectAnswer.of(held) for held in entry.states],
            probes=[ProbeAnswer.of(run) for run in entry.probes],
            chain=[LinkAnswer.of(seen) for seen in chain],
            broken=broken and broken.link,
            file=file,
            channels=channels,
            version=version,
        )


class Devices(Listed[DeviceSummary]):
    """``total`` counts what the filters let through, on all pages."""

    total: int


class StatusAnswer(BaseModel):
    """The fleet in numbers. Only devices in service count; ``causes`` counts devices, by each cause they have."""

    revision: int
    in_service: int
    statuses: dict[Status, int]
    causes: dict[Cause, int]
    kinds: dict[Kind, int]
    out_of_service: dict[Life, int]


class GapAnswer(BaseModel):
    since: datetime
    until: datetime
    lack: Lack
    resolution_seconds: float


class RecordingAnswer(BaseModel):
    """``ended``: nothing is written into it any more. A gap that lasts until ``until`` of the recording may go on."""

    token: str
    name: str
    since: datetime
    until: datetime
    ended: bool
    gaps: list[GapAnswer]


class RecordingsAnswer(BaseModel):
    """``not_computable``: why nothing can be told of its recordings now."""

    items: list[RecordingAnswer]
    not_computable: NotComputable | None

    @classmethod
    def of(cls, recordings: Iterable[Recording], why: NotComputable | None) -> RecordingsAnswer:
        items = [
            RecordingAnswer(
                token=one.token,
                name=one.name,
                since=one.since,
                until=one.until,
                ended=one.ended,
                gaps=[
                    GapAnswer(since=gap.since, until=gap.until, lack=gap.lack, resolution_seconds=gap.resolution)
                    for gap in one.gaps
                ],
            )
            for one in recordings
        ]
        return cls(items=items, not_computable=why)


class FlipAnswer(BaseModel):
    id: int
    device: str
    channel: str
    aspect: Aspect
    before: State
    after: State
    at: datetime
    confirmed_at: datetime
    cause: Cause | None
    detail: str

    @classmethod
    def of(cls, kept: StoredFlip) -> FlipAnswer:
        flip = kept.flip
        return cls(
            id=kept.id,
            device=flip.subject.device,
            channel=flip.subject.channel,
            aspect=flip.subject.aspect,
            before=flip.before,
            after=flip.after,
            at=flip.at,
            confirmed_at=flip.confirmed_at,
            cause=flip.cause,
            detail=flip.detail,
        )


class ChangeAnswer(Copied):
    kind: str
    id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    author: str
    at: datetime


class ItemAnswer(BaseModel):
    """An item of the register with its version, which is the ETag's number."""

    item: dict[str, Any]
    version: int
    changed_at: datetime

    @classmethod
    def of(cls, kept: Stored) -> ItemAnswer:
        return cls(item=bodies.as_json(kept.item), version=kept.version, changed_at=kept.changed_at)


class ReloadAnswer(BaseModel):
    """``problems`` says why the settings were not taken over; empty: they were."""

    done: bool
    problems: list[str]


class ImportProblem(BaseModel):
    """``row`` counts from 1 as a spreadsheet does; ``kind`` is of a closed list and stable."""

    severity: str
    kind: str
    sheet: str
    row: int
    column: str
    value: str
    message: str
    remedy: str


class ImportAnswer(BaseModel):
    """What an inventory file changed, or would change (``dry_run``). ``problems`` lists every one."""

    dry_run: bool
    written: bool
    created: int
    changed: int
    unchanged: int
    credentials: int
    problems: list[ImportProblem]


class PlaceAnswer(BaseModel):
    place: str
    detail: str
    remedy: str


class ProblemAnswer(BaseModel):
    """RFC 9457 problem details. ``code`` is stable, ``detail`` and ``remedy`` are for people."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    remedy: str
    instance: str
    place: str | None = None
    problems: list[PlaceAnswer] = []


def _summary(entry: BoardEntry) -> dict[str, Any]:
    device = entry.device
    return {
        "id": device.id,
        "name": device.name,
        "kind": device.kind,
        "life": device.life,
        "area": device.area,
        "site": device.site,
        "parent": device.parent,
        "contractor": device.contractor,
        "host": device.host,
        "status": entry.status,
        "since": entry.since,
        "reasons": [ReasonAnswer.of(reason) for reason in entry.reasons],
    }

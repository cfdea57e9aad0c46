"""What the console is given: what it reads, and the few things it may set going. Tests build it alone from these."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from camera_registry.board import Board
from camera_registry.model.baseline import Acceptance, Baseline, Terms
from camera_registry.model.device import Device
from camera_registry.model.discovery import Progress
from camera_registry.model.dispatch import DispatchPolicy
from camera_registry.model.incident import Incident, IncidentChange
from camera_registry.model.maintenance import Window
from camera_registry.model.notice import Delivery, Standing
from camera_registry.model.observation import Observation
from camera_registry.model.work_order import OrderChange, WorkOrder
from camera_registry.model.wrong import Wrong
from camera_registry.rules.dispatch.deeds import Actor
from camera_registry.rules.dispatch.opening import Wish
from camera_registry.rules.pictures.weather import AreaWeather, Coming
from camera_registry.settings import Settings
from camera_registry.store import Store
from camera_registry.store.credentials import Vault
from camera_registry.store.photographs import Photographs
from camera_registry.store.pictures import PictureKind, Pictures, Proofs
from exporters.service import ServiceMetrics
from probes.base import Step
from probes.picture.desk import Measured

ProbeNow = Callable[[Device], Awaitable[Sequence[tuple[Observation, Sequence[Step]]]]]
"""Probes a device at once; each observation comes with the steps that led to it."""

EditIncident = Callable[[int, Callable[[Incident], IncidentChange]], Awaitable[Incident | None]]
"""Does something to an open incident and writes it down; None when it is not open. Raises what the function raises."""

Remark = Callable[[IncidentChange], Awaitable[None]]
"""Writes down what somebody says of an incident that is over."""


EditOrder = Callable[[int, Callable[[WorkOrder, DispatchPolicy], OrderChange]], Awaitable[WorkOrder | None]]
"""Does something to a work order and writes it down; None when there is none. Raises what the function raises."""

OpenOrder = Callable[[Wish, Actor], Awaitable[WorkOrder]]
"""Opens a work order for a device and writes it down. Raises Refusal."""

Renew = Callable[[bytes, int, float], Awaitable[Measured]]
"""Writes a photograph anew, in a process of its own: its pixels alone, upright, its longest side at most so many
pixels; within so many seconds. Raises ProbeError."""


class Discovery(Protocol):
    """Searches the device networks."""

    @property
    def progress(self) -> Progress: ...

    def start(self, *, resume: bool = False) -> bool:
        """Begin a search; False while one is under way. Raises ``rules.scanning.TooWide``."""
        ...

    def stop(self) -> None: ...


class Gallery(Protocol):
    """The pictures that show how views are meant to look."""

    def of(self, device: str, channel: str) -> Sequence[Baseline]: ...

    async def accept(
        self,
        device: Device,
        channel: str,
        kind: PictureKind,
        reason: str,
        author: str,
        taken: datetime | None = None,
    ) -> Baseline:
        """Make the kept picture of a kind one of them; ``taken``: the one that was taken then. Raises Unfit."""
        ...

    async def take_back(self, id: int, author: str) -> Baseline | None:
        """Forget one of them; None when there is none."""
        ...

    async def picture(self, baseline: Baseline) -> bytes | None: ...


class Acceptances(Protocol):
    """The job that accepts the pictures of many channels."""

    @property
    def progress(self) -> Acceptance: ...

    async def start(self, channels: Sequence[tuple[str, str]], author: str, terms: Terms) -> bool: ...

    async def stop(self) -> None: ...


class Sightings(Protocol):
    """The weather that cameras show."""

    def told(self, now: datetime) -> Sequence[AreaWeather]: ...

    def over(self, area: str, now: datetime) -> AreaWeather | None: ...

    def coming(self, area: str, by_day: bool | None, now: datetime) -> Coming | None: ...


TestChannel = Callable[[str], Awaitable[Delivery | None]]
"""Sends a test message over a channel at once; None when there is no such channel."""


async def _no_channel(name: str) -> Delivery | None:
    return None


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Deps:
    """``reload`` reads settings and register again and returns the problems that kept it from doing so (empty: done).

    ``ready`` tells whether the service does its work, ``alarms`` what people must know of it (keys of texts);
    ``changed`` is called after each edit of the register, so that
    the board follows; ``covering`` gives the maintenance window that a device is in; ``pollers`` names those whose
    observations come here; ``loopback`` is whether the listener can be reached from this machine only.
    """

    board: Board
    store: Store
    settings: Callable[[], Settings]
    reload: Callable[[], Awaitable[Sequence[Wrong]]]
    changed: Callable[[], Awaitable[None]]
    probe_now: ProbeNow
    edit_incident: EditIncident
    remark: Remark
    edit_order: EditOrder
    open_order: OpenOrder
    ready: Callable[[], bool]
    alarms: Callable[[], Sequence[str]]
    covering: Callable[[str, datetime], Window | None]
    pictures: Pictures
    photographs: Photographs
    renew: Renew
    vault: Vault
    metrics: ServiceMetrics
    discovery: Discovery
    gallery: Gallery
    acceptance: Acceptances
    sightings: Sightings
    pollers: Sequence[str] = ("local",)
    standings: Callable[[], Sequence[Standing]] = tuple
    test_channel: TestChannel = _no_channel
    proofs: Proofs | None = None
    """The pictures of work orders."""
    loopback: bool = True
    now: Callable[[], datetime] = utc_now

    def zone(self) -> ZoneInfo:
        """The time zone in which people are shown times."""
        return ZoneInfo(self.settings().time_zone)

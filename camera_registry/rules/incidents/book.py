"""What the fold remembers between two calls: the faults of every device, and the open incidents they make up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from camera_registry.model.device import Device
from camera_registry.model.health import AspectState, Cause, Subject
from camera_registry.model.incident import Affected, Called, Incident, IncidentChange, Scope, Span
from camera_registry.model.policy import IncidentPolicy, Policy
from camera_registry.model.work_order import Hold
from camera_registry.rules.maintenance import Planned
from camera_registry.rules.topology import Parents


@dataclass(frozen=True, slots=True)
class Held:
    """A confirmed fault of one subject.

    ``named_at`` is when ``cause`` was confirmed, ``confirmed_at`` when the fault was. ``silent_since``: nothing was
    heard of the subject after that. ``found`` is a loss that was found on top of another fault: nobody can see a
    refused password behind a dead line, so ``cause`` stays for now.
    """

    cause: Cause
    since: datetime
    confirmed_at: datetime
    named_at: datetime
    detail: str = ""
    flapping: bool = False
    silent_since: datetime | None = None
    found: Called | None = None


GroupKey = tuple[Scope, str, Cause]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one device under one cause, told or not; a device has one fault of a cause at a time.

    ``lost``: it began with the loss of the device's reach. ``due`` is when it becomes an incident if nothing explains
    it by then. ``blame`` is the lost parent that explains it, ``group`` what it was lost together with; ``until``: that
    is over, and it explains the fault until a bad reading after this time. ``checked`` is when such a reading was
    waited for: what was over by then explains nothing more. ``window`` is the maintenance window it is in. ``incident``
    is its own open incident, ``behind`` the one that it is charged to.
    """

    device: str
    cause: Cause
    symptoms: tuple[Subject, ...]
    started: datetime
    confirmed_at: datetime
    due: datetime
    causes: tuple[Called, ...]
    spans: tuple[Span, ...]
    detail: str = ""
    lost: bool = False
    flapping: bool = False
    silent_since: datetime | None = None
    blame: str = ""
    group: GroupKey | None = None
    until: datetime | None = None
    checked: datetime | None = None
    window: int | None = None
    incident: int | None = None
    behind: int | None = None

    @property
    def explained(self) -> bool:
        return bool(self.blame) or self.group is not None

    @property
    def unfed(self) -> bool:
        """Whether the device is lost because it gets no power, as its switch has told: still a loss like others."""
        return self.lost and self.cause is Cause.POWER


@dataclass(frozen=True, slots=True)
class Group:
    """Devices that were lost together: its incident, how many they were at most, and when the newest was lost."""

    incident: int
    started: datetime
    newest: datetime
    most: int


@dataclass(frozen=True, slots=True)
class Outage:
    """A parent's loss that is over: it may still explain what was lost while it lasted."""

    began: datetime
    ended: datetime


@dataclass(frozen=True, slots=True)
class Book:
    """Everything the fold remembers. ``at`` is the time of its last call, ``last_id`` the newest incident's number."""

    at: datetime
    last_id: int = 0
    held: Mapping[str, Mapping[Subject, Held]] = field(default_factory=dict)
    faults: Mapping[str, tuple[Fault, ...]] = field(default_factory=dict)
    incidents: Mapping[int, Incident] = field(default_factory=dict)
    groups: Mapping[GroupKey, Group] = field(default_factory=dict)
    affected: Mapping[tuple[int, str], Affected] = field(default_factory=dict)
    over: Mapping[str, Outage] = field(default_factory=dict)
    blind: int | None = None
    """The open incident that says the poller is blind."""
    wake: datetime | None = None
    """When time alone may change something next; None: never. Nothing is looked at before, unless a flip comes or what
    surrounds it (``around``) has changed: a city that is down as a whole must not cost more than one that is well."""
    around: tuple[object, ...] = ()
    index: object = field(default=None, compare=False, repr=False)
    """What ``index`` makes of this book, so that it need not be made again. It says nothing that the rest does not."""


@dataclass(frozen=True, slots=True)
class Blindness:
    """The poller sees nothing: which one, since when, and how that shows."""

    poller: str
    since: datetime
    confirmed_at: datetime
    detail: str = ""


def _deaf(subject: Subject) -> AspectState | None:
    return None


def _same_policy(device: str) -> Policy:
    return Policy()


@dataclass(frozen=True, slots=True)
class Fleet:
    """What surrounds the flips: the register, what is heard of each subject by now, policies, planned work, whether we
    see anything at all, and for which incidents work orders are or were on hold."""

    devices: Mapping[str, Device] = field(default_factory=dict)
    parents: Parents = field(default_factory=dict)
    area_parents: Mapping[str, str] = field(default_factory=dict)
    heard: Callable[[Subject], AspectState | None] = _deaf
    policy: Callable[[str], Policy] = _same_policy
    rules: IncidentPolicy = field(default_factory=IncidentPolicy)
    windows: tuple[Planned, ...] = ()
    blind: Blindness | None = None
    holds: Mapping[int, tuple[Hold, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Folded:
    """What one fold has changed: steps in order, incidents as they stand, devices behind them, windows set off."""

    changes: tuple[IncidentChange, ...] = ()
    incidents: tuple[Incident, ...] = ()
    affected: tuple[Affected, ...] = ()
    set_off: tuple[tuple[int, datetime], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes or self.incidents or self.affected or self.set_off)

"""What is true now, for readers: one frozen entry a device, swapped whole, with a revision for readers of changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from camera_registry.model.chain import Chain
from camera_registry.model.device import Channel, Device
from camera_registry.model.health import AspectState, Reason, Status
from camera_registry.model.incident import Incident
from camera_registry.model.observation import ProbeSeen
from camera_registry.model.place import Site, View
from camera_registry.model.work_order import WorkOrder
from camera_registry.rules.chain import chain


@dataclass(frozen=True, slots=True)
class BoardEntry:
    """One device as readers see it. ``since`` is when its present status began."""

    device: Device
    channels: tuple[Channel, ...] = ()
    states: tuple[AspectState, ...] = ()
    probes: tuple[ProbeSeen, ...] = ()
    status: Status = Status.UNKNOWN
    since: datetime | None = None
    reasons: tuple[Reason, ...] = ()

    def stands_like(self, other: BoardEntry) -> bool:
        """Whether the same is held true of the same device, whatever was measured since and when."""
        return (
            self.device is other.device
            and self.channels is other.channels
            and self.status is other.status
            and self.since == other.since
            and self.reasons == other.reasons
            and len(self.states) == len(other.states)
            and all(
                one.settled is two.settled and (one.subject is two.subject or one.subject == two.subject)
                for one, two in zip(self.states, other.states, strict=True)
            )
        )


def chain_of(entry: BoardEntry) -> Chain:
    """What is known of every link between us and a device's picture."""
    causes = {reason.cause for reason in entry.reasons} | {
        held.cause for held in entry.states if held.cause is not None
    }
    blamed = next((reason.blamed for reason in entry.reasons if reason.blamed), "")
    return chain(entry.probes, causes, blamed)


@dataclass(frozen=True, slots=True)
class Names:
    """What places and firms are called, for readers."""

    areas: Mapping[str, str] = field(default_factory=dict)
    area_parents: Mapping[str, str] = field(default_factory=dict)
    sites: Mapping[str, str] = field(default_factory=dict)
    contractors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Places:
    """The sites to be covered, and the views that each requires, by the site's identifier."""

    sites: Mapping[str, Site] = field(default_factory=dict)
    views: Mapping[str, Sequence[View]] = field(default_factory=dict)


Listener = Callable[[tuple[str, ...]], None]
"""Called on the loop with the identifiers of devices whose entry was swapped or removed."""


class Board:
    """The one owner of what readers see. Only the recorder and the reload write to it, on the event loop."""

    def __init__(self) -> None:
        self._entries: dict[str, BoardEntry] = {}
        self._listeners: list[tuple[Listener, bool]] = []
        self.names = Names()
        self.places = Places()
        self.incidents: Mapping[int, Incident] = {}
        """Every open incident, by its number: one mapping, swapped whole."""
        self.orders: Mapping[int, WorkOrder] = {}
        """The work orders that are not over, and those whose fault may still be back, in the same way."""
        self.revision = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[BoardEntry]:
        return iter(self._entries.values())

    def get(self, device: str) -> BoardEntry | None:
        return self._entries.get(device)

    def swap(
        self,
        entries: Iterable[BoardEntry],
        gone: Iterable[str] = (),
        incidents: Mapping[int, Incident] | None = None,
        orders: Mapping[int, WorkOrder] | None = None,
    ) -> None:
        """Put these entries in place of the old ones, remove ``gone``, and tell each listener once. ``incidents``, if
        given, are all that are open, and ``orders`` all that may still change; what one of them is about counts as
        touched when it has changed."""
        touched: list[str] = []
        polled: list[str] = []
        if incidents is not None and incidents is not self.incidents:
            touched += _about(self.incidents, incidents)
            self.incidents = incidents
        if orders is not None and orders is not self.orders:
            touched += _about(self.orders, orders)
            self.orders = orders
        for entry in entries:
            id = entry.device.id
            before = self._entries.get(id)
            self._entries[id] = entry
            (polled if before is not None and entry.stands_like(before) else touched).append(id)
        touched += [device for device in gone if self._entries.pop(device, None) is not None]
        if touched or polled:
            self.revision += 1
            changed = tuple(touched)
            told = (*changed, *polled)
            for listener, polls in tuple(self._listeners):
                if polls or changed:
                    listener(told if polls else changed)

    def listen(self, listener: Listener, *, polls: bool = True) -> Callable[[], None]:
        """Call ``listener`` after each swap until the returned function is called; without ``polls`` of those devices
        alone of which something else is held true than before."""
        self._listeners.append((listener, polls))
        return lambda: self._listeners.remove((listener, polls))


def _about(before: Mapping[int, Incident | WorkOrder], after: Mapping[int, Incident | WorkOrder]) -> list[str]:
    """What the ones that differ are about."""
    changed = [one.about for id, one in after.items() if before.get(id) is not one]
    return changed + [one.about for id, one in before.items() if id not in after]

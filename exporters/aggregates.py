"""This file counts the fleet per area, site and cause, for a page that is cheap however large the fleet is.

The counts follow the board: what a device adds is taken out and put in again when its entry is swapped, so a scrape
only writes them down. Devices that people have not put to work are not counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from camera_registry.board import Board, BoardEntry, Names
from camera_registry.model.device import Life
from camera_registry.model.health import Status
from camera_registry.model.incident import Incident
from camera_registry.model.work_order import FINAL, Phase, WorkOrder
from exporters.exposition import Family, encode, escape

DEVICES = Family("camera_area_devices", "Devices registered directly in an area, by kind and status.")
FAULTS = Family("camera_area_faults", "Devices of an area with this fault confirmed; lost behind a parent not counted.")
INCIDENTS = Family("camera_incidents_open", "Open incidents that no other one explains.")
ORDERS = Family("camera_work_orders_open", "Work orders that are neither closed nor cancelled, by state.")
OVERDUE = Family("camera_work_orders_overdue", "Work orders that are overdue, by what their crew was to do.")
SITES = Family("camera_site_devices", "Devices of a site by status.")
AREA_INFO = Family("camera_area_info", "Always 1; an area's name and the area above it.")
SITE_INFO = Family("camera_site_info", "Always 1; a site's name.")
CONTRACTOR_INFO = Family("camera_contractor_info", "Always 1; a contractor's name.")

_Key = tuple[str, ...]
_Addition = tuple["_Tally", _Key, str]


class _Tally:
    """One family of counts. Text is kept for each group of lines until a count in it changes."""

    def __init__(self, family: Family, labels: tuple[str, ...], *, by_status: bool) -> None:
        self._family = family
        self._labels = labels
        self._by_status = by_status
        self._counts: dict[_Key, Counter[str]] = {}
        self._kept: dict[_Key, str] = {}

    def add(self, key: _Key, status: str, change: int) -> None:
        self._kept.pop(key, None)
        counts = self._counts.setdefault(key, Counter())
        counts[status] += change
        if not any(counts.values()):
            del self._counts[key]

    def text(self) -> bytes:
        for key, counts in self._counts.items():
            if key not in self._kept:
                self._kept[key] = self._render(key, counts)
        return self._family.head + encode("".join(self._kept.values()))

    def _render(self, key: _Key, counts: Counter[str]) -> str:
        if not self._by_status:
            return _line(self._family.name, self._labels, key, counts[""])
        # Every status of a known group has a line, if only 0: a count that vanishes can't be compared.
        labels = (*self._labels, "status")
        return "".join(_line(self._family.name, labels, (*key, status), counts[status]) for status in Status)


class Aggregates:
    """Counts that follow a board until ``close``."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._devices = _Tally(DEVICES, ("area", "kind"), by_status=True)
        self._sites = _Tally(SITES, ("site",), by_status=True)
        self._faults = _Tally(FAULTS, ("area", "aspect", "cause"), by_status=False)
        self._added: dict[str, tuple[_Addition, ...]] = {}
        self._alike: dict[_Addition, _Addition] = {}
        """Each addition once: thousands of devices add the same."""
        self._names: tuple[Names, bytes] | None = None
        self._incidents: tuple[Mapping[int, Incident], bytes] | None = None
        self._orders: tuple[Mapping[int, WorkOrder], Names, bytes] | None = None
        for entry in board:
            self._follow((entry.device.id,))
        self.close = board.listen(self._follow, polls=False)
        """Stop following the board."""

    def text(self) -> bytes:
        """The families as text."""
        if self._names is None or self._names[0] is not self._board.names:
            self._names = self._board.names, _infos(self._board.names)
        if self._incidents is None or self._incidents[0] is not self._board.incidents:
            self._incidents = self._board.incidents, _open_incidents(self._board.incidents.values())
        told = self._orders
        if told is None or told[0] is not self._board.orders or told[1] is not self._board.names:
            shown = _work_orders(self._board.orders.values(), self._board.names.contractors)
            told = self._orders = self._board.orders, self._board.names, shown
        counts = self._devices.text() + self._sites.text() + self._faults.text()
        return counts + self._incidents[1] + told[2] + self._names[1]

    def _follow(self, touched: tuple[str, ...]) -> None:
        for device in touched:
            entry = self._board.get(device)
            in_use = entry is not None and entry.device.life is Life.ACTIVE
            added = tuple(self._adds(entry)) if entry is not None and in_use else ()
            before = self._added.get(device, ())
            if added == before:
                continue
            for tally, key, status in before:
                tally.add(key, status, -1)
            for tally, key, status in added:
                tally.add(key, status, 1)
            if added:
                self._added[device] = tuple(self._alike.setdefault(one, one) for one in added)
            else:
                self._added.pop(device, None)

    def _adds(self, entry: BoardEntry) -> Iterator[_Addition]:
        """What one device adds one to."""
        device, status = entry.device, entry.status.value
        yield self._devices, (device.area, device.kind.value), status
        if device.site:
            yield self._sites, (device.site,), status
        shown = dict.fromkeys((reason.aspect, reason.cause) for reason in entry.reasons if not reason.blamed)
        for aspect, cause in shown:
            yield self._faults, (device.area, aspect.value, cause.value), ""


def _open_incidents(incidents: Iterable[Incident]) -> bytes:
    counts = Counter((one.area, one.severity.value, one.cause.value) for one in incidents if one.parent is None)
    lines = (_line(INCIDENTS.name, ("area", "severity", "cause"), key, n) for key, n in sorted(counts.items()))
    return INCIDENTS.head + encode("".join(lines))


def _work_orders(orders: Iterable[WorkOrder], contractors: Iterable[str]) -> bytes:
    """Orders by contractor. What is overdue has a line for each known contractor, if only 0, so that its end shows."""
    states: Counter[_Key] = Counter()
    late: Counter[_Key] = Counter({(contractor, phase.value): 0 for contractor in contractors for phase in Phase})
    for order in orders:
        if order.state not in FINAL:
            states[order.contractor, order.state.value] += 1
            late.update((order.contractor, phase.value) for phase in order.late())
    return b"".join(
        family.head + encode("".join(_line(family.name, labels, key, n) for key, n in sorted(counts.items())))
        for family, labels, counts in (
            (ORDERS, ("contractor", "state"), states),
            (OVERDUE, ("contractor", "step"), late),
        )
    )


def _infos(names: Names) -> bytes:
    """What areas, sites and contractors are called."""
    parents = names.area_parents
    areas = ((area, name, parents.get(area, "")) for area, name in names.areas.items())
    return b"".join(
        family.head + encode("".join(_line(family.name, labels, values, 1) for values in rows))
        for family, labels, rows in (
            (AREA_INFO, ("area", "name", "parent"), areas),
            (SITE_INFO, ("site", "name"), iter(names.sites.items())),
            (CONTRACTOR_INFO, ("contractor", "name"), iter(names.contractors.items())),
        )
    )


def _line(name: str, labels: _Key, values: _Key, count: int) -> str:
    pairs = ",".join(f'{label}="{escape(value)}"' for label, value in zip(labels, values, strict=True))
    return f"{name}{{{pairs}}} {count}\n"

"""This file counts the fleet per area, site and cause, for a page that is cheap however large the fleet is.

The counts follow the board: what a device adds is taken out and put in again when its entry is swapped, so a scrape
only writes them down. Devices that people have not put to work are not counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from camera_registry.board import Board, BoardEntry
from camera_registry.model.device import Life
from camera_registry.model.health import Status
from exporters.exposition import Family, encode, escape

DEVICES = Family("camera_area_devices", "Devices registered directly in an area, by kind and status.")
FAULTS = Family("camera_area_faults", "Devices of an area with this fault confirmed; lost behind a parent not counted.")
SITES = Family("camera_site_devices", "Devices of a site by status.")
AREA_INFO = Family("camera_area_info", "Always 1; an area's name and the area above it.")
SITE_INFO = Family("camera_site_info", "Always 1; a site's name.")
CONTRACTOR_INFO = Family("camera_contractor_info", "Always 1; a contractor's name.")

_Key = tuple[str, ...]


class Aggregates:
    """Counts that follow a board until ``close``."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._added: dict[str, tuple[_Key, ...]] = {}
        self._counts: Counter[_Key] = Counter()
        for entry in board:
            self._follow((entry.device.id,))
        self.close = board.listen(self._follow)
        """Stop following the board."""

    def text(self) -> bytes:
        """The families as text."""
        # Every status of a known area, kind or site has a line, if only 0: a count that vanishes can't be compared.
        devices = sorted({key[:3] for key in self._counts if key[0] == DEVICES.name})
        sites = sorted({key[:2] for key in self._counts if key[0] == SITES.name})
        faults = sorted(key for key in self._counts if key[0] == FAULTS.name)
        names = self._board.names
        return b"".join(
            (
                _family(DEVICES, (_with_status(self._counts, key, ("area", "kind")) for key in devices)),
                _family(SITES, (_with_status(self._counts, key, ("site",)) for key in sites)),
                _family(FAULTS, (_line(key, ("area", "aspect", "cause"), self._counts[key]) for key in faults)),
                _family(
                    AREA_INFO,
                    (
                        _line(
                            (AREA_INFO.name, area, name, names.area_parents.get(area, "")), ("area", "name", "parent")
                        )
                        for area, name in names.areas.items()
                    ),
                ),
                _family(SITE_INFO, (_line((SITE_INFO.name, *pair), ("site", "name")) for pair in names.sites.items())),
                _family(
                    CONTRACTOR_INFO,
                    (
                        _line((CONTRACTOR_INFO.name, *pair), ("contractor", "name"))
                        for pair in names.contractors.items()
                    ),
                ),
            )
        )

    def _follow(self, touched: tuple[str, ...]) -> None:
        for device in touched:
            for key in self._added.pop(device, ()):
                self._counts[key] -= 1
                if not self._counts[key]:
                    del self._counts[key]
            entry = self._board.get(device)
            if entry is not None and entry.device.life is Life.ACTIVE:
                added = self._added[device] = tuple(_adds(entry))
                self._counts.update(added)


def _adds(entry: BoardEntry) -> Iterator[_Key]:
    """What one device adds one to."""
    device = entry.device
    yield DEVICES.name, device.area, device.kind.value, entry.status.value
    if device.site:
        yield SITES.name, device.site, entry.status.value
    for aspect, cause in dict.fromkeys((reason.aspect, reason.cause) for reason in entry.reasons if not reason.blamed):
        yield FAULTS.name, device.area, aspect.value, cause.value


def _with_status(counts: Counter[_Key], key: _Key, labels: tuple[str, ...]) -> str:
    return "".join(_line((*key, status.value), (*labels, "status"), counts[*key, status.value]) for status in Status)


def _line(key: _Key, labels: tuple[str, ...], value: int = 1) -> str:
    name, *values = key
    pairs = ",".join(f'{label}="{escape(text)}"' for label, text in zip(labels, values, strict=True))
    return f"{name}{{{pairs}}} {value}\n"


def _family(family: Family, lines: Iterator[str]) -> bytes:
    return family.head + encode("".join(lines))

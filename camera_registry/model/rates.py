"""Rates: measured time by whom it belongs to. Lengths are whole microseconds, so sums are exact."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum


class Measure(StrEnum):
    """What is measured of a device over time (domain.md, section 5)."""

    ONLINE = "online"
    """Reach and every stream in order."""
    INTACT = "intact"
    """Online, with every picture and the clock in order."""
    RECORDING = "recording"
    """Its recordings without gaps, in seconds of each recording; nothing at all of a device that does not tell them."""


class Exclusion(StrEnum):
    """Why time is kept out of every rate, or out of the device's own account."""

    IDLE = "idle"
    """Not registered yet or any more, or not meant to work (planned, suspended, retired)."""
    MAINTENANCE = "maintenance"
    SILENT = "silent"
    """After the newest evidence that the service has: nobody was measuring."""
    PARENT = "parent"
    """Lost behind a parent, or together with others."""
    HOURS = "hours"
    """Outside the hours in which its site is to be covered: nothing need be recorded. All else counts on."""


@dataclass(frozen=True, slots=True, order=True)
class Excluded:
    """A stretch of a device's time and why it is kept apart; ``about`` names the window, the incident, the life."""

    device: str
    begins: datetime
    ends: datetime
    why: Exclusion
    about: str = ""


@dataclass(frozen=True, slots=True)
class Sums:
    """Microseconds of one device, or of many added up. Online and intact: good, bad, parent and unknown, with idle and
    maintenance, are the whole period. Recording: of each recording of the device, what it was required to hold, by
    whether it does. ``outages`` counts the stretches of bad time that began.
    """

    idle: int = 0
    maintenance: int = 0
    online_good: int = 0
    online_bad: int = 0
    online_parent: int = 0
    online_unknown: int = 0
    intact_good: int = 0
    intact_bad: int = 0
    intact_parent: int = 0
    intact_unknown: int = 0
    recording_good: int = 0
    recording_bad: int = 0
    recording_parent: int = 0
    recording_unknown: int = 0
    outages: int = 0

    def __add__(self, other: Sums) -> Sums:
        return Sums(*(getattr(self, name) + getattr(other, name) for name in SUMS))

    @property
    def length(self) -> int:
        """All the time that they tell of, by online."""
        return (
            self.idle + self.maintenance + self.online_good + self.online_bad + self.online_parent + self.online_unknown
        )

    def rate(self, measure: Measure) -> float | None:
        """good / (period - excluded - unknown); None where nothing was measured."""
        good: int = getattr(self, f"{measure.value}_good")
        bad: int = getattr(self, f"{measure.value}_bad")
        return good / (good + bad) if good + bad else None

    def unknown(self, measure: Measure) -> float | None:
        """The share of the time that was to be measured, of which nothing is known."""
        good, bad, parent, unknown = (
            int(getattr(self, f"{measure.value}_{part}")) for part in ("good", "bad", "parent", "unknown")
        )
        whole = good + bad + parent + unknown
        return unknown / whole if whole else None

    @property
    def mean_outage(self) -> float | None:
        """Bad microseconds for each outage that began; None without one."""
        return self.online_bad / self.outages if self.outages else None


SUMS = tuple(field.name for field in fields(Sums))

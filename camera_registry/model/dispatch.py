"""Dispatch: who is sent for what, by when, in which hours. Settings fill it; rules read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from camera_registry.model.health import Cause
from camera_registry.model.incident import Severity
from camera_registry.model.place import SiteCategory
from camera_registry.model.work_order import Deadlines

ROUND_THE_CLOCK = ""
"""The name of the calendar that counts every minute."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Hours that count: ``hours`` of the local day, in minutes since midnight and in order, on ``weekdays`` (0 is
    Monday) but for ``holidays``; and on ``workdays`` whatever day of the week they are."""

    weekdays: frozenset[int] = frozenset(range(5))
    hours: tuple[tuple[int, int], ...] = ((9 * 60, 18 * 60),)
    zone: str = "UTC"
    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class DispatchRule:
    """What is done about the incidents that it fits; what is left empty fits all, and leaves what it is.

    ``areas`` take everything beneath them along; ``mass``: only mass failures, or only others. ``send`` False: nobody
    is sent. ``crew`` or ``contractor`` empty: those of the register.
    """

    causes: frozenset[Cause] = frozenset()
    site_categories: frozenset[SiteCategory] = frozenset()
    areas: frozenset[str] = frozenset()
    severities: frozenset[Severity] = frozenset()
    mass: bool | None = None
    send: bool = True
    severity: Severity | None = None
    crew: str = ""
    contractor: str = ""
    accept: float | None = None
    arrive: float | None = None
    repair: float | None = None
    calendar: str | None = None


HOUR = 3600.0

DEADLINES: Mapping[Severity, Deadlines] = {
    Severity.P1: Deadlines(HOUR / 4, HOUR, 2 * HOUR),
    Severity.P2: Deadlines(HOUR / 2, 4 * HOUR, 24 * HOUR),
    Severity.P3: Deadlines(4 * HOUR, 24 * HOUR, 48 * HOUR),
    Severity.P4: Deadlines(24 * HOUR, 72 * HOUR, 120 * HOUR),
}
"""What municipalities ask for in tenders: a system that is down, on site within an hour and mended within two; an
ordinary fault within a day. Hours of the contractor's time."""

MASS_DEADLINES = Deadlines(HOUR / 4, HOUR, 48 * HOUR)
"""Eight devices and more: somebody is there within an hour, and may need two days."""


@dataclass(frozen=True, slots=True)
class DispatchPolicy:
    """The table of rules (the first that fits counts), the calendars by name, and how orders live. Durations are
    seconds.

    ``usual_calendar`` is that of orders whose rule names none. ``minimum``: so many devices of one cause make a mass
    failure. ``verify_within``: the probes must agree with the crew's word by then. ``close_after``: a verified order
    that nobody closes is closed then. ``repeat_within``: a fault that is back within this time is the same order.
    """

    rules: tuple[DispatchRule, ...] = ()
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    deadlines: Mapping[Severity, Deadlines] = field(default_factory=lambda: dict(DEADLINES))
    enabled: bool = True
    minimum: int = 8
    verify_within: float = HOUR / 2
    close_after: float = 72 * HOUR
    repeat_within: float = 7 * 24 * HOUR
    usual_calendar: str = ROUND_THE_CLOCK

    def calendar(self, name: str) -> Calendar | None:
        """The calendar of this name; None: every minute counts. So it does where the name is not known any more."""
        return self.calendars.get(name)

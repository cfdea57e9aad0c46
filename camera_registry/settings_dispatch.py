"""This file turns the settings of dispatch into the table of rules by which crews are sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from camera_registry.model.dispatch import DEADLINES, HOUR, ROUND_THE_CLOCK, Calendar, DispatchPolicy, DispatchRule
from camera_registry.model.health import Cause
from camera_registry.model.incident import Severity
from camera_registry.model.place import SiteCategory
from camera_registry.model.register import Register
from camera_registry.settings_section import Seconds, Section, refused

_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


def _hours(text: str) -> str:
    found = _SPAN.fullmatch(text)
    if found is None or _minutes(text)[0] >= _minutes(text)[1] or _minutes(text)[1] > 24 * 60:
        raise refused("day_span", "write a span of hours within one day, such as 08:30-12:00 or 18:00-24:00")
    return text


def _minutes(text: str) -> tuple[int, int]:
    begins, ends = (int(part[:2]) * 60 + int(part[3:]) for part in text.split("-"))
    return begins, ends


class CalendarSection(Section):
    """Hours in which a contractor's time counts."""

    weekdays: frozenset[Day] = frozenset(("mon", "tue", "wed", "thu", "fri"))
    hours: tuple[Annotated[str, AfterValidator(_hours)], ...] = Field(("09:00-18:00",), min_length=1)
    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()
    """Days that count though their day of the week does not: shifted working days."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        spans = sorted(map(_minutes, self.hours))
        if any(later[0] < earlier[1] for earlier, later in pairwise(spans)):
            raise refused("hours_overlap", "hours overlap: write each hour once")
        if not self.weekdays and not self.workdays:
            raise refused("no_day", "no day counts: name weekdays or workdays")
        return self

    def calendar(self, zone: str) -> Calendar:
        """The calendar, read in ``zone``."""
        return Calendar(
            frozenset(map(_DAYS.index, self.weekdays)),
            tuple(sorted(map(_minutes, self.hours))),
            zone,
            self.holidays,
            self.workdays,
        )


class _Limits(Section):
    accept: Seconds | None = None
    arrive: Seconds | None = None
    repair: Seconds | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        given = [(name, value) for name in ("accept", "arrive", "repair") if (value := getattr(self, name)) is not None]
        for (earlier, before), (later, after) in pairwise(given):
            if after < before:
                raise refused(
                    "deadlines",
                    "{later} ({after}) is before {earlier} ({before}): all count from the sending",
                    later=later,
                    after=f"{after:g}",
                    earlier=earlier,
                    before=f"{before:g}",
                )
        return self


class RuleSection(_Limits):
    """One row of the table; see ``DispatchRule``."""

    causes: frozenset[Cause] = frozenset()
    site_categories: frozenset[SiteCategory] = frozenset()
    areas: frozenset[str] = frozenset()
    severities: frozenset[Severity] = frozenset()
    mass: bool | None = None
    send: bool = True
    severity: Severity | None = None
    crew: str = ""
    contractor: str = ""
    calendar: str | None = None
    """Empty text: every minute counts."""

    @model_validator(mode="after")
    def _one_or_other(self) -> Self:
        if self.crew and self.contractor:
            raise refused(
                "crew_and_contractor", "crew and contractor: name one; a crew's contractor is known from the register"
            )
        says = {"severity", "crew", "contractor", "calendar", "accept", "arrive", "repair"} & self.model_fields_set
        if not self.send and says:
            raise refused(
                "sends_nobody",
                "send = false sends nobody, so {keys} would say nothing: remove it",
                keys=", ".join(sorted(says)),
            )
        return self

    def rule(self) -> DispatchRule:
        """The row as rules read it."""
        return DispatchRule(**{name: getattr(self, name) for name in RuleSection.model_fields})


class Dispatch(Section):
    """Who is sent for what, and by when. The first rule that fits counts; what none fits is sent to the register's crew
    by the deadlines of its severity."""

    enabled: bool = True
    rules: tuple[RuleSection, ...] = ()
    calendars: dict[Name, CalendarSection] = Field(default_factory=dict)
    deadlines: dict[Severity, _Limits] = Field(default_factory=dict)
    calendar: str = ROUND_THE_CLOCK
    """Of orders whose rule names none; empty: every minute counts."""
    verify_within: Seconds = HOUR / 2
    close_after: Seconds = 72 * HOUR
    repeat_days: float = Field(7, ge=0, le=365)
    picture_days: float = Field(30, gt=0)
    """How long the pictures of an order are kept after it is closed."""

    @model_validator(mode="after")
    def _calendars_are_known(self) -> Self:
        named = [("calendar", self.calendar)]
        named += [(f"rules.{number}.calendar", rule.calendar or "") for number, rule in enumerate(self.rules)]
        for key, name in named:
            if name and name not in self.calendars:
                raise refused(
                    "no_calendar",
                    "{place}: there is no [dispatch.calendars.{name}]; known: {known}",
                    place=key,
                    name=name,
                    known=", ".join(sorted(self.calendars)) or "none",
                )
        return self

    @model_validator(mode="after")
    def _every_rule_can_be_reached(self) -> Self:
        for number, rule in enumerate(self.rules[:-1]):
            if not (rule.causes or rule.site_categories or rule.areas or rule.severities) and rule.mass is None:
                raise refused(
                    "rule_fits_all",
                    "rules.{number}: it fits everything, so no rule after it counts: put it last",
                    number=number,
                )
        return self

    def policy(self, minimum: int, zone: str) -> DispatchPolicy:
        """The policy; ``minimum`` devices make a mass failure, ``zone`` is the calendars'."""
        deadlines = {
            severity: replace(plain, **self.deadlines.get(severity, _Limits()).model_dump(exclude_none=True))
            for severity, plain in DEADLINES.items()
        }
        return DispatchPolicy(
            tuple(rule.rule() for rule in self.rules),
            {name: section.calendar(zone) for name, section in self.calendars.items()},
            deadlines,
            self.enabled,
            minimum,
            self.verify_within,
            self.close_after,
            self.repeat_days * 24 * HOUR,
            self.calendar,
        )


def strangers(dispatch: Dispatch, register: Register) -> Iterator[str]:
    """What rules name that the register does not know: one sentence each, with its key."""
    for number, rule in enumerate(dispatch.rules):
        key = f"dispatch.rules.{number}"
        if rule.crew and rule.crew not in register.crews:
            yield f"{key}.crew: {rule.crew} is no crew of the register; import it, or name another"
        if rule.contractor and rule.contractor not in register.contractors:
            yield f"{key}.contractor: {rule.contractor} is no contractor of the register; import it, or name another"
        for area in sorted(rule.areas - register.areas.keys()):
            yield f"{key}.areas: {area} is no area of the register; import it, or name another"

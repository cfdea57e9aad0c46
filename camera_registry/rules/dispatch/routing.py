"""This file decides who is sent for an incident, how urgent it is, and by when what must be done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from camera_registry.model.dispatch import MASS_DEADLINES, DispatchPolicy, DispatchRule
from camera_registry.model.incident import Incident, Scope, Severity
from camera_registry.model.people import Crew
from camera_registry.model.register import Register
from camera_registry.model.work_order import Deadlines
from camera_registry.rules.places import way_up


@dataclass(frozen=True, slots=True)
class Route:
    """Who is sent, and by when. ``crew`` empty: anybody of ``contractor``; both empty: nobody is known."""

    severity: Severity
    contractor: str
    crew: str
    deadlines: Deadlines
    calendar: str


def route(
    incident: Incident,
    policy: DispatchPolicy,
    register: Register,
    *,
    asked: bool = False,
    severity: Severity | None = None,
) -> Route | None:
    """The route of an incident by the first rule that fits it; None: nobody is to be sent. ``asked``: a person wants
    somebody sent, so rules that send nobody are passed over, and ``severity`` is that person's."""
    devices = incident.affected + (incident.scope is Scope.DEVICE)
    mass = devices >= policy.minimum
    area_parents = register.area_parents()
    way = way_up(incident.area, area_parents)
    device = register.devices.get(incident.about) if incident.scope is Scope.DEVICE else None
    site = register.sites.get(device.site) if device is not None else None
    fitting = (
        rule
        for rule in policy.rules
        if _fits(rule, incident, site.category if site is not None else None, way, mass=mass)
        and (rule.send or not asked)
    )
    rule = next(fitting, DispatchRule())
    if not rule.send:
        return None
    severity = severity or (Severity.P1 if mass else rule.severity or incident.severity)
    plain = MASS_DEADLINES if mass else policy.deadlines[severity]
    given = {name: value for name in ("accept", "arrive", "repair") if (value := getattr(rule, name)) is not None}
    contractor, crew = _people(rule, device.contractor if device is not None else "", way, register)
    calendar = policy.usual_calendar if rule.calendar is None else rule.calendar
    return Route(severity, contractor, crew, replace(plain, **given), calendar)


def _fits(rule: DispatchRule, incident: Incident, category: object, way: Iterable[str], *, mass: bool) -> bool:
    return (
        (not rule.causes or incident.cause in rule.causes)
        and (not rule.severities or incident.severity in rule.severities)
        and (not rule.site_categories or category in rule.site_categories)
        and (not rule.areas or not rule.areas.isdisjoint(way))
        and (rule.mass is None or rule.mass is mass)
    )


def _people(rule: DispatchRule, contractor: str, way: list[str], register: Register) -> tuple[str, str]:
    """Contractor and crew: the rule's, else the contractor's crew that is nearest, else the nearest of the city's."""
    named = register.crews.get(rule.crew)
    if named is not None:
        return named.contractor, named.id
    contractor = rule.contractor or contractor
    found = nearest((crew for crew in register.crews.values() if crew.contractor == contractor), way)
    if found is None and not contractor:
        found = nearest(register.crews.values(), way)
    return (contractor, "") if found is None else (found.contractor, found.id)


def nearest(crews: Iterable[Crew], way: list[str]) -> Crew | None:
    """The crew of the smallest area of ``way`` (an area and those above it); one without an area goes everywhere."""
    reach = {area: steps for steps, area in enumerate(way)} | {"": len(way)}
    able = [crew for crew in crews if crew.area in reach]
    return min(able, key=lambda crew: (reach[crew.area], crew.id), default=None)


def contact(area: str, register: Register) -> tuple[str, str]:
    """Whom to push: the first area, from this one up, that names a contact, and the contact; empty: there is none."""
    for above in way_up(area, register.area_parents()):
        known = register.areas.get(above)
        if known is not None and known.contact:
            return above, known.contact
    return "", ""

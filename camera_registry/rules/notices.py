"""This file decides who is owed a notice of what happened to an incident, when it is due, and whether it still is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from camera_registry.model.incident import Incident, IncidentChange, Scope, Severity, Step
from camera_registry.model.notice import OF_ORDERS, WAITING, Audience, Notice, NoticeState, Occasion, Values
from camera_registry.model.register import Register
from camera_registry.model.work_order import WorkOrder
from camera_registry.rules.places import way_up

_OPENING = {
    Step.OPENED: Occasion.OPENED,
    Step.UNEXPLAINED: Occasion.UNEXPLAINED,
    Step.UNMUTED: Occasion.UNMUTED,
}
"""Steps that are told to whom they concern, whether they knew of the incident or not."""

_FOLLOWING = {
    Step.CAUSE_CHANGED: Occasion.CAUSE_CHANGED,
    Step.FLAPPING_BEGAN: Occasion.FLAPPING_BEGAN,
    Step.FLAPPING_ENDED: Occasion.FLAPPING_ENDED,
    Step.RESOLVED: Occasion.RESOLVED,
}
"""Steps that are told only to who was told of the incident before, and then wherever it belongs now."""

Told = AbstractSet[tuple[str, int | None]]
"""Channels with the incidents that they were told of, or will be whatever happens."""

BACK_OFF = (2.0, 300.0)
"""Seconds before the first retry, which double up to the longest."""

PATIENT_AFTER = 5
"""Attempts after which a message that fails lets the others of its channel go first: it may be the message's fault."""


def owed(
    changes: Iterable[IncidentChange],
    audiences: Sequence[Audience],
    register: Register,
    orders: Mapping[int, WorkOrder] | None = None,
) -> list[Notice]:
    """The notices that follow from these steps. The same steps give the same notices, whenever they are asked for.
    ``orders`` are the work orders by the incident that they are about: one notice tells of both."""
    notices: list[Notice] = []
    for change in changes:
        values: Values | None = None
        for audience in audiences:
            made = _occasion(change, audience, register)
            if made is None:
                continue
            values = values or describe(change.incident, register, (orders or {}).get(change.incident.id))
            notices.append(_notice(change, audience, made, values))
    return notices


def due_to(notices: Iterable[Notice], told: Told) -> tuple[list[Notice], list[Notice]]:
    """The notices to be kept, where ``told`` is known already; and those by which one that waits is only hastened."""
    known = set(told)
    kept: list[Notice] = []
    hastened: list[Notice] = []
    for one in notices:
        pair = one.channel, one.incident
        if pair in known and one.occasion is Occasion.SEVERITY_CHANGED:
            hastened.append(one)
        elif pair in known or not one.follows:
            kept.append(one)
            if one.state is NoticeState.PENDING and one.occasion not in WAITING:
                known.add(pair)
    return kept, hastened


def _occasion(change: IncidentChange, audience: Audience, register: Register) -> Occasion | None:
    incident, step = change.incident, change.step
    if step in _FOLLOWING:
        return None if step is Step.RESOLVED and not audience.resolved else _FOLLOWING[step]
    if not concerns(incident, audience, register):
        return None
    if step in _OPENING or step is Step.SEVERITY_CHANGED:
        return Occasion.ESCALATED if audience.after else _OPENING.get(step, Occasion.SEVERITY_CHANGED)
    if step is Step.UNACKNOWLEDGED and incident.open:
        if audience.after:
            return Occasion.ESCALATED
        return Occasion.REPEATED if audience.repeat else None
    return None


def _notice(change: IncidentChange, audience: Audience, occasion: Occasion, values: Values) -> Notice:
    incident = change.incident
    wait = {Occasion.ESCALATED: audience.after, Occasion.REPEATED: audience.repeat}.get(occasion, audience.group_wait)
    # Suppress creation, never resolution: who was told that it began is told that it is over, muted or not.
    muted = incident.muted and occasion is not Occasion.RESOLVED
    return Notice(
        f"{audience.channel}/{incident.id}.{incident.version}.{occasion.value}",
        audience.channel,
        occasion,
        incident.severity,
        change.at,
        wake(change.at + timedelta(seconds=wait), incident.severity, audience),
        incident.id,
        values,
        grouping(occasion, incident),
        NoticeState.MUTED if muted else NoticeState.PENDING,
        follows=change.step in _FOLLOWING,
    )


def grouping(occasion: Occasion, incident: Incident) -> str:
    """What may go in one message: faults of one cause, and whatever is over."""
    return occasion.value if occasion is Occasion.RESOLVED else f"{occasion.value} {incident.cause.value}"


def concerns(incident: Incident | WorkOrder, audience: Audience, register: Register) -> bool:
    """Whether a channel is to hear of this incident, or of this order."""
    if incident.severity > audience.severity:
        return False
    if audience.causes and incident.cause.value not in audience.causes:
        return False
    if audience.areas:
        parents = {area.id: area.parent for area in register.areas.values()}
        if audience.areas.isdisjoint(way_up(incident.area, parents)):
            return False
    if not audience.site_categories:
        return True
    device = register.devices.get(incident.about) if incident.scope is Scope.DEVICE else None
    site = register.sites.get(device.site) if device is not None else None
    return site is not None and site.category.value in audience.site_categories


def wake(at: datetime, severity: Severity, audience: Audience) -> datetime:
    """``at``, or the end of the quiet hours that it lies in."""
    if severity <= audience.quiet_unless:
        return at
    zone = ZoneInfo(audience.zone)
    # Twice, because one span may end inside another.
    for _ in range(2):
        local = at.astimezone(zone)
        minute = local.hour * 60 + local.minute
        for span in audience.quiet:
            crossing = span.ends <= span.begins
            inside = minute >= span.begins or minute < span.ends if crossing else span.begins <= minute < span.ends
            if not inside:
                continue
            ends = local.replace(hour=span.ends // 60, minute=span.ends % 60, second=0, microsecond=0)
            if crossing and minute >= span.begins:
                ends += timedelta(days=1)
            at = max(at, ends.astimezone(at.tzinfo))
            break
    return at


def unwanted(occasion: Occasion, incident: Incident | None) -> str:
    """Why a notice that was not sent yet is not to be sent any more; empty: it is. ``incident`` is how it stands now,
    None: it is over."""
    if occasion in (*WAITING, Occasion.ORDER_OVERDUE) and incident is None:
        return "over"
    if occasion in WAITING:
        assert incident is not None
        if incident.acknowledged is not None:
            return "acknowledged"
    if incident is not None and incident.muted and occasion is not Occasion.RESOLVED:
        return "muted"
    return ""


def as_now(notice: Notice, incidents: Mapping[int, Incident]) -> Notice:
    """The notice as it is sent: what was owed for later tells its incident, one of these, by what is known by now."""
    about = incidents.get(notice.incident) if notice.incident is not None and notice.occasion in WAITING else None
    if about is None:
        return notice
    known = {"cause": about.cause.value, "detail": about.detail, "affected": about.affected}
    return replace(notice, values={**notice.values, **known})


def repetition(notice: Notice, audience: Audience, now: datetime) -> Notice | None:
    """What is owed after this notice was delivered, unless somebody takes care of the incident until then."""
    if not audience.repeat or notice.incident is None:
        return None
    if notice.occasion in (Occasion.RESOLVED, Occasion.TEST, Occasion.FLAPPING_ENDED, *OF_ORDERS):
        return None
    due = wake(now + timedelta(seconds=audience.repeat), notice.severity, audience)
    first, _, turn = notice.key.partition("+")
    return Notice(
        f"{first}+{int(turn or 0) + 1}",
        notice.channel,
        Occasion.REPEATED,
        notice.severity,
        now,
        due,
        notice.incident,
        notice.values,
        f"{Occasion.REPEATED.value} {notice.values.get('cause')}",
    )


def back_off(failures: int, retry_after: float | None = None) -> float:
    """Seconds that a channel rests after so many failures in a row, or as long as it asks for (a day at most)."""
    first, longest = BACK_OFF
    rest = min(longest, first * 2.0 ** min(failures - 1, 20))
    return rest if retry_after is None else max(rest, min(retry_after, 86_400.0))


def describe(incident: Incident, register: Register, order: WorkOrder | None = None) -> Values:
    """What texts and receivers are told of an incident, as it stands, and of its order. Times are ISO 8601, UTC."""
    sent: Values = {} if order is None else {"order": order.id, "crew": crew_name(order, register)}
    return {**_described(incident, register, incident.started, incident.ended, incident.detail), **sent}


def crew_name(order: WorkOrder, register: Register) -> str:
    """What people call whoever is sent: the crew, else the contractor; empty: nobody is."""
    crew, contractor = register.crews.get(order.crew), register.contractors.get(order.contractor)
    known = crew or contractor
    return (known.name if known is not None else "") or order.crew or order.contractor


def describe_order(order: WorkOrder, register: Register, detail: str) -> Values:
    """The same of a work order by itself; ``detail`` says what it was found by."""
    begun = order.started or order.opened_at
    return {
        **_described(order, register, begun, order.recovered_at, detail),
        "contractor": order.contractor,
        "order": order.id,
        "order_state": order.state.value,
        "crew": crew_name(order, register),
        "repeats": order.repeats,
    }


def _described(
    incident: Incident | WorkOrder, register: Register, started: datetime, ended: datetime | None, detail: str
) -> Values:
    device = register.devices.get(incident.about) if incident.scope is Scope.DEVICE else None
    area = register.areas.get(incident.area)
    named = register.areas.get(incident.about) if incident.scope is Scope.AREA else None
    return {
        "scope": incident.scope.value,
        "about": incident.about,
        "called": (device.name if device else named.name if named else "") or incident.about,
        "cause": incident.cause.value,
        "severity": incident.severity.value,
        "detail": detail,
        "area": incident.area,
        "area_name": area.name if area else "",
        "started": started.isoformat(),
        "ended": None if ended is None else ended.isoformat(),
        "affected": incident.affected,
        "kind": device.kind.value if device else "",
        "site": device.site if device else "",
        "contractor": device.contractor if device else "",
        "parent": device.parent if device else "",
    }

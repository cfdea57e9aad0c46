"""This file decides which lost parent explains a fault, and for how long after the parent is back."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace
from datetime import datetime

from camera_registry.rules.health import BEHIND_A_PARENT
from camera_registry.rules.incidents.book import Fault, Fleet, Outage
from camera_registry.rules.topology import ancestors, blamed


def explain(fault: Fault, lost: Container[str], over: Mapping[str, Outage], fleet: Fleet, now: datetime) -> Fault:
    """The fault with what explains it: a parent among those ``lost`` now, or one whose outage is ``over``, until the
    device was read as bad after it had time to come back. Then it is held anew, as a fault of its own."""
    explicable = fault.cause in BEHIND_A_PARENT or fault.unfed
    blame = blamed(fault.device, fleet.parents, lost) if explicable else ""
    if blame:
        known = fault.blame == blame and fault.group is None and fault.until is None
        return fault if known else replace(fault, blame=blame, group=None, until=None)
    policy = fleet.policy(fault.device)
    above = [one for one in ancestors(fault.device, fleet.parents) if one in over] if over else []
    if fault.blame and fault.until is None:
        # Of two ways to it, the one that is back need not be the one to blame.
        ended = max((over[one].ended for one in above), default=now)
        fault = replace(fault, until=ended + policy.recheck)
    elif explicable and not fault.explained:
        past = next((one for one in above if _lasted_over(over[one], fault, fleet)), "")
        if past:
            fault = replace(fault, blame=past, until=over[past].ended + policy.recheck)
    if fault.until is not None and (not explicable or _bad_after(fault, fault.until, fleet)):
        due = max(fault.due, fault.until + policy.hold_for(fault.cause))
        return replace(fault, blame="", group=None, until=None, checked=fault.until, due=due)
    return fault


def _lasted_over(outage: Outage, fault: Fault, fleet: Fleet) -> bool:
    """Whether a fault may have begun by a parent's loss that is over by now."""
    begun = outage.began - fleet.rules.together <= fault.started <= outage.ended
    return begun and (fault.checked is None or fault.checked < outage.ended)


def _bad_after(fault: Fault, time: datetime, fleet: Fleet) -> bool:
    states = (fleet.heard(subject) for subject in fault.symptoms)
    return any(one is not None and one.good is False and one.read_at and one.read_at > time for one in states)

"""This file decides what switches and supplies tell of power: their own, and that of what hangs on them."""

from __future__ import annotations

from dataclasses import replace

from camera_registry.model.device import Device
from camera_registry.model.health import Aspect, AspectState, Cause, Reading, State
from camera_registry.model.observation import Facts, ProbeSeen
from camera_registry.rules.health import BEHIND_A_PARENT

_UNFED = {
    "fault": "the switch cannot feed it (PoE fault)",
    "disabled": "its feeding is switched off",
    "searching": "the switch finds nothing to feed there",
}


def judge(facts: Facts) -> tuple[Cause | None, str]:
    """Whether a device that was asked over SNMP has power as it should."""
    ups = facts.get("ups")
    if isinstance(ups, dict):
        if ups.get("source") in ("battery", "none"):
            minutes = ups.get("minutes")
            left = f", {minutes} minutes are left" if isinstance(minutes, int) else ""
            return Cause.POWER, f"it runs on {ups['source']}{left}"
        if ups.get("battery") == "depleted":
            return Cause.POWER, "its battery is depleted"
    supplies = facts.get("poe_supplies")
    if isinstance(supplies, list):
        states = [supply.get("state") for supply in supplies if isinstance(supply, dict)]
        bad = [f"{number} is {state}" for number, state in enumerate(states, 1) if state in ("faulty", "off")]
        if bad:
            return Cause.POWER, f"PoE supply {', '.join(bad)}"
    return None, ""


def retell(reading: Reading, child: Device, reach: AspectState, ports: ProbeSeen | None) -> Reading:
    """The reading; where it is the silence of a device of whose port its switch knows more, by what that knows."""
    if reading.subject.aspect is not Aspect.REACH or reading.cause not in BEHIND_A_PARENT:
        return reading
    told = known(child, reach, ports)
    return reading if told is None else replace(reading, cause=told[0], detail=told[1])


def known(child: Device, reach: AspectState, ports: ProbeSeen | None) -> tuple[Cause, str] | None:
    """What the switch above has told of a device since its ``reach`` was lost; None: nothing that explains it.
    ``ports`` is the newest run of ``snmp`` on ``child.parent``."""
    lost = not {State.DOWN, State.FLAPPING}.isdisjoint((reach.settled, reach.was))
    since = reach.since if lost else reach.run_at
    if ports is None or ports.last_success is None or since is None or ports.last_success < since:
        return None
    return explain(child, ports.facts)


def explain(child: Device, facts: Facts) -> tuple[Cause, str] | None:
    """What the switch above knows of a device that does not answer, by its ``parent_port``; None for nothing.

    ``facts`` are those of the newest run of ``snmp`` on ``child.parent``. POWER: its port feeds nothing, or is switched
    off. UNREACHABLE: the port is fed, or feeds nobody anyway, and its link is down: the cable or the device.
    """
    port = _port(child.parent_port, facts)
    if port is None or port.get("up"):
        return None
    name = port.get("name") or child.parent_port
    if not port.get("admin_up"):
        return Cause.UNREACHABLE, f"port {name} is switched off"
    fed = port.get("poe")
    if isinstance(fed, str) and fed in _UNFED and (fed != "searching" or child.power_source.casefold() == "poe"):
        return Cause.POWER, f"port {name}: {_UNFED[fed]}"
    powered = "is fed but " if fed == "delivering" else ""
    return Cause.UNREACHABLE, f"port {name} {powered}has no link: see the cable and the device"


def _port(name: str, facts: Facts) -> dict[str, object] | None:
    """The port of this name or alias, case and blanks aside."""
    ports = facts.get("ports")
    wanted = _folded(name)
    if not wanted or not isinstance(ports, list):
        return None
    for key in ("name", "alias"):
        for port in ports:
            if isinstance(port, dict) and _folded(str(port.get(key, ""))) == wanted:
                return port
    return None


def _folded(text: str) -> str:
    return "".join(text.split()).casefold()

"""This file probes switches and power supplies over SNMP: what they are, their ports, what they feed and are fed by."""

from __future__ import annotations

import re
from collections.abc import Mapping

from camera_registry.model.observation import Facts
from camera_registry.model.roster import Target
from probes.base import Context
from probes.snmp_session import SnmpSession
from probes.wire.ber import Oid
from probes.wire.snmp import Value
from probes.wire.text import clean, decode

MOST_PORTS = 256
"""Ports that are told of; a chassis has more, a street cabinet has eight."""

_SYSTEM = (1, 3, 6, 1, 2, 1, 1)  # SNMPv2-MIB (RFC 3418): sysDescr, sysObjectID, sysUpTime, sysName
_DESCRIPTION, _OBJECT, _UPTIME, _NAME = ((*_SYSTEM, number, 0) for number in (1, 2, 3, 5))

_INTERFACES = (1, 3, 6, 1, 2, 1, 2, 2, 1)  # IF-MIB (RFC 2863): ifTable
_TYPE, _SPEED, _ADMIN, _OPERATING, _ERRORS = ((*_INTERFACES, number) for number in (3, 5, 7, 8, 14))
_EXTENDED = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)  # ifXTable
_PORT_NAME, _HIGH_SPEED, _ALIAS = ((*_EXTENDED, number) for number in (1, 15, 18))
_COLUMNS = (_TYPE, _SPEED, _ADMIN, _OPERATING, _ERRORS, _PORT_NAME, _HIGH_SPEED, _ALIAS)
_ETHERNET = {6, 62, 69, 117}  # ifType: ethernetCsmacd and the older names for faster ones

_POE_PORTS = (1, 3, 6, 1, 2, 1, 105, 1, 1, 1)  # POWER-ETHERNET-MIB (RFC 3621): pethPsePortTable
_POE_ADMIN, _POE_STATE = ((*_POE_PORTS, number) for number in (3, 6))
_POE_MAIN = (1, 3, 6, 1, 2, 1, 105, 1, 3, 1, 1)  # pethMainPseTable
_MAIN_POWER, _MAIN_STATE, _MAIN_USED = ((*_POE_MAIN, number) for number in (2, 3, 4))

_UPS = (1, 3, 6, 1, 2, 1, 33, 1)  # UPS-MIB (RFC 1628)
_BATTERY, _MINUTES, _CHARGE, _SOURCE = (*_UPS, 2, 1, 0), (*_UPS, 2, 3, 0), (*_UPS, 2, 4, 0), (*_UPS, 4, 1, 0)

_UP = 1
_POE_STATES = {1: "disabled", 2: "searching", 3: "delivering", 4: "fault", 5: "test", 6: "fault"}
_SUPPLY_STATES = {1: "on", 2: "off", 3: "faulty"}
_SOURCES = {1: "other", 2: "none", 3: "normal", 4: "bypass", 5: "battery", 6: "booster", 7: "reducer"}
_BATTERIES = {1: "unknown", 2: "normal", 3: "low", 4: "depleted"}
_OVERFLOW = 2**32 - 1


async def probe(target: Target, options: Mapping[str, object], context: Context) -> Facts:
    """Ask what the device is, and then for ports, PoE and power as far as it has them.

    Facts: ``description``, ``object_id``, ``uptime_seconds``, ``name``; ``ports``: a list of ``name``, ``alias``,
    ``up``, ``admin_up``, ``speed_mbps``, ``errors`` and, where a port can feed a device, ``poe`` (``delivering``,
    ``searching``, ``fault``, ``disabled``, ``test``); ``poe_supplies``: a list of ``state`` (``on``, ``off``,
    ``faulty``), ``watts`` and ``watts_used``; of an uninterruptible supply ``ups``: ``source`` (``normal``,
    ``battery``, ``bypass``, ``none``...), ``battery`` (``normal``, ``low``, ``depleted``), ``minutes`` and
    ``charge_percent``.
    """
    async with SnmpSession(context, target, target.ports.get("snmp", 0) or 161) as session:
        told = await session.get(_DESCRIPTION, _OBJECT, _UPTIME, _NAME)
        _tell_system(told, context)
        ups = await session.get(_SOURCE, _BATTERY, _MINUTES, _CHARGE)
        if _SOURCE in ups:
            _tell_ups(ups, context)
        rows = await session.walk(_COLUMNS, MOST_PORTS)
        ports = {index[0]: _port(row) for index, row in sorted(rows.items()) if index and row.get(_TYPE) in _ETHERNET}
        if ports:
            fed = await session.walk((_POE_ADMIN, _POE_STATE), MOST_PORTS)
            supplies = await session.walk((_MAIN_POWER, _MAIN_STATE, _MAIN_USED), 16) if fed else {}
            _tell_ports(ports, fed, context)
            if supplies:
                context.facts["poe_supplies"] = [_supply(row) for row in supplies.values()]
    return context.facts


def _tell_system(told: Mapping[Oid, Value], context: Context) -> None:
    description, name = _text(told.get(_DESCRIPTION)), _text(told.get(_NAME), 80)
    uptime, identifier = told.get(_UPTIME), told.get(_OBJECT)
    context.facts |= {"description": description, "name": name}
    if isinstance(uptime, int):
        context.facts["uptime_seconds"] = uptime // 100
    if isinstance(identifier, tuple):
        context.facts["object_id"] = ".".join(map(str, identifier[:32]))
    context.step("snmp.system", name=name or "?", description=clean(description, 80) or "?")


def _tell_ups(told: Mapping[Oid, Value], context: Context) -> None:
    found: dict[str, object] = {
        "source": _word(told.get(_SOURCE), _SOURCES),
        "battery": _word(told.get(_BATTERY), _BATTERIES),
    }
    for name, key in (("minutes", _MINUTES), ("charge_percent", _CHARGE)):
        if isinstance(value := told.get(key), int):
            found[name] = value
    context.facts["ups"] = found
    context.step("snmp.power", source=found["source"], minutes=found.get("minutes", "?"))


def _port(row: Mapping[Oid, Value]) -> dict[str, object]:
    speed, high, errors = row.get(_SPEED), row.get(_HIGH_SPEED), row.get(_ERRORS)
    megabits = high if isinstance(high, int) and high else 0
    if not megabits and isinstance(speed, int) and speed < _OVERFLOW:
        megabits = speed // 1_000_000
    return {
        "name": _text(row.get(_PORT_NAME), 64),
        "alias": _text(row.get(_ALIAS), 64),
        "up": row.get(_OPERATING) == _UP,
        "admin_up": row.get(_ADMIN) == _UP,
        "speed_mbps": megabits,
        "errors": errors if isinstance(errors, int) else 0,
    }


def _tell_ports(
    ports: Mapping[int, dict[str, object]], fed: Mapping[Oid, Mapping[Oid, Value]], context: Context
) -> None:
    groups = {index[0] for index in fed if len(index) == 2}
    for index, row in fed.items():
        if len(index) != 2:
            continue
        port = _fed_port(ports, index[0] if len(groups) > 1 else None, index[1])
        if port is not None:
            off = row.get(_POE_ADMIN) == 2
            port["poe"] = "disabled" if off else _word(row.get(_POE_STATE), _POE_STATES)
    listed = list(ports.values())
    context.facts["ports"] = listed
    up, powered = sum(bool(port["up"]) for port in listed), sum(port.get("poe") == "delivering" for port in listed)
    context.step("snmp.ports", count=len(listed), up=up, powered=powered)


def _fed_port(ports: Mapping[int, dict[str, object]], group: int | None, number: int) -> dict[str, object] | None:
    """The port that PoE counts as ``number`` of ``group`` (None: there is but one).

    RFC 3621 leaves open how its numbers relate to those of interfaces. Switches of one unit mostly use the same; names
    such as ``Gi2/0/5`` end with the port and begin with the unit.
    """
    if group is None and number in ports:
        return ports[number]
    for port in ports.values():
        digits = [int(part) for part in re.findall(r"\d{1,9}", str(port["name"]))]
        if digits and digits[-1] == number and (group is None or digits[0] == group) and "poe" not in port:
            return port
    return None


def _supply(row: Mapping[Oid, Value]) -> dict[str, object]:
    found: dict[str, object] = {"state": _word(row.get(_MAIN_STATE), _SUPPLY_STATES)}
    for name, key in (("watts", _MAIN_POWER), ("watts_used", _MAIN_USED)):
        if isinstance(value := row.get(key), int):
            found[name] = value
    return found


def _word(value: Value, words: Mapping[int, str]) -> str:
    return words.get(value, "unknown") if isinstance(value, int) else "unknown"


def _text(value: Value, limit: int = 256) -> str:
    return clean(decode(value), limit) if isinstance(value, bytes) else ""

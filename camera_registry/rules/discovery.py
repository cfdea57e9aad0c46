"""This file decides what sightings mean to the register: which unit is new, which has moved, which stands in another's
place, and which is where it should be.

A unit is recognised by what is its own: serial number, MAC address, endpoint, at last the code that people wrote into
its name. What several units claim is nobody's own and recognises none. What is only seen at an address, and nothing
speaks against it, is the unit that is registered there.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from ipaddress import ip_address

from camera_registry.model.device import Device
from camera_registry.model.discovery import Findings, Proposal, ProposalKind, Sighting
from camera_registry.model.register import Register

_NO_SERIAL = re.compile(r"(?i)0+|f+|x+|1234567?8?9?0?|unknown|none|null|n/?a|default|serial(?:number)?|.{0,3}")
"""What stands in serial numbers that were never set."""
_SAID = (
    "manufacturer", "model", "hardware", "serial", "mac", "firmware", "name", "endpoint", "server", "onvif_port",
    "onvif_path", "rtsp_port", "http_port", "guarded",
)  # fmt: skip
"""What of a sighting is kept as evidence."""


@dataclass(slots=True)
class _Known:
    """The registered devices, by everything that may tell one. A value is empty where several devices share it."""

    serials: dict[str, str] = field(default_factory=dict)
    macs: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    places: dict[str, list[Device]] = field(default_factory=dict)


def find(
    sightings: Collection[Sighting],
    register: Register,
    *,
    endpoints: Mapping[str, str] | None = None,
    addresses: Mapping[str, Collection[str]] | None = None,
) -> Findings:
    """What is to be proposed, and what is as it should be. ``endpoints``: devices by the endpoint that a person has
    accepted for them; ``addresses``: those of the hosts that the register knows by name."""
    known = _index(register, addresses or {})
    own = _only_once(sightings)
    answering = {device.id for one in sightings for device in known.places.get(one.address, ())}
    who = {one.address: _recognise(one, register, known, own, endpoints or {}) for one in sightings}
    # A name alone says nothing while something answers at the device's own address: many units have the same.
    who = {address: ("", ()) if by == ("name",) and id in answering else (id, by) for address, (id, by) in who.items()}
    at_home = {who[one.address][0] for one in sightings if _is_at(who[one.address][0], known.places.get(one.address))}
    proposals: list[Proposal] = []
    as_registered: dict[str, str] = {}
    others = 0
    # In the order of addresses, so that the same sightings give the same proposals whoever answered first.
    for one in sorted(sightings, key=lambda one: one.address):
        device, by = who[one.address]
        here = known.places.get(one.address, [])
        if device and device not in at_home and not _is_at(device, here):
            proposals.append(_moved(one, register.devices[device], by, here))
        elif device or len(here) > 1:
            as_registered[one.address] = device
        elif here:
            differing = list(_differences(one, here[0]))
            if differing:
                proposals.append(_replaced(one, here[0], differing))
            else:
                as_registered[one.address] = here[0].id
        elif one.onvif_port or one.rtsp_port or one.endpoint:
            proposals.append(_new(one))
        else:
            others += 1
    # Two units that claim the same place in the register make one proposal: the key is the row that a person decides.
    return Findings(tuple({one.key: one for one in proposals}.values()), as_registered, others)


def serial_text(told: str) -> str:
    """A serial number as it is compared; empty for what is none."""
    folded = re.sub(r"\s", "", told).casefold()
    return "" if _NO_SERIAL.fullmatch(folded) else folded


def _index(register: Register, addresses: Mapping[str, Collection[str]]) -> _Known:
    known = _Known()
    for device in register.devices.values():
        _enter(known.serials, serial_text(device.serial), device)
        _enter(known.macs, device.mac.lower(), device)
        for name in {device.id, device.national_code, device.name}:
            _enter(known.names, name.casefold(), device)
        for address in addresses.get(device.host, (_literal(device.host),)):
            if address:
                known.places.setdefault(address, []).append(device)
    return known


def _enter(index: dict[str, str], value: str, device: Device) -> None:
    if value:
        index[value] = device.id if index.get(value, device.id) == device.id else ""


def _literal(host: str) -> str:
    try:
        return str(ip_address(host))
    except ValueError:
        return ""


def _only_once(sightings: Collection[Sighting]) -> frozenset[tuple[str, str]]:
    """What only one unit claims: a serial or MAC that several give (clones, a router that answers for others) tells
    nothing. One unit may be met at two addresses, which is why a serial and MAC that agree count once."""
    claims: dict[tuple[str, str], set[str]] = {}
    for one in sightings:
        serial, mac = serial_text(one.serial), one.mac
        told = (("serial", serial, mac), ("mac", mac, serial), ("endpoint", one.endpoint, serial or mac))
        for way, value, other in (*told, ("name", one.name.casefold(), "")):
            if value:
                claims.setdefault((way, value), set()).add(other or one.address)
    return frozenset(claim for claim, claimants in claims.items() if len(claimants) == 1)


def _recognise(
    one: Sighting, register: Register, known: _Known, own: frozenset[tuple[str, str]], endpoints: Mapping[str, str]
) -> tuple[str, tuple[str, ...]]:
    """The registered device that this unit is, and by what; empty if it is none for sure."""
    serial, name = serial_text(one.serial), one.name.casefold()
    told = (
        ("serial", serial, known.serials.get(serial, "")),
        ("mac", one.mac, known.macs.get(one.mac, "")),
        ("endpoint", one.endpoint, endpoints.get(one.endpoint, "") or known.macs.get(_mac_of(one.endpoint), "")),
        ("name", name, known.names.get(name, "")),
    )
    ways = [(way, id) for way, value, id in told if (way, value) in own]
    for way, id in ways:
        device = register.devices.get(id)
        # A name is copied with a configuration, and a MAC stays when a mainboard goes: nothing else may speak against.
        if device is None or (way != "serial" and any(_differences(one, device, model=way == "name"))):
            continue
        return device.id, tuple(other for other, also in ways if also == id)
    return "", ()


def _mac_of(endpoint: str) -> str:
    """The node of a UUID, where makers put the MAC address (RFC 9562 section 5.1)."""
    node = endpoint.replace("-", "")[-12:]
    return ":".join(node[place : place + 2] for place in range(0, 12, 2)) if len(node) == 12 else ""


def _is_at(device: str, here: Iterable[Device] | None) -> bool:
    return any(one.id == device for one in here or ())


def _differences(one: Sighting, device: Device, *, model: bool = True) -> Iterator[str]:
    """Fields by which this is another unit than the registered one. A model's name counts only where neither contains
    the other: makers write it in several ways."""
    serial, registered = serial_text(one.serial), serial_text(device.serial)
    if serial and registered:
        if serial != registered:
            yield "serial"
        return  # the same unit, whatever else it says
    if one.mac and device.mac and one.mac != device.mac.lower():
        yield "mac"
        return
    if one.mac and device.mac:
        return
    told, wanted = (re.sub(r"[^a-z0-9]", "", text.lower()) for text in (one.model or one.hardware, device.model))
    if model and told and wanted and told not in wanted and wanted not in told:
        yield "model"


def _moved(one: Sighting, device: Device, by: tuple[str, ...], here: Collection[Device]) -> Proposal:
    evidence = {**_evidence(one), "by": list(by), "before": _before(device)}
    if here:
        evidence["registered_there"] = sorted(other.id for other in here)
    fingerprint = _fingerprint(one.address, one)
    return Proposal(ProposalKind.MOVED, f"moved/{device.id}", one.address, fingerprint, device.id, evidence)


def _replaced(one: Sighting, device: Device, differing: list[str]) -> Proposal:
    evidence = {**_evidence(one), "by": differing, "before": _before(device)}
    return Proposal(
        ProposalKind.REPLACED, f"replaced/{device.id}", one.address, _fingerprint("", one), device.id, evidence
    )


def _new(one: Sighting) -> Proposal:
    """Of a unit that has something of its own the key is that, so that it stays one proposal wherever it is met."""
    own = serial_text(one.serial) or one.mac or one.endpoint
    key = f"new/{own or one.address}"
    return Proposal(
        ProposalKind.NEW, key[:200], one.address, _fingerprint("" if own else one.address, one), "", _evidence(one)
    )


def _before(device: Device) -> dict[str, object]:
    """What the register says of the fields that a unit tells of itself."""
    return {name: value for name in ("host", *_SAID) if (value := getattr(device, name, None)) and name != "name"}


def _evidence(one: Sighting) -> dict[str, object]:
    said = asdict(one)
    return {"said": {name: said[name] for name in _SAID if said[name]}}


def _fingerprint(address: str, one: Sighting) -> str:
    told = [address, serial_text(one.serial), one.mac, one.endpoint, one.model or one.hardware]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]

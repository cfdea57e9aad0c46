"""The SNMP agents of simulated switches (version 2c): what they are, their ports with PoE, the power of their cabinet.

One socket answers for all of them, each time from the address that was called (IP_PKTINFO).
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from bisect import bisect_right
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache

from camera_registry.simulator.faults import Fault
from camera_registry.simulator.live import LiveDevice
from camera_registry.simulator.member import BLOCK
from probes.wire import WireError, ber
from probes.wire.ber import Oid, Tag
from probes.wire.snmp import Kind, Pdu, read_community, write_community

IP_PKTINFO = getattr(socket, "IP_PKTINFO", 8)
"""From linux/in.h; Python names it from 3.12 on."""
_INFO = struct.Struct("I4s4s")
"""struct in_pktinfo: interface, address to answer from, address that was called."""
LARGEST = 4096
MOST_BINDINGS = 400

SYSTEM = (1, 3, 6, 1, 2, 1, 1)
INTERFACES = (1, 3, 6, 1, 2, 1, 2, 2, 1)
EXTENDED = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
POE = (1, 3, 6, 1, 2, 1, 105, 1, 1, 1)
POE_SUPPLY = (1, 3, 6, 1, 2, 1, 105, 1, 3, 1, 1)
UPS = (1, 3, 6, 1, 2, 1, 33, 1)

_DELIVERING, _FAULT, _SEARCHING = 3, 4, 2
_ON_MAINS, _ON_BATTERY = 3, 5
_READS = {int(Kind.GET), int(Kind.GET_BULK), 0xA1}  # 0xA1: GETNEXT


class Agents:
    """Answers for every switch of a fleet. ``devices``: by address; ``children``: what hangs on each, by its id."""

    def __init__(self, devices: Mapping[str, LiveDevice], children: Mapping[str, Sequence[LiveDevice]]) -> None:
        self._devices = devices
        self._children = children
        self._begun = time.monotonic()
        self._sock: socket.socket | None = None

    def start(self, sock: socket.socket) -> None:
        """Listen in the running loop."""
        sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        sock.setblocking(False)
        self._sock = sock
        asyncio.get_running_loop().add_reader(sock, self._receive, sock)

    def stop(self) -> None:
        if self._sock is not None:
            asyncio.get_running_loop().remove_reader(self._sock)
            self._sock = None

    def _receive(self, sock: socket.socket) -> None:
        with suppress(BlockingIOError, OSError):
            data, more, _, sender = sock.recvmsg(LARGEST, socket.CMSG_SPACE(_INFO.size))
            called = next((info[8:12] for _, kind, info in more if kind == IP_PKTINFO), b"")
            device = self._devices.get(socket.inet_ntoa(called)) if called else None
            answer = self.answer(device, data) if device is not None else None
            if answer is not None:
                sock.sendmsg([answer], [(socket.IPPROTO_IP, IP_PKTINFO, _INFO.pack(0, called, bytes(4)))], 0, sender)

    def answer(self, device: LiveDevice, data: bytes) -> bytes | None:
        """What the device says to a datagram; None: nothing, as to everything that does not know its community."""
        faults = device.faults
        if not device.member.manages or faults.dark or Fault.REFUSED in faults or Fault.HANG in faults:
            return None
        try:
            community, asked = read_community(data)
        except WireError:
            return None
        if community.decode("latin-1") != device.password:
            device.counts.failed_authentications += 1
            return None
        if asked.kind not in _READS:
            device.counts.forbidden += 1
            return None
        device.counts.request(f"snmp.{'GET' if asked.kind == Kind.GET else 'GETBULK'}")
        told = b"".join(self._bindings(device, asked))
        pdu = (ber.integer(asked.request), ber.integer(0), ber.integer(0), ber.write(Tag.SEQUENCE, told))
        return write_community(community, ber.sequence(pdu, Kind.RESPONSE))

    def _bindings(self, device: LiveDevice, asked: Pdu) -> Iterator[bytes]:
        objects, order = self._objects(device)
        names = [name for name, _ in asked.bindings]
        if asked.kind == Kind.GET:
            for name in names[:MOST_BINDINGS]:
                yield objects.get(name) or _binding(name, ber.write(Tag.NO_OBJECT, b""))
            return
        repetitions = max(1, asked.index) if asked.kind == Kind.GET_BULK else 1
        for _ in range(min(repetitions, MOST_BINDINGS // max(1, len(names)))):
            for place, name in enumerate(names):
                at = bisect_right(order, name)
                if at == len(order):
                    yield _binding(name, ber.write(Tag.END_OF_MIB, b""))
                else:
                    names[place] = order[at]
                    yield objects[order[at]]

    def _objects(self, device: LiveDevice) -> tuple[Mapping[Oid, bytes], Sequence[Oid]]:
        """Everything there is to tell, as it is written, and the order of its names."""
        member = device.member
        ports = tuple(
            (child.member.device.parent_port, not child.faults.dark, _fed(child))
            for child in self._children.get(member.id, ())
        )
        file = member.device
        uptime = int(100 * (time.monotonic() - self._begun))
        told: dict[Oid, bytes] = {
            (*SYSTEM, 1, 0): _text(f"{file.manufacturer} {file.model} {file.firmware}"),
            (*SYSTEM, 2, 0): ber.oid((1, 3, 6, 1, 4, 1, 99999, 1)),
            (*SYSTEM, 3, 0): ber.integer(uptime, Tag.TICKS),
            (*SYSTEM, 5, 0): _text(member.id),
        }
        system = {name: _binding(name, value) for name, value in told.items()}
        tables, order = _tables(ports, battery=Fault.ON_BATTERY in device.faults)
        return ChainMap(system, tables), [*system, *order]  # the system's names come before all others


def _fed(child: LiveDevice) -> int:
    """The state of PoE at a child's port; 0: that port can't feed anybody."""
    if child.member.manages:
        return 0
    if Fault.POE_OFF in child.faults:
        return _FAULT
    return _DELIVERING if child.member.device.power_source == "PoE" else _SEARCHING


@lru_cache(maxsize=512)
def _tables(ports: tuple[tuple[str, bool, int], ...], *, battery: bool) -> tuple[dict[Oid, bytes], list[Oid]]:
    found: dict[Oid, bytes] = {}
    for name, up, poe in ports:
        index = int(name[2:]) + (BLOCK if name.startswith("XE") else 0)
        for column, value in ((3, 6), (7, 1), (8, 1 if up else 2)):
            found[*INTERFACES, column, index] = ber.integer(value)
        found[*INTERFACES, 5, index] = ber.integer(1_000_000_000, Tag.GAUGE)
        found[*INTERFACES, 14, index] = ber.integer(0, Tag.COUNTER)
        found[*EXTENDED, 1, index] = _text(name)
        if poe:
            found[*POE, 3, 1, index] = ber.integer(1)
            found[*POE, 6, 1, index] = ber.integer(poe)
    if any(poe for _, _, poe in ports):
        watts = 12 * sum(poe == _DELIVERING for _, _, poe in ports)
        for column, value in ((2, 740), (3, 1), (4, watts)):
            found[*POE_SUPPLY, column, 1] = ber.integer(value)
    found[*UPS, 2, 1, 0] = ber.integer(2)
    found[*UPS, 2, 3, 0] = ber.integer(25 if battery else 180)
    found[*UPS, 4, 1, 0] = ber.integer(_ON_BATTERY if battery else _ON_MAINS)
    return {name: _binding(name, value) for name, value in found.items()}, sorted(found)


def _binding(name: Oid, value: bytes) -> bytes:
    return ber.sequence((ber.oid(name), value))


def _text(text: str) -> bytes:
    return ber.write(Tag.OCTETS, text.encode())

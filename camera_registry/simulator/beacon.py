"""Answers WS-Discovery Probes for the fleet: those sent to one of its addresses, and those sent to all.

One datagram socket hears every loopback address, as the listening sockets do; which device was asked, and which one
answers, is said by the packet's own addresses (IP_PKTINFO).
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import uuid
from collections.abc import Iterable, Mapping
from urllib.parse import quote
from xml.sax.saxutils import escape

from camera_registry.simulator.faults import Fault
from camera_registry.simulator.live import LiveDevice
from camera_registry.simulator.member import Ports
from camera_registry.simulator.question import INNER_HOST
from camera_registry.simulator.sockets import LOOPBACK_DEVICE, ListenError

GROUP = "239.255.255.250"
BREATH = 0.01
"""Seconds between two handfuls of answers to a Probe to all, so that whoever asked can take them in."""
HANDFUL = 32
LONGEST = 65_535

_IP_PKTINFO = 8
"""Linux, ip(7); Python has no name for it."""
_PACKET = struct.Struct("@i4s4s")
_MESSAGE = re.compile(rb"<(?:[\w.-]+:)?MessageID[^>]*>\s*([^<\s]{1,200})\s*<")
_TYPES = re.compile(rb"<(?:[\w.-]+:)?Types[^>]*>([^<]*)<")
_PROBE = re.compile(rb"<(?:[\w.-]+:)?Probe[\s/>]")
_KINDS = {"NetworkVideoTransmitter", "Device"}

_ANSWER = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<{e}:Envelope xmlns:{e}="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:wsadis="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
    'xmlns:dn="http://www.onvif.org/ver10/network/wsdl" xmlns:tds="http://www.onvif.org/ver10/device/wsdl"><{e}:Header>'
    "<wsadis:MessageID>urn:uuid:{id}</wsadis:MessageID><wsadis:RelatesTo>{relates}</wsadis:RelatesTo>"
    "<wsadis:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</wsadis:To>"
    "<wsadis:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</wsadis:Action>"
    '<d:AppSequence MessageNumber="{number}" InstanceId="1"/></{e}:Header><{e}:Body><d:ProbeMatches><d:ProbeMatch>'
    "<wsadis:EndpointReference><wsadis:Address>urn:uuid:{endpoint}</wsadis:Address></wsadis:EndpointReference>"
    "<d:Types>{types}</d:Types><d:Scopes>{scopes}</d:Scopes><d:XAddrs>{address}</d:XAddrs>"
    "<d:MetadataVersion>10</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches></{e}:Body></{e}:Envelope>"
)


def listen(port: int) -> socket.socket:
    """A socket that hears Probes on the loopback device; 0 takes any free port. Raises ListenError."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, LOOPBACK_DEVICE)
        sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        # Bound to the loopback device it hears no other network.
        sock.bind(("0.0.0.0", port))  # noqa: S104
        membership = socket.inet_aton(GROUP) + socket.inet_aton("127.0.0.1")
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    except OSError as error:
        sock.close()
        raise ListenError(
            "unusable", protocol="UDP", port=port, why=error.strerror or error, option="--discovery-port"
        ) from error
    return sock


class Beacon:
    """Answers on an open socket until it is closed. ``devices`` are those of the fleet, by address."""

    def __init__(self, sock: socket.socket, devices: Mapping[str, LiveDevice], ports: Ports) -> None:
        self._sock = sock
        self._devices = devices
        self._ports = ports
        self._loop = asyncio.get_running_loop()
        self._answers: set[asyncio.Task[None]] = set()
        self._sent = 0
        self._loop.add_reader(sock, self._heard)

    def close(self) -> None:
        """Stop answering, and close the socket."""
        self._loop.remove_reader(self._sock)
        for task in self._answers:
            task.cancel()
        self._sock.close()

    def _heard(self) -> None:
        try:
            data, ancillary, _, sender = self._sock.recvmsg(LONGEST, socket.CMSG_SPACE(_PACKET.size))
        except OSError:
            return
        message, types = _MESSAGE.search(data), _TYPES.search(data)
        wanted = {name.rpartition(":")[2] for name in types[1].decode("latin-1").split()} if types else set()
        if message is None or not _PROBE.search(data) or not wanted <= _KINDS:
            return
        called = next((_PACKET.unpack(value[: _PACKET.size])[2] for _, kind, value in ancillary if kind == _IP_PKTINFO))
        host = socket.inet_ntoa(called)
        asked: Iterable[LiveDevice] = self._devices.values()
        if host != GROUP:
            asked = [self._devices[host]] if host in self._devices else []
        task = self._loop.create_task(self._answer(list(asked), message[1].decode("latin-1"), sender))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answer(self, asked: list[LiveDevice], message: str, sender: tuple[str, int]) -> None:
        for number, device in enumerate(asked, 1):
            if number % HANDFUL == 0:
                await asyncio.sleep(BREATH)
            faults = device.faults
            if device.member.speaks_onvif and not faults.dark and Fault.HANG not in faults:
                device.counts.request("discovery.Probe")
                self._send(device, message, sender)

    def _send(self, device: LiveDevice, message: str, sender: tuple[str, int]) -> None:
        self._sent += 1
        source = _PACKET.pack(0, socket.inet_aton(device.member.device.host), bytes(4))
        answer = write_answer(device, self._ports, message, self._sent)
        try:
            self._sock.sendmsg([answer], [(socket.IPPROTO_IP, _IP_PKTINFO, source)], 0, sender)
        except OSError:
            return  # whoever asked is gone, or takes nothing more in: datagrams may be lost


def write_answer(device: LiveDevice, ports: Ports, message: str, number: int) -> bytes:
    """What a device answers to the Probe with the id ``message``: its endpoint, its scopes and where it says it is."""
    member = device.member
    file, maker = member.device, member.maker
    scopes = [
        "type/video_encoder",
        "Profile/Streaming",
        "location/country/china",
        f"hardware/{quote(file.model)}",
        f"name/{quote(f'{maker.name} {file.model}')}",
    ]
    if maker.tells_mac:
        scopes.append(f"MAC/{file.mac}")
    host = INNER_HOST if maker.tells_inner_address else file.host
    return _ANSWER.format(
        e=maker.envelope,
        id=uuid.uuid4(),
        relates=escape(message),
        number=number,
        endpoint=uuid.uuid5(uuid.NAMESPACE_OID, device.serial),
        types="dn:NetworkVideoTransmitter tds:Device" if maker.services else "dn:NetworkVideoTransmitter",
        scopes=" ".join(f"onvif://www.onvif.org/{scope}" for scope in scopes),
        address=f"http://{host}:{ports.http}/onvif/device_service",
    ).encode()

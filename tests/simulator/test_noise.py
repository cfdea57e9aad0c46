"""Tests that no bytes whatever break a simulated device: it answers, waits for more, or hangs up, and never raises."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera_registry.simulator.agent import Agents
from camera_registry.simulator.connection import Connection
from camera_registry.simulator.http import HttpConnection
from camera_registry.simulator.management import ManagementConnection
from camera_registry.simulator.plan import Fleet
from camera_registry.simulator.rtsp import RtspConnection
from camera_registry.simulator.simulation import Simulation
from probes.wire import snmp
from tests.simulator.conftest import camera_of
from tests.simulator.wire import http, soap, token

FLEET = Fleet.plan(60)
CAMERAS = [camera_of(FLEET, maker) for maker in ("Haitun", "Dashan", "Kestrel", "Yunjing", "Nordlys")]

AUTHORIZATIONS = [
    "Basic \xe9\xe9",
    "Basic YWRtaW46eA==",
    'Digest username="\xe9", nonce="\xe9", uri="/", response="\xe9", nc=\xe9, qop=auth',
    'Digest username="{user}", realm="x", nonce="{zeros}", uri="{path}", response="\xe9", nc=zz',
    "Digest algorithm=SHA-512-256, nonce=1",
    "Digest",
]
NUMBERS = ["-1", "\xb2", "9" * 5000, "7", ""]


class Heard(asyncio.Transport):
    """A transport that keeps what is written, as from a client of this device."""

    def __init__(self, host: str) -> None:
        super().__init__({"sockname": (host, 80)})
        self.written = b""
        self.closing = False

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.closing = True

    def is_closing(self) -> bool:
        return self.closing

    def get_write_buffer_size(self) -> int:
        return 0


@st.composite
def requests(draw: Callable[..., object]) -> bytes:
    """What is nearly a request, of HTTP or RTSP, with damage somewhere."""
    number, proof = draw(st.sampled_from(NUMBERS)), draw(st.sampled_from(AUTHORIZATIONS))
    path = draw(st.sampled_from(["/", "rtsp://[::1", "/onvif/device_service", "\xe9", "rtsp://h/media/video1_1"]))
    proof = proof.replace("{path}", path).replace("{user}", "admin").replace("{zeros}", "0" * 36)
    method = draw(st.sampled_from(["GET", "POST", "OPTIONS", "DESCRIBE", "SETUP", "PLAY", "GET_PARAMETER", "X"]))
    protocol = draw(st.sampled_from(["HTTP/1.1", "RTSP/1.0"]))
    names = ("CSeq", "Content-Length", "Authorization", "Transport", "Session")
    values = (number, draw(st.sampled_from(NUMBERS)), proof, f"RTP/AVP/TCP;interleaved={number}", number)
    head = "".join(f"{name}: {value}\r\n" for name, value in zip(names, values, strict=True))
    signed = soap("GetDeviceInformation", header=token("\xe9", "\u4e2d", nonce=b"\xff").replace("Z<", "\xe9<"))
    whole = draw(
        st.sampled_from(
            [
                f"{method} {path} {protocol}\r\n{head}\r\n".encode("latin-1"),
                http("POST", "/onvif/device_service", signed, proof.encode("latin-1", "replace").decode("latin-1")),
                b"$\x00\x00\x05abc",
            ]
        )
    )
    place = draw(st.integers(0, len(whole)))
    damage = draw(st.binary(max_size=4))
    return whole[:place] + damage + whole[place + draw(st.integers(0, 3)) :]


@pytest.mark.parametrize("protocol", [HttpConnection, RtspConnection, ManagementConnection])
@settings(max_examples=300, deadline=None)
@given(
    parts=st.lists(st.one_of(requests(), st.binary(max_size=200)), min_size=1, max_size=4),
    camera=st.sampled_from(CAMERAS),
)
def test_noise_is_answered_or_dropped(protocol, parts, camera):
    loop = asyncio.new_event_loop()
    try:
        simulation = Simulation(FLEET)
        connection: Connection = protocol(simulation._premises, loop)
        member = FLEET.members[0] if protocol is ManagementConnection else camera
        transport = Heard(member.device.host)
        connection.connection_made(transport)
        for part in parts:
            if not transport.closing:
                connection.data_received(part)
        connection.connection_lost(None)
        if protocol is not ManagementConnection:
            assert transport.written == b"" or transport.written.startswith((b"HTTP/1.1 ", b"RTSP/1.0 "))
        assert simulation.counts(member.id).open_sessions == 0
    finally:
        loop.close()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=90), st.lists(st.tuples(st.integers(0, 80), st.integers(0, 255)), max_size=3))
def test_no_datagram_breaks_an_agent(noise, damage):
    switch = Simulation(FLEET)._live[FLEET.members[0].id]
    agents = Agents({}, {})
    pdu = snmp.write_pdu(snmp.Kind.GET_BULK, 7, [(1, 3, 6, 1), (1, 3, 6, 1, 2, 1, 33)], repetitions=2**31 - 1)
    message = bytearray(snmp.write_community(FLEET.members[0].password.encode(), pdu))
    for place, octet in damage:
        message[place % len(message)] = octet
    for data in (noise, bytes(message)):
        assert len(agents.answer(switch, data) or b"") < 60_000, "an answer fits into a datagram"

"""This file prepares, byte for byte, the exchanges that our probes have with a device every minute, for clients that
only carry bytes: the floor in C, and aiohttp."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from bench.fleet import SEED, Served
from bench.processes import BenchError
from camera_registry.model.device import Kind
from camera_registry.simulator.makers import SoapAccess
from camera_registry.simulator.member import Member
from camera_registry.simulator.plan import Fleet
from probes.wire import http, rtsp, soap_requests
from probes.wire.digest import Request, authorization, read_challenges, strongest
from probes.wire.head import head_end, read_head
from probes.wire.soap import DEVICE, Operation

SECONDS = 5.0

TIME, TIME_TWICE = "ONVIF time call", "ONVIF, two calls"
DESCRIBE, PICTURE = "RTSP OPTIONS + DESCRIBE", "snapshot, nonce known"

PICTURE_ASKED = partial(http.write_request, "GET", host="camera")
STREAM_ASKED = partial(rtsp.write_request, "DESCRIBE", sequence=1)


@dataclass(frozen=True, slots=True)
class Exchange:
    """Requests that go to one port over one connection, one after the other."""

    host: str
    port: int
    requests: tuple[bytes, ...]


def members(fleet: Served) -> list[Member]:
    """Cameras that speak in the clear and take a signature in SOAP, of every maker that does."""
    plan = Fleet.plan(len(fleet.register.devices), SEED)
    found = [one for one in plan.members if one.device.kind is Kind.CAMERA and one.speaks_onvif and not one.encrypts]
    return [one for one in found if one.maker.soap is not SoapAccess.DIGEST and not one.device.probes]


def prepare(fleet: Served, of: Sequence[Member], runs: int) -> dict[str, list[Exchange]]:
    """By name, ``runs`` exchanges of each kind; proofs are good for a few minutes. Raises BenchError."""
    asked = soap_requests.request(DEVICE, Operation.TIME)
    path, body = "/onvif/device_service", asked.write()
    http_port, rtsp_port = fleet.ports.http, fleet.ports.rtsp
    found: dict[str, list[Exchange]] = {name: [] for name in (TIME, TIME_TWICE, DESCRIBE, PICTURE)}
    pictures = [_Proofs(one, http_port, "GET", one.snapshot_path(), PICTURE_ASKED) for one in of]
    streams = [_Proofs(one, rtsp_port, "DESCRIBE", _uri(one, rtsp_port), STREAM_ASKED) for one in of]
    for number in range(runs):
        place = number % len(of)
        host, picture, stream = of[place].device.host, pictures[place], streams[place]
        where = http.host_header(host, http_port, 80)
        call = http.write_request("POST", path, where, asked.headers(), body)
        found[TIME].append(Exchange(host, http_port, (call,)))
        found[TIME_TWICE].append(Exchange(host, http_port, (call, call)))
        shown = http.write_request("GET", picture.uri, where, picture.proof())
        found[PICTURE].append(Exchange(host, http_port, (shown,)))
        greeting = rtsp.write_request("OPTIONS", stream.uri, 1)
        described = rtsp.write_request("DESCRIBE", stream.uri, 2, (("Accept", "application/sdp"), *stream.proof()))
        found[DESCRIBE].append(Exchange(host, rtsp_port, (greeting, described)))
    return found


def _uri(member: Member, port: int) -> str:
    return rtsp.request_uri(f"rtsp://{member.device.host}:{port}{member.stream_path()}")


class _Proofs:
    """Answers to one challenge of one device, each with a count of its own."""

    def __init__(self, member: Member, port: int, method: str, uri: str, ask: Callable[[str], bytes]) -> None:
        self.uri = uri
        self._member = member
        self._request = Request(method, uri)
        self._count = 0
        with socket.create_connection((member.device.host, port), SECONDS) as connection:
            connection.sendall(ask(uri))
            answer = connection.recv(65_536)
        challenge = strongest(read_challenges(read_head(answer[: head_end(answer)]).all("www-authenticate")))
        if challenge is None:
            raise BenchError(f"{member.id} does not ask for a password at {uri}: {answer[:200]!r}")
        self._challenge = challenge

    def proof(self) -> tuple[tuple[str, str], ...]:
        """The header of one more request."""
        self._count += 1
        return (
            (
                "Authorization",
                authorization(
                    self._challenge,
                    self._member.username,
                    self._member.password,
                    self._request,
                    count=self._count,
                    cnonce=secrets.token_hex(8),
                ),
            ),
        )

"""A search finds what stands in the networks, at its pace, shows nobody a password, and can't be led astray."""

from __future__ import annotations

import asyncio
import re
import socket
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from camera_registry.model.discovery import Ignored, Oversight, Sighting
from probes.discovery import search as searching
from probes.discovery.search import Plan, Search, SearchError
from probes.guard import AddressGuard
from probes.wire import wsdiscovery
from tests.probes.loopback import OnvifDouble, fault, http_answer, recorded

MESSAGE = re.compile(rb"MessageID>([^<]+)<")


def match(
    message: bytes, address: str, *, endpoint: str = "c9790c3a-701b-464d-a189-0060351c8ada", scopes: str = ""
) -> bytes:
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/'
        'addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Header><a:RelatesTo>'
        f"{message.decode()}</a:RelatesTo></s:Header><s:Body><d:ProbeMatches><d:ProbeMatch><a:EndpointReference>"
        f"<a:Address>urn:uuid:{endpoint}</a:Address></a:EndpointReference><d:Scopes>{scopes}</d:Scopes><d:XAddrs>{address}"
        "</d:XAddrs></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>"
    ).encode()


@dataclass
class Crowd:
    """Units that answer a question to all: address to the datagrams that it sends for a message id."""

    answers: dict[str, Callable[[bytes], Iterable[bytes]]]
    port: int = 0
    heard: list[bytes] = field(default_factory=list)

    @asynccontextmanager
    async def gathered(self) -> AsyncIterator[Crowd]:
        loop = asyncio.get_running_loop()
        ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        ear.setblocking(False)
        ear.bind((wsdiscovery.GROUP, 0))
        membership = socket.inet_aton(wsdiscovery.GROUP) + socket.inet_aton("127.0.0.1")
        ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        self.port = ear.getsockname()[1]
        mouths = {}
        for address in self.answers:
            mouths[address] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            mouths[address].bind((address, 0))

        def hear() -> None:
            data, sender = ear.recvfrom(65_535)
            message = cast("re.Match[bytes]", MESSAGE.search(data))[1]
            if message in self.heard:
                return
            self.heard.append(message)
            for number, (address, write) in enumerate(self.answers.items()):
                # Honest units answer some time within half a second, so that not all do at once.
                loop.call_later(0.05 * number, answer, address, list(write(message)), sender)

        def answer(address: str, datagrams: Iterable[bytes], sender: tuple[str, int]) -> None:
            for datagram in datagrams:
                mouths[address].sendto(datagram, sender)

        loop.add_reader(ear, hear)
        try:
            yield self
        finally:
            loop.remove_reader(ear)
            for sock in (ear, *mouths.values()):
                sock.close()


@dataclass
class Host:
    """A TCP server on one port of all loopback addresses that keeps what it was sent. ``answer`` None: it is silent."""

    answer: Callable[[bytes], bytes] | None = None
    port: int = 0
    met: list[tuple[float, str]] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    open: int = 0
    most: int = 0

    @asynccontextmanager
    async def listening(self, address: str = "0.0.0.0") -> AsyncIterator[Host]:
        tasks: set[asyncio.Task[None]] = set()

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.add(cast("asyncio.Task[None]", asyncio.current_task()))
            self.open += 1
            self.most = max(self.most, self.open)
            self.met.append((time.monotonic(), writer.get_extra_info("sockname")[0]))
            try:
                while data := await reader.read(65_536):
                    self.sent.append(data)
                    if self.answer is not None:
                        writer.write(self.answer(data))
            except ConnectionError:
                pass
            finally:
                self.open -= 1
                writer.close()

        server = await asyncio.start_server(handle, address, self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def searched(plan: Plan, *networks: str) -> Search:
    return Search(plan, AddressGuard(networks or ["127.0.0.0/8"]), lambda: datetime.now(UTC))


def multicast(crowd: Crowd, *ports: int, **more: float) -> Plan:
    plan = Plan(
        interfaces=("127.0.0.1",), ports=ports or (1,), rate=500, timeout=0.5, listen=0.6, discovery_port=crowd.port
    )
    return plan if not more else Plan(**{**{name: getattr(plan, name) for name in plan.__slots__}, **more})


async def test_several_units_answer_a_question_to_all_and_each_is_asked_what_it_is() -> None:
    double = OnvifDouble(
        recorded("bosch_flexidome_5100i", "GetDeviceInformation"),
        open_operations=("GetSystemDateAndTime", "GetDeviceInformation"),
    )
    crowd = Crowd({})

    def here(address: str) -> Callable[[bytes], Iterable[bytes]]:
        return lambda message: [
            match(message, f"http://{address}:{port}/onvif/device_service", scopes="onvif://www.onvif.org/name/gate")
        ]

    server = await asyncio.start_server(double, "0.0.0.0", 0)
    port = server.sockets[0].getsockname()[1]
    crowd.answers = {address: here(address) for address in ("127.9.0.1", "127.9.0.2", "127.9.0.3")}
    async with crowd.gathered():
        search = searched(multicast(crowd))
        await search.run()
    server.close()
    found = {one.address: one for one in search.sightings}
    assert set(found) == {"127.9.0.1", "127.9.0.2", "127.9.0.3"}
    assert {(one.onvif_port, one.manufacturer, one.name) for one in found.values()} == {(port, "Bosch", "gate")}
    assert all(one.serial and one.model and one.firmware and not one.guarded for one in found.values())
    assert search.ignored == []


async def test_an_answer_to_somebody_elses_question_is_none() -> None:
    crowd = Crowd({"127.9.0.1": lambda message: [match(b"urn:uuid:other", "http://127.9.0.1/")]})
    async with crowd.gathered():
        search = searched(multicast(crowd))
        await search.run()
    assert crowd.heard
    assert search.sightings == []


async def test_nobody_outside_the_networks_and_no_other_host_is_ever_contacted() -> None:
    trap = Host(lambda data: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    own = OnvifDouble({})
    async with trap.listening("127.0.0.1"):
        elsewhere = f"http://127.0.0.1:{trap.port}/onvif/device_service"
        crowd = Crowd(
            {
                "127.66.0.1": lambda message: [match(message, f"http://127.66.0.1:{trap.port}/onvif/device_service")],
                "127.9.0.1": lambda message: [match(message, elsewhere)],
                "127.9.0.2": lambda message: [
                    match(message, f"http://192.0.2.99:{trap.port}/onvif/device_service {elsewhere}")
                ],
            }
        )
        async with crowd.gathered():
            search = searched(multicast(crowd), "127.9.0.0/16")
            await search.run()
    assert trap.met == []
    assert own.connections == 0
    assert {one.address for one in search.sightings} == {"127.9.0.1", "127.9.0.2"}
    assert set(search.ignored) == {
        Ignored("127.66.0.1", "127.66.0.1", Oversight.OUTSIDE),
        Ignored("127.9.0.1", "127.0.0.1", Oversight.ELSEWHERE),
        Ignored("127.9.0.2", "192.0.2.99", Oversight.ELSEWHERE),
        Ignored("127.9.0.2", "127.0.0.1", Oversight.ELSEWHERE),
    }


BASIC, DIGEST = 'WWW-Authenticate: Basic realm="camera"', 'WWW-Authenticate: Digest realm="c", nonce="n", qop="auth"'
NOT_AUTHORIZED = fault("NotAuthorized", "Sender not authorized")


@pytest.mark.parametrize(
    "answer",
    [
        http_answer(b"", "401 Unauthorized", BASIC, DIGEST),
        http_answer(NOT_AUTHORIZED, "400 Bad Request", content_type="application/soap+xml"),
        b"RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\n" + BASIC.encode() + b"\r\n\r\n",
    ],
)
async def test_whoever_asks_for_a_password_is_shown_none(answer: bytes) -> None:
    trap = Host(lambda data: answer)
    async with trap.listening():
        search = searched(Plan(networks=("127.9.0.0/29",), ports=(trap.port,), rate=500, timeout=0.4, discovery_port=1))
        await search.run()
    assert len(trap.sent) >= 6
    everything = b"".join(trap.sent).lower()
    for mark in (b"authorization", b"usernametoken", b"wsse", b"password", b"security>"):
        assert mark not in everything
    assert {one.address for one in search.sightings} == {f"127.9.0.{number}" for number in range(1, 7)}


async def test_the_pace_is_kept() -> None:
    host = Host(lambda data: http_answer(b"x", "404 Not Found"))
    async with host.listening():
        begun = time.monotonic()
        search = searched(Plan(networks=("127.9.0.0/27",), ports=(host.port,), rate=30, timeout=0.3, discovery_port=1))
        await search.run()
        took = time.monotonic() - begun
    assert len({address for _, address in host.met}) == 30
    assert took > 29 / 30 * 0.9
    times = sorted(at for at, _ in host.met)
    # Each host is asked twice here (HTTP, then RTSP); in no half second more than the pace allows, and some slack.
    assert max(sum(begin <= at < begin + 0.5 for at in times) for begin in times) <= 2 * 15 + 10


async def test_only_so_many_are_asked_at_once() -> None:
    host = Host()  # takes every connection and never answers
    async with host.listening():
        search = searched(
            Plan(networks=("127.9.0.0/28",), ports=(host.port,), rate=1000, at_once=4, timeout=0.2, discovery_port=1)
        )
        await search.run()
    assert host.most <= 4
    assert {one.ports for one in search.sightings} == {(host.port,)}


async def test_a_cancelled_search_leaves_nothing_and_goes_on_where_it_was() -> None:
    host = Host(lambda data: http_answer(b"x"))
    async with host.listening():
        plan = Plan(networks=("127.9.0.0/26",), ports=(host.port,), rate=100, timeout=0.4, discovery_port=1)
        first = searched(plan)
        before = asyncio.all_tasks()
        running = asyncio.create_task(first.run())
        while first.position < 10:
            await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await asyncio.sleep(0.1)
        assert host.open == 0
        left = {task for task in asyncio.all_tasks() - before if "handle" not in repr(task)}
        assert left == set()
        asked = {address for _, address in host.met}
        assert len(asked) < 62
        host.met.clear()
        rest = searched(
            Plan(
                networks=plan.networks, ports=plan.ports, rate=500, timeout=0.4, start=first.position, discovery_port=1
            )
        )
        await rest.run()
    again = {address for _, address in host.met}
    assert len(asked | again) == 62
    assert len(asked & again) <= plan.at_once


async def test_addresses_that_the_guard_does_not_allow_are_walked_past() -> None:
    host = Host(lambda data: http_answer(b"x"))
    async with host.listening():
        search = searched(
            Plan(networks=("127.9.0.0/28",), ports=(host.port,), rate=500, timeout=0.4, discovery_port=1),
            "127.9.0.0/30",
        )
        await search.run()
    assert {address for _, address in host.met} == {"127.9.0.1", "127.9.0.2", "127.9.0.3"}


async def test_a_flood_of_answers_from_one_host_costs_the_others_nothing() -> None:
    bomb = b'<!DOCTYPE l [<!ENTITY l "lol"><!ENTITY m "&l;&l;&l;&l;">]><l>&m;</l>'

    def flood(message: bytes) -> Iterable[bytes]:
        one = match(message, "http://127.9.0.1/")
        part = one[one.index(b"<d:ProbeMatch>") : one.index(b"</d:ProbeMatches>")]
        huge = one.replace(part, part * (50_000 // len(part)))
        return [bomb, b"\x00" * 60_000, b"<a>" * 20_000, *[huge] * 60, *[bomb] * 60]

    crowd = Crowd(
        {
            "127.9.0.1": flood,
            "127.9.0.2": lambda message: [match(message, "http://127.9.0.2/onvif/device_service")],
            "127.9.0.3": lambda message: [match(message, "http://127.9.0.3/onvif/device_service")],
        }
    )
    async with crowd.gathered():
        search = searched(multicast(crowd))
        begun = time.monotonic()
        await search.run()
        took = time.monotonic() - begun
    assert {one.address for one in search.sightings} == {"127.9.0.1", "127.9.0.2", "127.9.0.3"}
    assert took < 6


async def test_hostile_answers_cost_the_others_nothing() -> None:
    """One host sends without end, one drips, one sends XML that bombs; the honest one beside them is found in time."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = writer.get_extra_info("sockname")[0]
        try:
            await reader.read(4096)
            match address:
                case "127.9.0.1":
                    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
                    while True:
                        writer.write(b"<a>" * 20_000)
                        await writer.drain()
                case "127.9.0.2":
                    while True:
                        writer.write(b"H")
                        await asyncio.sleep(0.05)
                case "127.9.0.3":
                    writer.write(http_answer(b'<!DOCTYPE a [<!ENTITY b "' + b"x" * 9000 + b'">]><a>&b;&b;</a>'))
                case "127.9.0.4":
                    writer.write(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nServer: " + b"\x1b[31m" + b"S" * 5000 + b"\r\n\r\n")
                case "127.9.0.5":
                    writer.write(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n")
                case _:
                    writer.write(
                        http_answer(fault("NotAuthorized", "no"), "400 No", content_type="application/soap+xml")
                    )
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "0.0.0.0", 0)
    port = server.sockets[0].getsockname()[1]
    tracemalloc.start()
    try:
        search = searched(Plan(networks=("127.9.0.0/29",), ports=(port,), rate=500, timeout=0.4, discovery_port=1))
        begun = time.monotonic()
        await search.run()
        took, peak = time.monotonic() - begun, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        server.close()
    found = {one.address: one for one in search.sightings}
    assert found["127.9.0.6"].onvif_port == port
    assert found["127.9.0.6"].guarded
    assert len(found["127.9.0.4"].server) <= 80
    assert found["127.9.0.4"].server.isprintable()
    assert took < 6
    assert peak < 30_000_000


async def test_memory_does_not_grow_with_the_network() -> None:
    """The guard allows none of the addresses, and remembers that (of 100,000 at most), so that only the walk itself is
    paid for."""
    guard, peaks = AddressGuard(["127.0.0.0/8"]), []
    for network in ("10.20.0.0/18", "10.20.0.0/20", "10.20.0.0/18"):
        tracemalloc.start()
        try:
            await Search(Plan(networks=(network,)), guard, lambda: datetime.now(UTC)).run()
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peaks[2] < peaks[1] * 1.2 + 10_000, peaks


async def test_an_interface_that_is_not_ours_is_said() -> None:
    with pytest.raises(SearchError, match="no datagram can be sent from here"):
        await searched(Plan(interfaces=("192.0.2.77",))).run()


def test_neighbours_are_read_from_the_systems_own_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "arp"
    table.write_text(
        "IP address       HW type     Flags       HW address            Mask     Device\n"
        "127.9.0.1        0x1         0x2         02:5E:00:00:00:09     *        eth0\n"
        "127.9.0.2        0x1         0x0         00:00:00:00:00:00     *        eth0\n"
        "nonsense\n"
    )
    monkeypatch.setattr(searching, "NEIGHBOURS", table)
    assert searching.neighbours() == {"127.9.0.1": "02:5e:00:00:00:09"}
    monkeypatch.setattr(searching, "NEIGHBOURS", tmp_path / "none")
    assert searching.neighbours() == {}


async def test_a_unit_that_keeps_its_mac_to_itself_has_that_of_the_neighbours_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "arp").write_text("header\n127.9.0.1 0x1 0x2 02:5e:00:00:00:09 * eth0\n")
    monkeypatch.setattr(searching, "NEIGHBOURS", tmp_path / "arp")
    host = Host(lambda data: http_answer(b"x"))
    async with host.listening():
        search = searched(Plan(networks=("127.9.0.1/32",), ports=(host.port,), timeout=0.4, discovery_port=1))
        await search.run()
    assert [(one.address, one.mac) for one in search.sightings] == [("127.9.0.1", "02:5e:00:00:00:09")]
    assert isinstance(search.sightings[0], Sighting)

"""Tests that streams are described and played as RFC 2326 and RFC 6184 have it: FFmpeg decodes them, and a client on
raw sockets sees what is refused."""

from __future__ import annotations

import asyncio
import re
import struct
import time
from base64 import b64decode
from itertools import pairwise
from typing import Self
from urllib.parse import quote

import av
import pytest

from camera_registry.simulator.faults import Fault
from camera_registry.simulator.makers import MAKERS, Scheme
from camera_registry.simulator.member import Member
from camera_registry.simulator.simulation import Simulation
from tests.simulator.conftest import camera_of
from tests.simulator.wire import Reply, Wire, basic, digest, until

TCP = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"


def url_of(simulation: Simulation, member: Member, channel: int = 1, stream: int = 1) -> str:
    return f"rtsp://{member.device.host}:{simulation.ports.rtsp}{member.stream_path(channel, stream)}"


class Viewer:
    """A client that signs every request as its device asks, once it has been asked."""

    def __init__(self, simulation: Simulation, member: Member, password: str = "", scheme: str = "") -> None:
        self.simulation = simulation
        self.member = member
        self.url = url_of(simulation, member)
        self.password = password or member.password
        self.scheme = scheme
        self.challenge = ""
        self.sequence = 0

    async def __aenter__(self) -> Self:
        self.wire = await Wire.open(self.member.device.host, self.simulation.ports.rtsp)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.wire.writer.close()

    async def ask(self, method: str, url: str = "", *headers: str) -> Reply:
        url = url or self.url
        reply = await self._send(method, url, headers)
        if reply.status == 401 and not self.challenge:
            offered = reply.all("www-authenticate")
            self.challenge = next(challenge for challenge in offered if self.scheme in challenge)
            reply = await self._send(method, url, headers)
        return reply

    async def _send(self, method: str, url: str, headers: tuple[str, ...]) -> Reply:
        self.sequence += 1
        proof = ()
        if self.challenge.startswith("Basic"):
            proof = (f"Authorization: {basic(self.member.username, self.password)}",)
        elif self.challenge:
            answer = digest(self.challenge, self.member.username, self.password, method, url, self.sequence)
            proof = (f"Authorization: {answer}",)
        return await self.wire.rtsp(method, url, self.sequence, *headers, *proof)

    async def set_up(self) -> Reply:
        return await self.ask("SETUP", f"{self.url}/trackID=1", TCP)

    async def packet(self) -> bytes:
        """The next interleaved RTP packet."""
        while (packet := await self.interleaved())[0] != 0:
            pass
        return packet[1]

    async def interleaved(self) -> tuple[int, bytes]:
        """The next interleaved packet, with its channel."""
        async with asyncio.timeout(60):
            dollar, channel, *size = await self.wire.reader.readexactly(4)
            assert dollar == 0x24
            return channel, await self.wire.reader.readexactly(int.from_bytes(bytes(size), "big"))


@pytest.mark.parametrize("maker", [maker.name for maker in MAKERS])
@pytest.mark.parametrize("stream", [1, 2])
async def test_ffmpeg_signs_in_and_decodes_moving_pictures(simulation, fleet, maker, stream):
    member = camera_of(fleet, maker)
    login = f"rtsp://{quote(member.username, safe='')}:{quote(member.password, safe='')}@"
    url = url_of(simulation, member, stream=stream).replace("rtsp://", login)

    def watch() -> list[av.VideoFrame]:
        options = {"rtsp_transport": member.maker.transports[0], "analyzeduration": "0", "probesize": "2048"}
        with av.open(url, options=options, timeout=30) as container:
            frames = container.decode(video=0)
            return [next(frames) for _ in range(5)]

    frames = await asyncio.to_thread(watch)
    width, height = ((640, 360), (320, 180))[stream - 1]
    if member.maker.codec(stream) == "JPEG":
        height = 184  # RFC 2435 tells sizes in steps of 8 pixels
    assert all((frame.width, frame.height) == (width, height) for frame in frames)
    first, last = (frames[place].to_ndarray(format="gray").astype(int) for place in (0, 4))
    assert 60 < first.mean() < 200
    assert abs(first - last).max() > 40, "the cars do not move"


async def test_a_description_names_codec_size_and_parameter_sets(simulation, camera):
    async with Viewer(simulation, camera) as viewer:
        reply = await viewer.ask("DESCRIBE")
    text = reply.body.decode()
    assert (reply.status, reply.one("content-type")) == (200, "application/sdp")
    assert reply.one("content-base") == f"{viewer.url}/"
    assert "a=rtpmap:96 H264/90000\r\n" in text
    sps, pps = (b64decode(part) for part in re.search(r"sprop-parameter-sets=([^,]+),(\S+)", text).groups())
    assert (sps[0] & 31, pps[0] & 31) == (7, 8)
    assert f"profile-level-id={sps[1:4].hex()}" in text


async def test_packets_count_on_share_a_time_in_each_picture_and_cut_big_units(simulation, camera):
    async with Viewer(simulation, camera) as viewer:
        await viewer.ask("DESCRIBE")
        session = (await viewer.set_up()).one("session").partition(";")[0]
        assert (await viewer.ask("PLAY", viewer.url, f"Session: {session}")).status == 200
        packets = [await viewer.packet() for _ in range(60)]
    numbers = [int.from_bytes(packet[2:4], "big") for packet in packets]
    assert all((after - before) & 0xFFFF == 1 for before, after in pairwise(numbers))
    assert all(packet[0] == 0x80 and packet[1] & 127 == 96 and len(packet) <= 1412 for packet in packets)
    for before, after in pairwise(packets):
        ended = bool(before[1] & 128)
        assert (before[4:8] != after[4:8]) is ended
    kinds = [packet[12] & 31 for packet in packets]
    assert {7, 8, 28} <= set(kinds)
    fragments = [packet for packet in packets if packet[12] & 31 == 28]
    assert fragments[0][13] & 0x80, "the first fragment says so"
    whole = bytes([fragments[0][12] & 0xE0 | fragments[0][13] & 31])
    assert whole[0] & 31 == 5, "the first big unit is a slice of a key frame"


async def test_a_sender_reports_its_own_time_and_what_it_has_sent(simulation, camera):
    simulation.faults.set(camera.id, Fault.CLOCK_DRIFT, seconds=-3600)
    packets: list[bytes] = []
    async with Viewer(simulation, camera) as viewer:
        session = (await viewer.set_up()).one("session").partition(";")[0]
        await viewer.ask("PLAY", viewer.url, f"Session: {session}")
        while (came := await viewer.interleaved())[0] == 0:
            packets.append(came[1])
    version, kind, length, source, seconds = struct.unpack("!BBHII", came[1][:12])
    sent, octets = struct.unpack("!II", came[1][20:28])
    assert (version, kind, length, source) == (0x80, 200, 6, int.from_bytes(packets[0][8:12], "big"))
    assert abs(seconds - 2_208_988_800 - (time.time() + camera.drift - 3600)) < 10
    assert (sent, octets) == (len(packets), sum(len(packet) - 12 for packet in packets))
    assert came[1][28:32] == bytes((0x81, 202, 0, 3)), "who sends it is told in the same packet"


@pytest.mark.parametrize("scheme", ["SHA-256", "MD5"])
async def test_a_device_that_offers_two_algorithms_takes_either(simulation, fleet, scheme):
    member = camera_of(fleet, "Kestrel")
    assert member.maker.rtsp == (Scheme.SHA256, Scheme.MD5)
    async with Viewer(simulation, member, scheme=f"algorithm={scheme}") as viewer:
        assert (await viewer.ask("OPTIONS")).status == 200
        assert (await viewer.ask("DESCRIBE")).status == 200


@pytest.mark.parametrize("maker", [maker.name for maker in MAKERS])
async def test_a_wrong_password_is_refused_and_counted(simulation, fleet, maker):
    member = camera_of(fleet, maker)
    async with Viewer(simulation, member, password="guessed") as viewer:
        assert (await viewer.ask("DESCRIBE")).status == 401
    assert simulation.counts(member.id).failed_authentications == 1


async def test_a_description_needs_no_session_and_a_session_is_freed_by_teardown_or_by_leaving(simulation, camera):
    counts = simulation.counts(camera.id)
    async with Viewer(simulation, camera) as viewer:
        await viewer.ask("DESCRIBE")
        assert counts.open_sessions == 0
        session = (await viewer.set_up()).one("session").partition(";")[0]
        assert counts.open_sessions == 1
        assert (await viewer.ask("TEARDOWN", viewer.url, f"Session: {session}")).status == 200
        assert counts.open_sessions == 0
        await viewer.set_up()
        assert (counts.open_sessions, counts.abandoned_sessions) == (1, 0)
    await until(lambda: counts.open_sessions == 0)
    assert counts.abandoned_sessions == 1


async def test_sessions_are_few_and_one_more_is_refused_as_busy(simulation, camera):
    viewers = [Viewer(simulation, camera) for _ in range(camera.maker.sessions + 1)]
    for viewer in viewers:
        await viewer.__aenter__()
    try:
        statuses = [(await viewer.set_up()).status for viewer in viewers]
    finally:
        for viewer in viewers:
            await viewer.__aexit__()
    assert statuses == [200] * camera.maker.sessions + [453]


async def test_a_busy_device_still_describes(simulation, camera):
    simulation.faults.set(camera.id, Fault.BUSY)
    async with Viewer(simulation, camera) as viewer:
        assert (await viewer.ask("DESCRIBE")).status == 200
        assert (await viewer.set_up()).status == 453


async def test_without_media_a_stream_plays_and_no_packet_comes_until_it_is_well(simulation, camera):
    simulation.faults.set(camera.id, Fault.NO_MEDIA)
    async with Viewer(simulation, camera) as viewer:
        session = (await viewer.set_up()).one("session").partition(";")[0]
        assert (await viewer.ask("PLAY", viewer.url, f"Session: {session}")).status == 200
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.4):
                await viewer.packet()
    simulation.faults.clear(camera.id)
    async with Viewer(simulation, camera) as viewer:
        session = (await viewer.set_up()).one("session").partition(";")[0]
        await viewer.ask("PLAY", viewer.url, f"Session: {session}")
        assert await viewer.packet()


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("DESCRIBE", "/no/such/stream", (), 404),
        ("SETUP", "", ("Transport: RTP/AVP;unicast;client_port=5000-5001",), 461),
        ("PLAY", "", ("Session: 12345678",), 454),
        ("RECORD", "", (), 405),
        ("TUP", "", (), 405),
    ],
)
async def test_what_cannot_be_had_is_refused_with_its_status(simulation, camera, method, path, headers, status):
    async with Viewer(simulation, camera) as viewer:
        url = f"rtsp://{camera.device.host}:{simulation.ports.rtsp}{path}" if path else viewer.url
        assert (await viewer.ask(method, url, *headers)).status == status


@pytest.mark.parametrize("method", ["ANNOUNCE", "RECORD", "SET_PARAMETER"])
async def test_what_would_change_a_device_is_counted_as_forbidden(simulation, camera, method):
    async with Viewer(simulation, camera) as viewer:
        assert (await viewer.ask(method)).status == 405
    assert simulation.counts(camera.id).forbidden == 1


@pytest.mark.parametrize("noise", [b"\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"OPTIONS * RTSP/1.0\r\n\r\n"])
async def test_what_is_no_rtsp_request_is_a_bad_request(simulation, camera, noise):
    async with await Wire.open(camera.device.host, simulation.ports.rtsp) as wire:
        assert (await wire.ask(noise)).status == 400


async def test_a_scene_that_changes_begins_with_a_key_frame(simulation, camera):
    pictures: dict[bytes, list[bytes]] = {}
    async with Viewer(simulation, camera) as viewer:
        session = (await viewer.set_up()).one("session").partition(";")[0]
        await viewer.ask("PLAY", viewer.url, f"Session: {session}")
        for _ in range(90):
            packet = await viewer.packet()
            pictures.setdefault(packet[4:8], []).append(packet[12:])
            if len(pictures) == 4:  # amid the pictures that depend on the first
                simulation.faults.set(camera.id, Fault.NO_SIGNAL)
    first, *others = pictures.values()
    assert first[0][0] & 31 in (6, 7)
    flat = next(place for place, picture in enumerate(others) if sum(map(len, picture)) < 60)
    assert others[flat - 1][0][0] & 31 in (6, 7), "flat pictures without their key frame show a ghost of the street"

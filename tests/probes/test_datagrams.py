"""The pair of UDP ports hears the device that it is for, and nobody else."""

from __future__ import annotations

import asyncio
import socket

import pytest

from probes import datagrams
from probes.datagrams import DatagramPair
from tests.probes.loopback import listening, probe, target
from tests.probes.rtsp_double import KEY_FRAME, Camera


def sender(host: str = "127.0.0.1") -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, 0))
    return sock


async def heard(pair: DatagramPair) -> list[tuple[int, bytes]]:
    found = []
    try:
        while True:
            # A busy machine may take its time for the first.
            async with asyncio.timeout(0.2 if found else 2):
                number, data, _ = await pair.packet()
            found.append((number, data))
    except TimeoutError:
        return found


async def test_an_even_port_hears_media_and_the_next_one_reports():
    pair = DatagramPair("127.0.0.1")
    await pair.open()
    with sender() as device:
        device.sendto(b"media", ("127.0.0.1", pair.port))
        device.sendto(b"report", ("127.0.0.1", pair.port + 1))
        assert pair.port % 2 == 0
        assert sorted(await heard(pair)) == [(0, b"media"), (1, b"report")]
    pair.close()


async def test_others_are_not_heard_nor_other_ports_than_the_device_announced():
    pair = DatagramPair("127.0.0.1")
    await pair.open()
    with sender() as device, sender() as its_other_port, sender("127.0.0.9") as stranger:
        pair.sources = (device.getsockname()[1],)
        for sock in (stranger, its_other_port, device):
            sock.sendto(b"packet of %d" % sock.fileno(), ("127.0.0.1", pair.port))
        assert await heard(pair) == [(0, b"packet of %d" % device.fileno())]
    pair.close()


async def test_a_device_that_announces_the_wrong_port_is_heard_after_a_moment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(datagrams, "DOUBT", 0.1)
    pair = DatagramPair("127.0.0.1")
    await pair.open()
    pair.sources = (5000, 5001)
    with sender() as device:
        device.sendto(b"too early", ("127.0.0.1", pair.port))
        await asyncio.sleep(0.15)
        device.sendto(b"media", ("127.0.0.1", pair.port))
        assert await heard(pair) == [(0, b"media")]
    pair.close()


async def test_a_flood_is_kept_within_bounds(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(datagrams, "QUEUE", 10)
    pair = DatagramPair("127.0.0.1")
    await pair.open()
    with sender() as device:
        for number in range(40):
            device.sendto(b"%d" % number, ("127.0.0.1", pair.port))
        await asyncio.sleep(0.1)
        assert [data for _, data in await heard(pair)] == [b"%d" % number for number in range(10)]
    pair.close()


async def test_ports_are_given_back():
    pair = DatagramPair("127.0.0.1")
    await pair.open()
    pair.close()
    await asyncio.sleep(0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind(("127.0.0.1", pair.port))


@pytest.mark.parametrize(
    "refusal",
    [
        "461 Unsupported Transport\r\n\r\n",
        "200 OK\r\nSession: 1\r\nTransport: RTP/AVP;unicast;client_port=0-1;server_port=5000-5001\r\n\r\n",
    ],
)
async def test_a_device_without_media_over_tcp_is_asked_for_udp_and_packets_in_any_order_make_a_frame(refusal: str):
    sps, pps, slice_ = (part[2:] for part in KEY_FRAME.split(b"$\x00") if part)
    with sender() as device:
        port = device.getsockname()[1]

        def set_up(head: str) -> str:
            if "/TCP" in head:
                return refusal
            client = head.partition("client_port=")[2].partition("-")[0]
            for packet in (sps, slice_, pps):  # the last two overtake each other
                device.sendto(packet, ("127.0.0.1", int(client)))
            return f"200 OK\r\nSession: 2\r\nTransport: RTP/AVP/UDP;server_port={port}-{port + 1}\r\n\r\n"

        camera = Camera(SETUP=set_up)
        async with listening(camera) as rtsp:
            seen = await probe("rtsp", target(rtsp=rtsp), {"frames": True}, timeout=5)
            await asyncio.wait_for(camera.torn_down.wait(), 5)
    assert seen.failure is None
    assert (seen.facts["transport"], seen.facts["key_frame"]) == ("udp", True)
    assert "Session: 2" in camera.heads[-1]

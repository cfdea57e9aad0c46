"""Whatever a device does to a connection, the probe ends in time, says where, and takes in no more than it should."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from camera_registry.model.observation import FailureKind, Stage
from probes.base import Context, Tools
from probes.guard import AddressGuard
from probes.memory import Memory
from probes.transport import HIGH_WATER, connect
from tests.certificates import self_signed
from tests.probes.loopback import http_answer, listening, probe, read_http, target, tools

PICTURE = {"path": "/picture.jpg"}


async def closed_port() -> int:
    async with listening(lambda reader, writer: asyncio.sleep(0)) as port:
        return port


@pytest.mark.parametrize("name", ["tcp", "onvif", "rtsp", "snapshot"])
async def test_a_closed_port_is_refused(name):
    port = await closed_port()
    seen = await probe(name, target(tcp=port, onvif=port, rtsp=port, http=port), PICTURE)
    assert seen.failure is not None
    assert (seen.failure.kind, seen.failure.stage) == (FailureKind.REFUSED, Stage.CONNECT)
    assert str(port) in seen.failure.detail


@pytest.mark.parametrize("name", ["onvif", "rtsp", "snapshot"])
async def test_a_silent_device_is_a_timeout_at_its_deadline(name):
    async def silent(reader, writer):
        await reader.read()

    async with listening(silent) as port:
        seen = await probe(name, target(onvif=port, rtsp=port, http=port), PICTURE, timeout=1.5)
    assert seen.failure is not None
    assert (seen.failure.kind, seen.failure.stage) == (FailureKind.TIMEOUT, Stage.ANSWER)
    assert 1.4 < seen.took < 30


@pytest.mark.parametrize("name", ["onvif", "rtsp", "snapshot"])
async def test_a_device_that_drips_is_a_timeout_at_its_deadline(name):
    async def drip(reader, writer):
        for octet in b"HTTP/1.1 200 OK\r\n" if name != "rtsp" else b"RTSP/1.0 200 OK\r\n":
            writer.write(bytes([octet]))
            await asyncio.sleep(0.05)
        while True:
            writer.write(b"X-Slow: 1\r\n")
            await asyncio.sleep(0.05)

    async with listening(drip) as port:
        seen = await probe(name, target(onvif=port, rtsp=port, http=port), PICTURE, timeout=0.5)
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.TIMEOUT


@pytest.mark.parametrize("name", ["onvif", "rtsp", "snapshot"])
@pytest.mark.parametrize(
    "head", [b"%s 200 OK\r\n\r\n", b"%s 200 OK\r\nContent-Length: 999999999999\r\n\r\n", b"%s 200 OK\r\nX: "]
)
async def test_an_endless_answer_is_cut_off(name, head):
    sent = 0

    async def endless(reader, writer):
        nonlocal sent
        writer.write((b"RTSP/1.0" if name == "rtsp" else b"HTTP/1.1") + b" 200 OK" + head)
        while True:
            writer.write(b"a" * 65536)
            sent += 65536
            await writer.drain()

    async with listening(endless) as port:
        seen = await probe(name, target(onvif=port, rtsp=port, http=port), PICTURE, timeout=20)
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.PROTOCOL
    assert sent < 32 * 1024 * 1024


async def test_a_redirect_is_not_followed():
    called = []

    async def trap(reader, writer):
        called.append(1)

    async with listening(trap) as trap_port:

        async def redirect(reader, writer):
            request = await read_http(reader)
            assert "authorization" not in request.headers
            writer.write(http_answer(b"", "302 Found", f"Location: http://127.0.0.1:{trap_port}/"))

        async with listening(redirect) as port:
            seen = await probe("snapshot", target(http=port), PICTURE)
    assert seen.failure is not None
    assert "redirects are not followed" in seen.failure.detail
    assert not called


async def test_a_compressed_answer_is_refused_unread():
    async def compressed(reader, writer):
        request = await read_http(reader)
        assert request.headers["accept-encoding"] == "identity"
        writer.write(http_answer(b"\x1f\x8b" + b"0" * 100, "200 OK", "Content-Encoding: gzip"))

    async with listening(compressed) as port:
        seen = await probe("snapshot", target(http=port), PICTURE)
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.PROTOCOL
    assert "compressed" in seen.failure.detail


async def test_a_new_challenge_every_time_is_answered_once_only():
    asked = 0

    async def never_content(reader, writer):
        nonlocal asked
        while True:
            await read_http(reader)
            asked += 1
            challenge = f'WWW-Authenticate: Digest realm="r", nonce="{asked}", qop="auth"'
            writer.write(http_answer(b"", "401 Unauthorized", challenge))

    async with listening(never_content) as port:
        seen = await probe("snapshot", target(http=port), PICTURE)
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.AUTH
    assert asked == 2


async def test_a_device_that_cuts_the_connection_off_is_a_protocol_failure():
    async def rude(reader, writer):
        await read_http(reader)
        sock = writer.get_extra_info("socket")
        sock.setsockopt(1, 13, b"\x01\x00\x00\x00\x00\x00\x00\x00")  # SO_LINGER 0: closing sends a reset
        writer.transport.abort()

    async with listening(rude) as port:
        seen = await probe("snapshot", target(http=port), PICTURE)
    assert seen.failure is not None
    assert (seen.failure.kind, seen.failure.stage) == (FailureKind.PROTOCOL, Stage.ANSWER)


async def test_an_address_outside_the_networks_is_never_connected_to():
    called = []

    async def trap(reader, writer):
        called.append(1)

    async with listening(trap) as port:
        outside = Tools(AddressGuard(["10.0.0.0/8"]), Memory())
        seen = await probe("tcp", target(tcp=port), using=outside)
    assert seen.failure is not None
    assert (seen.failure.kind, seen.failure.stage) == (FailureKind.INTERNAL, Stage.ADDRESS)
    assert "outside the device networks" in seen.failure.detail
    assert not called


async def test_a_host_name_without_address_is_dns():
    where = replace(target(tcp=80), host="no-such-host.invalid")
    seen = await probe("tcp", where, using=tools())
    assert seen.failure is not None
    assert (seen.failure.kind, seen.failure.stage) == (FailureKind.DNS, Stage.ADDRESS)


async def test_a_port_without_encryption_is_a_tls_failure_when_encryption_was_asked_for():
    async def plain(reader, writer):
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with listening(plain) as port:
        seen = await probe("snapshot", replace(target(http=port), tls=True), PICTURE)
    assert seen.failure is not None
    assert (seen.failure.kind, seen.failure.stage) == (FailureKind.TLS, Stage.HANDSHAKE)


async def test_a_self_signed_device_is_spoken_to(tmp_path: Path):
    async def page(reader, writer):
        await read_http(reader)
        writer.write(http_answer(b"nothing", "404 Not Found"))
        await writer.drain()

    server = await asyncio.start_server(page, "127.0.0.1", 0, ssl=self_signed(tmp_path))
    async with server:
        port = server.sockets[0].getsockname()[1]
        seen = await probe("snapshot", replace(target(http=port), tls=True), PICTURE)
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.NO_STREAM


async def test_a_cancelled_probe_leaves_no_connection_behind():
    closed = asyncio.Event()

    async def watch(reader, writer):
        with suppress(ConnectionError):
            while await reader.read(65536):
                pass
        closed.set()

    async with listening(watch) as port:
        running = asyncio.create_task(probe("rtsp", target(rtsp=port), timeout=30))
        await asyncio.sleep(0.2)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await asyncio.wait_for(closed.wait(), 10)


async def test_a_device_that_floods_is_made_to_wait_until_its_bytes_are_taken():
    async def flood(reader, writer):
        while True:
            writer.write(b"a" * 65536)
            await writer.drain()

    context = Context(tools(), deadline=0.0)
    async with listening(flood) as port:
        connection = await connect(context, target(), port)
        try:
            held = 0
            while held != (held := connection._held) or not held:
                await asyncio.sleep(0.2)
            assert HIGH_WATER < held < 4 * HIGH_WATER
            assert len(await connection.receive()) == held
            assert await connection.receive(), "and then goes on"
        finally:
            connection.close()


async def test_a_port_that_is_open_is_good():
    async with listening(lambda reader, writer: reader.read()) as port:
        seen = await probe("tcp", target(tcp=port))
    assert seen.ok
    assert seen.facts["port"] == port

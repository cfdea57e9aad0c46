"""Encrypted devices are spoken to however old they are, known again by their certificate, and told nothing if they are
not who they were."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from camera_registry.model.observation import FailureKind, Stage
from camera_registry.model.roster import Target
from probes.wire import certificate
from tests.certificates import self_signed
from tests.probes.loopback import OnvifDouble, http_answer, probe, read_http, recorded, target, tools

PICTURE = {"path": "/picture.jpg"}


def fingerprint(folder: Path, name: str = "camera") -> str:
    text = (folder / f"{name}.pem").read_text(encoding="ascii")
    return certificate.fingerprint(ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN CERTIFICATE") :]))


class Page:
    """A web server that has no picture, and counts."""

    def __init__(self) -> None:
        self.connections = 0
        self.requests: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            request = await read_http(reader)
            self.requests.append(request.body)
            writer.write(http_answer(b"nothing", "404 Not Found", "Connection: close"))
            await writer.drain()
        writer.close()


@asynccontextmanager
async def serving(
    page: Callable[[asyncio.StreamReader, asyncio.StreamWriter], object],
    context: ssl.SSLContext,
    host: str = "127.0.0.1",
) -> AsyncIterator[Target]:
    """An encrypted device on loopback, as a target whose still picture may be asked for."""
    server = await asyncio.start_server(page, host, 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield replace(target(http=port, onvif=port, rtsp=port), host=host, tls=True)


async def test_what_the_certificate_says_is_a_fact_of_the_probe_that_saw_it(tmp_path: Path):
    async with serving(Page(), self_signed(tmp_path, days=12)) as where:
        seen = await probe("snapshot", where, PICTURE)
    told = seen.facts["certificate"]
    assert told["fingerprint"] == fingerprint(tmp_path)
    assert (told["subject"], told["issuer"], told["self_signed"]) == ("CN=camera", "CN=camera", True)
    assert told["not_before"] < told["not_after"]
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.NO_STREAM, "the device was asked"


async def test_another_certificate_than_the_registered_one_is_told_and_nothing_is_sent(tmp_path: Path):
    page = Page()
    async with serving(page, self_signed(tmp_path)) as where:
        for name in ("snapshot", "onvif"):
            seen = await probe(name, replace(where, certificate="ab" * 32), PICTURE)
            assert seen.failure is not None
            assert (seen.failure.kind, seen.failure.stage) == (FailureKind.CERTIFICATE, Stage.HANDSHAKE)
            assert fingerprint(tmp_path) in seen.failure.detail, "so that a person can accept it"
            assert seen.facts["certificate"]["fingerprint"] == fingerprint(tmp_path)
    assert page.requests == []


async def test_the_registered_certificate_is_let_in(tmp_path: Path):
    page = Page()
    async with serving(page, self_signed(tmp_path)) as where:
        await probe("snapshot", replace(where, certificate=fingerprint(tmp_path)), PICTURE)
    assert len(page.requests) == 1


async def test_onvif_speaks_through_encryption(tmp_path: Path):
    double = OnvifDouble(recorded("bosch_flexidome_5100i", "GetDeviceInformation"))
    async with serving(double, self_signed(tmp_path)) as where:
        seen = await probe("onvif", where, {"full": False})
    assert seen.ok
    assert seen.facts["certificate"]["fingerprint"] == fingerprint(tmp_path)


async def test_an_encrypted_stream_is_held_to_the_certificate_too(tmp_path: Path):
    page = Page()
    async with serving(page, self_signed(tmp_path)) as where:
        uri = f"rtsps://127.0.0.1:{where.ports['rtsp']}/stream"
        seen = await probe("rtsp", replace(where, tls=False, certificate="ab" * 32), {"stream_uri": uri})
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.CERTIFICATE
    assert page.requests == []


async def test_a_device_that_knows_only_old_encryption_is_spoken_to_and_greeted_so_from_then_on(tmp_path: Path):
    old = self_signed(tmp_path)
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.maximum_version = ssl.TLSVersion.TLSv1
    page = Page()
    using = tools()
    async with serving(page, old) as where:
        greetings = []
        for _ in range(2):
            seen = await probe("snapshot", where, PICTURE, using=using)
            assert seen.failure is not None
            assert seen.failure.kind is FailureKind.NO_STREAM
            greetings.append(using.memory.of(where.device).old_tls)
    assert greetings == [True, True]
    assert page.connections == 2, "one each: the second run does not try what failed before"


async def test_a_device_that_hangs_up_on_a_modern_greeting_is_greeted_in_the_old_manner(tmp_path: Path):
    context, page, rude = self_signed(tmp_path), Page(), True

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal rude
        if rude:
            rude = False
            await reader.read(1)
            writer.transport.abort()
            return
        await writer.start_tls(context)
        await page(reader, writer)

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        where = replace(target(http=server.sockets[0].getsockname()[1]), tls=True)
        seen = await probe("snapshot", where, PICTURE)
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.NO_STREAM


async def test_a_handshake_that_comes_to_nothing_is_told_with_a_remedy(tmp_path: Path):
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(bytes([21, 3, 3, 0, 2, 2, 40]))  # a TLS alert: handshake failure
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with server:
        where = replace(target(http=server.sockets[0].getsockname()[1]), tls=True)
        seen = await probe("snapshot", where, PICTURE)
    assert seen.failure is not None
    assert (seen.failure.kind, seen.failure.stage) == (FailureKind.TLS, Stage.HANDSHAKE)
    assert "handshake failure" in seen.failure.detail
    assert "set tls to off" in seen.failure.detail


@pytest.mark.parametrize(("host", "asked"), [("127.0.0.1", None), ("localhost", "localhost")])
async def test_a_device_is_asked_for_by_its_name_and_never_by_its_address(tmp_path: Path, host, asked):
    context, names = self_signed(tmp_path), []
    context.sni_callback = lambda sock, name, server: names.append(name)
    async with serving(Page(), context) as where:
        await probe("snapshot", replace(where, host=host), PICTURE)
    assert names == [asked]


async def test_a_device_on_ipv6_is_spoken_to(tmp_path: Path):
    page = Page()
    async with serving(page, self_signed(tmp_path), "::1") as where:
        seen = await probe("snapshot", where, PICTURE)
    assert seen.facts["certificate"]["fingerprint"] == fingerprint(tmp_path)
    assert len(page.requests) == 1


async def test_an_answer_that_ends_without_a_goodbye_is_whole(tmp_path: Path):
    async def curt(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_http(reader)
        writer.write(b"HTTP/1.0 404 Not Found\r\n\r\nnothing")
        await writer.drain()
        await asyncio.sleep(0.1)
        # The connection under the encryption ends, as when a camera's web server forgets close_notify.
        writer.get_extra_info("socket").shutdown(socket.SHUT_WR)

    async with serving(curt, self_signed(tmp_path)) as where:
        seen = await probe("snapshot", where, PICTURE)
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.NO_STREAM

"""This file holds what a hostile web server does, whatever is asked of it: ONVIF and pictures alike."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import socket
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import cache

from camera_registry.model.observation import FailureKind
from tests.hostile.attack import Attack
from tests.probes.loopback import Handler, HttpRequest, read_http

PROTOCOL, TIMEOUT, AUTH = FailureKind.PROTOCOL, FailureKind.TIMEOUT, FailureKind.AUTH
OK = b"HTTP/1.1 200 OK\r\n"
BLOCK = 64 * 1024
ENDLESS = 300 * 1024 * 1024
"""Bytes after which what has no end ends all the same."""


def answering(*answers: bytes, close: bool = False) -> Handler:
    """Sends these bytes, one after the other, to one request after the other."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in itertools.cycle(answers):
            await read_http(reader)
            writer.write(answer)
            await writer.drain()
            if close:
                return

    return handler


def telling(answer: Callable[[HttpRequest], bytes]) -> Handler:
    """Answers as told."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(answer(await read_http(reader)))
            await writer.drain()

    return handler


def flooding(begin: bytes, block: bytes, limit: int = ENDLESS) -> Handler:
    """Sends a beginning and then the same block again and again, as fast as it is taken."""
    many = block * max(1, BLOCK // len(block))

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_http(reader)
        writer.write(begin)
        for _ in range(limit // len(many)):
            writer.write(many)
            await writer.drain()

    return handler


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes everything and never says a word."""
    while await reader.read(BLOCK):
        pass


def dripping(answer: bytes, pause: float = 1.0) -> Handler:
    """Says the right thing, a byte at a time."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(BLOCK)
        for place in range(len(answer)):
            writer.write(answer[place : place + 1])
            await writer.drain()
            await asyncio.sleep(pause)

    return handler


async def resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Cuts the connection off without a goodbye."""
    await reader.read(BLOCK)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@cache
def bomb(megabytes: int = 64) -> bytes:
    """So many megabytes of nothing, in a thousandth of that."""
    return gzip.compress(bytes(megabytes * 1024 * 1024), 9)


def _with_length(*headers: str, body: bytes = b"") -> bytes:
    return OK + "\r\n".join((*headers, f"Content-Length: {len(body)}", "", "")).encode("latin-1") + body


def _redirects(place: str) -> Iterator[tuple[str, bytes]]:
    for status in (300, 301, 302, 303, 307, 308):
        head = f"HTTP/1.1 {status} Moved\r\nLocation: http://{place}/onvif/device_service\r\nContent-Length: 0\r\n\r\n"
        yield f"redirects with {status}", head.encode()
    yield "redirects without a scheme", f"HTTP/1.1 302 Found\r\nLocation: //{place}/\r\n\r\n".encode()
    yield "redirects by a header of refreshing", _with_length(f"Refresh: 0; url=http://{place}/", body=b"<html>moved")
    yield "hands over to a proxy", f"HTTP/1.1 305 Use Proxy\r\nLocation: http://{place}\r\n\r\n".encode()


def _challenge(nonce: str, more: str = "") -> bytes:
    challenge = f'WWW-Authenticate: Digest realm="camera", qop="auth", nonce="{nonce}", algorithm=MD5{more}'
    return f"HTTP/1.1 401 Unauthorized\r\n{challenge}\r\nContent-Length: 0\r\n\r\n".encode()


def _new_nonces() -> Callable[[HttpRequest], bytes]:
    numbers = itertools.count()
    return lambda _: _challenge(f"n-{next(numbers)}", ", stale=true")


def behaviours(place: str) -> Iterator[tuple[str, Handler, frozenset[FailureKind], bool]]:
    """Name, handler, the failures that tell the truth, and whether it lasts until the deadline."""
    protocol, timeout = frozenset({PROTOCOL}), frozenset({TIMEOUT})
    chunked = OK + b"Transfer-Encoding: chunked\r\n\r\n"

    yield "never answers", silent, timeout, True
    yield "drips a byte a second", dripping(_with_length(body=b"x" * 100)), timeout, True
    yield "drips a body", dripping(_with_length(body=b"x" * 1000), 0.02), timeout, True
    yield "resets", resetting, protocol, False
    yield "floods with blank lines", flooding(b"", b"\r\n"), protocol, False
    yield "floods with NULs", flooding(b"", b"\x00"), protocol, False
    yield "header without end", flooding(OK + b"X: ", b"x"), protocol, False
    yield "header lines without end", flooding(OK, b"X-Y: z\r\n"), protocol, False
    yield "folded header without end", flooding(OK + b"X: ", b"y\r\n "), protocol, False
    yield "interim answers without end", flooding(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), protocol, False
    yield "processing without end", flooding(b"", b"HTTP/1.1 102 Processing\r\nX: y\r\n\r\n"), protocol, False
    yield "body without end", flooding(OK + b"\r\n", b"x"), protocol, False
    yield "announces 300 MB", flooding(OK + b"Content-Length: 314572800\r\n\r\n", b"x"), protocol, False
    yield "announces 10^30 bytes", answering(OK + b"Content-Length: 1" + b"0" * 30 + b"\r\n\r\n"), protocol, False
    yield "chunks without end", flooding(chunked, b"1000\r\n" + b"x" * 4096 + b"\r\n"), protocol, False
    yield "chunks of a byte without end", flooding(chunked, b"1\r\nx\r\n"), protocol, False
    yield "empty lines between chunks without end", flooding(chunked, b"\r\n"), protocol, False
    yield "trailers without end", flooding(chunked + b"0\r\n", b"A: b\r\n"), protocol, False
    yield "size line without end", flooding(chunked + b"1;", b"x"), protocol, False
    for size in (b"ffffffff", b"ffffffffffffffffffff", b"-1", b"0x10", b"1 1", b"\xff"):
        yield f"chunk of size {size!r}", answering(chunked + size + b"\r\nabc\r\n", close=True), protocol, False
    for length in ("-5", "+5", "1e3", "5, 6", "5\r\nContent-Length: 900", "0x5", " ", "٣"):
        head = OK + f"Content-Length: {length}\r\n\r\n".encode()
        yield f"length {length!r}", answering(head + b"<html>", close=True), protocol, False
    for encoding in ("gzip", "deflate", "br", "gzip, gzip", "x-unknown"):
        packed = bomb() if "gzip" in encoding else zlib.compress(bytes(BLOCK))
        head = (f"Content-Encoding: {encoding}", "Content-Type: application/soap+xml")
        yield f"a bomb of {encoding}", answering(_with_length(*head, body=packed)), protocol, False
    yield "a bomb that is not declared", answering(_with_length(body=bomb())), protocol, False
    yield "a bomb in chunks", answering(chunked[:-2] + b"Content-Encoding: gzip\r\n\r\n5\r\nabcde\r\n"), protocol, False
    for name, head in _redirects(place):
        yield name, answering(head, close=True), protocol, False
    yield "asks with a new nonce each time", telling(_new_nonces()), frozenset({AUTH}), False
    yield "asks with a nonce of 60 kB", answering(_challenge("n" * 60_000)), frozenset({AUTH, PROTOCOL}), False
    many = "".join(f'WWW-Authenticate: Digest realm="{n}", nonce="n", algorithm=MD5\r\n' for n in range(900))
    many_asked = f"HTTP/1.1 401 No\r\n{many}Content-Length: 0\r\n\r\n".encode()
    yield "asks in 900 ways", answering(many_asked), frozenset({AUTH}), False
    for line in (b"HTTP/1.1 999 Odd", b"HTTP/1.1 000 Zero", b"HTTP/9.9 500 Late", b"HTTP/1.1 600"):
        yield f"says {line!r}", answering(line + b"\r\nContent-Length: 0\r\n\r\n"), protocol, False
    for greeting in (
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"HTTP/1.1 -1 x\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
        bytes(range(128, 256)),
        b"<html>no head at all</html>\r\n\r\n",
    ):
        yield f"begins with {greeting[:12]!r}", answering(greeting, close=True), protocol, False


def attacks(place: str) -> list[Attack]:
    """Each behaviour against each probe that speaks HTTP. ``place`` is where they send us."""
    return [
        Attack(name, probe, handler, kinds, waits, {"path": "/picture.jpg"} if probe == "snapshot" else {"full": False})
        for probe in ("onvif", "snapshot")
        for name, handler, kinds, waits in behaviours(place)
    ]

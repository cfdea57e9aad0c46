"""A plain client of the tests' own, on raw sockets: what it knows of the protocols comes from their documents."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
TDS = "http://www.onvif.org/ver10/device/wsdl"
TRT = "http://www.onvif.org/ver10/media/wsdl"
TT = "http://www.onvif.org/ver10/schema"
TER = "http://www.onvif.org/ver10/error"
SOAP = "http://www.w3.org/2003/05/soap-envelope"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name.lower()]

    def one(self, name: str) -> str:
        (value,) = self.all(name)
        return value


class Wire:
    """One connection; HTTP and RTSP differ only in their words."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, host: str, port: int, timeout: float = 20) -> Self:
        async with asyncio.timeout(timeout):
            return cls(*await asyncio.open_connection(host, port))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    async def ask(self, data: bytes) -> Reply:
        self.writer.write(data)
        return await self.reply()

    async def reply(self) -> Reply:
        async with asyncio.timeout(60):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.rstrip("\r\n").split("\r\n")
            split = (line.partition(":") for line in lines)
            headers = [(name.strip().lower(), value.strip()) for name, _, value in split]
            size = next((int(value) for name, value in headers if name == "content-length"), 0)
            return Reply(int(first.split(" ")[1]), headers, await self.reader.readexactly(size))

    async def get(self, path: str, authorization: str = "") -> Reply:
        return await self.ask(http("GET", path, authorization=authorization))

    async def post(self, path: str, body: bytes, authorization: str = "") -> Reply:
        return await self.ask(http("POST", path, body, authorization))

    async def rtsp(self, method: str, url: str, sequence: int, *headers: str) -> Reply:
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {sequence}", *headers]
        return await self.ask(("\r\n".join(lines) + "\r\n\r\n").encode())


def http(method: str, path: str, body: bytes = b"", authorization: str = "") -> bytes:
    proof = f"Authorization: {authorization}\r\n" if authorization else ""
    return f"{method} {path} HTTP/1.1\r\nHost: device\r\n{proof}Content-Length: {len(body)}\r\n\r\n".encode() + body


def soap(operation: str, namespace: str = TDS, inner: str = "", header: str = "") -> bytes:
    return (
        f'<e:Envelope xmlns:e="{SOAP}"><e:Header>{header}</e:Header>'
        f'<e:Body><o:{operation} xmlns:o="{namespace}">{inner}</o:{operation}></e:Body></e:Envelope>'
    ).encode()


def token(user: str, password: str, at: datetime | None = None, nonce: bytes | None = None) -> str:
    """A UsernameToken with a PasswordDigest."""
    raw = nonce or secrets.token_bytes(16)
    created = (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    digest = b64encode(hashlib.sha1(raw + created.encode() + password.encode()).digest()).decode()
    return (
        f'<w:Security xmlns:w="{WSSE}wssecurity-secext-1.0.xsd" xmlns:u="{WSSE}wssecurity-utility-1.0.xsd">'
        f"<w:UsernameToken><w:Username>{user}</w:Username>"
        f'<w:Password Type="{WSSE}username-token-profile-1.0#PasswordDigest">{digest}</w:Password>'
        f"<w:Nonce>{b64encode(raw).decode()}</w:Nonce><u:Created>{created}</u:Created></w:UsernameToken></w:Security>"
    )


def digest(challenge: str, user: str, password: str, method: str, uri: str, count: int = 1) -> str:
    """An answer to a Digest challenge (RFC 7616), with qop where it is offered."""
    given = dict(re.findall(r'(\w+)="?([^",]*)"?', challenge.partition(" ")[2]))
    algorithm = given.get("algorithm", "MD5")
    hashed = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm]

    def h(text: str) -> str:
        return hashed(text.encode()).hexdigest()

    first, second = h(f"{user}:{given['realm']}:{password}"), h(f"{method}:{uri}")
    basis = f'Digest username="{user}", realm="{given["realm"]}", nonce="{given["nonce"]}", uri="{uri}"'
    nonce = given["nonce"]
    if "qop" not in given:
        return f'{basis}, response="{h(f"{first}:{nonce}:{second}")}"'
    mine, number = secrets.token_hex(8), f"{count:08x}"
    response = h(f"{first}:{nonce}:{number}:{mine}:auth:{second}")
    return f'{basis}, algorithm={algorithm}, qop=auth, nc={number}, cnonce="{mine}", response="{response}"'


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


async def until(done: Callable[[], bool]) -> None:
    """Wait for something that happens in the loop by itself."""
    async with asyncio.timeout(60):
        while not done():
            await asyncio.sleep(0.01)

"""Servers on loopback that answer as a test tells them, and the tools with which probes are run against them."""

from __future__ import annotations

import asyncio
import hashlib
import re
import socket
import ssl
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from camera_registry.capture.recording import read
from camera_registry.model.observation import Observation
from camera_registry.model.people import Credential
from camera_registry.model.roster import Target
from probes.base import Caller, Step, Tools, observe
from probes.catalog import load
from probes.guard import AddressGuard
from probes.memory import Memory

USER, PASSWORD = "admin", "canary-7f3a9c21-password"
DEVICES = Path(__file__).resolve().parent.parent / "devices"

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(
    handler: Handler, port: int = 0, *, host: str = "127.0.0.1", secure: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Serve on a port of ``host`` (0: any free one); a handler that loses its peer ends quietly."""
    running: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await handler(reader, writer)
        finally:
            running.discard(task)
            writer.close()

    server = await asyncio.start_server(handle, host, port, ssl=secure)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@asynccontextmanager
async def hearing(
    host: str, port: int, heard: Callable[[socket.socket, bytes, tuple[str, int]], object]
) -> AsyncIterator[int]:
    """Hear datagrams on a port; without a transport, because one of uvloop may keep its loop from ever closing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.bind((host, port))

        def read() -> None:
            with suppress(BlockingIOError, ConnectionError):
                heard(sock, *sock.recvfrom(65_535))

        loop = asyncio.get_running_loop()
        loop.add_reader(sock, read)
        try:
            yield sock.getsockname()[1]
        finally:
            loop.remove_reader(sock)


def tools(password: str | None = PASSWORD, *, version: int = 1, memory: Memory | None = None, **more: object) -> Tools:
    """Tools that may connect to loopback and know one credential, "cred"."""
    credential = Credential("cred", USER, password, version) if password is not None else None
    return Tools(
        AddressGuard(["127.0.0.0/8", "::1/128"]),
        memory or Memory(),
        credential=lambda name: credential if name == "cred" else None,
        **more,  # type: ignore[arg-type] # whatever a test wants to set
    )


def target(credential: str = "cred", *, device: str = "device-1", host: str = "127.0.0.1", **ports: int) -> Target:
    return Target(device, host, ports, credential)


async def probe(
    name: str,
    where: Target,
    options: Mapping[str, object] | None = None,
    *,
    using: Tools | None = None,
    timeout: float = 8.0,
    steps: list[Step] | None = None,
) -> Observation:
    """One run of a probe as the poller makes it."""
    return await observe(
        name, load(name), where, options or {}, using or tools(), timeout=timeout, caller=Caller(steps)
    )


@dataclass(frozen=True)
class HttpRequest:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


async def read_http(reader: asyncio.StreamReader) -> HttpRequest:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return HttpRequest(method, path, headers, body)


def http_answer(body: bytes, status: str = "200 OK", *headers: str, content_type: str = "text/plain") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def digest_is_right(header: str, method: str, realm: str, nonce: str, algorithm: str = "MD5") -> bool:
    """An independent check of RFC 7616 and 2069, for the server's side."""
    given = {name: quoted or bare for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', header)}
    hashed = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm]

    def h(text: str) -> str:
        return hashed(text.encode()).hexdigest()

    first, second = h(f"{USER}:{realm}:{PASSWORD}"), h(f"{method}:{given['uri']}")
    middle = f"{nonce}:{given['nc']}:{given['cnonce']}:{given['qop']}" if "qop" in given else nonce
    return (
        given.get("username") == USER
        and given.get("nonce") == nonce
        and given.get("response") == h(f"{first}:{middle}:{second}")
    )


@dataclass
class OnvifDouble:
    """A device's ONVIF service. ``answers``: operation to body, or to (status, body).

    ``accepts``: "token" (WS-Security in the device's own time), "digest" (HTTP), or both; ``clock``: how far its clock
    is ahead; ``open_operations`` need no password; ``one_time``: a nonce is good for one request, and a refused one is
    not called stale. ``refusals`` counts passwords refused, ``asked`` what came.
    """

    answers: dict[str, bytes | tuple[int, bytes]]
    accepts: tuple[str, ...] = ("token",)
    clock: timedelta = timedelta(0)
    open_operations: tuple[str, ...] = ("GetSystemDateAndTime",)
    window: float = 5.0
    refusal: tuple[int, str] = (400, "NotAuthorized")
    password: str = PASSWORD
    one_time: bool = False
    nonce: int = 1
    asked: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    refusals: int = 0
    connections: int = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            request = await read_http(reader)
            writer.write(self.answer(request))
            await writer.drain()

    def answer(self, request: HttpRequest) -> bytes:
        found = re.search(rb"Body>\s*<(?:\w+:)?(\w+)", request.body)
        assert found, request.body
        operation = found[1].decode()
        self.asked.append(operation)
        self.paths.append(request.path)
        self.raw.append(request.body)
        if operation not in self.open_operations and not self._authorised(request):
            return self._refuse()
        if operation == "GetSystemDateAndTime" and operation not in self.answers:
            return http_answer(time_answer(datetime.now(UTC) + self.clock), content_type="application/soap+xml")
        given = self.answers.get(operation)
        if given is None:
            return http_answer(fault("ActionNotSupported", "Optional Action Not Implemented"), "500 Error")
        status, body = given if isinstance(given, tuple) else (200, given)
        return http_answer(body, f"{status} Whatever", content_type="application/soap+xml")

    def _authorised(self, request: HttpRequest) -> bool:
        if "token" in self.accepts and b"UsernameToken" in request.body:
            return self._judge(self._token_is_right(request.body))
        authorization = request.headers.get("authorization", "")
        if "digest" in self.accepts and authorization.startswith("Digest"):
            nonce = f"n-{self.nonce}"
            self.nonce += self.one_time
            right = digest_is_right(authorization, request.method, "camera", nonce)
            return self._judge(self.password == PASSWORD and right)
        if b"UsernameToken" in request.body or authorization:
            self.refusals += 1
        return False

    def _judge(self, right: bool) -> bool:
        self.refusals += not right
        return right

    def _token_is_right(self, body: bytes) -> bool:
        text = body.decode()
        parts = [
            re.search(rf"<ws(?:se|u):{name}(?: [^>]*)?>([^<]*)<", text)
            for name in ("Username", "Password", "Nonce", "Created")
        ]
        assert all(parts)
        username, digest, nonce, created = (part[1] for part in parts if part)
        wanted = hashlib.sha1(b64decode(nonce) + created.encode() + self.password.encode()).digest()
        age = datetime.now(UTC) + self.clock - datetime.fromisoformat(created)
        return username == USER and digest == b64encode(wanted).decode() and abs(age.total_seconds()) <= self.window

    def _refuse(self) -> bytes:
        status, code = self.refusal
        if "digest" in self.accepts:
            challenge = f'WWW-Authenticate: Digest realm="camera", qop="auth", nonce="n-{self.nonce}", algorithm=MD5'
            return http_answer(b"<html>401</html>", "401 Unauthorized", challenge, content_type="text/html")
        return http_answer(
            fault(code, "Sender not authorized"), f"{status} Refused", content_type="application/soap+xml"
        )


def fault(code: str, reason: str) -> bytes:
    return (
        '<?xml version="1.0"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:ter="http://www.onvif.org/ver10/error"><e:Body><e:Fault><e:Code><e:Value>e:Sender</e:Value>'
        f"<e:Subcode><e:Value>ter:{code}</e:Value></e:Subcode></e:Code>"
        f'<e:Reason><e:Text xml:lang="en">{reason}</e:Text></e:Reason></e:Fault></e:Body></e:Envelope>'
    ).encode()


def time_answer(moment: datetime) -> bytes:
    return (
        '<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema"><s:Body>'
        "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:UTCDateTime>"
        f"<tt:Time><tt:Hour>{moment.hour}</tt:Hour><tt:Minute>{moment.minute}</tt:Minute>"
        f"<tt:Second>{moment.second}</tt:Second></tt:Time>"
        f"<tt:Date><tt:Year>{moment.year}</tt:Year><tt:Month>{moment.month}</tt:Month><tt:Day>{moment.day}</tt:Day></tt:Date>"
        "</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse></s:Body></s:Envelope>"
    ).encode()


def recorded(device: str, *operations: str) -> dict[str, bytes | tuple[int, bytes]]:
    """Answers of a real device from its recording in tests/devices, the first to each operation."""
    exchanges = read(DEVICES / f"{device}.json").exchanges
    told = {one.asked.operation.rpartition("/")[2]: one.answer for one in reversed(exchanges) if one.answer}
    return {operation: told[operation].body.content for operation in operations}

"""This file is the one way to a device: a bounded TCP connection, opened only to an address that the guard allows.

It has no time limit of its own; ``observe`` owns the deadline and cancels. Whatever happens, the connection is closed.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections import deque
from functools import cache
from typing import NamedTuple, cast

from camera_registry.model.observation import FailureKind, Stage
from probes.base import Context, ProbeError
from probes.guard import Forbidden, Unresolved

HIGH_WATER = 256 * 1024
"""Bytes that wait unread before the device is made to wait."""

LINGER = 0.3
"""Seconds that a farewell may take to leave."""


class Connection(asyncio.Protocol):
    """One connection to a device. Bytes in by ``receive``, out by ``send``; ``close`` at the end, always."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._tap = context.tools.tap
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._received: deque[bytes] = deque()
        self._held = 0
        self._ended = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._leaving = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name
        if self._tap is not None:
            port, tls = transport.get_extra_info("peername")[1], transport.get_extra_info("ssl_object") is not None
            self._tap.opened(self, port, tls=tls)

    def data_received(self, data: bytes) -> None:
        if self._leaving:
            return
        if self._tap is not None:
            self._tap.received(self, data)
        self._received.append(data)
        self._held += len(data)
        if self._held > HIGH_WATER and self._transport is not None:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        if self._tap is not None:
            self._tap.received(self, b"")
        self._ended = True
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._error = exc
        self._wake()

    @property
    def usable(self) -> bool:
        """Whether another request can be sent: the device has neither closed nor said more than was asked."""
        return not self._ended and not self._received

    def send(self, data: bytes) -> None:
        """Write ``data``; requests are small, so nothing waits for the device to take them."""
        if self._transport is not None and not self._ended:
            self._transport.write(data)
            if self._tap is not None:
                self._tap.sent(self, data)

    async def receive(self) -> bytes:
        """What has arrived, waiting for something if need be; empty when the device has closed.

        Raises ProbeError if the connection was lost any other way.
        """
        if not self._received and not self._ended:
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        if self._received:
            data = self._received.popleft() if len(self._received) == 1 else b"".join(self._received)
            self._received.clear()
            if self._held > HIGH_WATER and self._transport is not None and not self._ended:
                self._transport.resume_reading()
            self._held = 0
            return data
        if self._error is not None:
            raise failure_of(self._error, self._context)
        return b""

    def close(self, farewell: bytes = b"") -> None:
        """Close now, after a farewell that has ``LINGER`` seconds to leave."""
        if self._transport is None or self._leaving:
            return
        self._leaving = True
        self._received.clear()
        if farewell and not self._ended:
            self.send(farewell)
            self._transport.close()
            self._loop.call_later(LINGER, self._transport.abort)
        else:
            self._transport.abort()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


async def connect(context: Context, host: str, port: int, *, tls: bool = False) -> Connection:
    """A connection to ``host``; sets the context's stage as it goes. Raises ProbeError."""
    address = await _resolve(context, host, port)
    context.stage = Stage.CONNECT
    loop = asyncio.get_running_loop()
    begun = loop.time()
    connection = Connection(context)
    try:
        if tls:
            await _connect_securely(context, connection, address, port)
        else:
            await loop.create_connection(lambda: connection, address, port)
    except OSError as error:
        raise failure_of(error, context, f"{host} port {port}") from error
    except BaseException:
        connection.close()
        raise
    if not any(step.values.get("port") == port for step in context.steps or () if step.key == "connect.open"):
        context.step("connect.open", address=address, port=port, milliseconds=round(1000 * (loop.time() - begun)))
    context.stage = Stage.REQUEST
    return connection


async def _resolve(context: Context, host: str, port: int) -> str:
    context.stage = Stage.ADDRESS
    if not 0 < port < 65536:
        raise ProbeError(FailureKind.INTERNAL, Stage.ADDRESS, f"no port is registered for {host}: name one")
    try:
        address = await context.tools.guard.resolve(host, port)
    except Unresolved as error:
        raise ProbeError(FailureKind.DNS, Stage.ADDRESS, str(error)) from error
    except Forbidden as error:
        # Nothing was sent, so nothing is known of the device: our own settings stand in the way.
        raise ProbeError(FailureKind.INTERNAL, Stage.ADDRESS, str(error)) from error
    if address not in (host, context.address):
        context.step("address.found", host=host, address=address)
    context.address = address
    return address


async def _connect_securely(context: Context, connection: Connection, address: str, port: int) -> None:
    """Connect first and agree on encryption then, so that a failure names its stage."""
    loop = asyncio.get_running_loop()
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await loop.sock_connect(sock, (address, port))
        context.stage = Stage.HANDSHAKE
        await loop.create_connection(lambda: connection, sock=sock, ssl=_secure(), server_hostname=address)
    except BaseException:
        sock.close()
        raise


def failure_of(error: Exception, context: Context, where: str = "") -> ProbeError:
    """The probe's error for an error of the operating system or of TLS at the context's stage."""
    stage = context.stage
    said = str(getattr(error, "strerror", None) or str(error) or type(error).__name__)
    rule = next(rule for rule in _RULES if rule.matches(error, stage))
    place = f"{where}: " if where else ""
    return ProbeError(rule.kind, stage, place + rule.detail.format(said=said))


class _Rule(NamedTuple):
    """What an error means: one of these classes or numbers, at one of these stages (none given: any)."""

    kind: FailureKind
    detail: str
    classes: tuple[type[Exception], ...] = ()
    numbers: frozenset[int] = frozenset()
    stages: frozenset[Stage] = frozenset()

    def matches(self, error: Exception, stage: Stage) -> bool:
        if self.stages and stage not in self.stages:
            return False
        if not self.classes and not self.numbers:
            return True
        return isinstance(error, self.classes) or getattr(error, "errno", None) in self.numbers


_EARLY = frozenset({Stage.CONNECT})

# The first that matches counts. ETIMEDOUT arrives as TimeoutError, the class that asyncio uses for deadlines; but a
# deadline cancels and is turned into TimeoutError only in observe(), so what comes here is always the network's own.
_RULES = (
    _Rule(FailureKind.TLS, "no encryption could be agreed ({said})", (ssl.SSLError,)),
    _Rule(FailureKind.REFUSED, "nothing listens there (connection refused)", (ConnectionRefusedError,)),
    _Rule(
        FailureKind.INTERNAL,
        "this machine has run out of something ({said}); see its limits of open files and ports",
        numbers=frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL}),
    ),
    _Rule(FailureKind.TIMEOUT, "the network gave up waiting ({said})", (TimeoutError,)),
    _Rule(FailureKind.REFUSED, "the connection was reset at once", (ConnectionError,), stages=_EARLY),
    _Rule(
        FailureKind.TLS,
        "the device cut the connection off while encryption was agreed ({said})",
        (ConnectionError,),
        stages=frozenset({Stage.HANDSHAKE}),
    ),
    _Rule(FailureKind.UNREACHABLE, "no way there ({said})", stages=_EARLY),
    _Rule(
        FailureKind.UNREACHABLE,
        "the way there was lost ({said})",
        numbers=frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}),
    ),
    _Rule(FailureKind.PROTOCOL, "the device cut the connection off ({said})"),
)


@cache
def _secure() -> ssl.SSLContext:
    """One context for all: building one costs 25 ms. Cameras sign their own certificates and speak old versions, so
    encryption is taken as it comes here; who the device is, is a question for the certificate's own probe."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context

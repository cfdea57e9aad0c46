"""This file is the one way to a device: a bounded TCP connection, opened only to an address that the guard allows.

It has no time limit of its own; ``observe`` owns the deadline and cancels. Whatever happens, the connection is closed.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import time
from collections import deque
from typing import NamedTuple, cast

from camera_registry.model.observation import FailureKind, Stage
from camera_registry.model.roster import Target
from probes import encryption
from probes.base import Context, ProbeError
from probes.guard import Forbidden, Unresolved

HIGH_WATER = 256 * 1024
"""Bytes that wait unread before the device is made to wait."""

FLOOD = 64 * 1024 * 1024
"""Bytes on one connection, after which a device is told to send without end; ten seconds of the best video are half."""

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
        self._taken = 0
        self._ended = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._leaving = False
        self.agreed: encryption.Agreed | None = None
        """What encryption was agreed on, if any."""

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

        Raises ProbeError if the connection was lost any other way, or brought more than FLOOD.
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
            self._taken += len(data)
            if self._taken > FLOOD:
                detail = f"the device sends without end (more than {FLOOD // 1_048_576} MB)"
                raise ProbeError(FailureKind.PROTOCOL, self._context.stage, detail)
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


async def connect(context: Context, target: Target, port: int, *, tls: bool = False) -> Connection:
    """A connection to the target's host; sets the context's stage as it goes. Raises ProbeError.

    With ``tls`` it is encrypted and the device is who the register holds it to be: see ``encryption.identify``.
    """
    host = target.host
    if not 0 < port < 65536:
        raise ProbeError.told(FailureKind.INTERNAL, Stage.ADDRESS, "no_port", host=host)
    address = await resolve(context, host, port)
    try:
        if tls:
            connection = await _connect_securely(context, target, address, port)
        else:
            context.stage = Stage.CONNECT
            connection = await _open(context, address, port)
    except OSError as error:
        raise failure_of(error, context, host, port) from error
    context.stage = Stage.REQUEST
    return connection


async def resolve(context: Context, host: str, port: int) -> str:
    """The address of ``host`` that may be sent to, by whatever protocol. Raises ProbeError."""
    context.stage = Stage.ADDRESS
    try:
        address = await context.tools.guard.resolve(host, port)
    except Unresolved as error:
        raise ProbeError.told(FailureKind.DNS, Stage.ADDRESS, "dns", host=host, said=error.said) from error
    except Forbidden as error:
        # Nothing was sent, so nothing is known of the device: our own settings stand in the way.
        raise ProbeError.told(FailureKind.INTERNAL, Stage.ADDRESS, "forbidden", address=error.address) from error
    if address not in (host, context.address):
        context.step("address.found", host=host, address=address)
    context.address = address
    return address


async def _open(context: Context, address: str, port: int) -> Connection:
    connection = Connection(context)
    begun = time.perf_counter()  # uvloop's own clock counts milliseconds
    try:
        await asyncio.get_running_loop().create_connection(lambda: connection, address, port)
    except BaseException:
        connection.close()
        raise
    _tell_open(context, address, port, begun)
    return connection


def _tell_open(context: Context, address: str, port: int, begun: float) -> None:
    """Say once of each port that it could be connected to."""
    if not any(step.values.get("port") == port for step in context.caller.steps or () if step.key == "connect.open"):
        milliseconds = round(1000 * (time.perf_counter() - begun))
        context.step("connect.open", address=address, port=port, milliseconds=milliseconds)


async def _connect_securely(context: Context, target: Target, address: str, port: int) -> Connection:
    """Agree on encryption as it is usual today, and, with devices that can't, as it was once; the next run knows."""
    memory = context.tools.memory.of(target.device)
    if not memory.old_tls:
        try:
            return await _encrypt(context, target, address, port, old=False)
        except OSError as error:
            if context.stage is not Stage.HANDSHAKE:
                raise
            encryption.look_again(error)
    connection = await _encrypt(context, target, address, port, old=True)
    memory.old_tls = True
    return connection


async def _encrypt(context: Context, target: Target, address: str, port: int, *, old: bool) -> Connection:
    """Connect first and agree on encryption then, so that a failure names its stage."""
    loop = asyncio.get_running_loop()
    connection = Connection(context)
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        context.stage = Stage.CONNECT
        sock.setblocking(False)
        begun = time.perf_counter()
        await loop.sock_connect(sock, (address, port))
        _tell_open(context, address, port, begun)
        context.stage = Stage.HANDSHAKE
        begun = time.perf_counter()
        transport, _ = await loop.create_connection(
            lambda: connection,
            sock=sock,
            ssl=encryption.context_for(old=old),
            server_hostname=encryption.server_name(target.host),
        )
        spoken = transport.get_extra_info("ssl_object")
        connection.agreed = encryption.identify(context, target, spoken, time.perf_counter() - begun)
    except BaseException:
        connection.close()
        sock.close()
        raise
    return connection


def failure_of(error: Exception, context: Context, host: str = "", port: int = 0) -> ProbeError:
    """The probe's error for an error of the operating system or of TLS at the context's stage; ``host`` and ``port``
    where it is not plain which connection is meant."""
    stage = context.stage
    said = str(getattr(error, "strerror", None) or str(error) or type(error).__name__)
    if isinstance(error, ssl.SSLError) and error.reason:
        said = error.reason.replace("_", " ").lower()
    rule = next(rule for rule in _RULES if rule.matches(error, stage))
    where = {"host": host, "port": port} if host else {}
    return ProbeError.told(rule.kind, stage, rule.key, said=said, **where)


class _Rule(NamedTuple):
    """What an error means: one of these classes or numbers, at one of these stages (none given: any). ``key`` names the
    text that says so."""

    kind: FailureKind
    key: str
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
    _Rule(
        FailureKind.TLS,
        "tls.disagreed",
        (ssl.SSLError,),
        stages=frozenset({Stage.HANDSHAKE}),
    ),
    _Rule(FailureKind.TLS, "tls.broke", (ssl.SSLError,)),
    _Rule(FailureKind.REFUSED, "refused", (ConnectionRefusedError,)),
    _Rule(
        FailureKind.INTERNAL,
        "exhausted",
        numbers=frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL}),
    ),
    _Rule(FailureKind.TIMEOUT, "given_up", (TimeoutError,)),
    _Rule(FailureKind.REFUSED, "reset", (ConnectionError,), stages=_EARLY),
    _Rule(
        FailureKind.TLS,
        "tls.cut_off",
        (ConnectionError,),
        stages=frozenset({Stage.HANDSHAKE}),
    ),
    _Rule(FailureKind.UNREACHABLE, "no_way", stages=_EARLY),
    _Rule(
        FailureKind.UNREACHABLE,
        "way_lost",
        numbers=frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}),
    ),
    _Rule(FailureKind.PROTOCOL, "cut_off"),
)

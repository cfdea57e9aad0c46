"""One connection to a simulated device: whose it is, and the faults that all protocols share."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import cast

from camera_registry.simulator import dark
from camera_registry.simulator.access import Gate
from camera_registry.simulator.envelope import Reader
from camera_registry.simulator.faults import Fault
from camera_registry.simulator.live import LiveDevice
from camera_registry.simulator.member import Ports
from camera_registry.simulator.scene import Look

IDLE = 60.0
"""Seconds without a word after which a device closes a connection."""
LARGEST_DRIP = 1_000_000
"""Bytes that may wait while a device drips."""
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER on, 0 seconds: closing sends a reset."""

LOOKS: tuple[tuple[Fault, Look], ...] = (
    (Fault.NO_SIGNAL, Look.NO_SIGNAL),
    (Fault.BLACK, Look.BLACK),
    (Fault.COVERED, Look.COVERED),
    (Fault.BLURRED, Look.BLURRED),
    (Fault.MOVED, Look.MOVED),
)
"""What is seen first when several are in force."""


@dataclass
class Premises:
    """What all connections of a served fleet share."""

    devices: Mapping[str, LiveDevice]
    """By address."""
    ports: Ports
    gate: Gate
    noise: Random
    """Chooses how pictures differ; nothing hangs on what it chooses."""
    reader: Reader = field(default_factory=Reader)
    connections: set[Connection] = field(default_factory=set)
    _empty: asyncio.Future[None] | None = None

    async def vacate(self) -> None:
        """End all connections and wait until they have ended."""
        if self.connections:
            self._empty = asyncio.get_running_loop().create_future()
            for connection in list(self.connections):
                connection.transport.abort()
            await self._empty

    def left(self) -> None:
        """A connection has ended."""
        if self._empty is not None and not self.connections and not self._empty.done():
            self._empty.set_result(None)


class Connection(asyncio.Protocol, ABC):
    """Finds its device by the address that was called, and asks for its faults whenever something comes.

    A protocol overrides ``received`` and, where there is something to say first or to clean up, ``opened`` and
    ``closed``.
    """

    __slots__ = ("_drip", "_pending", "device", "heard", "loop", "premises", "silent", "transport")

    def __init__(self, premises: Premises, loop: asyncio.AbstractEventLoop) -> None:
        self.premises = premises
        self.loop = loop
        self.heard = 0.0
        self.silent = False
        self._pending = b""
        self._drip: bytearray | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        device = self.premises.devices.get(transport.get_extra_info("sockname")[0])
        if device is None or Fault.REFUSED in device.faults:
            self.reset()
            return
        self.device = device
        self.heard = self.loop.time()
        self.premises.connections.add(self)
        if device.faults.dark:
            self.silence()
        else:
            self.opened()

    def connection_lost(self, exc: Exception | None) -> None:
        if self in self.premises.connections:
            self.premises.connections.discard(self)
            self.closed()
            self.premises.left()

    def data_received(self, data: bytes) -> None:
        faults = self.device.faults
        if self.silent or Fault.HANG in faults:
            return
        if Fault.REFUSED in faults:
            self.reset()
            return
        self.heard = self.loop.time()
        self._pending = self.received(self._pending + data if self._pending else data)

    def opened(self) -> None:
        """The connection is there."""

    @abstractmethod
    def received(self, data: bytes) -> bytes:
        """Act on what came; return what is not yet whole."""

    def closed(self) -> None:
        """The connection is gone."""

    def send(self, data: bytes) -> None:
        """Answer, one byte at a time where the device drips."""
        if Fault.SLOW_DRIP not in self.device.faults:
            self.transport.write(data)
        elif self._drip is None:
            self._drip = bytearray(data)
            self._drip_on()
        elif len(self._drip) < LARGEST_DRIP:
            self._drip += data

    def _drip_on(self) -> None:
        if not self._drip or self.transport.is_closing() or self.silent:
            self._drip = None
            return
        self.transport.write(bytes(self._drip[:1]))
        del self._drip[:1]
        interval = self.device.faults.option(Fault.SLOW_DRIP, "interval") or 0.0
        self.loop.call_later(interval, self._drip_on)

    def hang_up(self) -> None:
        """Close after what was sent; a dripping answer ends with the client's patience instead."""
        if self._drip is None:
            self.transport.close()

    def silence(self) -> None:
        """The device has lost power: from now on nothing comes from it and nothing reaches it."""
        self.silent = True
        with self._socket() as sock:
            try:
                dark.attach(sock, dark.DROP_ALL)
            except OSError:
                # No filters here: the kernel acknowledges what the client sends, and nobody answers. What it sends is
                # still read, to see it leave.
                return
        self.transport.pause_reading()

    def reset(self) -> None:
        """Close with a reset, as a port does where nothing listens."""
        with self._socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.transport.abort()

    def _socket(self) -> socket.socket:
        """A second handle on the socket: those that event loops hand out do not let options be set."""
        return socket.socket(fileno=os.dup(self.transport.get_extra_info("socket").fileno()))


def look_of(device: LiveDevice) -> Look:
    """What the device's pictures show."""
    active = device.faults.active
    if active:
        for fault, look in LOOKS:
            if fault in active:
                return look
    return Look.NORMAL

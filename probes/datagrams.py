"""This file receives RTP and RTCP over UDP: a pair of ports (RFC 3550 section 11) that hears one device alone."""

from __future__ import annotations

import asyncio
import socket
from collections import deque

from camera_registry.model.observation import FailureKind, Stage
from probes.base import ProbeError

TRIES = 16
"""Pairs that are tried: the port above an even one may be taken."""
KERNEL_BUFFER = 1024 * 1024
"""Bytes that may wait in the kernel; a key frame comes in one burst."""
QUEUE = 4096
"""Packets that may wait for us; more than that are lost, as they would be in the kernel."""
LARGEST = 65_535
"""Bytes of a datagram."""
AT_ONCE = 64
"""Packets that are taken in before others have their turn."""
DOUBT = 1.0
"""Seconds for which media from another port than the announced one is passed over, while none comes from that."""


class DatagramPair:
    """An even port for RTP and the next one for RTCP. Only what ``address`` sends is heard, and once ``sources`` are
    known, only from those ports; from another pair where nothing comes from those (a device may announce the wrong one,
    or stand behind address translation). ``close`` it at the end, always."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.sources: tuple[int, ...] = ()
        self.port = 0
        self._strange: tuple[int, float] | None = None
        """The unannounced port that media comes from, and since when."""
        self._settled = False
        self._sockets: list[socket.socket] = []
        self._packets: deque[tuple[int, bytes, float]] = deque()
        self._waiter: asyncio.Future[None] | None = None

    def close(self) -> None:
        for sock in self._sockets:
            asyncio.get_running_loop().remove_reader(sock)
            sock.close()
        self._sockets.clear()

    async def open(self) -> None:
        """Take a pair of ports on the address that the device is reached from. Raises ProbeError."""
        try:
            sockets = _pair(self.address)
        except OSError as error:
            detail = f"this machine has no pair of ports to receive media on ({error})"
            raise ProbeError(FailureKind.INTERNAL, Stage.REQUEST, detail) from error
        self.port = sockets[0].getsockname()[1]
        # Read by hand: a datagram transport of uvloop that is closed may keep its loop from ever closing.
        for number, sock in enumerate(sockets):
            self._sockets.append(sock)
            asyncio.get_running_loop().add_reader(sock, self._read, number, sock)

    def _read(self, number: int, sock: socket.socket) -> None:
        try:
            for _ in range(AT_ONCE):
                data, source = sock.recvfrom(LARGEST)
                self.heard(number, data, source[:2])
        except OSError:
            return  # nothing more waits; nothing is sent, so nothing can be refused

    def heard(self, number: int, data: bytes, source: tuple[str, int]) -> None:
        """A packet has come on port ``number`` of the pair."""
        if source[0] != self.address or not self._believes(number, source[1]) or len(self._packets) >= QUEUE:
            return
        self._packets.append((number, data, asyncio.get_running_loop().time()))
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _believes(self, number: int, port: int) -> bool:
        if not self.sources or port in self.sources:
            if self.sources and not number:
                self._settled = True
            return True
        if self._settled or number:
            return False
        now = asyncio.get_running_loop().time()
        if self._strange is None or self._strange[0] != port:
            self._strange = port, now
        self._settled = now - self._strange[1] >= DOUBT
        if self._settled:
            self.sources = (port, port + 1)
        return self._settled

    async def packet(self) -> tuple[int, bytes, float]:
        """The next packet: 0 for RTP or 1 for RTCP, its bytes, and when it came by the loop's clock."""
        while not self._packets:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._packets.popleft()


def _pair(address: str) -> tuple[socket.socket, socket.socket]:
    """Two bound sockets on neighbouring ports, the first even. Raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as scout:
        scout.connect((address, 9))  # sends nothing; says which of our addresses leads there
        own = scout.getsockname()[0]
    for _ in range(TRIES):
        first = _bound(family, own, 0)
        port = first.getsockname()[1]
        try:
            other = _bound(family, own, port + 1 if port % 2 == 0 else port - 1)
        except (OSError, OverflowError):
            first.close()
            continue
        return (first, other) if port % 2 == 0 else (other, first)
    raise OSError(f"{TRIES} pairs were taken")


def _bound(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL_BUFFER)
        sock.setblocking(False)
        sock.bind((host, port))
    except BaseException:
        sock.close()
        raise
    return sock

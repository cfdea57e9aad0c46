"""This file probes whether a host answers pings, how fast, and how many get lost."""

from __future__ import annotations

import asyncio
import secrets
import socket
import time
from collections.abc import Mapping
from statistics import median

from camera_registry.model.observation import Facts, FailureKind, Stage
from camera_registry.model.roster import Target
from probes import transport
from probes.base import Context, ProbeError
from probes.wire import icmp

ECHOES = 3
"""Pings of one run."""

REMEDY = (
    "this system lets us send no pings: permit it with `sysctl net.ipv4.ping_group_range='0 2147483647'`, or give the "
    "service the capability CAP_NET_RAW, or take icmp out of the probes"
)

_LARGEST = 2048


async def probe(target: Target, options: Mapping[str, object], context: Context) -> Facts:
    """Send a few pings, each as soon as the one before was answered or given up. Options: ``count`` (default 3).

    Facts: ``sent``, ``lost``, ``rtt_ms_min`` and ``rtt_ms_median``. One answer is enough; none is a time-out.
    """
    wished = options.get("count")
    count = wished if isinstance(wished, int) and 0 < wished <= 20 else ECHOES
    address = await transport.resolve(context, target.host, 0)
    context.stage = Stage.CONNECT
    version = 6 if ":" in address else 4
    with open_socket(version) as sock:
        try:
            sock.connect((address, 0))  # from now on the kernel passes on what comes from there alone
            times = await _Pinging(sock, version).run(count, context)
        except OSError as error:
            raise transport.failure_of(error, context, target.host) from error
    context.facts |= {"sent": count, "lost": count - len(times)}
    if not times:
        raise ProbeError(FailureKind.TIMEOUT, Stage.CONNECT, f"none of {count} pings was answered")
    fastest = round(1000 * min(times), 2)
    context.facts |= {"rtt_ms_min": fastest, "rtt_ms_median": round(1000 * median(times), 2)}
    context.step("icmp.echo", sent=count, received=len(times), milliseconds=fastest)
    return context.facts


def open_socket(version: int) -> socket.socket:
    """A socket for pings: one for pings alone, where the group may (Linux: net.ipv4.ping_group_range), else a raw one.

    Raises ProbeError(INTERNAL) where the system grants neither: nothing is known of the device then.
    """
    family, protocol = (
        (socket.AF_INET6, socket.IPPROTO_ICMPV6) if version == 6 else (socket.AF_INET, socket.IPPROTO_ICMP)
    )
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            sock = socket.socket(family, kind, protocol)
        except PermissionError:
            continue
        sock.setblocking(False)
        return sock
    raise ProbeError(FailureKind.INTERNAL, Stage.CONNECT, REMEDY)


class _Pinging:
    """The pings of one run, each known again by identifier, number and a payload that nobody can guess."""

    def __init__(self, sock: socket.socket, version: int) -> None:
        self._sock = sock
        self._version = version
        # The kernel sets its own identifier on sockets for pings, and sorts the answers by it.
        self._raw = sock.type == socket.SOCK_RAW
        self._identifier = secrets.randbits(16)
        self._payload = secrets.token_bytes(24)
        self._sent: dict[int, float] = {}
        self._times: list[float] = []

    async def run(self, count: int, context: Context) -> list[float]:
        """Seconds to each answer."""
        loop = asyncio.get_running_loop()
        for number in range(count):
            patience = 0.9 * context.remaining() / (count - number)
            self._sent[number] = time.perf_counter()
            request = icmp.write_request(self._version, self._identifier, number, self._payload)
            await loop.sock_sendall(self._sock, request)
            try:
                async with asyncio.timeout(patience):
                    while number in self._sent:
                        self._take(await loop.sock_recv(self._sock, _LARGEST), time.perf_counter())
            except TimeoutError:
                continue  # lost, or late: its answer still counts if it comes while the next is waited for
        return self._times

    def _take(self, data: bytes, now: float) -> None:
        reply = icmp.read_reply(self._version, data)
        if reply is None or reply.payload != self._payload or (self._raw and reply.identifier != self._identifier):
            return
        sent = self._sent.pop(reply.sequence, None)
        if sent is not None:
            self._times.append(now - sent)

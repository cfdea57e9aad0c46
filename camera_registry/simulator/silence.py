"""Keeps dark addresses silent in the kernel: whoever connects hears nothing, as from a device without power.

There are two ways. A filter on the listening sockets drops what is sent to dark addresses: one call for any number of
devices, but newer kernels grant it on TCP only to those with CAP_NET_ADMIN. The other needs no privilege: a listening
socket of the dark address's own, which the kernel prefers to the one for all addresses, with a queue that is full, so
that the kernel drops every further attempt; it costs two descriptors for each port of each dark device.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address
from typing import Protocol

from camera_registry.simulator import dark, sockets


class Audible(Exception):
    """Some dark addresses can't be kept silent in the kernel; the message says why."""


class Silence(Protocol):
    """One way to keep addresses silent."""

    def only(self, addresses: frozenset[int]) -> None:
        """Keep these silent, and no others. Raises Audible when some will accept connections nevertheless."""
        ...


class Filter:
    """A socket filter on the listening sockets."""

    def __init__(self, listening: Sequence[socket.socket]) -> None:
        self._listening = listening

    def only(self, addresses: frozenset[int]) -> None:
        try:
            code = dark.program(addresses)
        except dark.TooMany as error:
            self.only(frozenset())
            raise Audible(str(error)) from error
        for sock in self._listening:
            dark.attach(sock, code)


class FullQueues:
    """Listening sockets of the dark addresses' own, whose queues are full."""

    def __init__(self, ports: Iterable[int]) -> None:
        self._ports = tuple(ports)
        self._held: dict[int, contextlib.ExitStack] = {}

    def only(self, addresses: frozenset[int]) -> None:
        for address in self._held.keys() - addresses:
            self._held.pop(address).close()
        for address in sorted(addresses - self._held.keys()):
            with contextlib.ExitStack() as stack:
                for port in self._ports:
                    try:
                        _block(str(IPv4Address(address)), port, stack)
                    except OSError as error:
                        raise Audible(f"{len(self._held)} of {len(addresses)} are silent, then: {error}") from error
                self._held[address] = stack.pop_all()


def choose(listening: Sequence[socket.socket]) -> Silence:
    """The best way that this system grants."""
    try:
        for sock in listening:
            dark.attach(sock, dark.PASS_ALL)
            dark.detach(sock)
    except OSError:
        return FullQueues(sock.getsockname()[1] for sock in listening)
    return Filter(listening)


def _block(host: str, port: int, stack: contextlib.ExitStack) -> None:
    """A listening socket for one address that takes in nobody: its queue has one place, and that is taken."""
    blocker = stack.enter_context(sockets.own(host, port))
    blocker.listen(0)
    filler = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    filler.setblocking(False)
    # If a client was faster the place is taken all the same, and the filler hears the silence that is wanted.
    with contextlib.suppress(BlockingIOError):
        filler.connect((host, port))

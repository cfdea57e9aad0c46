"""Listening sockets that answer on every loopback address, and on nothing else.

A socket on all addresses that is bound to the loopback device (SO_BINDTODEVICE, free to all users since Linux 5.7)
hears 127.0.0.0/8 whole; the accepted socket's own address says which device was called. So a fleet needs one port a
protocol, not a range.
"""

from __future__ import annotations

import errno
import socket

from camera_registry.texts.errors import TellableError

BACKLOG = 4096
LOOPBACK_DEVICE = b"lo\0"


class ListenError(TellableError):
    """The fleet can't be reached; the message says which port, why, and what to do."""

    section = "listen_error"


def listen(port: int, protocol: str, option: str, share: int = 1) -> list[socket.socket]:
    """Listening sockets for ``protocol`` on ``port`` (0: any free one), ``share`` of them: the kernel spreads new
    connections over all, so that each can be served by a process of its own. ``option`` is how the user would choose
    another port. Raises ListenError.
    """
    # An exclusive bind comes first, so that a second fleet on the same port is an error and not a partner.
    with _bound(port, protocol, option, shared=False) as first:
        port = first.getsockname()[1]
    found = []
    for _ in range(share):
        sock = _bound(port, protocol, option, shared=True)
        sock.listen(BACKLOG)
        sock.setblocking(False)
        found.append(sock)
    return found


def listen_for_datagrams(port: int, protocol: str, option: str, share: int = 1) -> list[socket.socket]:
    """The same for a protocol of datagrams. Raises ListenError."""
    with _bound(port, protocol, option, shared=False, kind=socket.SOCK_DGRAM) as first:
        port = first.getsockname()[1]
    return [_bound(port, protocol, option, shared=True, kind=socket.SOCK_DGRAM) for _ in range(share)]


def own(host: str, port: int) -> socket.socket:
    """A socket for one address of a port that a fleet has for all; what listens there is preferred. Raises OSError."""
    sock = _on_loopback(shared=True)
    try:
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock


def _bound(
    port: int, protocol: str, option: str, *, shared: bool, kind: socket.SocketKind = socket.SOCK_STREAM
) -> socket.socket:
    try:
        sock = _on_loopback(shared=shared, kind=kind)
    except OSError as error:
        raise ListenError("unbound", why=error.strerror or error) from error
    try:
        # Bound to the loopback device it hears no other network.
        sock.bind(("0.0.0.0", port))  # noqa: S104
        if not shared and kind is socket.SOCK_STREAM:
            sock.listen(1)  # only then is a port that is shared by others found taken
    except OSError as error:
        sock.close()
        key = {errno.EADDRINUSE: "taken", errno.EACCES: "for_root"}.get(error.errno or 0, "unusable")
        raise ListenError(key, protocol=protocol, port=port, why=error.strerror or error, option=option) from error
    return sock


def _on_loopback(*, shared: bool, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    sock = socket.socket(socket.AF_INET, kind)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, LOOPBACK_DEVICE)
        if kind is socket.SOCK_STREAM:  # of datagrams it would let a second fleet take the port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    except OSError:
        sock.close()
        raise
    return sock

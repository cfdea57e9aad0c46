"""This file gives out ports of loopback to programs that must be told one before they listen on it."""

from __future__ import annotations

import fcntl
import itertools
import os
import socket
import tempfile
from pathlib import Path

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_FIRST = 20_000
_APART = 64
"""Ports between the first that processes with numbers next to each other look at."""
_held: list[int] = []


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1, for TCP and UDP, that are this process's until it ends.

    A port that the kernel chose and that was let go again may be anybody's before its program listens: the kernel gives
    it to the next connection that asks for none in particular. So these lie below those that the kernel gives out
    (ip(7), ip_local_port_range), and a locked file keeps other processes that ask here off them.
    """
    folder = Path(tempfile.gettempdir()) / "camera-registry-ports"
    folder.mkdir(exist_ok=True)
    numbers = range(_FIRST, int(_RANGE.read_text().split()[0]))
    begin = os.getpid() * _APART % len(numbers)
    mine = (port for port in itertools.chain(numbers[begin:], numbers[:begin]) if _claimed(port, folder))
    return list(itertools.islice(mine, count))


def _claimed(port: int, folder: Path) -> bool:
    lock = os.open(folder / str(port), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with socket.create_server(("127.0.0.1", port)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            datagrams.bind(("127.0.0.1", port))
    except OSError:
        os.close(lock)
        return False
    _held.append(lock)
    return True

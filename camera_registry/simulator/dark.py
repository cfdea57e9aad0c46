"""Writes socket filters that make addresses dark: packets to them vanish in the kernel, before any handshake.

A filter (classic BPF, Linux SO_ATTACH_FILTER) on a listening socket sees each SYN and drops those whose destination is
dark. Programs are limited to 4096 instructions, so the addresses are joined into prefixes first: a switch and all
beneath it is one.
"""

from __future__ import annotations

import ctypes
import errno
import socket
import struct
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, collapse_addresses
from itertools import groupby

SO_ATTACH_FILTER = 26
SO_DETACH_FILTER = 27
"""From asm-generic/socket.h; Python names neither."""

# linux/filter.h: ancillary offset of the network header, and where an IPv4 header has its destination address.
SKF_NET_OFF = 0xFFF00000
DESTINATION = 16
LOAD_WORD = 0x20  # BPF_LD | BPF_W | BPF_ABS
AND = 0x54  # BPF_ALU | BPF_AND | BPF_K
JUMP_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
JUMP = 0x05  # BPF_JMP | BPF_JA
RETURN = 0x06  # BPF_RET | BPF_K
PASS = 0xFFFFFFFF
DROP = 0

LARGEST = 4096
"""Instructions of one program (BPF_MAXINSNS)."""
REACH = 250
"""Comparisons that share one drop: a conditional jump reaches 255 instructions."""

Instruction = tuple[int, int, int, int]
"""Code, jump if true, jump if false, constant."""

PASS_ALL: Sequence[Instruction] = ((RETURN, 0, 0, PASS),)
PASS_EXPLICITLY: Sequence[Instruction] = ((RETURN, 0, 0, PASS),)
"""The same as a program that is attached, where PASS_ALL takes away the one before."""
DROP_ALL: Sequence[Instruction] = ((RETURN, 0, 0, DROP),)


class TooMany(Exception):
    """The dark addresses need more comparisons than one program may have."""


def program(addresses: Iterable[int]) -> Sequence[Instruction]:
    """The filter that drops packets to these IPv4 addresses and passes all others. Raises TooMany."""
    networks = sorted(collapse_addresses(IPv4Network(IPv4Address(address)) for address in addresses), key=_prefix)
    if not networks:
        return PASS_ALL
    code: list[Instruction] = []
    for prefix, group in groupby(networks, key=_prefix):
        code.append((LOAD_WORD, 0, 0, SKF_NET_OFF + DESTINATION))
        if prefix < 32:
            code.append((AND, 0, 0, (0xFFFFFFFF << (32 - prefix)) & 0xFFFFFFFF))
        values = [int(network.network_address) for network in group]
        for start in range(0, len(values), REACH):
            part = values[start : start + REACH]
            # Each comparison jumps over those after it, and over the jump behind them, to the drop.
            code.extend((JUMP_EQUAL, len(part) - place, 0, value) for place, value in enumerate(part))
            code.append((JUMP, 0, 0, 1))
            code.append((RETURN, 0, 0, DROP))
    code.append((RETURN, 0, 0, PASS))
    if len(code) > LARGEST:
        raise TooMany(
            f"{len(networks)} separate dark prefixes need {len(code)} instructions, the kernel takes {LARGEST}"
        )
    return code


def attach(sock: socket.socket, code: Sequence[Instruction]) -> None:
    """Put the filter on the socket in place of the one before. Raises OSError where the system grants none."""
    text = b"".join(struct.pack("HBBI", *instruction) for instruction in code)
    memory = ctypes.create_string_buffer(text, len(text))
    try:
        _attach(sock, len(code), memory)
    except OSError as error:
        if error.errno != errno.ENOMEM:
            raise
        # Old and new filter together are over net.core.optmem_max: make room first.
        detach(sock)
        _attach(sock, len(code), memory)


def detach(sock: socket.socket) -> None:
    """Take the socket's filter away, if it has one."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise


def _attach(sock: socket.socket, length: int, memory: ctypes.Array[ctypes.c_char]) -> None:
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", length, ctypes.addressof(memory)))


def _prefix(network: IPv4Network) -> int:
    return network.prefixlen

"""This file writes echo requests and reads echo replies of ICMP (RFC 792) and ICMPv6 (RFC 4443)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_HEADER = struct.Struct("!BBHHH")
"""Type, code, checksum, identifier, sequence number (RFC 792, RFC 4443 section 4.1)."""

_REQUEST = {4: 8, 6: 128}
_REPLY = {4: 0, 6: 129}
_IPV4_LEAST = 20


@dataclass(frozen=True, slots=True)
class Reply:
    """An echo reply. What was sent comes back: identifier, sequence number and payload."""

    identifier: int
    sequence: int
    payload: bytes


def write_request(version: int, identifier: int, sequence: int, payload: bytes) -> bytes:
    """An echo request for IP ``version`` 4 or 6. The checksum of ICMPv6 is the kernel's to fill in."""
    head = _HEADER.pack(_REQUEST[version], 0, 0, identifier, sequence)
    checksum = 0 if version == 6 else _checksum(head + payload)
    return _HEADER.pack(_REQUEST[version], 0, checksum, identifier, sequence) + payload


def read_reply(version: int, data: bytes) -> Reply | None:
    """The reply in ``data``, with or without the IPv4 header that raw sockets put before it; None for anything else."""
    if version == 4 and len(data) >= _IPV4_LEAST and data[0] >> 4 == 4:
        data = data[4 * (data[0] & 0x0F) :]  # an echo reply's own first byte is 0
    if len(data) < _HEADER.size:
        return None
    kind, code, _, identifier, sequence = _HEADER.unpack_from(data)
    if kind != _REPLY[version] or code != 0 or (version == 4 and _checksum(data) != 0):
        return None
    return Reply(identifier, sequence, data[_HEADER.size :])


def _checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071); 0 over data that holds its own right one."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data[: len(data) // 2 * 2]))
    if len(data) % 2:
        total += data[-1] << 8
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF

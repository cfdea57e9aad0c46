"""This file reads what senders report beside their media: RTCP (RFC 3550 section 6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from probes.wire import WireError

_SENDER_REPORT, _BYE = 200, 203
_KINDS = range(192, 224)
_NTP_TO_UNIX = 2_208_988_800
"""Seconds from 1900, where NTP begins, to 1970 (RFC 5905 section 6)."""
_WALL_CLOCK = 1 << 31
"""NTP times from here on (1968 to 2036) are the time of day; senders that have no clock count from their own start."""


@dataclass(frozen=True, slots=True)
class SenderReport:
    """What a sender says of itself (section 6.4.1). ``time``: its clock when it sent this, seconds since 1970, None if
    it knows no time of day; ``timestamp``: the same moment in RTP time; what it has sent so far."""

    source: int
    time: float | None
    timestamp: int
    packets: int
    octets: int


@dataclass(frozen=True, slots=True)
class Bye:
    """The source leaves (section 6.6)."""

    source: int


def read(data: bytes) -> list[SenderReport | Bye]:
    """The sender reports and farewells in a compound packet; what else is in it is passed over. Raises WireError."""
    return list(_reports(data))


def _reports(data: bytes) -> Iterator[SenderReport | Bye]:
    position = 0
    while position < len(data):
        part = data[position:]
        if len(part) < 4 or part[0] >> 6 != 2 or part[1] not in _KINDS:
            raise WireError("not an RTCP packet")
        length = 4 + 4 * int.from_bytes(part[2:4], "big")
        if length > len(part):
            raise WireError("an RTCP packet that is cut short")
        if part[1] == _SENDER_REPORT:
            yield _sender_report(part[:length])
        elif part[1] == _BYE and part[0] & 0x1F and length >= 8:
            yield Bye(int.from_bytes(part[4:8], "big"))
        position += length


def _sender_report(part: bytes) -> SenderReport:
    if len(part) < 28:
        raise WireError("a sender report that is cut short")
    source, seconds, fraction, timestamp, packets, octets = (
        int.from_bytes(part[place : place + 4], "big") for place in range(4, 28, 4)
    )
    time = seconds - _NTP_TO_UNIX + fraction / 2**32 if seconds >= _WALL_CLOCK else None
    return SenderReport(source, time, timestamp, packets, octets)

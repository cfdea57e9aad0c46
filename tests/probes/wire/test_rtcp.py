"""What senders report, in compound packets as RFC 3550 lays them out."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.wire import WireError, rtcp
from probes.wire.rtcp import Bye, SenderReport
from tests.probes.wire.refusal import refusal

NOON = 1_790_000_000.5
"""Seconds since 1970."""


def sender_report(seconds: int, fraction: int = 1 << 31, blocks: int = 0) -> bytes:
    head = struct.pack("!BBHIIIIII", 0x80 | blocks, 200, 6 + 6 * blocks, 7, seconds, fraction, 90_000, 12, 3_400)
    return head + bytes(24 * blocks)


DESCRIPTION = struct.pack("!BBHI", 0x81, 202, 3, 7) + b"\x01\x04cam0\x00\x00"
FAREWELL = struct.pack("!BBHI", 0x81, 203, 1, 7)


@pytest.mark.parametrize("blocks", [0, 2])
def test_a_sender_tells_its_time_and_what_it_has_sent(blocks: int):
    report, farewell = rtcp.read(sender_report(int(NOON) + 2_208_988_800, blocks=blocks) + DESCRIPTION + FAREWELL)
    assert report == SenderReport(7, NOON, 90_000, 12, 3_400)
    assert farewell == Bye(7)


@pytest.mark.parametrize("seconds", [0, 4711, 86_400 * 365])
def test_a_sender_without_a_clock_tells_no_time_of_day(seconds: int):
    (report,) = rtcp.read(sender_report(seconds))
    assert isinstance(report, SenderReport)
    assert report.time is None


@pytest.mark.parametrize(
    "data",
    [
        b"\x80",
        b"\x80\x60" + bytes(40),
        b"\x40\xc8\x00\x06" + bytes(24),
        sender_report(1)[:-1],
        b"\x80\xc8\x00\x01" + bytes(4),
        sender_report(1) + b"junk",
    ],
)
def test_what_is_no_report_says_so(data: bytes):
    with pytest.raises(WireError):
        rtcp.read(data)


@settings(max_examples=60)
@given(st.binary(max_size=80))
def test_any_bytes_are_reports_or_a_declared_error(data: bytes):
    for raw in (data, b"\x81\xc8" + data, sender_report(1) + data):
        assert refusal(rtcp.read, raw).isprintable()

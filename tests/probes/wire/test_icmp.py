"""Echo requests are as RFC 792 and RFC 4443 have them, and only replies are read as replies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.wire import icmp


def test_a_request_is_written_with_its_checksum():
    # The worked numbers: 0800 + 0001 + 0002 + 6162 = 6965, whose complement is 969a.
    assert icmp.write_request(4, 1, 2, b"ab") == bytes.fromhex("0800 969a 0001 0002 6162")
    assert icmp.write_request(6, 1, 2, b"ab") == bytes.fromhex("8000 0000 0001 0002 6162")


def reply_to(request: bytes) -> bytes:
    """What a host makes of an ICMPv4 request: another type, and a checksum that differs by as much."""
    checksum = (int.from_bytes(request[2:4], "big") + 0x0800) % 0xFFFF
    return bytes([0, 0]) + checksum.to_bytes(2, "big") + request[4:]


@pytest.mark.parametrize("header", [b"", bytes([0x45]) + bytes(19), bytes([0x46]) + bytes(23)])
def test_a_reply_is_read_with_and_without_the_header_of_ip(header):
    data = header + reply_to(icmp.write_request(4, 7, 9, b"abc"))
    assert icmp.read_reply(4, data) == icmp.Reply(7, 9, b"abc")


def test_a_request_is_no_reply_and_a_damaged_reply_is_none():
    request = icmp.write_request(4, 7, 9, b"abc")
    assert icmp.read_reply(4, request) is None
    assert icmp.read_reply(4, reply_to(request)[:-1] + b"X") is None


@given(st.sampled_from([4, 6]), st.binary(max_size=80))
def test_any_bytes_are_a_reply_or_none(version, data):
    reply = icmp.read_reply(version, data)
    assert reply is None or data.endswith(reply.payload)

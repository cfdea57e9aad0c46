"""How pictures are cut into RTP payloads, as cameras do to fit an Ethernet frame: H.264 (RFC 6184), H.265 (RFC 7798)
and JPEG (RFC 2435)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

LARGEST_PAYLOAD = 1_400
"""Bytes; larger units are cut into fragments."""

_FU_A, _FU = 28, 49
_DQT, _SOS = 0xDB, 0xDA
_TABLES_IN_PACKETS = 255
"""The quality that says that quantisation tables come along."""
_ACROSS_AND_DOWN = 1
"""The type of a picture whose chroma is halved both ways."""

Payload = tuple[bool, bytes]
"""Whether it ends its picture (the RTP marker), and the payload."""


def h264_payloads(units: list[bytes]) -> list[Payload]:
    """A unit each, or fragments of it (RFC 6184, 5.6 and 5.8)."""
    return _marked([payload for unit in units for payload in _pieces(unit, 1, _h264_header)])


def h265_payloads(units: list[bytes]) -> list[Payload]:
    """A unit each, or fragments of it (RFC 7798, 4.4.1 and 4.4.3)."""
    return _marked([payload for unit in units for payload in _pieces(unit, 2, _h265_header)])


def jpeg_payloads(jpeg: bytes, width: int, height: int) -> list[Payload]:
    """The scan in pieces, with the quantisation tables in front of the first (RFC 2435, 3.1). Sizes are told in steps
    of 8 pixels."""
    tables, scan = _taken_apart(jpeg)
    size = bytes((-(-width // 8), -(-height // 8)))
    made: list[bytes] = []
    offset = 0
    while offset < len(scan):
        told = b"" if offset else bytes((0, 0)) + len(tables).to_bytes(2, "big") + tables
        part = scan[offset : offset + LARGEST_PAYLOAD - 8 - len(told)]
        header = b"\x00" + offset.to_bytes(3, "big") + bytes((_ACROSS_AND_DOWN, _TABLES_IN_PACKETS))
        made.append(header + size + told + part)
        offset += len(part)
    return _marked(made)


def _pieces(unit: bytes, head: int, write: Callable[[bytes, int], bytes]) -> Iterator[bytes]:
    """``head`` is the length of the unit's own header, ``write`` makes that of a fragment."""
    if len(unit) <= LARGEST_PAYLOAD:
        yield unit
        return
    step = LARGEST_PAYLOAD - head - 1
    for begin in range(head, len(unit), step):
        part = unit[begin : begin + step]
        yield write(unit, (begin == head) << 7 | (begin + len(part) == len(unit)) << 6) + part


def _h264_header(unit: bytes, flags: int) -> bytes:
    return bytes((unit[0] & 0xE0 | _FU_A, flags | unit[0] & 31))


def _h265_header(unit: bytes, flags: int) -> bytes:
    return bytes((unit[0] & 0x81 | _FU << 1, unit[1], flags | unit[0] >> 1 & 63))


def _marked(payloads: list[bytes]) -> list[Payload]:
    last = len(payloads) - 1
    return [(place == last, payload) for place, payload in enumerate(payloads)]


def _taken_apart(jpeg: bytes) -> tuple[bytes, bytes]:
    """The quantisation tables of a JPEG, and its scan."""
    tables = b""
    position = 2
    while True:
        marker, length = jpeg[position + 1], int.from_bytes(jpeg[position + 2 : position + 4], "big")
        body = jpeg[position + 4 : position + 2 + length]
        if marker == _DQT:
            tables += b"".join(body[place + 1 : place + 65] for place in range(0, len(body), 65))
        position += 2 + length
        if marker == _SOS:
            return tables, jpeg[position:].removesuffix(b"\xff\xd9")

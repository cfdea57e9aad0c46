"""This file rebuilds a JPEG from the RTP packets of one frame (RFC 2435), which leave out its header and its tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

from probes.wire import WireError
from probes.wire.h264 import Size

HEADER = 8
"""Bytes of the main header (section 3.1)."""

_RESTARTS = range(64, 128)
"""Types whose scan has restart markers, with a header of their own (section 3.1.7)."""

# The tables of ITU-T T.81 that packets refer to: quantisation (annex K.1) in zigzag order, and the typical Huffman
# tables (annex K.3) as a DHT segment holds them, number of codes by length first.
_QUANTISATION = (
    bytes.fromhex(
        "100b0c0e0c0a100e0d0e1211101318281a181616183123251d283a333d3c3933383740485c4e404457453738506d51575f626768673e4d71"
        "797064785c656763"
    ),
    bytes.fromhex("1112121815182f1a1a2f634238426363") + b"\x63" * 48,
)
_HUFFMAN = (
    bytes.fromhex("0000010501010101010100000000000000000102030405060708090a0b"),
    bytes.fromhex(
        "100002010303020403050504040000017d01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a"
        "161718191a25262728292a3435363738393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788"
        "898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9"
        "eaf1f2f3f4f5f6f7f8f9fa"
    ),
    bytes.fromhex("0100030101010101010101010000000000000102030405060708090a0b"),
    bytes.fromhex(
        "1100020102040403040705040400010277000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a1624"
        "34e125f11718191a262728292a35363738393a434445464748494a535455565758595a636465666768696a737475767778797a8283848586"
        "8788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8"
        "e9eaf2f3f4f5f6f7f8f9fa"
    ),
)


def size_of(payload: bytes) -> Size | None:
    """The size in a packet's header, in units of 8 pixels there; None where it is too large to say (0).

    Raises WireError for what is shorter than the header.
    """
    if len(payload) < HEADER:
        raise WireError("a JPEG packet that ends inside its header")
    return Size(8 * payload[6], 8 * payload[7]) if payload[6] and payload[7] else None


def join(payloads: Sequence[bytes], kept: dict[int, bytes], size: Size | None = None) -> bytes:
    """The JPEG of these payloads, in order. ``kept`` holds tables that the device sends only once (section 3.1.8);
    ``size`` is what the description says, for pictures whose headers can't. Raises WireError."""
    told = size_of(payloads[0]) or size
    kind, quality = payloads[0][4], payloads[0][5]
    if told is None:
        raise WireError("a JPEG of more than 2040 pixels whose size the description does not say")
    if kind not in (0, 1, 64, 65):
        raise WireError(f"a JPEG of type {kind}, which RFC 2435 does not define")
    scan = bytearray()
    tables = interval = b""
    for payload in payloads:
        if size_of(payload) not in (None, told) or int.from_bytes(payload[1:4], "big") != len(scan):
            raise WireError("JPEG packets that don't join")
        position = HEADER
        if payload[4] in _RESTARTS:
            interval, position = payload[position : position + 2], position + 4
        if not scan and quality >= 128:
            tables, position = _read_tables(payload, position)
        scan += payload[position:]
    if not tables:
        tables = kept.get(quality, b"") if quality >= 128 else _scaled(quality)
    if len(tables) not in (64, 128):
        raise WireError("a JPEG whose quantisation tables were never sent")
    if 128 <= quality < 255:
        kept[quality] = tables
    end = b"" if scan.endswith(b"\xff\xd9") else b"\xff\xd9"
    return b"".join((*_head(told, kind & 1, tables, interval), scan, end))


def _read_tables(payload: bytes, position: int) -> tuple[bytes, int]:
    """The quantisation tables in the first packet (section 3.1.8), and where the scan begins."""
    if len(payload) < position + 4:
        raise WireError("a JPEG packet that ends inside its header")
    precision, length = payload[position + 1], int.from_bytes(payload[position + 2 : position + 4], "big")
    tables, end = payload[position + 4 : position + 4 + length], position + 4 + length
    if precision & 3 or len(tables) < length:
        raise WireError("a JPEG packet with quantisation tables that are cut short or of 16 bits")
    return tables, end


@cache
def _scaled(quality: int) -> bytes:
    """The standard tables for a quality of 1 to 99 (section 4.2)."""
    factor = min(99, max(1, quality))
    percent = 5000 // factor if factor < 50 else 200 - 2 * factor
    return bytes(min(255, max(1, (value * percent + 50) // 100)) for table in _QUANTISATION for value in table)


def _head(size: Size, kind: int, tables: bytes, interval: bytes) -> Iterable[bytes]:
    """Everything before the scan (ITU-T T.81 annex B). ``kind`` 0: chroma halved across, 1: also down."""
    yield b"\xff\xd8"
    for number in range(len(tables) // 64):
        yield _segment(0xDB, bytes([number]) + tables[64 * number : 64 * number + 64])
    luma = 0x22 if kind else 0x21
    chroma = len(tables) // 128
    frame = bytes([8, *size.height.to_bytes(2, "big"), *size.width.to_bytes(2, "big"), 3])
    yield _segment(0xC0, frame + bytes([1, luma, 0, 2, 0x11, chroma, 3, 0x11, chroma]))
    for table in _HUFFMAN:
        yield _segment(0xC4, table)
    if interval:
        yield _segment(0xDD, interval)
    yield _segment(0xDA, bytes([3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0]))


def _segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body

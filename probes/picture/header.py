"""This file reads the header of a JPEG, so that nothing is decoded before its kind and size are known."""

from __future__ import annotations

_START = b"\xff\xd8"
_END = b"\xff\xd9"
_DECODABLE = frozenset({0xC0, 0xC1, 0xC2})
"""Start-of-frame markers of baseline, extended and progressive Huffman coding (ITU-T T.81, table B.1)."""
_OTHER_FRAMES = frozenset({0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)})
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_SCAN = 0xDA


def size(jpeg: bytes) -> tuple[int, int]:
    """Width and height in pixels. Raises ValueError, in words for people, for anything but a complete JPEG."""
    if not jpeg:
        raise ValueError("the answer is empty")
    if not jpeg.startswith(_START):
        raise ValueError(f"it is not a JPEG: it begins with {jpeg[:12]!r}")
    found: tuple[int, int] | None = None
    at = 2
    while at + 4 <= len(jpeg):
        if jpeg[at] != 0xFF:
            raise ValueError(f"its header is damaged at byte {at}")
        marker = jpeg[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker in _ALONE:
            at += 2
            continue
        length = int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if marker in _DECODABLE:
            found = int.from_bytes(jpeg[at + 7 : at + 9], "big"), int.from_bytes(jpeg[at + 5 : at + 7], "big")
        elif marker in _OTHER_FRAMES:
            raise ValueError(f"its coding (frame type {marker:#x}) is none that cameras send")
        elif marker == _SCAN:
            if found is None or 0 in found:
                raise ValueError("its header names no size")
            if jpeg.rfind(_END) < at:
                raise ValueError(f"it is cut off after {len(jpeg)} bytes")
            return found
        at += 2 + max(length, 2)
    raise ValueError(f"it is cut off after {len(jpeg)} bytes, before the picture begins")

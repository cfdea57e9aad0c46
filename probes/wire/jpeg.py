"""This file checks a JPEG by its markers before anything decodes it: size, kind, end (ITU-T T.81, annex B)."""

from __future__ import annotations

from dataclasses import dataclass

from probes.wire import TooLarge, WireError
from probes.wire.text import excerpt

PIXEL_LIMIT = 40_000_000
"""Pixels of the largest picture that is accepted; decoding more would cost gigabytes."""

_START, _END = b"\xff\xd8", b"\xff\xd9"
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_TAIL = 4096


@dataclass(frozen=True, slots=True)
class Picture:
    """``complete``: the end marker is there. ``components``: 1 grey, 3 colour, 4 CMYK."""

    width: int
    height: int
    components: int
    progressive: bool
    complete: bool


def read(body: bytes) -> Picture:
    """What the markers say. Raises WireError when ``body`` is no JPEG, TooLarge for more than 40 megapixels."""
    if not body.startswith(_START):
        raise WireError(f"not a JPEG; it begins with {excerpt(body, 30)!r}" if body else "an empty picture")
    position = 2
    while position + 4 <= len(body):
        if body[position] != 0xFF:
            raise WireError("a JPEG with something else where a marker should be")
        marker = body[position + 1]
        if marker == 0xFF:
            position += 1  # fill byte
            continue
        if marker in _ALONE:
            position += 2
            continue
        if marker in (0xD9, 0xDA):
            break
        length = int.from_bytes(body[position + 2 : position + 4], "big")
        if length < 2:
            raise WireError("a JPEG with a segment of impossible length")
        if marker in _FRAMES:
            return _frame(body, position + 4, marker)
        position += 2 + length
    raise WireError("a JPEG without a picture size")


def _frame(body: bytes, position: int, marker: int) -> Picture:
    if position + 6 > len(body):
        raise WireError("a JPEG that ends inside its header")
    height = int.from_bytes(body[position + 1 : position + 3], "big")
    width = int.from_bytes(body[position + 3 : position + 5], "big")
    components = body[position + 5]
    if not width or not height:
        raise WireError("a JPEG without width or height")
    if width * height > PIXEL_LIMIT:
        raise TooLarge(f"a JPEG of {width} x {height}; at most {PIXEL_LIMIT // 1_000_000} megapixels are accepted")
    # Cameras pad behind the end marker, some with thousands of zeros; a marker far from the end belongs to a thumbnail,
    # not to the picture.
    complete = body.rfind(_END, max(2, len(body.rstrip(b"\0")) - _TAIL)) >= 0
    return Picture(width, height, components, marker in (0xC2, 0xC6, 0xCA, 0xCE), complete)

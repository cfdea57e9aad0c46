"""This file is a table of pictures that no honest camera sends, or that break on the way."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from camera_registry.model.observation import FailureKind

PROTOCOL, UNDECODABLE = FailureKind.PROTOCOL, FailureKind.UNDECODABLE
END = b"\xff\xd9"


@dataclass(frozen=True)
class Picture:
    """``kinds``: the failures that tell the truth of it; None among them: it may also be read."""

    name: str
    body: bytes
    kinds: frozenset[FailureKind | None]


@cache
def good(*options: int) -> bytes:
    """A JPEG of 160 x 120 that is as it should be, by OpenCV's encoder with these options."""
    random = np.random.default_rng(3)
    scene = np.kron(random.integers(40, 210, (6, 8, 3), dtype=np.uint8), np.ones((20, 20, 1), np.uint8))
    noisy = np.clip(scene + random.normal(0, 4, scene.shape), 0, 255).astype(np.uint8)
    done, buffer = cv2.imencode(".jpg", noisy, list(options))
    assert done
    return buffer.tobytes()


def sized(width: int, height: int, jpeg: bytes | None = None) -> bytes:
    """A JPEG that says it is of this size."""
    return _frame_patched(jpeg or good(), 5, struct.pack(">HH", height, width))


def _frame_patched(jpeg: bytes, offset: int, value: bytes) -> bytes:
    """With other bytes at this place of its frame header."""
    place = next(jpeg.index(bytes([0xFF, marker])) for marker in (0xC0, 0xC2) if bytes([0xFF, marker]) in jpeg)
    return jpeg[: place + offset] + value + jpeg[place + offset + len(value) :]


def _marker_replaced(marker: int) -> bytes:
    return good().replace(b"\xff\xc0", bytes([0xFF, marker]), 1)


def _segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def _behind_start(data: bytes) -> bytes:
    return good()[:2] + data + good()[2:]


def _many_scans(megapixels: int) -> bytes:
    """A progressive picture of that size whose every coefficient comes in scans of its own, each of almost nothing."""
    jpeg = good(cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    scan = jpeg.rindex(b"\xff\xda")
    side = int((megapixels * 1_000_000) ** 0.5)
    return sized(side, side, jpeg[:scan] + jpeg[scan:-2] * 2_000 + END)


@cache
def png_bomb(side: int) -> bytes:
    """A small file that unpacks to side x side pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = zlib.compressobj(9)
    packed = b"".join(row.compress(bytes(1 + side // 8)) for _ in range(side)) + row.flush()
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def pictures() -> Iterator[Picture]:
    """All of them, about 20 MB."""
    protocol, undecodable = frozenset({PROTOCOL}), frozenset({UNDECODABLE})
    either: frozenset[FailureKind | None] = frozenset({UNDECODABLE, None})
    jpeg = good()
    yield Picture("as it should be", jpeg, frozenset({None}))
    yield Picture("progressive", good(cv2.IMWRITE_JPEG_PROGRESSIVE, 1), frozenset({None}))
    yield Picture("padded behind its end", jpeg + bytes(2_000), frozenset({None}))
    yield Picture("nothing", b"", undecodable)
    yield Picture("a page", b"<html><form>password</form></html>", protocol)
    yield Picture("a PNG of 30,000 x 30,000", png_bomb(30_000), protocol)
    yield Picture("a GIF", b"GIF89a" + bytes(500), protocol)
    yield Picture("a BMP", b"BM" + bytes(500), protocol)
    yield Picture("a picture of 30,000 x 30,000", sized(30_000, 30_000), undecodable)
    yield Picture("a picture of 65,535 x 65,535", sized(65_535, 65_535), undecodable)
    yield Picture("a picture of 1 x 65,535", sized(1, 65_535), either)
    yield Picture("40 megapixels of almost nothing", sized(6_300, 6_300), either)
    yield Picture("40 megapixels in 2,000 scans", _many_scans(39), either)
    yield Picture("a picture of 0 x 0", sized(0, 0), undecodable)
    yield Picture("a height that comes later", sized(160, 0), undecodable)
    yield Picture("no picture at all", b"\xff\xd8\xff\xd9", undecodable)
    yield Picture("a beginning", jpeg[:2], undecodable)
    yield Picture("half a picture", jpeg[: len(jpeg) // 2], undecodable)
    yield Picture("half a picture with an end", jpeg[: len(jpeg) // 2] + END, either)
    yield Picture("a picture without its end", jpeg[:-2], undecodable)
    yield Picture("a segment of no length", _behind_start(b"\xff\xe1\x00\x00"), undecodable)
    yield Picture("a segment longer than the picture", _behind_start(b"\xff\xe1\xff\xff"), undecodable)
    yield Picture("8 MB of fill bytes", b"\xff\xd8" + b"\xff" * 8_000_000, undecodable)
    yield Picture("7 MB of comments", _behind_start(_segment(0xFE, bytes(65_000)) * 107), either)
    yield Picture("a picture inside another", _behind_start(_segment(0xE1, b"Exif\0\0" + jpeg)), frozenset({None}))
    yield Picture("tables of noise", jpeg.replace(b"\xff\xc4", b"\xff\xfe", 2), either)
    yield Picture("noise for data", jpeg[: jpeg.index(b"\xff\xda") + 14] + bytes(range(255)) * 99 + END, either)
    yield Picture("255 components", _frame_patched(jpeg, 9, b"\xff"), undecodable)
    yield Picture("no components", _frame_patched(jpeg, 9, b"\x00"), undecodable)
    yield Picture("samples of 12 bits", _frame_patched(jpeg, 4, b"\x0c"), undecodable)
    yield Picture("without loss", _marker_replaced(0xC3), either)
    yield Picture("arithmetically coded", _marker_replaced(0xC9), either)
    yield Picture("in layers", _marker_replaced(0xC5), either)
    yield Picture("two at once", jpeg + jpeg, frozenset({None}))

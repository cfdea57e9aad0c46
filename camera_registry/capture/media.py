"""This file draws what stands for pictures and streams that stayed at the site: equal in size, kind and wrapping."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache

import av
import cv2
import numpy as np

from camera_registry.capture.recording import Media, Size

CLOCK_RATE = 90_000
LARGEST_PAYLOAD = 1_400
"""Bytes; larger units are cut into fragments, as cameras do to fit an Ethernet frame."""
_ENCODERS = {"H264": "libx264", "H265": "libx265"}
_H264_FRAGMENT, _H265_FRAGMENT = 28, 49
_TABLES, _SCAN = 0xDB, 0xDA


def bare(jpeg: bytes) -> bytes:
    """A JPEG without comments and application data (EXIF and the like): cameras write positions and serials there."""
    kept, place = bytearray(jpeg[:2]), 2
    while place + 4 <= len(jpeg) and jpeg[place] == 0xFF and jpeg[place + 1] != _SCAN:
        end = place + 2 + int.from_bytes(jpeg[place + 2 : place + 4])
        if not (0xE0 < jpeg[place + 1] <= 0xEF or jpeg[place + 1] == 0xFE):
            kept += jpeg[place:end]
        place = end
    return bytes(kept) + jpeg[place:]


@cache
def still(size: Size) -> bytes:
    """A JPEG of this size that shows nothing: a slope of grey with a little grain."""
    _, buffer = cv2.imencode(".jpg", _drawn(size))
    return buffer.tobytes()


class Frames:
    """RTP packets of a stream, frame after frame, each a key frame (RFC 3550)."""

    def __init__(self, media: Media) -> None:
        self._type = media.payload_type
        self._sequence, self._timestamp = 1, 1
        if media.packets:
            self._frame = [(bool(packet[1] & 0x80), packet[12:]) for packet in media.packets if len(packet) > 12]
        else:
            self._frame = list(_payloads(media.codec, media.size))

    def next(self, ticks: int) -> Iterator[bytes]:
        """The packets of the next frame, ``ticks`` of RTP time behind the last."""
        self._timestamp = (self._timestamp + ticks) & 0xFFFFFFFF
        for marker, payload in self._frame:
            self._sequence = (self._sequence + 1) & 0xFFFF
            kind = self._type | marker << 7
            yield bytes((0x80, kind)) + self._sequence.to_bytes(2) + self._timestamp.to_bytes(4) + bytes(4) + payload


@cache
def _payloads(codec: str, size: Size) -> tuple[tuple[bool, bytes], ...]:
    """The payloads of one key frame and whether each ends it; nothing for a codec that is not drawn here."""
    if codec == "JPEG":
        cut = list(_cut_jpeg(size))
    elif codec in _ENCODERS:
        access = _encode(_ENCODERS[codec], size)
        units = [unit for unit in access.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if unit]
        cut = [part for unit in units for part in (_cut_h264(unit) if codec == "H264" else _cut_h265(unit))]
    else:
        return ()
    return tuple((place == len(cut) - 1, part) for place, part in enumerate(cut))


def _encode(encoder: str, size: Size) -> bytes:
    """One key frame with its parameter sets and start codes (annex B)."""
    codec = av.CodecContext.create(encoder, "w")
    assert isinstance(codec, av.VideoCodecContext)
    codec.width, codec.height = size.width + size.width % 2, size.height + size.height % 2
    codec.pix_fmt = "yuv420p"
    codec.time_base = Fraction(1, 25)
    codec.options = {"preset": "ultrafast", "tune": "zerolatency", "x265-params": "log-level=none:repeat-headers=1"}
    drawn = _drawn(Size(codec.width, codec.height))
    frame = av.VideoFrame.from_ndarray(drawn, format="bgr24")
    return b"".join(bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)])


def _cut_h264(unit: bytes) -> Iterator[bytes]:
    """RFC 6184 sections 5.6 and 5.8."""
    if len(unit) <= LARGEST_PAYLOAD:
        yield unit
        return
    for begin in range(1, len(unit), LARGEST_PAYLOAD):
        part = unit[begin : begin + LARGEST_PAYLOAD]
        flags = (begin == 1) << 7 | (begin + len(part) == len(unit)) << 6
        yield bytes((unit[0] & 0xE0 | _H264_FRAGMENT, flags | unit[0] & 0x1F)) + part


def _cut_h265(unit: bytes) -> Iterator[bytes]:
    """RFC 7798 sections 4.4.1 and 4.4.3."""
    if len(unit) <= LARGEST_PAYLOAD:
        yield unit
        return
    kind = unit[0] >> 1 & 0x3F
    for begin in range(2, len(unit), LARGEST_PAYLOAD):
        part = unit[begin : begin + LARGEST_PAYLOAD]
        flags = (begin == 2) << 7 | (begin + len(part) == len(unit)) << 6
        yield bytes((unit[0] & 0x81 | _H265_FRAGMENT << 1, unit[1], flags | kind)) + part


def _cut_jpeg(size: Size) -> Iterator[bytes]:
    """RFC 2435 section 3.1: 4:2:0 (type 1), tables in the first packet; sizes in units of 8 pixels, up to 2040."""
    wide, high = min(size.width, 2040) // 8, min(size.height, 2040) // 8
    picture = still(Size(8 * wide, 8 * high))
    tables, scan = b"", b""
    place = 2
    while not scan:
        kind, length = picture[place + 1], int.from_bytes(picture[place + 2 : place + 4])
        if kind == _TABLES:
            tables += b"".join(picture[begin + 1 : begin + 65] for begin in range(place + 4, place + 2 + length, 65))
        elif kind == _SCAN:
            scan = picture[place + 2 + length : -2]
        place += 2 + length
    for begin in range(0, len(scan), LARGEST_PAYLOAD):
        head = b"\0" + begin.to_bytes(3) + bytes((1, 255, wide, high))
        quantisation = b"\0\0" + len(tables).to_bytes(2) + tables if begin == 0 else b""
        yield head + quantisation + scan[begin : begin + LARGEST_PAYLOAD]


def _drawn(size: Size) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    slope = np.linspace(40, 210, size.width, dtype=np.float32)[None, :, None]
    grain = np.random.default_rng(1).normal(0, 3, (size.height, size.width, 1)).astype(np.float32)
    return np.repeat(np.clip(slope + grain, 0, 255).astype(np.uint8), 3, axis=2)

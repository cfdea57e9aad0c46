"""The streams that simulated cameras play: H.264, encoded once for each look, kept as ready RTP payloads (RFC 6184).

One group of pictures goes round and round: a key frame and the frames up to the next. All cameras share it; the scene
moves, and every player sees real pictures change.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import av
import numpy as np

from camera_registry.simulator.scene import Look, draw, noisy
from camera_registry.simulator.sizes import FRAME_RATE, SIZES

CLOCK_RATE = 90_000
"""Ticks of RTP time a second."""
LARGEST_PAYLOAD = 1_400
"""Bytes; larger units are cut into fragments (FU-A), as cameras do to fit an Ethernet frame."""
FU_A = 28
SPS, PPS = 7, 8

Payload = tuple[bool, bytes]
"""Whether it ends its picture (the RTP marker), and the payload."""


class NoEncoder(Exception):
    """H.264 can't be encoded here."""


@dataclass(frozen=True, slots=True)
class Video:
    """One group of pictures. ``frames``: for each picture its RTP payloads, the first picture is a key frame."""

    width: int
    height: int
    sps: bytes
    pps: bytes
    frames: tuple[tuple[Payload, ...], ...]

    def describe(self) -> str:
        """The media part of the session description (RFC 4566, RFC 6184 section 8.2.1)."""
        sets = f"{b64encode(self.sps).decode()},{b64encode(self.pps).decode()}"
        return (
            "m=video 0 RTP/AVP 96\r\n"
            "b=AS:1024\r\n"
            "a=rtpmap:96 H264/90000\r\n"
            f"a=fmtp:96 packetization-mode=1;profile-level-id={self.sps[1:4].hex()};sprop-parameter-sets={sets}\r\n"
            f"a=framerate:{FRAME_RATE}\r\n"
            f"a=x-dimensions:{self.width},{self.height}\r\n"
            "a=control:trackID=1\r\n"
        )


@cache
def video_of(look: Look, stream: int) -> Video:
    """One round of the scene, encoded when first asked for (a quarter of a second of CPU). Raises NoEncoder."""
    width, height = SIZES[stream]
    units = [_units(access) for access in _encode(look, width, height)]
    sets = {unit[0] & 31: unit for unit in units[0] if unit[0] & 31 in (SPS, PPS)}
    return Video(width, height, sets[SPS], sets[PPS], tuple(tuple(payloads(picture)) for picture in units))


def _encode(look: Look, width: int, height: int) -> list[bytes]:
    """One group of pictures, each as bytes with start codes (H.264 annex B)."""
    try:
        codec = av.CodecContext.create("libx264", "w")
    except (av.codec.codec.UnknownCodecError, av.error.FFmpegError) as error:
        raise NoEncoder(f"this build of PyAV has no libx264 ({error}); install the wheel from PyPI") from error
    assert isinstance(codec, av.VideoCodecContext)
    codec.width, codec.height = width, height
    codec.pix_fmt = "yuv420p"
    codec.time_base = Fraction(1, FRAME_RATE)
    codec.framerate = Fraction(FRAME_RATE)
    codec.gop_size = FRAME_RATE
    # No picture waits for a later one, and parameter sets stand before each key frame.
    codec.options = {"preset": "veryfast", "tune": "zerolatency", "crf": "26", "threads": "1"}
    pictures: list[bytes] = []
    for number in range(FRAME_RATE):
        picture = noisy(draw(0, look, width, height, number / FRAME_RATE), look, number)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24")
        frame.pts = number
        pictures.extend(bytes(packet) for packet in codec.encode(frame))
    pictures.extend(bytes(packet) for packet in codec.encode(None))
    return pictures


def _units(access: bytes) -> list[bytes]:
    """The network abstraction layer units between start codes."""
    parts = access.replace(b"\x00\x00\x00\x01", b"\x00\x00\x01").split(b"\x00\x00\x01")
    return [part for part in parts if part]


def payloads(units: list[bytes]) -> list[Payload]:
    """The RTP payloads of one picture: a unit each, or fragments of it (RFC 6184, 5.6 and 5.8)."""
    made: list[Payload] = []
    for unit in units:
        if len(unit) <= LARGEST_PAYLOAD:
            made.append((False, unit))
            continue
        indicator = (unit[0] & 0xE0) | FU_A
        for begin in range(1, len(unit), LARGEST_PAYLOAD - 2):
            part = unit[begin : begin + LARGEST_PAYLOAD - 2]
            first, last = begin == 1, begin + len(part) == len(unit)
            header = (first << 7) | (last << 6) | (unit[0] & 31)
            made.append((False, bytes((indicator, header)) + part))
    made[-1] = (True, made[-1][1])
    return made


class Player:
    """Turns a video into interleaved RTP (RFC 2326, 10.12), picture by picture."""

    __slots__ = ("_channel", "_next", "_sequence", "_source", "_timestamp", "_video")

    def __init__(self, channel: int, source: int, sequence: int, timestamp: int) -> None:
        self._channel = channel
        self._source = source
        self._sequence = sequence
        self._timestamp = timestamp
        self._next = 0
        self._video: Video | None = None

    def picture(self, video: Video, *, frozen: bool) -> bytes:
        """The packets of the next picture; ``frozen`` repeats the key frame for ever."""
        if video is not self._video:
            self._video, self._next = video, 0  # another scene begins with a key frame
        payloads = video.frames[0 if frozen else self._next % len(video.frames)]
        parts = []
        for marker, payload in payloads:
            parts.append(
                struct.pack(
                    "!cBHBBHII",
                    b"$",
                    self._channel,
                    12 + len(payload),
                    0x80,
                    96 | (marker << 7),
                    self._sequence,
                    self._timestamp,
                    self._source,
                )
            )
            parts.append(payload)
            self._sequence = (self._sequence + 1) & 0xFFFF
        self._timestamp = (self._timestamp + CLOCK_RATE // FRAME_RATE) & 0xFFFFFFFF
        self._next += 1
        return b"".join(parts)

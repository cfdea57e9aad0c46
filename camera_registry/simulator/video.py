"""The streams that simulated cameras play, encoded once for each look and kept as ready RTP payloads.

One group of pictures goes round and round: a key frame and the frames up to the next. All cameras share it; the scene
moves, and every player sees real pictures change.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import av
import cv2
import numpy as np

from camera_registry.simulator.payloads import Payload, h264_payloads, h265_payloads, jpeg_payloads
from camera_registry.simulator.scene import Look, Picture, draw, noisy
from camera_registry.simulator.sizes import FRAME_RATE, SIZES

CLOCK_RATE = 90_000
"""Ticks of RTP time a second."""
DYNAMIC, STATIC_JPEG = 96, 26
"""RTP payload types (RFC 3551)."""
H264, H265, JPEG = "H264", "H265", "JPEG"

# No picture waits for a later one, and parameter sets stand before each key frame.
_ENCODERS = {
    H264: ("libx264", {"preset": "veryfast", "tune": "zerolatency", "crf": "26", "threads": "1"}),
    H265: ("libx265", {"preset": "ultrafast", "tune": "zerolatency", "crf": "28"}),
}
_H265_PARAMETERS = f"log-level=error:repeat-headers=1:pools=none:frame-threads=1:keyint={FRAME_RATE}"


class NoEncoder(Exception):
    """A stream can't be encoded here."""


@dataclass(frozen=True, slots=True)
class Video:
    """One group of pictures. ``sets`` are its parameter sets, ``frames`` for each picture its RTP payloads; the first
    picture is a key frame, in JPEG each is."""

    codec: str
    width: int
    height: int
    sets: tuple[bytes, ...]
    frames: tuple[tuple[Payload, ...], ...]

    @property
    def payload_type(self) -> int:
        return STATIC_JPEG if self.codec == JPEG else DYNAMIC

    def describe(self) -> str:
        """The media part of the session description (RFC 4566)."""
        return (
            f"m=video 0 RTP/AVP {self.payload_type}\r\n"
            "b=AS:1024\r\n"
            f"a=rtpmap:{self.payload_type} {self.codec}/{CLOCK_RATE}\r\n"
            f"{self._parameters()}"
            f"a=framerate:{FRAME_RATE}\r\n"
            f"a=x-dimensions:{self.width},{self.height}\r\n"
            "a=control:trackID=1\r\n"
        )

    def _parameters(self) -> str:
        """RFC 6184 section 8.2.1, RFC 7798 section 7.1."""
        sets = [b64encode(one).decode() for one in self.sets]
        if self.codec == H264:
            profile = self.sets[0][1:4].hex()
            return (
                f"a=fmtp:96 packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={','.join(sets)}\r\n"
            )
        if self.codec == H265:
            return f"a=fmtp:96 sprop-vps={sets[0]};sprop-sps={sets[1]};sprop-pps={sets[2]}\r\n"
        return ""


@cache
def video_of(look: Look, stream: int, codec: str = H264) -> Video:
    """One round of the scene, encoded when first asked for (a quarter of a second of CPU). Raises NoEncoder."""
    width, height = SIZES[stream]
    pictures = [noisy(draw(0, look, width, height, number / FRAME_RATE), look, number) for number in range(FRAME_RATE)]
    if codec == JPEG:
        coded = [cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, 60))[1].tobytes() for picture in pictures]
        return Video(codec, width, height, (), tuple(tuple(jpeg_payloads(one, width, height)) for one in coded))
    accesses = [_units(access) for access in _encode(pictures, codec)]
    cut = h264_payloads if codec == H264 else h265_payloads
    sets = tuple(unit for unit in accesses[0] if _is_set(unit, codec))
    return Video(codec, width, height, sets, tuple(tuple(cut(units)) for units in accesses))


def _encode(pictures: list[Picture], codec: str) -> Iterator[bytes]:
    """One group of pictures, each as bytes with start codes (annex B)."""
    name, options = _ENCODERS[codec]
    try:
        encoder = av.CodecContext.create(name, "w")
    except (av.codec.codec.UnknownCodecError, av.error.FFmpegError) as error:
        raise NoEncoder(f"this build of PyAV has no {name} ({error}); install the wheel from PyPI") from error
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.height, encoder.width = pictures[0].shape[:2]
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = Fraction(1, FRAME_RATE)
    encoder.framerate = Fraction(FRAME_RATE)
    encoder.gop_size = FRAME_RATE
    encoder.thread_count = 1
    encoder.options = options | ({"x265-params": _H265_PARAMETERS} if codec == H265 else {})
    for number, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24")
        frame.pts = number
        yield from (bytes(packet) for packet in encoder.encode(frame))
    yield from (bytes(packet) for packet in encoder.encode(None))


def _units(access: bytes) -> list[bytes]:
    """The network abstraction layer units between start codes."""
    parts = access.replace(b"\x00\x00\x00\x01", b"\x00\x00\x01").split(b"\x00\x00\x01")
    return [part for part in parts if part]


def _is_set(unit: bytes, codec: str) -> bool:
    """Whether this is a parameter set: types 7 and 8 of H.264, 32 to 34 of H.265, which encoders send in order."""
    return unit[0] & 31 in (7, 8) if codec == H264 else 32 <= unit[0] >> 1 & 63 <= 34

"""This file decodes one key frame of a video stream in the decoding process, at the scale that a JPEG would have."""

from __future__ import annotations

from typing import cast

import av
import numpy as np

from probes.picture.measures import Picture
from probes.wire.jpeg import PIXEL_LIMIT

_DECODERS = {"H264": "h264", "H265": "hevc"}
_OPTIONS = {
    # A key frame with an error in it is told as such: what the decoder makes up to hide it would be judged as seen.
    "err_detect": "explode",
    "max_pixels": str(PIXEL_LIMIT),
    # Nor is what a lost slice should have shown: it stays as nothing was written there, and is seen as that.
    "ec": "0",
}
_START = b"\x00\x00\x01"
_SLICES = range(32)
"""Types of units of H.265 that hold picture data (ITU-T H.265, table 7-1)."""
_BEHIND = (b"\x55" * 64, b"\xaa" * 64)
"""What is put behind slices of H.265: one and then the other."""


def decode(codec: str, data: bytes, width: int) -> Picture:
    """The picture, made 1, 2, 4 or 8 times smaller, as far as it is not narrower than ``width`` then.

    ``data`` are the parameter sets and the slices of one key frame with start codes (H.264, H.265 annex B). Raises
    ValueError that says what is wrong with it.
    """
    if codec not in _DECODERS:
        raise ValueError(f"pictures of {codec} are not decoded here")
    if codec != "H265":
        return _decoded(codec, data, width)
    # FFmpeg takes a slice of H.265 that is cut off for a whole one, and goes on with whatever lies behind it in memory.
    # A whole one shows the same whatever that is: its last bit says that it ends (7.3.8.1).
    shown, again = (_decoded(codec, _followed(data, behind), width) for behind in _BEHIND)
    if not np.array_equal(shown, again):
        raise ValueError("a key frame whose picture data is cut off")
    return shown


def _followed(data: bytes, behind: bytes) -> bytes:
    """The same with ``behind`` after the data of each slice."""
    first, *units = data.split(_START)
    # A zero at the end belongs to the next start code; no unit ends with one.
    slices = (unit.rstrip(b"\x00") + behind if unit and unit[0] >> 1 & 63 in _SLICES else unit for unit in units)
    return _START.join((first, *slices))


def _decoded(codec: str, data: bytes, width: int) -> Picture:
    av.logging.set_level(None)  # its grumbling would fill a pipe that nobody reads
    decoder = cast("av.VideoCodecContext", av.CodecContext.create(_DECODERS[codec], "r"))
    decoder.thread_count = 1
    decoder.options = dict(_OPTIONS)
    try:
        frames = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
    except av.error.FFmpegError as error:
        raise ValueError(f"the decoder gave up on it: {error.strerror}") from error
    if not frames:
        raise ValueError("a key frame whose picture data is damaged")
    frame = frames[0]
    scale = next((scale for scale in (8, 4, 2) if frame.width >= scale * width), 1)
    size = {"width": max(1, frame.width // scale), "height": max(1, frame.height // scale)}
    shown = frame.reformat(format="bgr24", interpolation="AREA", **size)
    return np.asarray(shown.to_ndarray(), dtype=np.uint8)

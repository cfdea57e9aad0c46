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


def decode(codec: str, data: bytes, width: int) -> Picture:
    """The picture, made 1, 2, 4 or 8 times smaller, as far as it is not narrower than ``width`` then.

    ``data`` are the parameter sets and the slices of one key frame with start codes (H.264, H.265 annex B). Raises
    ValueError that says what is wrong with it.
    """
    if codec not in _DECODERS:
        raise ValueError(f"pictures of {codec} are not decoded here")
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

"""Faults of the wire: JPEG and H.264 bytes damaged on their way, test cards of encoders without a signal."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import cv2
import numpy as np

from tests.picture.camera import Light

Random = np.random.Generator


def damaged_jpeg(jpeg: bytes, severity: float, random: Random) -> bytes:
    """Bytes of the picture data are overwritten; markers stay whole."""
    scan = jpeg.index(b"\xff\xda") + 14
    broken = bytearray(jpeg)
    early = scan + int((len(jpeg) - scan) * random.uniform(0.05, 0.6 - 0.4 * severity))
    for _ in range(2 + round(12 * severity)):
        at = int(random.integers(early, len(jpeg) - 16))
        for place in range(at, at + 1 + round(4 * severity)):
            if 0xFF not in (broken[place], broken[place - 1], broken[place + 1]):
                broken[place] = int(random.integers(1, 255))
    return bytes(broken)


def grey_rest(levels: Light, severity: float, random: Random) -> Light:
    """What a decoder shows of half a picture: the lower part is plain grey, from a row of macroblocks on."""
    height, width = levels.shape[:2]
    row = round(height * (0.75 - 0.5 * severity)) // 16 * 16
    column = int(random.integers(0, width)) // 16 * 16
    torn = levels.copy()
    torn[row + 16 :] = 128
    torn[row : row + 16, column:] = 128
    return torn


def smeared_h264(levels: Light, severity: float, random: Random) -> Light:
    """A key frame with damaged slices, as FFmpeg conceals it: smears and macroblocks. 8 to 60 % of its bytes go."""
    height, width = (levels.shape[0] // 2 * 2, levels.shape[1] // 2 * 2)
    picture = np.clip(levels[:height, :width], 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="h264") as out:
        stream = out.add_stream("libx264", rate=Fraction(5))
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"preset": "ultrafast", "crf": "24", "x264-params": "slices=4:keyint=10"}
        for n in range(3):
            moved = np.roll(picture, 2 * n, axis=1)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(moved, format="bgr24")))
        out.mux(stream.encode(None))
    broken = bytearray(buffer.getvalue())
    for _ in range(6 + round(40 * severity)):
        at = int(random.integers(len(broken) // 20 + 64, len(broken) - 8))
        for place in range(at, at + 4):
            broken[place] = int(random.integers(1, 255))
    shown: Light | None = None
    with av.open(io.BytesIO(bytes(broken)), format="h264") as source:
        source.streams.video[0].codec_context.options = {"flags": "+output_corrupt"}
        try:
            for frame in source.decode(video=0):
                shown = frame.to_ndarray(format="bgr24").astype(np.float32)
                if random.random() < 0.5:
                    break
        except av.error.FFmpegError:
            pass
    if shown is None or shown.shape[0] != height:
        return grey_rest(levels, severity, random)
    whole = levels.copy()
    whole[:height, :width] = shown
    return whole


def no_signal(shape: tuple[int, ...], kind: str, random: Random) -> Light:
    """What an encoder without a video signal sends."""
    height, width = shape[:2]
    card = np.zeros((height, width, 3), np.float32)
    if kind == "blue":
        card[:] = (200, 30, 20)
    elif kind == "grey":
        card[:] = 128
    elif kind == "text":
        card[:] = random.uniform(0, 90, 3)
        ink, at = np.zeros((height, width), np.uint8), (width // 4, height // 2)
        cv2.putText(ink, "NO SIGNAL", at, cv2.FONT_HERSHEY_SIMPLEX, height / 250, 240, 2, cv2.LINE_AA)
        card = np.maximum(card, ink[:, :, None].astype(np.float32))
    elif kind == "bars":
        colours = ((235, 235, 235), (16, 235, 235), (235, 235, 16), (16, 235, 16), (235, 16, 235), (16, 16, 235))
        for n, colour in enumerate((*colours, (235, 16, 16), (16, 16, 16))):
            card[:, n * width // 8 : (n + 1) * width // 8] = colour
    elif kind == "black":
        card[:] = 2
    return card


SIGNALS = ("blue", "grey", "text", "bars", "black")

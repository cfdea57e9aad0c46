"""This file is the process that decodes pictures: it may be crashed, starved or killed, and costs one picture then.

It reads requests from standard input and answers each on standard output, in order; the frames are described in
``probes.picture.frames``. The decoder sees only what is a JPEG by its header and within the limits below. Run it as
``python -m probes.picture.child WIDTH``, with the environment that ``probes.picture.desk`` gives it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import resource
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np

from probes.picture import frames, masking, measures
from probes.picture.burnt_in import Osd
from probes.picture.examination import Decoded, Examiner
from probes.wire import jpeg as jpeg_header

EXTRA_MEMORY = 512 * 2**20
"""Address space that one picture may take beyond what the libraries hold, in bytes."""
VIDEO_MEMORY = 160 * 2**20
"""Address space of the libraries that decode video, in bytes."""
CPU_SECONDS = 2
"""Processor time for one picture. 1080p takes 0.01 s, 40 megapixels 0.3 s."""

PIPE_BYTES = 2**20
"""What the kernel may hold of a picture on its way; the most that an ordinary user gets."""

_SCALES = (
    (8, cv2.IMREAD_REDUCED_COLOR_8),
    (4, cv2.IMREAD_REDUCED_COLOR_4),
    (2, cv2.IMREAD_REDUCED_COLOR_2),
    (1, cv2.IMREAD_COLOR),
)
_STANDARD_ERROR = 2
_LEFT_OVER = re.compile(r"(\d+) extraneous bytes before marker 0xd9")
_PADDING = 32
"""Bytes that cameras leave before the end mark of a whole picture, to fill up a word or a line of their memory."""


def main() -> int:
    width = int(sys.argv[1])
    os.nice(10)
    cv2.setNumThreads(1)
    _limit()
    source, answers = sys.stdin.buffer, sys.stdout.buffer
    for pipe in (source, answers):
        # A whole picture fits in: the service wakes once for it, not for every 64 kB.
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    examiner = Examiner(Decoder())
    _tell(answers, frames.READY)
    while (request := frames.read_request(source)) is not None:
        order, pictures = request
        _limit_processor(len(pictures))
        try:
            if order["do"] == frames.EXAMINE:
                told = _examine(examiner, order, pictures)
            elif order["do"] == frames.RENEW:
                told = _renew(pictures[0], order["side"])
            elif order["do"] == frames.MASK:
                told = _mask(pictures[0], order["masks"])
            else:
                told = _answer(pictures[0], order["codec"], width, order["masks"])
            _tell(answers, told)
        except MemoryError:
            _tell(answers, frames.refusal("it needs more memory than a picture may take"))
    return 0


def _answer(coded: bytes, codec: str, width: int, masks: Sequence[masking.Outline]) -> bytes:
    try:
        picture = decode(coded, width) if codec == "JPEG" else _decode_video(codec, coded, width)
    except ValueError as error:
        return frames.refusal(str(error))
    measured = masking.fill(picture, masks)[0] if masks else picture
    return frames.answer(measures.measure(measured), measures.thumbnail(masking.paint(picture, masks), width))


def _mask(coded: bytes, masks: Sequence[masking.Outline]) -> bytes:
    try:
        picture = decode(coded, jpeg_header.read(coded).width)
        return frames.answer({}, measures.thumbnail(masking.paint(picture, masks), picture.shape[1]))
    except ValueError as error:
        return frames.refusal(str(error))


def _key_frame(codec: str, coded: bytes, width: int) -> Decoded:
    picture = _decode_video(codec, coded, width)
    return Decoded(picture, picture.shape[1], 1)


def _decode_video(codec: str, coded: bytes, width: int) -> measures.Picture:
    """A key frame's picture; raises ValueError. The decoder's libraries are loaded when first needed, with memory of
    their own, as most installations never do."""
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    decoded: measures.Picture = import_module("probes.picture.video").decode(codec, coded, width)
    return decoded


def _examine(examiner: Examiner, order: Mapping[str, Any], pictures: Sequence[bytes]) -> bytes:
    began = time.process_time()
    count = order["frames"]
    times = [None if at is None else datetime.fromisoformat(at) for at in order["times"]]
    osd = order.get("osd")
    known = None if osd is None else Osd(tuple(osd["box"]), osd["format"])
    masks = order["masks"]
    hidden = tuple(tuple((x, y) for x, y in outline) for outline in (*masks, *order["blind"]))
    examiner.prepare(pictures[count:], known, hidden)
    prepared = time.process_time()
    found = examiner.examine(
        pictures[:count],
        pictures[count:],
        times[:count],
        times[count:],
        known,
        None if order["codec"] == "JPEG" else partial(_key_frame, order["codec"]),
        hidden,
    )
    spent = {"reference_seconds": prepared - began, "cpu_seconds": time.process_time() - prepared}
    width, newest = order["thumbnail"], examiner.newest
    if not width or newest is None:
        return frames.answer(found | spent, b"")
    plain = {"picture": measures.measure(newest)}
    return frames.answer(found | spent | plain, measures.thumbnail(masking.paint(newest, masks), width))


def _renew(coded: bytes, side: int) -> bytes:
    """Its pixels alone, turned as its EXIF says: what else was in the file (places, times, names) is gone."""
    try:
        head = jpeg_header.read(coded)
        picture = _reduced(coded, round(side * head.width / max(head.width, head.height)), upright=True)[0]
        height, width = picture.shape[:2]
        shown = measures.thumbnail(picture, min(width, max(1, round(side * width / max(width, height)))))
    except ValueError as error:
        return frames.refusal(str(error))
    kept = jpeg_header.read(shown)
    return frames.answer({"width": kept.width, "height": kept.height}, shown)


def decode(jpeg: bytes, width: int) -> measures.Picture:
    """The picture at the smallest of the scales 1, 1/2, 1/4 and 1/8 that is not narrower than ``width``.

    Raises ValueError that says what is wrong with it.
    """
    return _reduced(jpeg, width)[0]


def _reduced(jpeg: bytes, width: int, *, upright: bool = False) -> tuple[measures.Picture, int, int]:
    """The picture, how many times it was made smaller, and the width that its header names. ``upright``: turned as its
    EXIF says; cameras are mounted, so what theirs says is passed over."""
    head = jpeg_header.read(jpeg)
    if not head.complete:
        raise ValueError(f"a JPEG that is cut off after {len(jpeg)} bytes")
    factor, way = next((scale for scale in _SCALES if head.width >= scale[0] * width), _SCALES[-1])
    try:
        turning = 0 if upright else cv2.IMREAD_IGNORE_ORIENTATION
        decoded = cv2.imdecode(np.frombuffer(jpeg, dtype=np.uint8), way | turning)
    except cv2.error as error:
        raise ValueError(f"the decoder gave up on it: {error.err}") from error
    if decoded is None:
        raise ValueError("a JPEG whose picture data is damaged or cut off")
    return np.asarray(decoded, dtype=np.uint8), factor, head.width


class Decoder:
    """Decodes, and hears what the JPEG library grumbles on standard error while it shows what it can."""

    def __init__(self) -> None:
        # A pipe, for this process may write no file; and one that blocks nobody when it is full.
        self._heard, said = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        os.dup2(said, _STANDARD_ERROR)
        os.close(said)

    def __call__(self, jpeg: bytes, width: int, /) -> Decoded:
        self._hear()
        picture, scale, given = _reduced(jpeg, width)
        said = self._hear()
        left = _LEFT_OVER.search(said)
        whole = "Corrupt JPEG" not in said or (left is not None and int(left[1]) <= _PADDING)
        return Decoded(picture, given, scale, "" if whole else said.strip())

    def _hear(self) -> str:
        """What was said since it was asked last."""
        try:
            return os.read(self._heard, PIPE_BYTES).decode("ascii", "replace")
        except BlockingIOError:
            return ""


def _limit() -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + EXTRA_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit + VIDEO_MEMORY))
    for nothing in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        resource.setrlimit(nothing, (0, 0))


def _limit_processor(pictures: int) -> None:
    """Let the kernel end this process (SIGPROF) if the next pictures take too long."""
    # A timer counts from now. RLIMIT_CPU counts from the start of the process, by another clock than getrusage(): by
    # samples at each tick, 5 % more in a process that works in short spells, which were killed for nothing in the end.
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS * pictures)


def _tell(answers: BinaryIO, frame: bytes) -> None:
    answers.write(frame)
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())

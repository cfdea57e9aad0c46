"""This file is the process that decodes pictures: it may be crashed, starved or killed, and costs one picture then.

It reads frames from standard input and answers each on standard output, in order; the frames are described in
``probes.picture.frames``. The decoder sees only what is a JPEG by its header and within the limits below. Run it as
``python -m probes.picture.child WIDTH``, with the environment that ``probes.picture.desk`` gives it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import sys
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np

from probes.picture import frames, measures
from probes.wire import jpeg as jpeg_header

EXTRA_MEMORY = 512 * 2**20
"""Address space that one picture may take beyond what the libraries hold, in bytes."""
CPU_SECONDS = 2
"""Processor time for one picture. 1080p takes 0.01 s, 40 megapixels 0.3 s."""

PIPE_BYTES = 2**20
"""What the kernel may hold of a picture on its way; the most that an ordinary user gets."""

_SCALES = ((8, cv2.IMREAD_REDUCED_COLOR_8), (4, cv2.IMREAD_REDUCED_COLOR_4), (2, cv2.IMREAD_REDUCED_COLOR_2))


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
    _tell(answers, frames.READY)
    while (jpeg := frames.read(source)) is not None:
        _limit_processor()
        try:
            _tell(answers, _answer(jpeg, width))
        except MemoryError:
            _tell(answers, frames.refusal("it needs more memory than a picture may take"))
    return 0


def _answer(jpeg: bytes, width: int) -> bytes:
    try:
        picture = decode(jpeg, width)
    except ValueError as error:
        return frames.refusal(str(error))
    return frames.answer(measures.measure(picture), measures.thumbnail(picture, width))


def decode(jpeg: bytes, width: int) -> measures.Picture:
    """The picture at the smallest of the scales 1, 1/2, 1/4 and 1/8 that is not narrower than ``width``.

    Raises ValueError that says what is wrong with it.
    """
    head = jpeg_header.read(jpeg)
    if not head.complete:
        raise ValueError(f"a JPEG that is cut off after {len(jpeg)} bytes")
    scale = next((flag for factor, flag in _SCALES if head.width >= factor * width), cv2.IMREAD_COLOR)
    try:
        decoded = cv2.imdecode(np.frombuffer(jpeg, dtype=np.uint8), scale | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise ValueError(f"the decoder gave up on it: {error.err}") from error
    if decoded is None:
        raise ValueError("a JPEG whose picture data is damaged or cut off")
    return np.asarray(decoded, dtype=np.uint8)


def _limit() -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + EXTRA_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for nothing in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        resource.setrlimit(nothing, (0, 0))


def _limit_processor() -> None:
    """Let the kernel end this process (SIGXCPU) if the next picture takes too long."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + CPU_SECONDS, hard))


def _tell(answers: BinaryIO, frame: bytes) -> None:
    answers.write(frame)
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())

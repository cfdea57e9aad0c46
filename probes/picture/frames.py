"""This file is the language between the desk and its decoding processes: frames with their length in front.

A request is one frame with the picture's bytes. An answer is two frames: a JSON object (``facts`` or ``refused``) and
the evidence thumbnail, empty after a refusal. A process that is ready to work says so with one answer before its first
request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import BinaryIO

MAX_BYTES = 8 * 2**20
"""Largest picture that is looked at."""
LENGTH = 4
"""Bytes of a frame's length, big-endian."""


def frame(body: bytes) -> bytes:
    return len(body).to_bytes(LENGTH, "big") + body


def read(source: BinaryIO) -> bytes | None:
    """The body of the next frame, or None at the end of the stream."""
    length = source.read(LENGTH)
    if len(length) < LENGTH:
        return None
    expected = int.from_bytes(length, "big")
    body = source.read(expected)
    return body if len(body) == expected else None


def answer(facts: Mapping[str, float], thumbnail: bytes) -> bytes:
    return frame(json.dumps({"facts": facts}).encode()) + frame(thumbnail)


def refusal(reason: str) -> bytes:
    return frame(json.dumps({"refused": reason}).encode()) + frame(b"")


READY = answer({}, b"")

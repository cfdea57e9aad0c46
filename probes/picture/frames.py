"""This file is the language between the desk and its decoding processes: frames with their length in front.

A request is a JSON object, the order, and a frame for each of the ``pictures`` that it counts. An answer is two frames:
a JSON object (``facts`` or ``refused``) and the evidence thumbnail or the photograph, empty after a refusal and for an
examination. A
process that is ready to work says so with one answer before its first request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

MAX_BYTES = 8 * 2**20
"""Largest picture that is looked at."""
MAX_PICTURES = 32
"""Pictures of one order."""
MEASURE = "measure"
"""Order: measure the one picture and make its thumbnail; ``codec``: "JPEG", or that of a key frame; ``masks``: outlines
of what is painted over."""
EXAMINE = "examine"
"""Order: examine frames and references of one view; its other keys are those of ``probes.picture.examination``."""
MASK = "mask"
"""Order: write the one picture anew with ``masks`` painted over."""
RENEW = "renew"
"""Order: write the one photograph anew, upright, without all that is not picture; ``side``: its longest, in pixels."""
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


def request(order: Mapping[str, object], pictures: Sequence[bytes]) -> bytes:
    head = json.dumps({**order, "pictures": len(pictures)}).encode()
    return b"".join((frame(head), *(frame(picture) for picture in pictures)))


def read_request(source: BinaryIO) -> tuple[dict[str, Any], list[bytes]] | None:
    """The next order and its pictures, or None at the end of the stream."""
    head = read(source)
    if head is None:
        return None
    order = json.loads(head)
    pictures = [read(source) for _ in range(order["pictures"])]
    return None if None in pictures else (order, [picture for picture in pictures if picture is not None])


def answer(facts: Mapping[str, object], thumbnail: bytes) -> bytes:
    return frame(json.dumps({"facts": facts}).encode()) + frame(thumbnail)


def refusal(reason: str) -> bytes:
    return frame(json.dumps({"refused": reason}).encode()) + frame(b"")


READY = answer({}, b"")

"""This file reads the texts of an answer that is like an earlier one, of whatever device, in all but some texts.

Devices say the same every minute, but for the numbers of their time, and one model says what the next of its kind says,
but for its serial. So of an answer that was read in full once (document types refused, libxml2 let loose on it) the
*shape* is remembered, which is all its bytes but the plain texts between tags, and where in it each wanted text stands.
An answer of the same shape differs in nothing that XML could mind, and its texts are taken from where they stand.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from probes.wire.soap import Operation, SoapError, read_answer

Texts = tuple[str, ...]
Read = Callable[[Any], Texts]
"""Takes texts out of the element of an answer, each whole as it stands there; which ones must not depend on what they
say."""

SIZE_LIMIT = 8192
"""Bytes of an answer whose shape is remembered."""
SHAPES = 512
"""Shapes that are remembered, for all devices together."""

# Between tags, and nothing that could be part of one or of a reference.
_PLAIN = re.compile(rb">([ -%'-;=?-~]+)<")
_PLACE = b">0<"  # a plain text itself, so no answer has it but where there is one
_FIRST_MARKS = (1000, 5000)
_MARKS = 4000


def texts_in(status: int, body: bytes, operation: Operation, read: Read) -> Texts:
    """What ``read`` takes out of ``soap.read_answer``. Raises SoapError."""
    # In plain ASCII, for in other encodings a text may move what follows it.
    if status < 300 and len(body) <= SIZE_LIMIT and body.isascii() and b"\x00" not in body:
        parts = _PLAIN.split(body)
        places = _places(_PLACE.join(parts[::2]), operation, read)
        if places is not None:
            return tuple([parts[at].decode("ascii") if isinstance(at, int) else at for at in places])
    return read(read_answer(status, body, operation))


@lru_cache(SHAPES)
def _places(shape: bytes, operation: Operation, read: Read) -> tuple[int | str, ...] | None:
    """Of each text, where it is among the parts of an answer, or the text itself if it is part of the shape. None for
    what is to be read in full each time: refusals, and what is not told by its texts alone.

    The shape is read with two sets of marks in place of its texts: what is one mark in both is that text, what is the
    same in both is none.
    """
    pieces = shape.split(_PLACE)
    if len(pieces) > _MARKS:
        return None
    found: list[Texts] = []
    for first in _FIRST_MARKS:
        marked = b"".join(b"%b>%d<" % (piece, first + number) for number, piece in enumerate(pieces[:-1]))
        try:
            found.append(read(read_answer(200, marked + pieces[-1], operation)))
        except SoapError:
            return None
    places: list[int | str] = []
    for one, other in zip(*found, strict=True):
        number = int(one) - _FIRST_MARKS[0] if one.isascii() and one.isdigit() and len(one) == 4 else -1
        if 0 <= number < len(pieces) and other == str(_FIRST_MARKS[1] + number):
            places.append(2 * number + 1)
        elif one == other:
            places.append(one)
        else:
            return None
    return tuple(places)

"""This file reads the head of an answer, which HTTP/1.1 (RFC 9112) and RTSP/1.0 (RFC 2326) share.

Cameras fold lines, leave out the reason, end lines with LF alone, put blank lines first: all of that is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from probes.wire import TooLarge, WireError
from probes.wire.text import clean

HEAD_LIMIT = 64 * 1024
"""Bytes of one head; devices send a few hundred."""

_STATUS = re.compile(r"(HTTP|RTSP)\s*/\s*(\d+(?:\.\d+)?)\s+(\d{3})(?:\s+(.*))?$", re.IGNORECASE)
_HEADER = re.compile(r"^([^:\n]*):(.*)$", re.MULTILINE)
_FOLD = re.compile(r"\n[ \t]+")
_BLANK = b"\r\n \t\x00\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Head:
    """Status line and headers, in the order received, repeated ones kept.

    Names are lower-case; values hold one character a byte (Latin-1), so that what must be sent back or hashed keeps its
    bytes: clean them before they are shown.
    """

    protocol: str
    version: str
    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]

    def get(self, name: str, default: str = "") -> str:
        """The first header of this (lower-case) name."""
        for known, value in self.headers:
            if known == name:
                return value
        return default

    def all(self, name: str) -> list[str]:
        """Every header of this (lower-case) name: devices send several WWW-Authenticate."""
        return [value for known, value in self.headers if known == name]


def head_end(buffer: bytes | bytearray, looked: int = 0) -> int:
    """Where the body begins, or -1 while the head is not complete. Raises TooLarge.

    ``looked`` is how much of the buffer an earlier call has seen: what drips in is not searched from its beginning.
    """
    begin = max(0, looked - 2)
    crlf = buffer.find(b"\n\r\n", begin)
    # Only before that: what follows may be a picture.
    lf = buffer.find(b"\n\n", begin, crlf if crlf >= 0 else len(buffer))
    if lf >= 0:
        end = lf + 2
    elif crlf >= 0:
        end = crlf + 3
    else:
        end = -1
    if max(end, len(buffer) if end < 0 else 0) > HEAD_LIMIT:
        raise TooLarge(f"the head of the answer is longer than {HEAD_LIMIT // 1024} kB")
    return end


def skip_blank(buffer: bytearray) -> int:
    """Drop blank lines, NULs and byte-order marks that some devices put before an answer; returns how many bytes."""
    if not buffer or buffer[0] not in _BLANK:
        return 0
    blank = len(buffer) - len(buffer.lstrip(_BLANK))
    del buffer[:blank]
    return blank


def read_head(block: bytes) -> Head:
    """The head in ``block``, which ends with its blank line. Raises WireError if it begins with no status line."""
    text = block.decode("latin-1").replace("\r", "")
    if "\n " in text or "\n\t" in text:
        text = _FOLD.sub(" ", text)
    first, _, rest = text.partition("\n")
    found = _STATUS.match(first.strip())
    if found is None:
        raise WireError(f"no status line; the answer begins with {clean(first, 60)!r}")
    headers = [(name.strip().lower(), value.strip()) for name, value in _HEADER.findall(rest)]
    protocol, version, status, reason = found.groups()
    return Head(protocol.upper(), version, int(status), clean(reason or "", 120), tuple(headers))

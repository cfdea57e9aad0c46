"""This file writes HTTP/1.1 requests and reads their answers (RFC 9112), byte-capped before anything is parsed."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from probes.wire import TooLarge, WireError
from probes.wire.allowed import check_http
from probes.wire.head import HEAD_LIMIT, Head, head_end, read_head, skip_blank
from probes.wire.text import excerpt

Headers = Collection[tuple[str, str]]

_INTERIM_LIMIT = 8
_EXTRA_LINES = 100
_CHUNK_LIMIT = 20_000
"""Chunks of one answer: an honest device sends a picture of 8 MB in 8,000."""
_CHUNK_SIZE = re.compile(rb"\s*([0-9a-fA-F]{1,8})\s*(?:;.*)?$")
_PLAIN = re.compile(r"[A-Za-z0-9/_.~?&=:%-]*")
_HEADER_BREAK = re.compile(r"[\r\n\x00]")


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. ``complete`` is false when the device closed before the length it had promised; ``reusable`` says
    whether another request may follow on the same connection."""

    head: Head
    body: bytes
    complete: bool = True
    reusable: bool = False

    @property
    def status(self) -> int:
        return self.head.status


def request_target(path: str) -> str:
    """``path`` (with its query) as it may stand in a request line: never empty, no spaces, no fragment, ASCII."""
    path = path.partition("#")[0]
    if not path.startswith("/"):
        path = "/" + path
    if _PLAIN.fullmatch(path):
        return path
    return quote(path, safe="%/:=&?~+!$,;'@()*[]{}|^")


def host_header(host: str, port: int, default_port: int) -> str:
    """The Host header (RFC 9110 section 7.2): IPv6 literals in brackets, the default port left out."""
    name = f"[{host}]" if ":" in host else host
    return name if port == default_port else f"{name}:{port}"


def read_date(value: str) -> datetime | None:
    """A Date header (RFC 9110 section 6.6.1) as aware UTC; None for what is none."""
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def write_request(method: str, target: str, host: str, headers: Headers = (), body: bytes = b"") -> bytes:
    """A request with ``target`` as made by ``request_target``. Raises WireError for a line break in a header, and for
    what is not on the allow-list."""
    check_http(method, headers)
    head = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: camera-registry\r\nAccept-Encoding: identity\r\n"
    for name, value in headers:
        if not value.isprintable() and _HEADER_BREAK.search(value):
            raise WireError(f"header {name} must not hold a line break")
        head += f"{name}: {value}\r\n"
    if body or method == "POST":
        head += f"Content-Length: {len(body)}\r\n"
    return f"{head}\r\n".encode("latin-1") + body


class AnswerReader:
    """Reads one answer: ``feed`` it what arrives until it returns true, ``end`` it when the device closes."""

    def __init__(self, body_limit: int) -> None:
        self.body_limit = body_limit
        self.answer: Answer | None = None
        self._buffer = bytearray()
        self._looked = self._blank = 0
        self._head: Head | None = None
        self._length: int | None = None
        self._keeps = False
        self._chunked = False
        self._body = bytearray()
        self._chunk_left = 0
        self._chunks = 0
        self._last_chunk = False
        self._interim = 0
        self._extra = 0

    @property
    def begun(self) -> bool:
        """Whether the device has answered anything at all."""
        return self._head is not None or bool(self._buffer)

    def feed(self, data: bytes) -> bool:
        """Take in bytes; true when ``answer`` is complete. Raises WireError, TooLarge."""
        if self._head is not None and not self._chunked:
            self._body += data
        elif self._head is None and not self._buffer and data.startswith(b"HTTP/") and (end := head_end(data)) >= 0:
            # As nearly all answers come: the whole head at once, most often with all of the body.
            if self._accept(read_head(data[:end])) and self._length is not None and len(data) - end == self._length:
                self._finish(data[end:], complete=True, reusable=True)
                return True
            self._buffer += data[end:]
        else:
            self._buffer += data
        while self._head is None:
            if not self._read_head():
                return False
        if self.answer is None:
            self._read_body()
        return self.answer is not None

    def end(self) -> Answer:
        """The device closed: what came so far is all there is. Raises WireError if that is not even a head."""
        if self.answer is None:
            if self._head is None:
                said = f" after {excerpt(bytes(self._buffer))!r}" if self._buffer else " without an answer"
                raise WireError(f"the device closed the connection{said}")
            self._finish(bytes(self._body), complete=self._length is None and not self._chunked, reusable=False)
        assert self.answer is not None
        return self.answer

    def _read_head(self) -> bool:
        self._blank += skip_blank(self._buffer)
        if self._blank > HEAD_LIMIT:
            raise TooLarge("the device sends nothing but blank lines")
        end = head_end(self._buffer, self._looked)
        self._looked = len(self._buffer) if end < 0 else 0
        if end < 0:
            if len(self._buffer) >= 5 and not self._buffer[:5].upper().startswith((b"HTTP", b"RTSP")):
                raise WireError(f"not an HTTP answer; it begins with {excerpt(bytes(self._buffer))!r}")
            return False
        head = read_head(bytes(self._buffer[:end]))
        del self._buffer[:end]
        self._accept(head)
        return True

    def _accept(self, head: Head) -> bool:
        """Take up what a head says of the body; false when another head follows."""
        if head.protocol != "HTTP":
            raise WireError(f"the device speaks {head.protocol} on this port, not HTTP")
        if 100 <= head.status < 200:
            self._interim += 1
            if self._interim > _INTERIM_LIMIT:
                raise WireError("the device sends interim answers without end")
            return False
        told = dict(reversed(head.headers))  # of several the first counts
        encoding = told.get("content-encoding", "").strip().lower()
        if encoding not in ("", "identity"):
            raise WireError(f"the answer is compressed ({encoding[:20]!r}) although only identity was accepted")
        self._head = head
        wish = told.get("connection", "").lower()
        self._keeps = "close" not in wish and (head.version != "1.0" or "keep-alive" in wish)
        self._chunked = "chunked" in told.get("transfer-encoding", "").lower()
        length = told.get("content-length", "").split(",")[0].strip()
        if not self._chunked and length.isascii() and length.isdigit():
            if len(length) > 15 or int(length) > self.body_limit:
                raise TooLarge(f"the device announces {length[:20]} bytes; at most {self.body_limit} are read")
            self._length = int(length)
        if head.status in (204, 304):
            self._length = 0
        return True

    def _read_body(self) -> None:
        if self._chunked:
            self._read_chunks()
            return
        if self._buffer:
            self._body += self._buffer
            self._buffer.clear()
        if self._length is None:
            self._check_size(len(self._body))
        elif len(self._body) >= self._length:
            surplus = len(self._body) > self._length
            self._finish(bytes(self._body[: self._length]), complete=True, reusable=not surplus)

    def _read_chunks(self) -> None:
        while self._buffer:
            if self._chunk_left:
                taken = self._buffer[: self._chunk_left]
                self._body += taken
                del self._buffer[: len(taken)]
                self._chunk_left -= len(taken)
                continue
            line_end = self._buffer.find(b"\n")
            if line_end < 0:
                if len(self._buffer) > 1024:
                    raise WireError("a chunk's size line has no end")
                return
            line = bytes(self._buffer[:line_end]).rstrip(b"\r")
            del self._buffer[: line_end + 1]
            if self._last_chunk:
                if not line:
                    self._finish(bytes(self._body), complete=True, reusable=not self._buffer)
                    return
                self._count_extra()  # a trailer
                continue
            if not line:
                self._count_extra()  # the line break behind a chunk
                continue
            found = _CHUNK_SIZE.match(line)
            if found is None:
                raise WireError(f"a chunk's size is {excerpt(line)!r}")
            self._chunk_left = int(found[1], 16)
            self._last_chunk = self._chunk_left == 0
            self._extra = 0
            self._chunks += 1
            if self._chunks > _CHUNK_LIMIT:
                raise TooLarge(f"the device sends its answer in more than {_CHUNK_LIMIT} chunks")
            self._check_size(len(self._body) + self._chunk_left)

    def _count_extra(self) -> None:
        self._extra += 1
        if self._extra > _EXTRA_LINES:
            raise WireError("the device sends lines between chunks without end")

    def _check_size(self, size: int) -> None:
        if size > self.body_limit:
            raise TooLarge(f"the device sends more than {self.body_limit} bytes")

    def _finish(self, body: bytes, *, complete: bool, reusable: bool) -> None:
        assert self._head is not None
        self.answer = Answer(self._head, body, complete, reusable and self._keeps)

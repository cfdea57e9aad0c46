"""This file writes RTSP/1.0 requests (RFC 2326) and reads what comes back: answers, and packets between them.

Between messages some devices send what is neither: the rest of a body that was announced too short, the middle of a
packet after an overflow. That is passed over, within bounds, once a first message has shown that RTSP is spoken at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from probes.wire import TooLarge, WireError
from probes.wire.allowed import check_rtsp
from probes.wire.head import Head, head_end, read_head, skip_blank
from probes.wire.text import excerpt

SDP_LIMIT = 64 * 1024
"""Bytes of a body that a device may send; real descriptions have one or two thousand."""

GARBAGE_LIMIT = 64 * 1024
"""Bytes between messages that are passed over on one connection."""

DEFAULT_TIMEOUT = 60.0
"""Seconds that a session lives in silence where the device does not say (RFC 2326 section 12.37)."""

PACKETS_LIMIT = 100_000
"""Packets that are read on one connection; a message, or a packet too short for a header of RTP or RTCP, counts as a
hundred, and so does a kilobyte of blanks: no honest device sends a thousand of them."""

_ODD_WEIGHT = 100
_SHORTEST_PACKET = 8
_PLAIN = re.compile(r"[A-Za-z0-9/_.~?&=:%-]*")
_HEADER_BREAK = re.compile(r"[\r\n\x00]")
_TIMEOUT = re.compile(r";\s*timeout\s*=\s*\"?(\d{1,6})", re.IGNORECASE)
_NUMBERS = re.compile(r"\d{1,5}")
_DOLLAR = 0x24
_BEGINNING = re.compile(rb"[A-Za-z_]+(?:[ /\t]|$)")
_REQUEST = re.compile(rb"[A-Z_]+[ \t]+\S+[ \t]+RTSP/\d")
# Where reading may go on: a status line, or a packet of RTP or RTCP, whose first two bits are its version, 2.
_RESUME = re.compile(
    rb"RTSP/\d\.\d[ \t]+\d{3}\s|\$[\x00-\x1f](?:\x00[\x08-\xff]|[\x01-\xff].)[\x80-\xbf]", re.IGNORECASE | re.DOTALL
)
_LONGEST_RESUME = 32
_CONTENT_LENGTH = re.compile(rb"\ncontent-length\s*:\s*(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a request of ours."""

    head: Head
    body: bytes

    @property
    def status(self) -> int:
        return self.head.status

    @property
    def sequence(self) -> int | None:
        """CSeq, or None if the device left it out."""
        value = self.head.get("cseq").strip()
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None


@dataclass(frozen=True, slots=True)
class Packet:
    """One interleaved packet (section 10.12)."""

    channel: int
    data: bytes

    def written(self) -> bytes:
        return b"$%c%b%b" % (self.channel, len(self.data).to_bytes(2), self.data)


def write_request(method: str, uri: str, sequence: int, headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """A request without a body. Raises WireError for a header that holds a line break, and for what is not on the
    allow-list."""
    check_rtsp(method)
    head = f"{method} {uri} RTSP/1.0\r\nCSeq: {sequence}\r\nUser-Agent: camera-registry\r\n"
    for name, value in headers:
        if not value.isprintable() and _HEADER_BREAK.search(value):
            raise WireError(f"header {name} must not hold a line break")
        head += f"{name}: {value}\r\n"
    return f"{head}\r\n".encode("latin-1")


def request_uri(uri: str) -> str:
    """``uri`` as it may stand in a request line: ASCII without spaces or line breaks."""
    if _PLAIN.fullmatch(uri):
        return uri
    return quote(uri, safe="%/:=&?~+!$,;'@()*[]{}|^#")


def session_id(answer: Answer) -> str:
    """The session that SETUP made, without its timeout; empty if the device named none."""
    return answer.head.get("session").partition(";")[0].strip()


def session_timeout(answer: Answer) -> float:
    """Seconds after which the device drops a session that it hears nothing of (section 12.37)."""
    found = _TIMEOUT.search(answer.head.get("session"))
    return max(1.0, float(found[1])) if found else DEFAULT_TIMEOUT


@dataclass(frozen=True, slots=True)
class Transport:
    """How a device says that it will send (section 12.39). ``channel``: the interleaved channel of RTP, None over UDP;
    ``ports``: those that its RTP and RTCP packets come from over UDP, empty if it does not tell."""

    channel: int | None
    ports: tuple[int, ...] = ()


def transport_of(told: str) -> Transport:
    """What the header Transport of an answer to SETUP agrees to; interleaved on channel 0 where it is empty."""
    text = told.lower()
    fields = dict(part.strip().partition("=")[::2] for part in text.split(";"))
    channels = _NUMBERS.findall(fields.get("interleaved", ""))
    if channels or "/tcp" in text or not text:
        return Transport(int(channels[0]) & 0xFF if channels else 0)
    ports = tuple(int(port) for port in _NUMBERS.findall(fields.get("server_port", ""))[:2])
    return Transport(None, tuple(port for port in ports if 0 < port < 65536))


class Reader:
    """Turns bytes into answers and packets, in order of arrival. ``feed`` raises WireError, TooLarge."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._understood = False
        self._lost = False
        self._passed_over = 0
        self._needed = self._looked = 0
        self._weight = 0

    @property
    def begun(self) -> bool:
        """Whether part of an answer waits for the rest of it."""
        return bool(self._buffer)

    @property
    def pending(self) -> str:
        """The beginning of what waits, for an error text."""
        return excerpt(bytes(self._buffer[:120]))

    def feed(self, data: bytes) -> list[Answer | Packet]:
        if not self._buffer and not self._lost and (alone := self._alone(data)) is not None:
            return [alone]
        self._buffer += data
        found: list[Answer | Packet] = []
        while len(self._buffer) >= self._needed and (item := self._next()) is not None:
            self._needed = self._looked = 0
            self._weigh(1 if isinstance(item, Packet) and len(item.data) >= _SHORTEST_PACKET else _ODD_WEIGHT)
            if item is not _PASSED_OVER:
                found.append(item)
        return found

    def _alone(self, data: bytes) -> Answer | None:
        """The answer that ``data`` is, if it is one, whole, and nothing else: as most come."""
        if not data.startswith(b"RTSP/") or (end := head_end(data)) < 0:
            return None
        block = data[:end]
        found = _CONTENT_LENGTH.search(block)
        if len(data) - end != (_body_length(found[1]) if found else 0):
            return None
        try:
            answer = Answer(read_head(block), data[end:])
        except WireError:
            return None  # whether that may be passed over is decided with what came before
        self._weigh(_ODD_WEIGHT)
        self._understood = True
        return answer

    def _weigh(self, weight: int) -> None:
        self._weight += weight
        if self._weight > PACKETS_LIMIT:
            raise WireError("the device sends packets, messages or blank lines without end")

    def _next(self) -> Answer | Packet | None:
        self._weigh(skip_blank(self._buffer) * _ODD_WEIGHT // 1024)
        if not self._buffer:
            return None
        if self._lost:
            return self._resume(0)
        try:
            item = self._packet() if self._buffer[0] == _DOLLAR else self._message()
        except TooLarge:
            raise
        except WireError:
            if not self._understood:
                raise
            return self._resume(1)
        self._understood = self._understood or item is not None
        return item

    def _resume(self, begin: int) -> Answer | None:
        """Pass over what is neither an answer nor a packet, up to where one may begin; nothing is believed before."""
        place = _RESUME.search(self._buffer, begin)
        end = place.start() if place else max(begin, len(self._buffer) - _LONGEST_RESUME)
        self._lost = place is None
        self._passed_over += end
        if self._passed_over > GARBAGE_LIMIT:
            raise WireError(f"more than {GARBAGE_LIMIT // 1024} kB between its messages are no RTSP")
        del self._buffer[:end]
        return _PASSED_OVER if place else None

    def _packet(self) -> Packet | None:
        if len(self._buffer) < 4:
            return None
        end = 4 + int.from_bytes(self._buffer[2:4], "big")
        if len(self._buffer) < end:
            return None
        packet = Packet(self._buffer[1], bytes(self._buffer[4:end]))
        del self._buffer[:end]
        return packet

    def _message(self) -> Answer | None:
        """An answer, or a request of the device's own (OPTIONS, ANNOUNCE, SET_PARAMETER), which is passed over."""
        if _BEGINNING.match(self._buffer) is None:
            raise WireError(f"neither an answer nor a packet; it begins with {self.pending!r}")
        end = head_end(self._buffer, self._looked)
        if end < 0:
            self._looked = len(self._buffer)
            return None
        block = bytes(self._buffer[:end])
        request = _REQUEST.match(block)
        head = _REQUEST_HEAD if request else read_head(block)
        if head.protocol != "RTSP":
            raise WireError(f"the device speaks {head.protocol} on this port, not RTSP")
        found = _CONTENT_LENGTH.search(block)
        length = _body_length(found[1]) if found else 0
        if len(self._buffer) < end + length:
            self._needed = end + length  # the head is not read again for each piece of the body
            return None
        answer = Answer(head, bytes(self._buffer[end : end + length]))
        del self._buffer[: end + length]
        return _PASSED_OVER if request else answer


_REQUEST_HEAD = Head("RTSP", "1.0", 0, "", ())
_PASSED_OVER = Answer(_REQUEST_HEAD, b"")


def _body_length(digits: bytes) -> int:
    if len(digits) > 10 or int(digits) > SDP_LIMIT:
        raise TooLarge(
            f"the device announces {digits[:20].decode()} bytes of description; at most {SDP_LIMIT} are read"
        )
    return int(digits)

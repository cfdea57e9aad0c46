"""This file holds what a hostile stream server does, from the first answer to the last packet."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from camera_registry.model.observation import FailureKind
from tests.hostile.attack import Attack, Trap
from tests.hostile.http_attacks import BLOCK, ENDLESS, dripping, resetting, silent

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\na=control:*\r\n"
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n"
)
PLAYING = "Session: 4711;timeout=60\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n"

PROTOCOL, TIMEOUT, AUTH = FailureKind.PROTOCOL, FailureKind.TIMEOUT, FailureKind.AUTH
BUSY, NO_STREAM = FailureKind.BUSY, FailureKind.NO_STREAM
NO_MEDIA, UNDECODABLE = FailureKind.NO_MEDIA, FailureKind.UNDECODABLE

Answer = str | bytes | Callable[[str], str | bytes]


@dataclass(frozen=True)
class Script:
    """An RTSP server that says what it is told: ``say`` maps a method to what stands behind ``RTSP/1.0 `` (``{cseq}``
    in it becomes the request's, which follows the first line if it is left out); bytes are sent as they are. ``flood``
    comes without end behind the answer to ``after``, or in front of the one to ``before``."""

    say: Mapping[str, Answer] = field(default_factory=dict)
    sdp: str = SDP
    flood: bytes = b""
    after: str = "PLAY"
    before: str = ""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method = head.partition(" ")[0]
            if method == self.before:
                await self._flood(writer)
            writer.write(self.answer(head))
            await writer.drain()
            if method == self.after and self.flood:
                await self._flood(writer)

    def answer(self, head: str) -> bytes:
        """What is said to a request with this head."""
        method = head.partition(" ")[0]
        given = self.say.get(method, self._usual(method))
        given = given(head) if callable(given) else given
        if isinstance(given, bytes):
            return given
        sequence = re.search(r"CSeq: *(\d+)", head)
        cseq = f"CSeq: {sequence[1] if sequence else 0}"
        if "{cseq}" in given:
            return ("RTSP/1.0 " + given.replace("{cseq}", cseq)).encode()
        first, _, rest = given.partition("\r\n")
        return f"RTSP/1.0 {first}\r\n{cseq}\r\n{rest}".encode()

    def _usual(self, method: str) -> str:
        if method == "DESCRIBE":
            body = f"Content-Type: application/sdp\r\nContent-Length: {len(self.sdp.encode())}\r\n\r\n{self.sdp}"
            return f"200 OK\r\n{body}"
        return "200 OK\r\n" + (PLAYING if method == "SETUP" else "Public: DESCRIBE\r\n\r\n")

    async def _flood(self, writer: asyncio.StreamWriter) -> None:
        many = self.flood * max(1, BLOCK // len(self.flood))
        for _ in range(ENDLESS // len(many)):
            writer.write(many)
            await writer.drain()


def described(sdp: str, *headers: str) -> str:
    """An answer to DESCRIBE."""
    return "\r\n".join(("200 OK", *headers, f"Content-Length: {len(sdp.encode())}", "", sdp))


def packet(channel: int, data: bytes) -> bytes:
    return b"$" + bytes([channel]) + len(data).to_bytes(2, "big") + data


def rtp(sequence: int, payload: bytes, *, marker: bool = False) -> bytes:
    return bytes([0x80, 0x60 | marker << 7]) + sequence.to_bytes(2, "big") + bytes(4) + b"abcd" + payload


def attacks(trap: Trap) -> list[Attack]:
    """All of them; each is played for as long as it lets us. The trap is where they send us."""
    played = {"path": "/main", "frames": True}
    return [
        Attack(name, "rtsp", handler, frozenset(kinds), waits, played)
        for name, handler, kinds, waits in (*_greetings(), *_elsewhere(trap), *_floods(), *_sessions())
    ]


Found = Iterator[tuple[str, Callable[..., object], set[FailureKind], bool]]


def _greetings() -> Found:
    yield "never answers", silent, {TIMEOUT}, True
    yield "drips a byte a second", dripping(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"), {TIMEOUT}, True
    yield "resets", resetting, {PROTOCOL}, False
    for greeting in (b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"\xff" * 2000, b"RTSP/1.0 ok\r\n\r\n"):
        yield f"begins with {greeting[:12]!r}", Script({"OPTIONS": greeting}), {PROTOCOL}, False
    yield "asks with a new nonce each time", Script({"DESCRIBE": _asking(itertools.count())}), {AUTH}, False
    yield (
        "announces 2 GB of description",
        Script({"DESCRIBE": "200 OK\r\nContent-Length: 2147483648\r\n\r\n"}),
        {PROTOCOL},
        False,
    )
    yield (
        "announces 10^30 bytes",
        Script({"DESCRIBE": f"200 OK\r\nContent-Length: 1{'0' * 30}\r\n\r\n"}),
        {PROTOCOL},
        False,
    )
    yield (
        "announces less than nothing",
        Script({"DESCRIBE": "200 OK\r\nContent-Length: -9\r\n\r\nv=0\r\n"}),
        {PROTOCOL},
        False,
    )


def _asking(numbers: Iterator[int]) -> Callable[[str], str]:
    def ask(_: str) -> str:
        nonce = f'nonce="n-{next(numbers)}", stale=true'
        return f'401 Unauthorized\r\nWWW-Authenticate: Digest realm="r", {nonce}\r\n\r\n'

    return ask


def _elsewhere(trap: Trap) -> Found:
    there = f"rtsp://{trap.place}/main"
    for method in ("DESCRIBE", "SETUP", "PLAY"):
        for status in (300, 301, 302, 303, 305, 307):
            moved = f"{status} Moved\r\nLocation: {there}\r\n\r\n"
            yield f"redirects {method} with {status}", Script({method: moved}), {PROTOCOL}, False
    base = described(SDP, f"Content-Base: {there}/")
    yield "a base elsewhere", Script({"DESCRIBE": base}), {NO_MEDIA, UNDECODABLE}, True
    yield "a location elsewhere", Script({"DESCRIBE": described(SDP, f"Content-Location: {there}")}), {NO_MEDIA}, True
    for control in (there, f"//{trap.place}/x", f"http://{trap.place}/"):
        sdp = SDP.replace("a=control:track1", f"a=control:{control}").replace("a=control:*", f"a=control:{control}")
        yield f"a track at {control.partition('/')[0]}", Script(sdp=sdp), {NO_MEDIA}, True
    yield "a connection elsewhere", Script(sdp=SDP.replace("t=0 0", f"c=IN IP4 {trap.host}\r\nt=0 0")), {NO_MEDIA}, True
    udp = f"RTP/AVP;unicast;source={trap.host};destination={trap.host};client_port={trap.port}-{trap.port + 1}"
    answer = f"200 OK\r\nSession: 1\r\nTransport: {udp};server_port={trap.port}-{trap.port + 1}\r\n\r\n"
    yield "media from elsewhere", Script({"SETUP": answer}), {NO_MEDIA, PROTOCOL}, True
    announced = f"REDIRECT * RTSP/1.0\r\nCSeq: 1\r\nLocation: {there}\r\n\r\n".encode()
    yield "asks us to go elsewhere", Script(flood=announced, before="DESCRIBE", after=""), {PROTOCOL, TIMEOUT}, True


def _floods() -> Found:
    either = {PROTOCOL, TIMEOUT}
    for name, block in {
        "blank lines": b"\r\n",
        "NULs": b"\x00",
        "interim answers": b"RTSP/1.0 100 Continue\r\nCSeq: 1\r\n\r\n",
        "answers to nothing": b"RTSP/1.0 200 OK\r\nCSeq: 99\r\n\r\n",
        "requests": b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n",
        "header lines": b"X: y\r\n",
        "empty packets": packet(0, b""),
        "packets": packet(0, rtp(1, b"x" * 1000)),
        "packets of nobody's channel": packet(200, b"x" * 100),
    }.items():
        yield f"{name} before the first answer", Script(flood=block, before="OPTIONS", after=""), either, False
        yield f"{name} before the description", Script(flood=block, before="DESCRIBE", after=""), either, False
    begin = b"RTSP/1.0 200 OK\r\nX: "
    yield "header without end", Script({"DESCRIBE": begin}, flood=b"x", after="DESCRIBE"), {PROTOCOL}, False
    yield "description in one line", Script(sdp="v=0\r\ns=" + "x" * 65_000), {PROTOCOL, NO_STREAM}, False
    yield "60,000 bytes of media lines", Script(sdp="v=0\r\n" + "m=video\r\n" * 6_000), {NO_MEDIA, NO_STREAM}, True
    many = "".join(f"a=x{n}:y\r\n" for n in range(5_000))
    yield "5,000 attributes", Script(sdp=SDP + many), {NO_MEDIA}, True
    sets = "a=fmtp:96 sprop-parameter-sets=" + "Z0LADNoFBn54QAAAAwBAAAAHg8UKqA==," * 1_500
    yield "1,500 parameter sets", Script(sdp=SDP + sets + "\r\n"), {NO_MEDIA}, True


def _sessions() -> Found:
    ends = {NO_MEDIA, UNDECODABLE, PROTOCOL, TIMEOUT}
    for name, block in {
        "empty packets": packet(0, b""),
        "reports": packet(1, bytes([0x80, 200, 0, 6]) + bytes(24)),
        "empty reports": packet(1, b""),
        "junk": packet(0, b"\x00" * 1400),
        "the same packet": packet(0, rtp(1, b"\x41" * 1000)),
        "a frame that never ends": packet(0, rtp(1, b"\x7c\x05" + b"x" * 1300)),
        "answers": b"RTSP/1.0 200 OK\r\nCSeq: 5\r\n\r\n",
        "requests": b"ANNOUNCE * RTSP/1.0\r\nCSeq: 1\r\n\r\n",
        "blank lines": b"\r\n",
        "no packets": b"\xff" * 100,
    }.items():
        yield f"plays {name} without end", Script(flood=block), ends, False
    fragments = b"".join(packet(0, rtp(number, b"\x7c\x05" + b"x" * 1300)) for number in range(8_192))
    yield "plays one frame in fragments without end", Script(flood=fragments), ends, False
    yield (
        "a session of 60 kB",
        Script({"SETUP": f"200 OK\r\nSession: {'s' * 60_000}\r\n\r\n"}),
        {
            NO_MEDIA,
            PROTOCOL,
        },
        True,
    )
    sessions = "".join(f"Session: {number}\r\n" for number in range(3_000))
    yield "3,000 sessions at once", Script({"SETUP": f"200 OK\r\n{sessions}\r\n"}), {NO_MEDIA}, True
    yield "a session that is no word", Script({"SETUP": "200 OK\r\nSession: \x01 \xff;\x02\r\n\r\n"}), ends, True
    yield "no session", Script({"SETUP": "200 OK\r\n\r\n"}), {NO_MEDIA, PROTOCOL}, True
    for method, status, kind in (
        ("SETUP", "453 Not Enough Bandwidth", BUSY),
        ("SETUP", "503 Service Unavailable", BUSY),
        ("PLAY", "454 Session Not Found", PROTOCOL),
        ("PLAY", "999 Odd", PROTOCOL),
    ):
        yield f"{method} {status[:3]}", Script({method: f"{status}\r\n\r\n"}), {kind}, False

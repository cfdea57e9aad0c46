"""This file is a table of malformed RTSP: what a stream server says, and what must be made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from camera_registry.model.observation import FailureKind
from tests.hostile.rtsp_attacks import SDP, Script, described, packet, rtp

PROTOCOL, AUTH, BUSY, NO_STREAM = (
    FailureKind.PROTOCOL,
    FailureKind.AUTH,
    FailureKind.BUSY,
    FailureKind.NO_STREAM,
)
# The parameter sets of a 640x360 stream as x264 writes them, and a key frame that holds nothing.
SPS = bytes.fromhex("6742c01ed900a02ff970110000030001000003003c0f162e48")
PPS = bytes.fromhex("68cb83cb20")


def key_frame(channel: int = 0) -> bytes:
    """Packets of one key frame."""
    nals = (SPS, PPS, b"\x65" + b"\x88" * 60)
    return b"".join(packet(channel, rtp(number + 1, nal, marker=nal[0] == 0x65)) for number, nal in enumerate(nals))


@dataclass(frozen=True)
class Case:
    """``facts`` are those that must be read; without any, ``kinds`` are the failures that tell the truth."""

    name: str
    script: Script
    facts: Mapping[str, object] = field(default_factory=dict)
    kinds: frozenset[FailureKind] = frozenset()


SEEN = {"codec": "H264", "width": 640, "height": 360, "key_frame": True}
PLAY = b"RTSP/1.0 200 OK\r\nCSeq: 4\r\n\r\n"
SETUP = "200 OK\r\nSession: 7\r\nTransport: RTP/AVP/TCP;unicast;interleaved={channels}\r\n\r\n"


def _plays(name: str, *, sdp: str = SDP, media: bytes = b"", **say: str | bytes) -> Case:
    """It must play, whatever is odd about it."""
    play = say.pop("PLAY", PLAY)
    assert isinstance(play, bytes)
    return Case(name, Script({**say, "PLAY": play + (media or key_frame())}, sdp), SEEN)


def _fails(name: str, *kinds: FailureKind, sdp: str = SDP, **say: str | bytes) -> Case:
    return Case(name, Script(say, sdp), kinds=frozenset(kinds))


def _control(control: str) -> str:
    return SDP.replace("a=control:track1", f"a=control:{control}")


CASES = (
    _plays("as it should be"),
    _plays("without numbers", OPTIONS=b"RTSP/1.0 200 OK\r\n\r\n"),
    _plays("with a number that is none", OPTIONS=b"RTSP/1.0 200 OK\r\nCSeq: one\r\n\r\n"),
    _plays("in small letters", OPTIONS=b"rtsp/1.0 200 ok\r\ncseq: 1\r\n\r\n"),
    _plays("in lines that end with LF", OPTIONS=b"RTSP/1.0 200 OK\nCSeq: 1\n\n"),
    _plays("without a reason", OPTIONS=b"RTSP/1.0 200\r\nCSeq: 1\r\n\r\n"),
    _plays("in version 2.0", OPTIONS=b"RTSP/2.0 200 OK\r\nCSeq: 1\r\n\r\n"),
    _plays("with folded headers", OPTIONS=b"RTSP/1.0 200 OK\r\nCSeq:\r\n 1\r\nPublic: A,\r\n\tB\r\n\r\n"),
    _plays("with headers that are none", OPTIONS=b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nnonsense\r\n: x\r\n\r\n"),
    _plays("with bytes of GBK", OPTIONS="200 OK\r\nServer: 海康\r\n\r\n"),
    _plays("with blank lines and NULs first", OPTIONS=b"\r\n\r\n\x00RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"),
    _plays("with a packet first", OPTIONS=packet(0, b"x" * 40) + b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"),
    _plays(
        "with a request of its own first",
        OPTIONS=b"OPTIONS * RTSP/1.0\r\nCSeq: 9\r\n\r\nRTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n",
    ),
    _plays("with media before the answer", PLAY=key_frame() + PLAY),
    _plays("whose greeting is refused", OPTIONS="405 Method Not Allowed\r\n\r\n"),
    _plays("whose greeting wants a password", OPTIONS="401 Unauthorized\r\n\r\n"),
    *(
        _plays(f"with the base {base!r}", DESCRIBE=described(SDP, f"Content-Base: {base}"))
        for base in (
            "",
            "/main/",
            "rtsp://127.0.0.1/main",
            "rtsp://10.0.0.1:99/x/?a=b",
            '"rtsp://h/"',
            "*",
            "rtsp://h/ x",
        )
    ),
    *(
        _plays(f"with the track {control!r}", sdp=_control(control))
        for control in ("*", "/track1", "?track=1", "rtsp://10.0.0.1/t", "track 1", "轨道", "../../x", "")
    ),
    _plays("with a description in GBK", DESCRIBE=described(SDP.replace("camera", "海康"))),
    _plays("with a description that ends in NULs", DESCRIBE=described(SDP + "\x00\x00")),
    _plays("with a description in old lines", DESCRIBE=described(SDP.replace("\r\n", "\r"))),
    _plays("with a session that is odd", SETUP='200 OK\r\nSession: "a b" ; timeout=x\r\n\r\n'),
    _plays("without a transport", SETUP="200 OK\r\nSession: 7\r\n\r\n"),
    _plays("on channels of its own", SETUP=SETUP.format(channels="2-3"), media=key_frame(2)),
    *(
        _fails(f"DESCRIBE {status}", PROTOCOL, DESCRIBE=f"{status} Odd\r\n\r\n")
        for status in (300, 400, 451, 500, 551, 999)
    ),
    _fails("no such stream", NO_STREAM, DESCRIBE="404 Not Found\r\n\r\n"),
    _fails("gone", NO_STREAM, DESCRIBE="410 Gone\r\n\r\n"),
    _fails("forbidden", AUTH, DESCRIBE="403 Forbidden\r\n\r\n"),
    _fails("a password without a question", AUTH, DESCRIBE="401 Unauthorized\r\n\r\n"),
    _fails("an unknown question", AUTH, DESCRIBE="401 No\r\nWWW-Authenticate: Bearer x\r\n\r\n"),
    _fails("a question that is none", AUTH, DESCRIBE='401 No\r\nWWW-Authenticate: Digest realm="\r\n\r\n'),
    _fails("busy", BUSY, DESCRIBE="503 Service Unavailable\r\n\r\n"),
    _fails("no bandwidth", BUSY, SETUP="453 Not Enough Bandwidth\r\n\r\n"),
    _fails("no description", PROTOCOL, DESCRIBE="200 OK\r\n\r\n"),
    _fails("a description that is binary", PROTOCOL, DESCRIBE="200 OK\r\nContent-Length: 4\r\n\r\n\x00\x01\x02\x03"),
    _fails("a description that is a page", PROTOCOL, NO_STREAM, DESCRIBE=described("<html></html>")),
    _fails("a description without media", NO_STREAM, DESCRIBE=described("v=0\r\ns=-\r\n")),
    _fails("a description of sound", NO_STREAM, DESCRIBE=described("v=0\r\nm=audio 0 RTP/AVP 0\r\n")),
    _fails(
        "more than is announced",
        PROTOCOL,
        DESCRIBE=b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 5\r\n\r\n" + b"\xff" * 90_000,
    ),
    _fails("a web server", PROTOCOL, OPTIONS=b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    _fails("a status of letters", PROTOCOL, OPTIONS=b"RTSP/1.0 abc OK\r\nCSeq: 1\r\n\r\n"),
    _fails("a status of two digits", PROTOCOL, OPTIONS=b"RTSP/1.0 20 OK\r\nCSeq: 1\r\n\r\n"),
    _fails("play refused", PROTOCOL, PLAY="455 Method Not Valid In This State\r\n\r\n"),
)

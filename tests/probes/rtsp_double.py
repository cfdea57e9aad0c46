"""A scripted RTSP server, and the packets that it plays."""

from __future__ import annotations

import asyncio
import hashlib
import re
import struct
from base64 import b64decode
from collections.abc import Callable, Sequence

from tests.probes.loopback import PASSWORD, USER

HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}

# The sequence parameter set of a 640x360 stream, as x264 writes it.
SPS = bytes.fromhex("6742c01ed900a02ff970110000030001000003003c0f162e48")
PPS = bytes.fromhex("68cb83cb20")
SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\na=control:*\r\n"
    "m=audio 0 RTP/AVP 0\r\na=control:track2\r\n"
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:track1\r\n"
)


def rtp(sequence: int, payload: bytes, *, marker: bool = True, timestamp: int = 0) -> bytes:
    data = struct.pack(">BBHII", 0x80, 0x60 | marker << 7, sequence & 0xFFFF, timestamp, 7) + payload
    return b"$\x00" + len(data).to_bytes(2, "big") + data


class Camera:
    """A scripted RTSP server. ``say``: method to what stands behind ``RTSP/1.0 ``, or to a function of the request's
    head; bytes are sent as they are."""

    def __init__(self, media: bytes = b"", sdp: str = SDP, **say: object) -> None:
        self.media = media
        self.sdp = sdp
        self.say = say
        self.heard: list[str] = []
        self.heads: list[str] = []
        self.playing = asyncio.Event()
        self.torn_down = asyncio.Event()
        self.torn_down_well = False
        self.connections = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method = head.split(" ", 1)[0]
            self.heard.append(method)
            self.heads.append(head)
            answer = self.say.get(method, self.usual)
            given = answer(head) if callable(answer) else answer
            if isinstance(given, bytes):
                writer.write(given)
                first = "200"
            else:
                assert isinstance(given, str)
                sequence = re.search(r"CSeq: (\d+)", head)
                assert sequence
                first, _, rest = given.partition("\r\n")
                writer.write(f"RTSP/1.0 {first}\r\nCSeq: {sequence[1]}\r\n{rest}".encode())
            if method == "PLAY" and first.startswith("200"):
                writer.write(self.media)
                self.playing.set()
            if method == "TEARDOWN":
                self.torn_down_well = first.startswith("200")
                self.torn_down.set()

    def usual(self, head: str) -> str:
        if head.startswith("DESCRIBE"):
            return f"200 OK\r\nContent-Type: application/sdp\r\nContent-Length: {len(self.sdp)}\r\n\r\n{self.sdp}"
        if head.startswith("SETUP"):
            return "200 OK\r\nSession: 4711;timeout=60\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n"
        return "200 OK\r\nPublic: DESCRIBE\r\n\r\n"


KEY_FRAME = rtp(1, SPS, marker=False) + rtp(2, PPS, marker=False) + rtp(3, b"\x65" + b"\x88" * 50)
OTHER_FRAME = rtp(0, b"\x41" + b"\x9a" * 50, timestamp=1)


class Guard:
    """Asks for a password before it lets ``usual`` answer, and checks the proof to the letter (RFC 7616, 2617, 2069).

    ``algorithms`` are offered one by one; ``qop`` as it is offered, empty for RFC 2069; ``once``: a nonce is good for
    one request; ``stale``: whether a nonce that has had its day is called so. ``refused``: proofs that were wrong.
    """

    def __init__(
        self,
        algorithms: Sequence[str] = ("MD5",),
        qop: str = "auth",
        *,
        once: bool = False,
        stale: bool = True,
        nonce: str | None = None,
        more: str = "",
    ) -> None:
        self.algorithms = algorithms
        self.qop = qop
        self.once = once
        self.stale = stale
        self.nonce = nonce
        self.more = more
        self.refused = 0
        self._given = 0
        self._counts: dict[str, int] = {}

    def __call__(self, usual: Callable[[str], str]) -> Callable[[str], str]:
        def answer(head: str) -> str:
            proof = re.search(r"\r\nAuthorization: (.*)\r\n", head)
            verdict = self._check(head, proof[1]) if proof else "missing"
            return usual(head) if verdict == "right" else self._ask(verdict)

        return answer

    def _ask(self, verdict: str) -> str:
        self._given += 1
        nonce = self.nonce if self.nonce is not None else f"n-{self._given}"
        lines = ["401 Unauthorized"]
        for algorithm in self.algorithms:
            if algorithm == "Basic":
                lines.append('WWW-Authenticate: Basic realm="camera"')
                continue
            told = f', qop="{self.qop}"' if self.qop else ""
            told += f", algorithm={algorithm}" if algorithm else ""
            told += ", stale=true" if verdict == "stale" and self.stale else ""
            lines.append(f'WWW-Authenticate: Digest realm="camera", nonce="{nonce}", opaque="o"{told}{self.more}')
        self._counts[nonce] = 0
        return "\r\n".join((*lines, "", ""))

    def _check(self, head: str, proof: str) -> str:
        verdict = self._judge(head, proof)
        self.refused += verdict == "wrong"
        return verdict

    def _judge(self, head: str, proof: str) -> str:
        if proof.startswith("Basic "):
            right = b64decode(proof[6:]).decode() == f"{USER}:{PASSWORD}"
            return "right" if right and tuple(self.algorithms) == ("Basic",) else "wrong"
        given = {name: quoted or bare for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', proof)}
        algorithm = given.get("algorithm", "MD5").upper()
        if algorithm.removesuffix("-SESS") not in HASHES or given.get("nonce") not in self._counts:
            return "wrong"
        hashed = HASHES[algorithm.removesuffix("-SESS")]

        def h(*parts: str) -> str:
            return hashed(":".join(parts).encode()).hexdigest()

        method, uri, _ = head.partition("\r\n")[0].split(" ")
        nonce, qop = given["nonce"], given.get("qop", "")
        first, second = h(USER, "camera", PASSWORD), [method, given["uri"]]
        if algorithm.endswith("-SESS"):
            first = h(first, nonce, given["cnonce"])
        if qop == "auth-int":
            second.append(h(""))
        middle = [nonce, given["nc"], given["cnonce"], qop] if qop else [nonce]
        if given["uri"] != uri or given["response"] != h(first, *middle, h(*second)) or given.get("opaque") != "o":
            return "wrong"
        if bool(qop) != bool(self.qop) or (qop and qop not in [one.strip() for one in self.qop.split(",")]):
            return "wrong"
        count = int(given.get("nc", "0"), 16) or self._counts[nonce] + 1
        if count != self._counts[nonce] + 1 or (self.once and self._counts[nonce]):
            return "stale"
        self._counts[nonce] = count
        return "right"

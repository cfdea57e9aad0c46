"""RTSP of a simulated device (RFC 2326): describes its streams and plays them, interleaved on the same connection or
over UDP, as its maker has it."""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
from collections.abc import Mapping
from contextlib import suppress

from camera_registry.simulator.access import Verdict
from camera_registry.simulator.connection import Connection, Premises, look_of
from camera_registry.simulator.faults import Fault
from camera_registry.simulator.player import Player
from camera_registry.simulator.sizes import FRAME_RATE
from camera_registry.simulator.video import Video, video_of

LARGEST_HEAD = 16_384
LARGEST_BACKLOG = 1_000_000
"""Bytes not yet taken by the client above which pictures are left out."""
METHODS = ("OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN", "GET_PARAMETER")
SPOKEN = ", ".join(METHODS)
HARMLESS = frozenset({*METHODS, "PAUSE", "REDIRECT"})
"""All others (ANNOUNCE, RECORD, SET_PARAMETER) would change the device."""
GUARDED = frozenset({"DESCRIBE", "SETUP", "PLAY"})
PHRASES = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    453: "Not Enough Bandwidth",
    454: "Session Not Found",
    461: "Unsupported Transport",
    503: "Service Unavailable",
}
REPORT_EVERY = 1.0
"""Seconds between a sender's reports."""
TRACK = "/trackID=1"

_PORTS = re.compile(r"client_port=(\d{1,5})-(\d{1,5})")
_PATH = re.compile(r"^rtsp://[^/]*", re.IGNORECASE)


class RtspConnection(Connection):
    """One client; at most one session, which ends with the connection."""

    __slots__ = ("_channel", "_player", "_report_at", "_session", "_sockets", "_stream", "_timer", "_url", "_when")

    def __init__(self, premises: Premises, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(premises, loop)
        self._session = ""
        self._stream = 1
        self._channel = 0
        self._url = ""
        self._player: Player | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._when = 0.0
        self._report_at = 0.0
        self._sockets: tuple[socket.socket, ...] = ()
        """Over UDP: for media and for reports, connected to the client's."""

    def opened(self) -> None:
        if not self.device.member.channels:
            self.reset()

    def closed(self) -> None:
        self.device.counts.abandoned_sessions += bool(self._session)
        self._end_session()

    def received(self, data: bytes) -> bytes:
        while data:
            if data[0] == 0x24:  # interleaved packets from the client (receiver reports) are taken and not read
                if len(data) < 4 or len(data) < 4 + int.from_bytes(data[2:4], "big"):
                    return data
                data = data[4 + int.from_bytes(data[2:4], "big") :]
                continue
            end = data.find(b"\r\n\r\n")
            if end < 0:
                if len(data) > LARGEST_HEAD:
                    self.hang_up()
                    return b""
                return data
            lines = data[:end].decode("latin-1").split("\r\n")
            headers = {
                name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
            }
            size = headers.get("content-length", "0")
            if not size.isdecimal() or len(size) > 9 or int(size) > LARGEST_HEAD:
                self.hang_up()
                return b""
            if len(data) < end + 4 + int(size):
                return data
            data = data[end + 4 + int(size) :]
            self._request(lines[0], headers)
        return b""

    def _request(self, line: str, headers: Mapping[str, str]) -> None:
        sequence = headers.get("cseq", "")
        parts = line.split(" ")
        if len(parts) != 3 or not parts[2].startswith("RTSP/1.") or not sequence.isdecimal():
            self._answer(400, sequence)
            return
        method, url, _ = parts
        self.device.counts.request(f"rtsp.{method}")
        if method not in HARMLESS:
            self.device.counts.forbidden += 1
        if method not in METHODS:
            self._answer(405, sequence, [f"Allow: {SPOKEN}"])
            return
        maker = self.device.member.maker
        if method in GUARDED or (method == "OPTIONS" and maker.options_need_password):
            verdict = self.premises.gate.check(self.device, maker.rtsp, headers.get("authorization", ""), method, url)
            if verdict is not Verdict.GRANTED:
                self._challenge(sequence, verdict)
                return
        match method:
            case "OPTIONS":
                self._answer(200, sequence, [f"Public: {SPOKEN}"])
            case "DESCRIBE":
                self._describe(sequence, url)
            case "SETUP":
                self._set_up(sequence, url, headers.get("transport", ""))
            case _:
                self._in_session(method, sequence, headers)

    def _challenge(self, sequence: str, verdict: Verdict) -> None:
        maker = self.device.member.maker
        offered = self.premises.gate.challenges(
            self.device, maker.rtsp, stale=verdict is Verdict.STALE, qop=maker.counts_nonces
        )
        self._answer(401, sequence, [f"WWW-Authenticate: {challenge}" for challenge in offered])

    def _found(self, url: str) -> tuple[int, int] | None:
        """Channel and stream of a URL, with or without its track."""
        if Fault.NO_STREAM in self.device.faults:
            return None
        path = _PATH.sub("", url)
        found = self.device.member.maker.stream_of(path.removesuffix(TRACK).removesuffix("/"))
        return found if found and 1 <= found[0] <= self.device.member.channels else None

    def _describe(self, sequence: str, url: str) -> None:
        found = self._found(url)
        if found is None:
            self._answer(404, sequence)
            return
        video = self._video(found[1])
        host = self.device.member.device.host
        body = (
            f"v=0\r\no=- {self.device.member.scene} 1 IN IP4 {host}\r\ns=Media Presentation\r\nc=IN IP4 0.0.0.0\r\n"
            f"t=0 0\r\na=control:*\r\na=range:npt=now-\r\n{video.describe()}"
        )
        self._answer(200, sequence, [f"Content-Base: {url.removesuffix('/')}/", "Content-Type: application/sdp"], body)

    def _set_up(self, sequence: str, url: str, transport: str) -> None:
        found = self._found(url)
        device = self.device
        if found is None:
            self._answer(404, sequence)
        elif (way := "tcp" if "RTP/AVP/TCP" in transport else "udp") not in device.member.maker.transports:
            self._answer(461, sequence)
        elif self._session:
            self._answer(200, sequence, [self._transport(), f"Session: {self._session};timeout=60"])
        elif Fault.BUSY in device.faults or device.counts.open_sessions >= device.member.maker.sessions:
            self._answer(int(device.faults.option(Fault.BUSY, "status")) or 453, sequence)
        elif way == "udp" and not self._open_sockets(transport):
            self._answer(461, sequence)
        else:
            _, _, wanted = transport.partition("interleaved=")
            first = wanted.partition("-")[0].partition(";")[0]
            self._channel = int(first) if first.isdecimal() and len(first) < 4 and int(first) < 255 else 0
            self._stream = found[1]
            self._url = url
            self._session = secrets.token_hex(6)
            device.counts.open_sessions += 1
            self._answer(200, sequence, [self._transport(), f"Session: {self._session};timeout=60"])

    def _video(self, stream: int) -> Video:
        """What is played where this stream is asked for."""
        if Fault.WRONG_STREAM in self.device.faults:
            stream = 3 - stream
        return video_of(look_of(self.device), stream, self.device.member.maker.codec(stream))

    def _open_sockets(self, transport: str) -> bool:
        """Sockets for media and reports to the ports that the client names; whether it names any."""
        found = _PORTS.search(transport)
        if found is None or not all(0 < int(port) < 65536 for port in found.groups()):
            return False
        client = self.transport.get_extra_info("peername")[0]
        opened: list[socket.socket] = []
        for port in found.groups():
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            opened.append(sock)
            sock.setblocking(False)
            sock.bind((self.device.member.device.host, 0))
            sock.connect((client, int(port)))
        self._sockets = tuple(opened)
        return True

    def _transport(self) -> str:
        if self._sockets:
            client = "-".join(str(sock.getpeername()[1]) for sock in self._sockets)
            server = "-".join(str(sock.getsockname()[1]) for sock in self._sockets)
            return f"Transport: RTP/AVP;unicast;client_port={client};server_port={server}"
        return f"Transport: RTP/AVP/TCP;unicast;interleaved={self._channel}-{self._channel + 1}"

    def _in_session(self, method: str, sequence: str, headers: Mapping[str, str]) -> None:
        session = headers.get("session", "").partition(";")[0]
        if not self._session or (session != self._session and (session or method != "GET_PARAMETER")):
            self._answer(454, sequence)
            return
        if method == "TEARDOWN":
            self._end_session()
            self._answer(200, sequence)
        elif method == "GET_PARAMETER" or self._player is not None:
            self._answer(200, sequence, [f"Session: {self._session}"])
        else:
            self._play(sequence)

    def _play(self, sequence: str) -> None:
        source, number, timestamp = secrets.randbits(32), secrets.randbits(16), secrets.randbits(32)
        self._player = Player(source, number, timestamp)
        info = f"RTP-Info: url={self._url};seq={number};rtptime={timestamp}"
        self._answer(200, sequence, [f"Session: {self._session}", "Range: npt=now-", info])
        self._when = self._report_at = self.loop.time()
        self._next_picture()

    def _next_picture(self) -> None:
        """Send one picture and come back for the next, on an even beat."""
        player = self._player
        if player is None or self.silent or self.transport.is_closing():
            return
        faults = self.device.faults
        blocked = Fault.NO_MEDIA in faults or Fault.HANG in faults
        rate = faults.option(Fault.LOW_FRAME_RATE, "rate") or FRAME_RATE
        if not blocked and self.transport.get_write_buffer_size() < LARGEST_BACKLOG:
            self.heard = self.loop.time()  # a stream that plays is not idle
            noise = self.premises.noise if Fault.UNDECODABLE in faults else None
            packets = player.picture(self._video(self._stream), rate, frozen=Fault.FROZEN in faults, noise=noise)
            self._send_media(packets, 0)
            if self.heard >= self._report_at:
                self._report_at = self.heard + REPORT_EVERY
                self._send_media([player.report(self.device.clock)], 1)
        self._when = max(self._when + 1 / rate, self.loop.time() - 1)
        self._timer = self.loop.call_at(self._when, self._next_picture)

    def _send_media(self, packets: list[bytes], number: int) -> None:
        """Send packets of media (0) or reports (1)."""
        if self._sockets:
            for packet in packets:
                with suppress(OSError):  # the client has gone, or does not keep up
                    self._sockets[number].send(packet)
            return
        head = bytes((0x24, self._channel + number))
        self.send(b"".join(part for packet in packets for part in (head, len(packet).to_bytes(2, "big"), packet)))

    def _end_session(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._player = None
        for sock in self._sockets:
            sock.close()
        self._sockets = ()
        if self._session:
            self._session = ""
            self.device.counts.open_sessions -= 1

    def _answer(self, status: int, sequence: str, headers: list[str] | None = None, body: str = "") -> None:
        lines = [
            f"RTSP/1.0 {status} {PHRASES[status]}",
            f"CSeq: {sequence}",
            f"Server: {self.device.member.maker.name}",
        ]
        lines.extend(headers or ())
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.send(("\r\n".join(lines) + "\r\n\r\n" + body).encode("latin-1"))

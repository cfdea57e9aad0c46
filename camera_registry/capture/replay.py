"""This file plays a recording back: servers on loopback that answer as the device did, passwords and all."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from camera_registry.capture import access, media
from camera_registry.capture.certificates import server_side
from camera_registry.capture.exchanges import read_request
from camera_registry.capture.recording import HOST, Answer, Asked, Body, Exchange, Media, Recording
from probes.wire import onvif_clock, rtsp, soap
from probes.wire.soap import Operation, SoapError

LOOPBACK = "127.0.0.1"
_DEFAULT_PORTS = {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322}
_ADDRESS = re.compile(
    rb"(https?|rtsps?)://((?:[^/\s@\"'<>]*@)?)" + re.escape(HOST).encode() + rb"(?![\w.-])(?::(\d{1,5}))?"
)
_CLIENT_PORTS = re.compile(r"client_port=(\d{1,5})-(\d{1,5})")
_SERVER_PORTS = re.compile(r"server_port=[\d-]+")
_COMPUTED = frozenset({"content-length", "transfer-encoding", "content-encoding", "cseq"})
_REFUSED = (
    '<?xml version="1.0"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:ter="http://www.onvif.org/ver10/error"><e:Body><e:Fault><e:Code><e:Value>e:Sender</e:Value><e:Subcode>'
    "<e:Value>ter:{code}</e:Value></e:Subcode></e:Code><e:Reason><e:Text>{code}</e:Text></e:Reason></e:Fault></e:Body>"
    "</e:Envelope>"
)


@dataclass
class Playing:
    """A recording that is being played. ``ports`` are where, by role; ``shut`` are ports kept closed, by the number
    they had; ``missed`` is what was asked and not recorded."""

    recording: Recording
    ports: dict[str, int] = field(default_factory=dict)
    shut: dict[int, socket.socket] = field(default_factory=dict)
    missed: list[Asked] = field(default_factory=list)
    _served: dict[tuple[object, ...], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._shift = self._device_time() - datetime.now(UTC)

    def now(self) -> datetime:
        """Our own time as it was: the device's clock, when it was recorded, less what it was ahead."""
        return datetime.now(UTC) + self._shift - timedelta(seconds=self.recording.clock_offset or 0.0)

    def choose(self, role: str, asked: Asked, right: Callable[[Sequence[Mapping[str, str]]], bool]) -> Exchange:
        """What answers ``asked``; ``right`` judges its proof by the challenges that the device has made."""
        number = self.recording.ports[role].number
        here = [one for one in self.recording.exchanges if self.recording.ports[one.port].number == number]
        alike = [one for one in here if _same(one.asked, asked)]
        if not alike:
            alike = [one for one in here if asked.operation and one.asked.operation == asked.operation]
        proven = bool(asked.proof) and right([challenge for one in here for challenge in _challenges(one)])
        wanted = asked.proof if proven else ""
        fitting = [one for one in alike if one.asked.proof == wanted]
        if proven and not fitting:
            fitting = [one for one in alike if one.answer is not None and one.answer.status != 401]
        if not fitting and alike:
            return self._refuse(here, asked)
        if asked.proof and not proven and all(one.answer and one.answer.status < 400 for one in fitting):
            fitting = [] if any(one.asked.proof for one in alike) else fitting
            if not fitting and alike:
                return self._refuse(here, asked)
        if not fitting:
            self.missed.append(asked)
            return _unknown(role, asked)
        key = (role, *(getattr(asked, name) for name in ("method", "path", "operation", "token")), wanted)
        turn = self._served.get(key, 0)
        self._served[key] = turn + 1
        return fitting[min(turn, len(fitting) - 1)]

    def localise(self, text: bytes) -> bytes:
        """``text`` with the device's address replaced by where it plays now."""

        def local(found: re.Match[bytes]) -> bytes:
            scheme, login, port = found.groups()
            number = int(port) if port else _DEFAULT_PORTS[scheme.decode()]
            playing = next((self.ports[role] for role, at in self.recording.ports.items() if at.number == number), 0)
            return b"%b://%b%b:%d" % (scheme, login, LOOPBACK.encode(), playing or self._closed(number))

        return _ADDRESS.sub(local, text)

    def numbers(self) -> dict[int, int]:
        """Where something plays, or is closed, to the port that it was."""
        closed = {sock.getsockname()[1]: number for number, sock in self.shut.items()}
        return closed | {port: self.recording.ports[role].number for role, port in self.ports.items()}

    def _closed(self, number: int) -> int:
        """A port at which nothing listens, for one at which nothing was recorded."""
        if number not in self.shut:
            self.shut[number] = socket.socket()
            self.shut[number].bind((LOOPBACK, 0))
        port: int = self.shut[number].getsockname()[1]
        return port

    def _refuse(self, here: Iterable[Exchange], asked: Asked) -> Exchange:
        """A refusal as the device says it, or as ONVIF does."""
        said = [one for one in here if one.answer is not None and one.answer.status == 401]
        same = [one for one in said if one.asked.operation == asked.operation and one.asked.proof == asked.proof]
        for one in [*same, *said]:
            return one
        body = Body(_REFUSED.format(code="NotAuthorized").encode()) if asked.operation else Body()
        status = 400 if asked.operation else 401
        return Exchange("", "http", asked, Answer(status, "Refused", (("content-type", "application/soap+xml"),), body))

    def _device_time(self) -> datetime:
        """The first time that the device told in the recording; now where it told none."""
        for one in self.recording.exchanges:
            if one.asked.operation.endswith(Operation.TIME) and one.answer is not None:
                with suppress(SoapError):
                    told = soap.read_answer(one.answer.status, one.answer.body.content, Operation.TIME)
                    return onvif_clock.read_time(told) or datetime.now(UTC)
        return datetime.now(UTC)


@asynccontextmanager
async def playing(recording: Recording) -> AsyncIterator[Playing]:
    """Play ``recording`` on free ports of loopback."""
    play = Playing(recording)
    servers: dict[int, asyncio.Server] = {}
    tasks: set[asyncio.Task[None]] = set()
    try:
        for role, port in recording.ports.items():
            if port.number not in servers:

                async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, role: str = role) -> None:
                    await _run(tasks, _Conversation(play, role, reader, writer))

                context = server_side() if port.tls else None
                servers[port.number] = await asyncio.start_server(serve, LOOPBACK, 0, ssl=context)
            play.ports[role] = servers[port.number].sockets[0].getsockname()[1]
        yield play
    finally:
        for server in servers.values():
            server.close()
        for sock in play.shut.values():
            sock.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _run(tasks: set[asyncio.Task[None]], conversation: _Conversation) -> None:
    task = asyncio.current_task()
    assert task is not None
    tasks.add(task)
    try:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            await conversation.hold()
    finally:
        tasks.discard(task)
        conversation.end()


class _Conversation:
    """One connection of a client."""

    def __init__(self, play: Playing, role: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._play = play
        self._role = role
        self._reader = reader
        self._writer = writer
        self._stream: asyncio.Task[None] | None = None
        self._channel = 0
        self._socket: socket.socket | None = None
        """Where the device sends media over UDP."""

    def end(self) -> None:
        if self._stream is not None:
            self._stream.cancel()
        if self._socket is not None:
            self._socket.close()
        self._writer.close()

    async def hold(self) -> None:
        """Answer until either side has had enough."""
        while True:
            request = await self._request()
            asked, headers, body = read_request(request)
            target = request.split(b" ", 2)[1].decode("latin-1")
            exchange = self._play.choose(
                self._role,
                asked,
                lambda offered: self._is_right(asked.method, target, headers, body, offered),  # noqa: B023 - judged before the next turn
            )
            if exchange.answer is None and not exchange.garbage and not exchange.closes:
                await self._reader.read()  # it was silent; the client leaves
                return
            if asked.method == "SETUP" and exchange.answer is not None and exchange.answer.status < 300:
                exchange = replace(exchange, answer=self._set_up(exchange.answer, headers.get("transport", "")))
            self._writer.write(self._bytes(exchange, headers))
            await self._writer.drain()
            if exchange.closes:
                return
            if asked.method == "TEARDOWN" and self._stream is not None:
                self._stream.cancel()
            if exchange.media is not None:
                self._stream = asyncio.create_task(self._send_media(exchange.media))

    async def _request(self) -> bytes:
        """The next whole request; reports that a client sends between are passed over."""
        while (first := await self._reader.readexactly(1)) == b"$":
            length = (await self._reader.readexactly(3))[1:]
            await self._reader.readexactly(int.from_bytes(length))
        head = first + await self._reader.readuntil(b"\r\n\r\n")
        length_header = re.search(rb"\r\ncontent-length:\s*(\d{1,7})", head, re.IGNORECASE)
        return head + (await self._reader.readexactly(int(length_header[1])) if length_header else b"")

    def _is_right(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, offered: Sequence[Mapping[str, str]]
    ) -> bool:
        if b"UsernameToken" in body:
            ahead = timedelta(seconds=self._play.recording.clock_offset or 0.0)
            return access.token_is_right(body, self._play.now() + ahead)
        return access.header_is_right(headers.get("authorization", ""), method, target, body, list(offered))

    def _set_up(self, answer: Answer, wanted: str) -> Answer:
        """Send media as the device agreed to, from a port of our own where that is over UDP."""
        told = dict(answer.headers).get("transport", "")
        channel = rtsp.transport_of(told).channel
        ports = _CLIENT_PORTS.search(wanted)
        if channel is not None or ports is None:
            self._channel = channel or 0
            return answer
        if self._socket is None:
            self._socket = socket.socket(type=socket.SOCK_DGRAM)
            self._socket.setblocking(False)
            self._socket.bind((LOOPBACK, 0))
        self._socket.connect((LOOPBACK, int(ports[1])))
        own = self._socket.getsockname()[1]
        here = _SERVER_PORTS.sub(f"server_port={own}-{own + 1}", told)
        headers = tuple((name, here if name == "transport" else value) for name, value in answer.headers)
        return replace(answer, headers=headers)

    def _bytes(self, exchange: Exchange, request: Mapping[str, str]) -> bytes:
        answer = exchange.answer
        if answer is None:
            return self._play.localise(exchange.garbage)
        body = self._play.localise(_content(answer.body))
        is_rtsp = exchange.protocol == "rtsp"
        lines = [f"{'RTSP/1.0' if is_rtsp else 'HTTP/1.1'} {answer.status} {answer.reason}"]
        lines += [f"{name}: {value}" for name, value in answer.headers if name not in _COMPUTED]
        if is_rtsp and "cseq" in request:
            lines.append(f"cseq: {request['cseq']}")
        until_closed = exchange.closes and not any(name == "content-length" for name, _ in answer.headers)
        if not until_closed and (body or not is_rtsp):
            lines.append(f"content-length: {len(body)}")
        head = "\r\n".join((*lines, "", "")).encode("latin-1", "replace")
        return self._play.localise(head) + body

    async def _send_media(self, played: Media) -> None:
        frames = media.Frames(played)
        with suppress(ConnectionError):
            while True:
                for packet in frames.next(round(media.CLOCK_RATE / played.rate)):
                    if self._socket is None:
                        self._writer.write(rtsp.Packet(self._channel, packet).written())
                    else:
                        with suppress(OSError):  # what the system does not take is lost, as on any network
                            self._socket.send(packet)
                await self._writer.drain()
                await asyncio.sleep(1 / played.rate)


def _same(recorded: Asked, asked: Asked) -> bool:
    return replace(recorded, proof="") == replace(asked, proof="")


def _challenges(exchange: Exchange) -> list[dict[str, str]]:
    headers = exchange.answer.headers if exchange.answer is not None else ()
    return [access.parameters(part) for name, value in headers if name == "www-authenticate" for part in _parted(value)]


def _parted(value: str) -> list[str]:
    """The challenges of one header."""
    return [part for part in re.split(r",?\s*(?=\b(?:Basic|Digest)\s)", value, flags=re.IGNORECASE) if part]


def _unknown(role: str, asked: Asked) -> Exchange:
    """What a device says to a question of which nothing is recorded."""
    if asked.operation:
        body = Body(_REFUSED.format(code="ActionNotSupported").encode())
        return Exchange(role, "http", asked, Answer(500, "Error", (("content-type", "application/soap+xml"),), body))
    is_rtsp = asked.method in ("OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN", "GET_PARAMETER")
    return Exchange(role, "rtsp" if is_rtsp else "http", asked, Answer(404, "Not Found"))


def _content(body: Body) -> bytes:
    if body.picture is not None:
        return media.still(body.picture)
    return body.content or b" " * body.omitted

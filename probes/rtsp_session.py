"""This file holds an RTSP conversation with a device: requests, authentication, the one session that we have there at a
time, and the goodbye that frees it."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import Self

from camera_registry.model.observation import FailureKind, Stage
from camera_registry.model.roster import Target
from probes import credentials, transport
from probes.authentication import Authenticator, Headers, proven
from probes.base import Context, ProbeError
from probes.datagrams import DatagramPair
from probes.transport import Connection
from probes.wire import WireError, rtsp
from probes.wire.digest import Request
from probes.wire.rtsp import Answer, Packet

EARLY_PACKETS = 4096
"""Media may overtake the answer to PLAY; this much of it is kept."""

LEAVE = 0.4
"""Seconds that a goodbye may take: the answer to a SETUP that nobody waits for any more, a TEARDOWN, a fresh nonce."""

MOMENT = 0.3
"""Seconds after which a device that is busy is asked once more: it may still be taking down the session before ours."""

SECOND_THOUGHT = 0.3
"""Seconds for which the right answer may still come, when one came with the number of an earlier request."""

TURN_SHARE = 0.5
"""Share of the time left that a run waits for another run of ours to give the host's session back."""

UNSUPPORTED_TRANSPORT = 461
BUSY = (453, 503)
_INTERLEAVED = "RTP/AVP/TCP;unicast;interleaved=0-1"


class RtspSession:
    """One run's RTSP conversation. Use it as a context manager: a session that was set up is torn down, always.

    SETUP waits for its turn, so there is never more than one session of ours at a host, whoever asks for it.
    """

    def __init__(self, context: Context, target: Target, port: int, *, tls: bool = False) -> None:
        self._context = context
        self._target = target
        self._port = port
        self._tls = tls
        self._login = credentials.login(context, target, "rtsp")
        self._authenticator = Authenticator(context, target, "rtsp", self._login)
        self._connection: Connection | None = None
        self._reader = rtsp.Reader()
        self._items: deque[Answer | Packet] = deque()
        self._arrival = 0.0
        self._sequence = 0
        self._awaited = ""
        """The method of the request whose answer is still to come."""
        self._turn: asyncio.Lock | None = None
        self._whole = ""
        self._session = ""
        self._patience = 0.0
        self._heard_at = 0.0
        """When the device last heard of us, and for how long it may hear nothing."""
        self._session_uri = ""
        """Empty while there is no session."""
        self._channel: int | None = None
        self._pair: DatagramPair | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._turn is not None:
                await self._leave()
        finally:
            if self._connection is not None:
                self._connection.close(self._farewell())
            if self._pair is not None:
                self._pair.close()
            if self._turn is not None:
                self._turn.release()
            if self._login is not None:
                self._login.close()

    @property
    def over_udp(self) -> bool:
        """Whether media comes over UDP rather than on this connection."""
        return self._channel is None

    async def ask(self, method: str, uri: str, headers: Headers = ()) -> Answer:
        """One request without a password, and its answer, whatever its status. Raises ProbeError."""
        return await self._exchange(method, uri, headers)

    async def request(self, method: str, uri: str, headers: Headers = ()) -> Answer:
        """One request with the authentication the device asks for. Raises ProbeError(AUTH) if it refuses that."""
        asked = Request(method, uri)
        answer = await self._authenticator.through(asked, headers, lambda proven: self._exchange(method, uri, proven))
        if answer.status < 400 or answer.status in (404, 453, 454, 459, 461, 503):
            self._authenticator.accepted()
        return answer

    async def request_patiently(self, method: str, uri: str, headers: Headers = ()) -> Answer:
        """The same, once more where a device is busy at first."""
        answer = await self.request(method, uri, headers)
        if answer.status in BUSY:
            await asyncio.sleep(MOMENT)
            answer = await self.request(method, uri, headers)
        return answer

    async def set_up(self, track: str, whole: str, *, udp: bool = False) -> Answer:
        """SETUP of one track, its media interleaved; over UDP if ``udp`` says so, or the device can't otherwise.
        ``whole`` is the address of the session. Raises ProbeError(INTERNAL) when another run of ours keeps its session.
        """
        await self._take_turn()
        if not udp:
            answer = await self._set_up(track, whole, _INTERLEAVED)
            if answer.status != UNSUPPORTED_TRANSPORT and (answer.status >= 300 or self._channel is not None):
                return answer
            await self._leave()
        self._pair = DatagramPair(self._context.address)
        await self._pair.open()
        ports = f"{self._pair.port}-{self._pair.port + 1}"
        return await self._set_up(track, whole, f"RTP/AVP;unicast;client_port={ports}")

    async def play(self) -> Answer:
        """PLAY from now on."""
        return await self.request("PLAY", self._session_uri, (*self._session_header(), ("Range", "npt=0.000-")))

    async def packet(self) -> tuple[int, bytes, float]:
        """The next packet of the track: 0 for media or 1 for control, its bytes, and when it came by the loop's clock.
        Raises ProbeError when the device ends the stream or sends something else."""
        if self._channel is None:
            assert self._pair is not None
            number, data, self._arrival = await self._pair.packet()
            if self._context.tools.tap is not None:
                self._context.tools.tap.received(self._connection, Packet(number, data).written())
        else:
            number, data = await self._interleaved(self._channel)
        if self._arrival > self._heard_at + self._patience:
            self._stay()
        return number, data, self._arrival

    async def _interleaved(self, channel: int) -> tuple[int, bytes]:
        while True:
            while self._items:
                item = self._items.popleft()
                if isinstance(item, Packet) and 0 <= item.channel - channel <= 1:
                    return item.channel - channel, item.data
            assert self._connection is not None
            await self._receive(self._connection)

    def _stay(self) -> None:
        """Let the device hear of us, or it drops the session. Its answer is passed over like all amid media."""
        assert self._connection is not None
        self._heard_at = self._arrival
        self._sequence += 1
        proof = self._authenticator.once_more(Request("OPTIONS", self._session_uri))
        headers = proven(self._session_header(), proof)
        self._connection.send(rtsp.write_request("OPTIONS", self._session_uri, self._sequence, headers))

    async def _take_turn(self) -> None:
        if self._turn is not None:
            return
        turn = self._context.tools.memory.turn(self._target.host)
        try:
            async with asyncio.timeout(TURN_SHARE * self._context.remaining()):
                await turn.acquire()
        except TimeoutError as error:
            detail = (
                f"another run of ours has the one session that we use at {self._target.host}: poll its streams less "
                "often, or for a shorter time"
            )
            raise ProbeError(FailureKind.INTERNAL, Stage.REQUEST, detail) from error
        self._turn = turn

    async def _set_up(self, track: str, whole: str, wanted: str) -> Answer:
        self._whole = whole
        answer = await self.request_patiently("SETUP", track, (("Transport", wanted),))
        self._agree(answer)
        return answer

    def _agree(self, answer: Answer) -> None:
        """Take up what an answer to SETUP says."""
        if answer.status >= 300:
            return
        self._session_uri = self._whole
        self._session = rtsp.session_id(answer)
        self._patience = rtsp.session_timeout(answer) / 2
        agreed = rtsp.transport_of(answer.head.get("transport"))
        self._channel = agreed.channel
        if self._pair is not None:
            self._pair.sources = agreed.ports

    async def _exchange(self, method: str, uri: str, headers: Headers) -> Answer:
        if self._connection is None:
            await self._connect()
        assert self._connection is not None
        if not self._connection.usable and not self._session_uri and self._sequence:
            # Some devices close after every answer; before a session exists nothing is lost by coming back.
            self._connection.close()
            await self._connect()
        answered_before = self._sequence > 0
        try:
            return await self._send(self._connection, method, uri, headers)
        except ProbeError as error:
            if error.kind is not FailureKind.PROTOCOL or not answered_before or self._session_uri or self._reader.begun:
                raise
        self._connection.close()
        await self._connect()
        return await self._send(self._connection, method, uri, headers)

    async def _connect(self) -> None:
        self._reader = rtsp.Reader()
        self._items.clear()
        self._connection = await transport.connect(self._context, self._target, self._port, tls=self._tls)

    async def _send(self, connection: Connection, method: str, uri: str, headers: Headers) -> Answer:
        self._context.stage = Stage.REQUEST
        self._sequence += 1
        try:
            connection.send(rtsp.write_request(method, uri, self._sequence, headers))
        except WireError as error:
            raise ProbeError(FailureKind.PROTOCOL, Stage.REQUEST, str(error)) from error
        self._context.stage = Stage.ANSWER
        self._awaited = method
        self._heard_at = asyncio.get_running_loop().time()
        answer = await self._answer(connection)
        self._awaited = ""
        return answer

    async def _answer(self, connection: Connection) -> Answer:
        """The answer to the newest request. One with the number of an earlier request is a repetition, or comes from a
        device that numbers its answers as it likes: it counts if no other comes."""
        packets: list[Packet] = []
        doubtful: Answer | None = None
        while True:
            while self._items:
                item = self._items.popleft()
                if isinstance(item, Packet):
                    if len(packets) < EARLY_PACKETS:
                        packets.append(item)
                elif item.status < 200:
                    continue  # interim: the real one follows
                elif 0 < (item.sequence or 0) < self._sequence:
                    doubtful = item
                else:
                    self._items.extendleft(reversed(packets))
                    return item
            if doubtful is None:
                await self._receive(connection)
                continue
            try:
                async with asyncio.timeout(SECOND_THOUGHT):
                    await self._receive(connection)
            except TimeoutError:
                self._items.extendleft(reversed(packets))
                return doubtful

    async def _receive(self, connection: Connection) -> None:
        try:
            data = await connection.receive()
            if data:
                self._arrival = asyncio.get_running_loop().time()
                self._items.extend(self._reader.feed(data))
                return
        except WireError as error:
            raise ProbeError(FailureKind.PROTOCOL, self._context.stage, str(error)) from error
        said = f" after {self._reader.pending!r}" if self._reader.begun else ""
        raise ProbeError(FailureKind.PROTOCOL, self._context.stage, f"the device closed the connection{said}")

    async def _leave(self) -> None:
        """Say goodbye and give the device a moment to hear it: a session it still holds is one that others miss."""
        if self._connection is None or not (self._session_uri or self._awaited == "SETUP"):
            return
        stage = self._context.stage
        with suppress(ProbeError, TimeoutError):
            async with asyncio.timeout(LEAVE):
                if self._awaited == "SETUP":
                    self._agree(await self._answer(self._connection))
                    self._awaited = ""
                if self._session_uri:
                    await self._tear_down(self._connection)
        self._context.stage = stage

    async def _tear_down(self, connection: Connection) -> None:
        try:
            await self._say_goodbye(connection)
        except ProbeError:
            if self._channel is not None:
                raise
            # Over UDP a session outlives its connection.
            connection.close()
            await self._connect()
            assert self._connection is not None
            await self._say_goodbye(self._connection)
        self._session = self._session_uri = ""

    async def _say_goodbye(self, connection: Connection) -> None:
        uri, headers = self._session_uri, self._session_header()
        asked = Request("TEARDOWN", uri)
        proof = self._authenticator.once_more(asked)
        answer = await self._send(connection, "TEARDOWN", uri, proven(headers, proof))
        if answer.status == 401 and (proof := self._authenticator.renewed(answer.head.all("www-authenticate"), asked)):
            await self._send(connection, "TEARDOWN", uri, proven(headers, proof))

    def _farewell(self) -> bytes:
        """What is sent last, where there was no time to hear the device take its leave."""
        if not self._session_uri or self._awaited == "TEARDOWN":
            return b""
        proof = self._authenticator.once_more(Request("TEARDOWN", self._session_uri))
        headers = proven(self._session_header(), proof)
        return rtsp.write_request("TEARDOWN", self._session_uri, self._sequence + 1, headers)

    def _session_header(self) -> Headers:
        return (("Session", self._session),) if self._session else ()

"""This file holds an RTSP conversation with a device: requests, authentication, the goodbye that frees its session."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import Self

from camera_registry.model.observation import FailureKind, Stage
from camera_registry.model.roster import Target
from probes import credentials, transport
from probes.authentication import Authenticator
from probes.base import Context, ProbeError
from probes.transport import Connection
from probes.wire import WireError, rtsp
from probes.wire.digest import Request
from probes.wire.rtsp import Answer, Packet

Headers = tuple[tuple[str, str], ...]

EARLY_PACKETS = 4096
"""Media may overtake the answer to PLAY; this much of it is kept."""


class RtspSession:
    """One run's RTSP conversation. Use it as a context manager: a session that was set up is torn down, always."""

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
        self._sequence = 0
        self._session = ""
        self._session_uri = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        farewell = self._farewell()
        try:
            if farewell and not isinstance(error, asyncio.CancelledError):
                await self._leave(farewell)
                farewell = b""
        finally:
            if self._connection is not None:
                self._connection.close(farewell)
            if self._login is not None:
                self._login.close()

    async def ask(self, method: str, uri: str, headers: Headers = ()) -> Answer:
        """One request without a password, and its answer, whatever its status. Raises ProbeError."""
        return await self._exchange(method, uri, headers)

    async def request(self, method: str, uri: str, headers: Headers = ()) -> Answer:
        """One request with the authentication the device asks for. Raises ProbeError(AUTH) if it refuses that."""
        asked = Request(method, uri)
        authorization = await self._authenticator.first(asked)
        answer = await self._exchange(method, uri, _with(headers, authorization))
        if answer.status == 401:
            challenges = answer.head.all("www-authenticate")
            authorization = await self._authenticator.again(challenges, asked, authorization)
            answer = await self._exchange(method, uri, _with(headers, authorization))
            if answer.status == 401:
                raise self._authenticator.refused()
        if answer.status < 400 or answer.status in (404, 453, 454, 459, 461, 503):
            self._authenticator.accepted()
        return answer

    async def set_up(self, control: str, session_uri: str, headers: Headers) -> Answer:
        """SETUP of one track; from now on the session is torn down at the end. ``session_uri`` names it as a whole."""
        answer = await self.request("SETUP", control, headers)
        if answer.status < 300:
            self._session = rtsp.session_id(answer)
            self._session_uri = session_uri
        return answer

    async def play(self) -> Answer:
        """PLAY from now on."""
        return await self.request("PLAY", self._session_uri, (*self._session_header(), ("Range", "npt=0.000-")))

    async def packet(self) -> Packet:
        """The next media packet. Raises ProbeError when the device ends the stream or sends something else."""
        while True:
            while self._items:
                item = self._items.popleft()
                if isinstance(item, Packet):
                    return item
            assert self._connection is not None
            await self._receive(self._connection)

    async def _exchange(self, method: str, uri: str, headers: Headers) -> Answer:
        if self._connection is None:
            await self._connect()
        assert self._connection is not None
        if not self._connection.usable and not self._session and self._sequence:
            # Some devices close after every answer; before a session exists nothing is lost by coming back.
            self._connection.close()
            await self._connect()
        answered_before = self._sequence > 0
        try:
            return await self._send(self._connection, method, uri, headers)
        except ProbeError as error:
            if error.kind is not FailureKind.PROTOCOL or not answered_before or self._session or self._reader.begun:
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
        packets: list[Packet] = []
        while True:
            while self._items:
                item = self._items.popleft()
                if isinstance(item, Packet):
                    if len(packets) < EARLY_PACKETS:
                        packets.append(item)
                elif item.sequence in (self._sequence, None):
                    self._items.extendleft(reversed(packets))
                    return item
            await self._receive(connection)

    async def _receive(self, connection: Connection) -> None:
        data = await connection.receive()
        if not data:
            said = f" after {self._reader.pending!r}" if self._reader.begun else ""
            stage = self._context.stage
            raise ProbeError(FailureKind.PROTOCOL, stage, f"the device closed the connection{said}")
        try:
            self._items.extend(self._reader.feed(data))
        except WireError as error:
            raise ProbeError(FailureKind.PROTOCOL, self._context.stage, str(error)) from error

    async def _leave(self, farewell: bytes) -> None:
        """Say goodbye and give the device a moment to hear it: a session it still holds is one that others miss."""
        assert self._connection is not None
        self._connection.send(farewell)
        stage = self._context.stage
        with suppress(ProbeError, TimeoutError):
            async with asyncio.timeout(transport.LINGER):
                while not any(isinstance(item, Answer) for item in self._items):
                    self._items.clear()
                    await self._receive(self._connection)
        self._context.stage = stage

    def _farewell(self) -> bytes:
        if not self._session_uri:
            return b""
        authorization = self._authenticator.once_more(Request("TEARDOWN", self._session_uri))
        headers = _with(self._session_header(), authorization)
        return rtsp.write_request("TEARDOWN", self._session_uri, self._sequence + 1, headers)

    def _session_header(self) -> Headers:
        return (("Session", self._session),) if self._session else ()


def _with(headers: Headers, authorization: str | None) -> Headers:
    return headers if authorization is None else (*headers, ("Authorization", authorization))

"""This file is the one HTTP client of the probes: bounded answers, no redirects, no compression, Basic and Digest.

One client serves one run at one port of a device and keeps its connection for as long as the device does.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from camera_registry.model.observation import FailureKind, Stage
from camera_registry.model.roster import Target
from probes import credentials, transport
from probes.authentication import Authenticator, Headers
from probes.base import Context, ProbeError
from probes.transport import Connection
from probes.wire import WireError
from probes.wire.digest import Request
from probes.wire.http import Answer, AnswerReader, host_header, request_target, write_request


class HttpClient:
    """HTTP to one port of one device, for one run. Close it at the end, or use it as a context manager."""

    def __init__(self, context: Context, target: Target, port: int, *, limit: int, tls: bool = False) -> None:
        self._context = context
        self._target = target
        self._port = port
        self._tls = tls
        self._limit = limit
        self._host = host_header(target.host, port, 443 if tls else 80)
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def send(self, method: str, path: str, headers: Headers = (), body: bytes = b"") -> Answer:
        """One request and its answer, whatever its status. Raises ProbeError.

        A kept connection that the device has dropped meanwhile is replaced once; all that is sent only reads.
        """
        try:
            data = write_request(method, request_target(path), self._host, headers, body)
        except WireError as error:
            raise ProbeError(FailureKind.PROTOCOL, Stage.REQUEST, str(error)) from error
        kept = self._connection
        if kept is not None and kept.usable:
            reader = AnswerReader(self._limit)
            try:
                return await self._exchange(kept, reader, data)
            except ProbeError:
                if reader.begun:
                    raise
        self.close()
        self._connection = await transport.connect(self._context, self._target, self._port, tls=self._tls)
        return await self._exchange(self._connection, AnswerReader(self._limit), data)

    async def request(
        self,
        method: str,
        path: str,
        authenticator: Authenticator,
        headers: Headers = (),
        body: bytes = b"",
    ) -> Answer:
        """As ``send``, with the authentication the device asks for. Raises ProbeError(AUTH) if it refuses that.

        Tell the authenticator ``accepted`` when the answer shows that the password was taken.
        """
        asked = Request(method, request_target(path), body)
        return await authenticator.through(asked, headers, lambda proven: self.send(method, path, proven, body))

    async def _exchange(self, connection: Connection, reader: AnswerReader, data: bytes) -> Answer:
        self._context.stage = Stage.REQUEST
        connection.send(data)
        self._context.stage = Stage.ANSWER
        try:
            while not reader.feed(received := await connection.receive()) and received:
                pass
            answer = reader.answer or reader.end()
        except WireError as error:
            self.close()
            raise ProbeError(FailureKind.PROTOCOL, self._context.stage, str(error)) from error
        if not answer.reusable:
            self.close()
        return answer


async def fetch(
    context: Context, target: Target, port: int, path: str, *, limit: int, tls: bool, guarded: bool = True
) -> Answer:
    """One page of at most ``limit`` bytes, with the registered password where the device asks for one.

    Where none is registered, a question for it is an answer like any, or raises ProbeError(AUTH) if ``guarded`` says
    that it is in the way.
    """
    login = credentials.login(context, target, "http")
    try:
        with HttpClient(context, target, port, limit=limit, tls=tls) as client:
            if login is None and not guarded:
                return await client.send("GET", path)
            authenticator = Authenticator(context, target, "http", login)
            answer = await client.request("GET", path, authenticator)
            authenticator.accepted()
            return answer
    finally:
        if login is not None:
            login.close()

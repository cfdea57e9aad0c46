"""This file holds a conversation with an SNMP agent, over version 2c or 3, by a socket that hears nobody but the agent.

Only GET and GETBULK can be asked. What a credential means is settled here: without a user name its password is a
community (version 2c), with one it is a user's secrets (version 3, see ``usm.FORM``).
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

from camera_registry.model.observation import FailureKind, Stage
from camera_registry.model.roster import Target
from probes import credentials, transport
from probes.base import Context, ProbeError
from probes.wire import WireError, snmp, usm
from probes.wire.ber import Oid
from probes.wire.snmp import Envelope, Kind, Pdu, Security, Value

PATIENCE = 1.5
"""Seconds after which a question is asked again, for a datagram may get lost."""
TRIES = 3
REPETITIONS = 10
"""Rows asked for at once."""
MOST_ANSWERS = 64
"""Answers to one walk, after which an agent is taken for endless."""

_REPORTS = (1, 3, 6, 1, 6, 3, 15, 1, 1)
"""usmStats (RFC 3414 section 5)."""
_NO_LEVEL, _LATE, _NO_USER, _NO_ENGINE, _WRONG_PROOF, _WRONG_SEAL = 1, 2, 3, 4, 5, 6
_REFUSALS = {
    _NO_LEVEL: "the device does not let this user ask in this manner",
    _NO_USER: "the device knows no such user",
    _WRONG_PROOF: "the device refused the user's secret for proof, or its hash",
    _WRONG_SEAL: "the device refused the user's secret for encryption",
}
_TOO_BIG, _NO_SUCH_NAME, _AUTHORIZATION = 1, 2, 16
_SCHEME = "snmp"

Taken = TypeVar("Taken")


@dataclass(slots=True)
class _Engine:
    """What is remembered of an agent of version 3: its keys, and its clock at a time of ours."""

    user: usm.User
    keys: usm.Keys
    boots: int
    ahead: float
    salt: int = field(default_factory=lambda: secrets.randbits(63))

    def clock(self) -> tuple[int, int]:
        return self.boots, max(0, int(time.monotonic() + self.ahead))

    def next_salt(self) -> int:
        self.salt += 1
        return self.salt


class SnmpSession:
    """One run's conversation with one agent. Use it as a context manager."""

    def __init__(self, context: Context, target: Target, port: int) -> None:
        self._context = context
        self._target = target
        self._port = port
        self._memory = context.tools.memory.of(target.device)
        self._sock: socket.socket | None = None
        self._heard = False
        login = credentials.login(context, target, _SCHEME)
        if login is None:
            raise credentials.wanted(context, target, _SCHEME)
        self._login = login
        self._user = self._read_user() if login.username else None
        if self._user is not None:
            context.secrets += tuple(secret for secret in (self._user.proving, self._user.sealing) if secret)

    def _read_user(self) -> usm.User:
        try:
            return usm.read_user(self._login.username, self._login.password)
        except WireError as error:
            raise ProbeError(FailureKind.AUTH, Stage.AUTHENTICATE, str(error)) from error

    async def __aenter__(self) -> Self:
        address = await transport.resolve(self._context, self._target.host, self._port)
        self._context.stage = Stage.CONNECT
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.connect((address, self._port))
        except OSError as error:
            sock.close()
            raise transport.failure_of(error, self._context, self._target.host, self._port) from error
        self._sock = sock
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._sock is not None:
            self._sock.close()
        self._login.close()

    async def get(self, *names: Oid) -> Mapping[Oid, Value]:
        """The values of these objects; those that the agent does not have are left out. Raises ProbeError."""
        answer = await self._ask(Kind.GET, names)
        if answer.error == _NO_SUCH_NAME:
            return {}
        self._check(answer)
        return {name: value for name, value in answer.bindings if value is not None}

    async def walk(self, columns: Sequence[Oid], limit: int) -> dict[Oid, dict[Oid, Value]]:
        """The rows of a table by their index, each with what it has of ``columns``; at most ``limit`` rows.

        Raises ProbeError.
        """
        rows: dict[Oid, dict[Oid, Value]] = {}
        last = {column: column for column in columns}
        repetitions = REPETITIONS
        for _ in range(MOST_ANSWERS):
            asked = tuple(last)
            answer = await self._ask(Kind.GET_BULK, tuple(last.values()), repetitions)
            if answer.error == _TOO_BIG and repetitions > 1:
                repetitions //= 2
                continue
            if answer.error == _NO_SUCH_NAME:
                break
            self._check(answer)
            before = dict(last)
            for column, (name, value) in _in_columns(asked, answer):
                if column not in last:
                    continue
                # An agent that does not go forward would be walked for ever.
                if value is None or name[: len(column)] != column or name <= last[column]:
                    del last[column]
                    continue
                last[column] = name
                index = name[len(column) :]
                if index in rows or len(rows) < limit:
                    rows.setdefault(index, {})[column] = value
            if not last or last == before or len(rows) >= limit:
                break
        return rows

    def _check(self, answer: Pdu) -> None:
        if answer.error == _AUTHORIZATION:
            raise ProbeError(FailureKind.AUTH, Stage.ANSWER, "the device lets this community or user see nothing")
        if answer.error:
            raise ProbeError(FailureKind.PROTOCOL, Stage.ANSWER, f"the device answers with error {answer.error}")

    async def _ask(self, kind: Kind, names: Sequence[Oid], repetitions: int = 0) -> Pdu:
        if self._user is not None:
            return await self._ask_as(self._user, kind, names, repetitions)
        number = secrets.randbits(31)
        pdu = snmp.write_pdu(kind, number, names, repetitions=repetitions)

        def accept(data: bytes) -> Pdu | None:
            answer = snmp.read_community(data)[1]
            return answer if (answer.kind, answer.request) == (Kind.RESPONSE, number) else None

        await self._login.permit()
        answer = await self._exchange(snmp.write_community(self._login.password.encode(), pdu), accept)
        self._login.accepted()
        return answer

    async def _ask_as(self, user: usm.User, kind: Kind, names: Sequence[Oid], repetitions: int) -> Pdu:
        """Ask as a user. An agent may say once that its clock or its engine is another than we remember."""
        for _ in range(3):
            known = self._memory.schemes.get(_SCHEME)
            engine = known if isinstance(known, _Engine) and known.user == user else await self._discover(user)
            number = secrets.randbits(31)
            pdu = snmp.write_pdu(kind, number, names, repetitions=repetitions)
            scoped = snmp.write_scoped(engine.keys.engine, pdu)
            await self._login.permit()
            message = usm.seal(number, user.name, engine.keys, engine.clock(), engine.next_salt(), scoped)
            told: Pdu | _Report = await self._exchange(message, partial(_open, number=number, keys=engine.keys))
            if isinstance(told, Pdu):
                self._login.accepted()
                return told
            if told.reason == _LATE and told.proved:
                engine.boots, engine.ahead = told.security.boots, told.security.time - time.monotonic()
                continue
            self._memory.schemes.pop(_SCHEME, None)
            if told.reason in _REFUSALS:
                self._login.refused()
                raise self._login.failure(_REFUSALS[told.reason])
        raise ProbeError(FailureKind.PROTOCOL, Stage.ANSWER, "the device does not stick to its engine and its clock")

    async def _discover(self, user: usm.User) -> _Engine:
        """Ask an agent for its engine and its clock (RFC 3414 section 4); that needs no secret."""
        number = secrets.randbits(31)
        question = snmp.write_scoped(b"", snmp.write_pdu(Kind.GET, number, ()))

        def accept(data: bytes) -> Security | None:
            envelope = snmp.read_envelope(data)
            return envelope.security if envelope.number == number and envelope.security.engine else None

        envelope = Envelope(number, authenticated=False, encrypted=False, security=Security(), content=question)
        told = await self._exchange(snmp.write_envelope(envelope), accept)
        self._context.step("snmp.greeted")
        engine = _Engine(user, usm.keys_for(user, told.engine), told.boots, told.time - time.monotonic())
        self._memory.schemes[_SCHEME] = engine
        return engine

    async def _exchange(self, message: bytes, accept: Callable[[bytes], Taken | None]) -> Taken:
        """Send a message, again if nothing comes, and return the first answer that ``accept`` takes."""
        assert self._sock is not None
        loop = asyncio.get_running_loop()
        # A datagram has no handshake: until the agent has said a word, nobody is known to be there.
        self._context.stage = Stage.ANSWER if self._heard else Stage.CONNECT
        for turn in range(TRIES):
            patience = min(PATIENCE, 0.9 * self._context.remaining() / (TRIES - turn))
            try:
                await loop.sock_sendall(self._sock, message)
                async with asyncio.timeout(patience):
                    while True:
                        data = await loop.sock_recv(self._sock, snmp.LARGEST)
                        self._heard, self._context.stage = True, Stage.ANSWER
                        if (taken := accept(data)) is not None:
                            return taken
            except TimeoutError:
                continue
            except WireError as error:
                raise ProbeError(FailureKind.PROTOCOL, Stage.ANSWER, str(error)) from error
            except OSError as error:
                raise transport.failure_of(error, self._context, self._target.host, self._port) from error
        raise self._silence()

    def _silence(self) -> ProbeError:
        detail = f"no answer to a question that was asked {TRIES} times"
        if not self._heard:
            detail += "; a device that is off, one that speaks no SNMP here, and one that does not know the community "
            detail += "are all silent: if others answer, look at its SNMP settings and the credential"
        elif self._user is not None and self._user.sealing:
            detail += "; some devices meet a wrong secret for encryption with silence"
        return ProbeError(FailureKind.TIMEOUT, self._context.stage, detail)


@dataclass(frozen=True, slots=True)
class _Report:
    """What an agent has against a message; ``proved``: it is certainly the agent that says so."""

    reason: int
    security: Security
    proved: bool


def _open(data: bytes, *, number: int, keys: usm.Keys) -> Pdu | _Report | None:
    """What an agent answers to message ``number``; None for anything else. Raises WireError."""
    envelope = snmp.read_envelope(data)
    if envelope.number != number:
        return None
    proved = usm.unseal(data, envelope, keys)
    if proved is None and envelope.encrypted:
        return None
    pdu = snmp.read_scoped(envelope.content if proved is None else proved)
    if pdu.kind == Kind.REPORT and pdu.bindings:
        name = pdu.bindings[0][0]
        reason = name[len(_REPORTS)] if name[:-2] == _REPORTS else 0
        return _Report(reason, envelope.security, proved is not None)
    return pdu if proved is not None and (pdu.kind, pdu.request) == (Kind.RESPONSE, number) else None


def _in_columns(columns: Sequence[Oid], answer: Pdu) -> Iterator[tuple[Oid, tuple[Oid, Value]]]:
    """Each binding of an answer in bulk with the column it belongs to (RFC 3416 section 4.2.3)."""
    for place, binding in enumerate(answer.bindings):
        yield columns[place % len(columns)], binding

"""This file asks a device ONVIF questions: signed in the device's own time, by HTTP Digest where it wants that instead.

The manner that worked is remembered per device. Nothing but the operations on ``soap.Operation`` can be asked.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self, TypeVar

from lxml import etree

from camera_registry.model.observation import FailureKind
from camera_registry.model.roster import Target
from probes import credentials, soap_writer
from probes.authentication import Authenticator, Headers
from probes.base import Context, ProbeError
from probes.http_client import HttpClient
from probes.wire import onvif, soap, soap_requests
from probes.wire.http import Answer, read_date
from probes.wire.onvif import Information
from probes.wire.onvif_clock import Clock, clock_in
from probes.wire.refusal import Refusal
from probes.wire.soap import SOAP_LIMIT, Operation, SoapError

SURE_CLOCK = 5.0
"""Seconds of difference that no device minds in the time of a signature."""
ZONE_STEP, ZONE_SLACK, ZONE_MOST = 900.0, 60.0, 14 * 3600.0
"""A clock that is a multiple of these seconds off, to within those, and no more than that, may be right in all but its
zone: it tells its local time for UTC."""

_Told = TypeVar("_Told")
_Read = Callable[[int, bytes], _Told]
"""Takes out of an answer, by its HTTP status and its bytes, what was asked; raises SoapError."""

Place = tuple[int, str]
"""Port and path of a service on the registered host."""

_MODE = "onvif.mode"
_TOKEN_MODE, _HTTP_MODE = "ws-security", "http"
_SOAP = "onvif.soap"
_CLOCK = "onvif.clock"
_OPEN = frozenset(
    {
        Operation.TIME,
        Operation.SERVICES,
        Operation.CAPABILITIES,
        Operation.SERVICE_CAPABILITIES,
        Operation.HOSTNAME,
    }
)
"""Answered to everybody (ONVIF Core, access class PRE_AUTH): that they are answered does not prove a password."""


@dataclass(frozen=True, slots=True)
class _Question:
    request: soap_requests.Request
    operation: Operation
    port: int
    path: str
    tokens: tuple[str, ...] = ()
    at: datetime | None = None


def _reader(operation: Operation) -> _Read[etree._Element]:
    return lambda status, body: soap.read_answer(status, body, operation)


class OnvifDevice:
    """One run's ONVIF conversation with one device. Use it as a context manager."""

    def __init__(self, context: Context, target: Target) -> None:
        self._context = context
        self._target = target
        self._memory = context.tools.memory.of(target.device)
        self._login = credentials.login(context, target, "onvif")
        self._authenticator = Authenticator(context, target, "onvif", self._login)
        self._proof: _Question | None = None
        """What was answered in this run to our password, or without one, and not to everybody."""
        self._told_time = False
        self._other_offset: float | None = None
        """Another idea of how far the device's clock is off, to sign by where the first one is refused."""
        self._clients: dict[int, HttpClient] = {}
        self.home: Place = (target.web_port("onvif"), target.onvif_path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hang_up()
        if self._login is not None:
            self._login.close()

    def hang_up(self) -> None:
        """Close the connections; the next question opens a new one."""
        for client in self._clients.values():
            client.close()

    async def ask(
        self,
        namespace: str,
        operation: Operation,
        *,
        place: Place | None = None,
        tokens: Sequence[str] = (),
        at: datetime | None = None,
    ) -> etree._Element:
        """The answer to a signed question at ``place`` (the device service if None); ``tokens`` and ``at`` as
        ``soap_requests.Request.write`` takes them.

        Raises SoapError when the device refuses this question, ProbeError when it refuses us or can't be reached.
        """
        request = await self._written(namespace, operation)
        question = _Question(request, operation, *(place or self.home), tuple(tokens), at)
        return await self._in_its_version(question, lambda asked: self._ask_signed(asked, _reader(operation)))

    async def ask_information(self) -> Information:
        """What the device is. Raises as ``ask``."""
        request = await self._written(soap.DEVICE, Operation.INFORMATION)
        question = _Question(request, Operation.INFORMATION, *self.home)
        return await self._in_its_version(question, lambda asked: self._ask_signed(asked, onvif.information_in))

    async def ask_clock(self) -> Clock | None:
        """The device's clock, asked without a password, or with one if the device insists; None if it does not tell.

        Raises SoapError, ProbeError. Keeps how far the clock is off, for signing and for whoever wants to know.
        """
        question = _Question(await self._written(soap.DEVICE, Operation.TIME), Operation.TIME, *self.home)
        before = self._context.tools.now()
        clock = await self._in_its_version(question, self._ask_time)
        if clock is not None:
            self._told_time = True
            self._set_by(clock, before)
        return clock

    async def _written(self, namespace: str, operation: Operation) -> soap_requests.Request:
        await soap_writer.write(namespace, lasting=self._context.tools.lasting)
        return soap_requests.request(namespace, operation)

    async def _in_its_version(self, question: _Question, ask: Callable[[_Question], Awaitable[_Told]]) -> _Told:
        """Ask in SOAP 1.2, once more in 1.1 where the device insists on that, and in what it took from then on.

        Some do not say what they miss: where even the time, which every device tells, is not answered, 1.1 is tried.
        """
        before = self._memory.schemes.get(_SOAP)
        unclear = {Refusal.VERSION, Refusal.PROTOCOL}
        try:
            return await ask(question)
        except SoapError as error:
            if error.refusal is not Refusal.VERSION:
                unclear.add(Refusal.NOT_SUPPORTED)
                if question.operation is not Operation.TIME or before is not None or error.refusal not in unclear:
                    raise
            refused = error
        self._memory.schemes[_SOAP] = old = before is not True
        try:
            told = await ask(question)
        except SoapError as error:
            if error.refusal not in unclear:
                raise
            self._memory.schemes[_SOAP] = before
            raise refused from error
        except BaseException:  # no answer shows nothing of versions
            self._memory.schemes[_SOAP] = before
            raise
        self._context.step("onvif.version", version="1.1" if old else "1.2")
        return told

    async def _ask_signed(self, question: _Question, read: _Read[_Told]) -> _Told:
        if self._login is None:
            return self._read_unsigned(await self._send(question), question, read)
        proof, afresh = self._proof, self._authenticator.afresh
        try:
            return await self._ask_in_its_mode(question, self._login, read)
        except SoapError as error:
            if proof is None or error.refusal is not Refusal.AUTH:
                raise
            was_set = self._memory.schemes.get(_MODE) == _TOKEN_MODE and await self._clock_was_set()
            await self._prove_again(proof, self._login)
            if not was_set and self._authenticator.afresh is afresh:
                raise
        return await self._ask_in_its_mode(question, self._login, read)  # it was for the time or the nonce, perhaps

    async def _clock_was_set(self) -> bool:
        """Whether the device, asked without a password, tells another time than it did: that of the signature was
        wrong then."""
        known, asked = self._memory.clock_offset or 0.0, self._context.tools.now()
        answer = await self._send(
            _Question(await self._written(soap.DEVICE, Operation.TIME), Operation.TIME, *self.home)
        )
        try:
            clock = clock_in(answer.status, answer.body)
        except SoapError:
            return False
        if clock is None:
            return False
        self._set_by(clock, asked)
        return abs((self._memory.clock_offset or 0.0) - known) > SURE_CLOCK

    async def _prove_again(self, proof: _Question, login: credentials.Login) -> None:
        """Something was refused after the password was taken: this user may not ask that, or somebody has changed the
        password meanwhile. What was answered before tells, so that a wrong one is tried twice at most. Raises
        ProbeError(AUTH) where that is refused too."""
        self._proof = None
        self._authenticator.doubt()
        login.doubt()
        await self._ask_in_its_mode(proof, login, _reader(proof.operation))

    async def _ask_in_its_mode(self, question: _Question, login: credentials.Login, read: _Read[_Told]) -> _Told:
        if self._memory.schemes.get(_MODE) == _HTTP_MODE:
            return await self._ask_by_http(question, read)
        return await self._ask_by_token(question, login, read)

    async def _ask_time(self, question: _Question) -> Clock | None:
        """Ask unsigned; signed where that is refused, in the time of the refusal's Date header: some devices keep their
        clock behind the password whose proof needs that clock."""
        asked = self._context.tools.now()
        answer = await self._send(question)
        try:
            return clock_in(answer.status, answer.body)
        except SoapError as error:
            if self._login is None or error.refusal is Refusal.VERSION:
                raise
            if answer.status not in (400, 401, 500) and error.refusal is not Refusal.AUTH:
                raise
        told = read_date(answer.head.get("date"))
        if self._memory.clock_offset is None and told is not None:
            self._memory.clock_offset = (told - asked).total_seconds()
            if abs(self._memory.clock_offset) > SURE_CLOCK:
                self._other_offset = 0.0  # some devices misstate their Date
        if answer.status == 401 and answer.head.get("www-authenticate") and _MODE not in self._memory.schemes:
            self._memory.schemes[_MODE] = _HTTP_MODE  # it guards everything by HTTP: a token would be a wasted try
        return await self._ask_signed(question, clock_in)

    def _set_by(self, clock: Clock, before: datetime) -> None:
        """Keep how far the clock is off, and by what else it may be off."""
        after = self._context.tools.now()
        # Devices cut the fraction of their second off: on average half of one has passed already.
        ours = before + (after - before) / 2 - timedelta(seconds=0.5)
        offset = (clock.moment - ours).total_seconds()
        other: float | None = None
        if clock.other is not None:
            other = (clock.other - ours).total_seconds()
            offset, other = sorted((offset, other), key=abs)
        elif ZONE_STEP - ZONE_SLACK < abs(offset) < ZONE_MOST + ZONE_SLACK:
            rest = offset - ZONE_STEP * round(offset / ZONE_STEP)
            other = rest if abs(rest) < ZONE_SLACK else None
        if other is not None and self._memory.schemes.get(_CLOCK) is True:
            offset, other = other, None
        self._memory.clock_offset, self._other_offset = offset, other

    async def _ask_by_token(self, question: _Question, login: credentials.Login, read: _Read[_Told]) -> _Told:
        await login.permit()
        offset = self._memory.clock_offset or 0.0
        created = self._context.tools.now() + timedelta(seconds=offset)
        security = soap.security_header(login.username, login.password, created, secrets.token_bytes(16))
        answer = await self._send(question, security)
        try:
            told = read(answer.status, answer.body)
        except SoapError as error:
            if not self._is_about_us(error, answer, question.operation):
                raise
            login.refused()
            offered = bool(answer.head.get("www-authenticate"))
            known = self._memory.schemes.get(_MODE) == _TOKEN_MODE
            other, self._other_offset = self._other_offset, None
            if other is not None and not offered and not known:
                self._memory.clock_offset = other
                told = await self._ask_by_token(question, login, read)
                self._memory.schemes[_CLOCK] = True
                return told
            self._memory.clock_offset = None  # the clock may have been set since: learn it anew before the next try
            if known and not offered:
                raise login.failure(f"WS-Security: {error}") from error
            self._context.step("onvif.token_refused", detail=str(error))
            # Remembered before it is tried: a run that is cut short here must not begin with the token again, or two
            # such runs would pass for two refusals of the password.
            self._memory.schemes[_MODE] = _HTTP_MODE
            return await self._ask_by_http(question, read)
        if question.operation not in _OPEN:
            login.accepted()
            self._proof = question
            self._memory.schemes[_MODE] = _TOKEN_MODE
        return told

    async def _ask_by_http(self, question: _Question, read: _Read[_Told]) -> _Told:
        client = self._client(question.port)
        headers, body = self._compose(question)
        try:
            answer = await client.request("POST", question.path, self._authenticator, headers, body)
        except ProbeError as error:
            if error.kind is not FailureKind.AUTH:
                raise
            if self._proof is not None:
                raise SoapError(Refusal.AUTH, error.detail) from error
            # What was not tried for the sake of the account is tried first the next time.
            if not (self._login and self._login.held_back):
                self._memory.schemes.pop(_MODE, None)
            raise
        try:
            told = read(answer.status, answer.body)
        except SoapError as error:
            if error.refusal is not Refusal.AUTH:
                self._authenticator.accepted()
            if not self._is_about_us(error, answer, question.operation) or self._login is None:
                raise
            self._memory.schemes.pop(_MODE, None)
            raise self._login.failure(str(error)) from error
        self._authenticator.accepted()
        if question.operation not in _OPEN:
            self._proof = question
            self._authenticator.be_careful()
        return told

    def _read_unsigned(self, answer: Answer, question: _Question, read: _Read[_Told]) -> _Told:
        try:
            told = read(answer.status, answer.body)
        except SoapError as error:
            if self._is_about_us(error, answer, question.operation):
                raise credentials.wanted(self._context, self._target, "onvif") from error
            raise
        self._proof = question
        return told

    def _is_about_us(self, error: SoapError, answer: Answer, operation: Operation) -> bool:
        """Whether a refusal speaks of the password. Once it was taken in this run, a later one is about the question:
        this user may not ask it. Some say nothing but 400: where the device told the time, and will not say what it is,
        the question was well put, and it is the one who asks that is refused."""
        mute = answer.status == 400 and error.refusal is Refusal.PROTOCOL
        refused = error.refusal is Refusal.AUTH or (mute and self._told_time and operation is Operation.INFORMATION)
        return refused and answer.status != 403 and self._proof is None

    async def _send(self, question: _Question, security: bytes = b"") -> Answer:
        headers, body = self._compose(question, security)
        return await self._client(question.port).send("POST", question.path, headers, body)

    def _compose(self, question: _Question, security: bytes = b"") -> tuple[Headers, bytes]:
        old = self._memory.schemes.get(_SOAP) is True
        body = question.request.write(security, question.tokens, question.at, old=old)
        return question.request.headers(old=old), body

    def _client(self, port: int) -> HttpClient:
        client = self._clients.get(port)
        if client is None:
            tls = self._target.tls
            client = self._clients[port] = HttpClient(self._context, self._target, port, limit=SOAP_LIMIT, tls=tls)
        return client

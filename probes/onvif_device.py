"""This file asks a device ONVIF questions: signed in the device's own time, by HTTP Digest where it wants that instead.

The manner that worked is remembered per device. Nothing but the operations on ``soap.Operation`` can be asked.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from lxml import etree

from camera_registry.model.observation import FailureKind
from camera_registry.model.roster import Target
from probes import credentials
from probes.authentication import Authenticator
from probes.base import Context, ProbeError
from probes.http_client import HttpClient
from probes.wire import onvif, soap, soap_requests
from probes.wire.http import Answer, read_date
from probes.wire.soap import SOAP_LIMIT, Operation, Refusal, SoapError

SURE_CLOCK = 5.0
"""Seconds of difference that no device minds in the time of a signature."""

_MODE = "onvif.mode"
_TOKEN_MODE, _HTTP_MODE = "ws-security", "http"


@dataclass(frozen=True, slots=True)
class _Question:
    request: soap_requests.Request
    operation: Operation
    port: int
    path: str
    token: str

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        return (("Content-Type", self.request.content_type),)


async def _written(namespace: str, operation: Operation) -> soap_requests.Request:
    """The request as zeep wrote it; the first time in a thread, because that takes most of a second."""
    if not soap_requests.prepared():
        await asyncio.to_thread(soap_requests.prepare)
    return soap_requests.request(namespace, operation)


class OnvifDevice:
    """One run's ONVIF conversation with one device. Use it as a context manager."""

    def __init__(self, context: Context, target: Target) -> None:
        self._context = context
        self._target = target
        self._memory = context.tools.memory.of(target.device)
        self._login = credentials.login(context, target, "onvif")
        self._authenticator = Authenticator(context, target, "onvif", self._login)
        self._known_here = False
        self._clock_is_a_guess = False
        self._clients: dict[int, HttpClient] = {}
        self.home = (target.ports.get("onvif", 0) or (443 if target.tls else 80), target.onvif_path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients.values():
            client.close()
        if self._login is not None:
            self._login.close()

    async def ask(
        self, namespace: str, operation: Operation, *, place: tuple[int, str] | None = None, token: str = ""
    ) -> etree._Element:
        """The answer to a signed question at ``place`` (port and path; the device service if None).

        Raises SoapError when the device refuses this question, ProbeError when it refuses us or can't be reached.
        """
        question = _Question(await _written(namespace, operation), operation, *(place or self.home), token)
        if self._login is None:
            return self._read_unsigned(await self._send(question), question)
        if self._memory.schemes.get(_MODE) == _HTTP_MODE:
            return await self._ask_by_http(question)
        return await self._ask_by_token(question, self._login)

    async def ask_time(self) -> datetime | None:
        """The device's clock, asked without a password, or with one if the device insists; None if it does not tell.

        Raises SoapError, ProbeError. Keeps how far the clock is off for signing.
        """
        question = _Question(await _written(soap.DEVICE, Operation.TIME), Operation.TIME, *self.home, "")
        before = self._context.tools.now()
        answer = await self._send(question)
        try:
            element = soap.read_answer(answer.status, answer.body, Operation.TIME)
        except SoapError as error:
            if self._login is None or (answer.status not in (400, 401, 500) and error.refusal is not Refusal.AUTH):
                raise
            self._take_time_from(answer, before)
            if answer.status == 401 and answer.head.get("www-authenticate") and _MODE not in self._memory.schemes:
                self._memory.schemes[_MODE] = _HTTP_MODE  # it guards everything by HTTP: a token would be a wasted try
            before = self._context.tools.now()
            element = await self.ask(soap.DEVICE, Operation.TIME)
        after = self._context.tools.now()
        moment = onvif.read_time(element)
        if moment is not None:
            # Devices cut the fraction of their second off: on average half of one has passed already.
            offset = moment + timedelta(seconds=0.5) - (before + (after - before) / 2)
            self._memory.clock_offset = offset.total_seconds()
        return moment

    def _take_time_from(self, answer: Answer, asked: datetime) -> None:
        """Sign in the time of the answer's Date header, where a device keeps its clock behind the password whose proof
        needs that clock."""
        told = read_date(answer.head.get("date"))
        if self._memory.clock_offset is None and told is not None:
            self._memory.clock_offset = (told - asked).total_seconds()
            self._clock_is_a_guess = abs(self._memory.clock_offset) > SURE_CLOCK

    async def _ask_by_token(self, question: _Question, login: credentials.Login) -> etree._Element:
        await login.permit()
        offset = self._memory.clock_offset or 0.0
        created = self._context.tools.now() + timedelta(seconds=offset)
        security = soap.security_header(login.username, login.password, created, secrets.token_bytes(16))
        answer = await self._send(question, security)
        try:
            element = soap.read_answer(answer.status, answer.body, question.operation)
        except SoapError as error:
            if not self._is_about_us(error, answer):
                raise
            login.refused()
            self._memory.clock_offset = None  # the clock may have been set since: learn it anew before the next try
            known = self._memory.schemes.get(_MODE) == _TOKEN_MODE
            if self._clock_is_a_guess and not answer.head.get("www-authenticate"):
                self._clock_is_a_guess = False
                return await self._ask_by_token(question, login)  # in our own time: some devices misstate their Date
            if known and not answer.head.get("www-authenticate"):
                raise login.failure(f"the device refused the user name or password (WS-Security, {error})") from error
            self._context.step("onvif.token_refused", detail=str(error))
            # Remembered before it is tried: a run that is cut short here must not begin with the token again, or two
            # such runs would pass for two refusals of the password.
            self._memory.schemes[_MODE] = _HTTP_MODE
            return await self._ask_by_http(question)
        login.accepted()
        self._known_here = True
        self._memory.schemes[_MODE] = _TOKEN_MODE
        return element

    async def _ask_by_http(self, question: _Question) -> etree._Element:
        client = self._client(question.port)
        body = question.request.write(token=question.token)
        try:
            answer = await client.request("POST", question.path, self._authenticator, question.headers, body)
        except ProbeError as error:
            if error.kind is FailureKind.AUTH:
                self._memory.schemes.pop(_MODE, None)
            raise
        try:
            element = soap.read_answer(answer.status, answer.body, question.operation)
        except SoapError as error:
            if error.refusal is not Refusal.AUTH:
                self._authenticator.accepted()
            if not self._is_about_us(error, answer) or self._login is None:
                raise
            self._memory.schemes.pop(_MODE, None)
            raise self._login.failure(f"the device refused the user name or password ({error})") from error
        self._authenticator.accepted()
        self._known_here = True
        self._memory.schemes[_MODE] = _HTTP_MODE
        return element

    def _read_unsigned(self, answer: Answer, question: _Question) -> etree._Element:
        try:
            element = soap.read_answer(answer.status, answer.body, question.operation)
        except SoapError as error:
            if self._is_about_us(error, answer):
                raise credentials.wanted(self._target, "onvif", "the device asks for a password") from error
            raise
        self._known_here = True
        return element

    def _is_about_us(self, error: SoapError, answer: Answer) -> bool:
        """Whether a refusal speaks of the password. Once it was taken in this run, a later one is about the question:
        this user may not ask it."""
        return error.refusal is Refusal.AUTH and answer.status != 403 and not self._known_here

    async def _send(self, question: _Question, security: bytes = b"") -> Answer:
        body = question.request.write(security, question.token)
        return await self._client(question.port).send("POST", question.path, question.headers, body)

    def _client(self, port: int) -> HttpClient:
        client = self._clients.get(port)
        if client is None:
            tls = self._target.tls and port == self.home[0]
            client = self._clients[port] = HttpClient(self._context, self._target, port, limit=SOAP_LIMIT, tls=tls)
        return client

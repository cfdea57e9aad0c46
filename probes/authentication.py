"""This file answers Basic and Digest challenges for HTTP and RTSP alike, and remembers per device what worked.

A remembered challenge lets the next run authenticate its first request. Where a device does not honour that (many tie
a nonce to one connection), later runs ask unauthenticated first and answer the fresh challenge.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from camera_registry.model.observation import FailureKind, Stage
from camera_registry.model.roster import Target
from probes.base import Context, ProbeError
from probes.credentials import Login, wanted
from probes.wire import digest
from probes.wire.digest import Challenge, Request
from probes.wire.head import Head
from probes.wire.text import clean

MISSES = 2
"""Remembered nonces refused in a row, after which none is tried any more."""

Headers = Sequence[tuple[str, str]]


class Answer(Protocol):
    """What HTTP and RTSP answer alike."""

    @property
    def status(self) -> int: ...

    @property
    def head(self) -> Head: ...


AnswerT = TypeVar("AnswerT", bound=Answer)


@dataclass(slots=True)
class Scheme:
    """A challenge that was answered with success, ``count`` times in this run and by others. ``misses``: how often in
    a row a remembered nonce was refused although the password was right."""

    challenge: Challenge
    count: int = 0
    misses: int = 0


class Authenticator:
    """One run's answers to challenges over one protocol; keeps what worked in the device's memory."""

    def __init__(self, context: Context, target: Target, protocol: str, login: Login | None) -> None:
        self._context = context
        self._target = target
        self._protocol = protocol
        self._login = login
        self._sent = False
        self._accepted = False
        self._careful = False
        self.afresh = False
        """Whether each request waits for a challenge of its own, for another nonce came with a refusal."""
        self._schemes = context.tools.memory.of(target.device).schemes
        known = self._schemes.get(protocol)
        self._known = known if isinstance(known, Scheme) else None
        self._scheme = self._known if self._known is not None and self._known.misses < MISSES else None

    async def through(
        self, request: Request, headers: Headers, send: Callable[[Headers], Awaitable[AnswerT]]
    ) -> AnswerT:
        """The answer to a request sent with these headers and the authentication that the device asks for. Raises
        ProbeError(AUTH) if it refuses that."""
        authorization = await self._first(request)
        answer = await send(proven(headers, authorization))
        if answer.status == 401:
            authorization = await self._again(answer.head.all("www-authenticate"), request, authorization)
            answer = await send(proven(headers, authorization))
            if answer.status == 401:
                raise self._refused()
        return answer

    async def _first(self, request: Request) -> str | None:
        """The Authorization header of a request before any challenge, if one is remembered."""
        if self._scheme is None or self._login is None or self._login.last_try or self.afresh:
            return None
        await self._login.permit()
        return self._answer(self._scheme, self._login, request)

    async def _again(self, headers: Sequence[str], request: Request, sent: str | None) -> str:
        """The header of the one retry after a 401 with these WWW-Authenticate headers; ``sent`` is the header of the
        refused request, or None. Raises ProbeError(AUTH) when there is nothing more to try."""
        self._context.stage = Stage.AUTHENTICATE
        if self._login is None:
            raise wanted(self._context, self._target, self._protocol)
        challenge = digest.strongest(digest.read_challenges(headers))
        if sent is not None and (challenge is None or not self._may_be_stale(challenge)):
            raise self._refused()
        if sent is not None and self._careful and not (challenge and challenge.stale):
            self.afresh = True
            raise self._refused()
        if challenge is None and not headers and self._login.refused_here:
            raise self._login.failure(self._protocol.upper())
        if challenge is None:
            offered = clean(", ".join(header.strip().partition(" ")[0] for header in headers), 60)
            key = "auth.scheme" if offered else "auth.silent"
            raise ProbeError.told(FailureKind.AUTH, Stage.AUTHENTICATE, key, offered=offered)
        self._context.step("authentication.asked", scheme=challenge.name)
        missed = sent is not None and not challenge.stale and self._scheme is self._known
        misses = self._known.misses if self._known is not None else 0
        self._scheme = Scheme(challenge, misses=misses + missed)
        if missed:
            # The device does not say that it was for the nonce: it may have counted a wrong password, and so do we.
            self._login.refused()
        await self._login.permit()
        return self._answer(self._scheme, self._login, request)

    def once_more(self, request: Request) -> str | None:
        """The header of a last request where authentication was under way already; asks nobody, waits for nothing."""
        if self._scheme is None or self._login is None or not self._sent:
            return None
        return self._answer(self._scheme, self._login, request)

    def renewed(self, headers: Sequence[str], request: Request) -> str | None:
        """The header for a last request whose header was refused for its nonce alone; None where there is none. Like
        ``once_more`` it asks nobody, and what is refused here counts for nothing."""
        challenge = digest.strongest(digest.read_challenges(headers))
        if challenge is None or self._login is None or not self._sent or not self._may_be_stale(challenge):
            return None
        return self._answer(Scheme(challenge), self._login, request)

    def be_careful(self) -> None:
        """Answer no second challenge to one request unless the device says that it was for the nonce: another password
        may be sent with it. ``afresh`` tells that it may have been for the nonce."""
        self._careful = True

    def doubt(self) -> None:
        """Forget that the password was accepted in this run."""
        self._accepted = False

    def accepted(self) -> None:
        """The device took the last header sent."""
        if self._login is None or self._scheme is None or not self._sent:
            return
        self._accepted = True
        self._login.accepted()
        if self._scheme is self._known:
            self._known.misses = 0
        else:
            self._schemes[self._protocol] = self._scheme

    def _refused(self) -> ProbeError:
        """The error for a 401 to an answer of the device's own challenge.

        Of a password that this very run saw accepted it says nothing: its user may not ask that, and no try is counted.
        """
        assert self._login is not None
        if self._accepted:
            detail = "the device took the password before, and refuses this to its user; give it the right to ask"
            return ProbeError(FailureKind.AUTH, Stage.AUTHENTICATE, detail)
        self._login.refused()
        return self._login.failure(self._scheme.challenge.name if self._scheme is not None else self._protocol.upper())

    def _may_be_stale(self, challenge: Challenge) -> bool:
        """Whether the refused header may have failed by its nonce alone."""
        if self._scheme is None or self._scheme.challenge.scheme != "digest":
            return False
        return challenge.stale or challenge.nonce != self._scheme.challenge.nonce

    def _answer(self, scheme: Scheme, login: Login, request: Request) -> str:
        scheme.count += 1
        self._sent = True
        return digest.authorization(
            scheme.challenge, login.username, login.password, request, count=scheme.count, cnonce=secrets.token_hex(8)
        )


def proven(headers: Headers, authorization: str | None) -> Headers:
    """``headers`` with an Authorization header, if there is one."""
    return headers if authorization is None else (*headers, ("Authorization", authorization))

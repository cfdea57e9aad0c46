"""Observations: what one probe run returned, before anybody has judged it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from camera_registry.model.chain import Way

Facts = Mapping[str, object]
"""Names to JSON values (text, numbers, booleans, null, lists and objects of them)."""


class FailureKind(StrEnum):
    """Why a probe could not measure: a closed list. People read the detail, rules read the kind."""

    DNS = "dns"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    TLS = "tls"
    CERTIFICATE = "certificate"
    AUTH = "auth"
    PROTOCOL = "protocol"
    BUSY = "busy"
    NO_STREAM = "no_stream"
    NO_MEDIA = "no_media"
    UNDECODABLE = "undecodable"
    INTERNAL = "internal"


_NOTHING_TO_SEND = {"auth.none", "auth.unknown", "auth.not_given"}
_SILENCE = frozenset({FailureKind.DNS, FailureKind.UNREACHABLE, FailureKind.TIMEOUT})


class Stage(StrEnum):
    """How far a probe had come when it failed."""

    ADDRESS = "address"
    CONNECT = "connect"
    HANDSHAKE = "handshake"
    REQUEST = "request"
    AUTHENTICATE = "authenticate"
    ANSWER = "answer"
    MEDIA = "media"
    DECODE = "decode"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an observation has no full facts. ``detail`` is for people and holds no secret.

    ``key`` names the text ``failure.KEY`` that says the same in the reader's language, with these ``values``; empty:
    the detail is all there is. Values called ``at`` and ``until`` are times, ISO 8601 in UTC. ``way`` is what was found
    of the way to the device when this failure began.
    """

    kind: FailureKind
    stage: Stage
    detail: str
    key: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    way: Way | None = None

    @property
    def wants_credential(self) -> bool:
        """Whether a password was asked for where there is none to send, so that none was refused."""
        return self.kind is FailureKind.AUTH and self.key in _NOTHING_TO_SEND

    @property
    def guessed(self) -> bool:
        """Whether there was nothing at a place where nobody said that there is anything: that is no fault."""
        return self.key == "guessed"

    @property
    def unanswered(self) -> bool:
        """Whether nothing at all answered. A refusal is an answer by the host."""
        return self.kind in _SILENCE and self.stage in (Stage.ADDRESS, Stage.CONNECT)


@dataclass(frozen=True, slots=True)
class Observation:
    """One probe run. ``at`` is when it began (aware UTC), ``took`` its seconds.

    A failed run keeps the facts gathered before it failed. ``picture`` is a small JPEG kept as health evidence.
    """

    device: str
    probe: str
    at: datetime
    took: float
    channel: str = ""
    facts: Facts = field(default_factory=dict)
    failure: Failure | None = None
    picture: bytes | None = None

    @property
    def ok(self) -> bool:
        return self.failure is None


@dataclass(frozen=True, slots=True)
class ProbeSeen:
    """The newest run of one probe on one channel (``channel`` empty: the device)."""

    probe: str
    channel: str
    at: datetime
    took: float
    failure: Failure | None
    last_success: datetime | None
    facts: Facts

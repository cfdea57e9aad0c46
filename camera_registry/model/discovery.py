"""Discovery: what was met in the device networks, and what is proposed to people because of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ProposalKind(StrEnum):
    """What is proposed: to register a unit, to follow one to its new address, to take note of another unit in the
    place of the registered one."""

    NEW = "new"
    MOVED = "moved"
    REPLACED = "replaced"


class ProposalState(StrEnum):
    """What became of a proposal. ``settled``: register and network agree by now, without anybody's decision."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    SETTLED = "settled"


class Oversight(StrEnum):
    """Why an address was passed over, and never contacted."""

    OUTSIDE = "outside"
    """Somebody outside the device networks answered a question that was put to all."""
    ELSEWHERE = "elsewhere"
    """A unit gave the address of another host as its own."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A unit that answered at ``address``, and all that it said of itself without being shown a password.

    ``ports`` are those that answered, by number; ports of 0 and empty texts are not known. ``name``, ``hardware`` and
    ``endpoint`` are what it says over WS-Discovery, ``server`` what it says in HTTP or RTSP headers. ``guarded``: it
    asks for a password before it says what it is.
    """

    address: str
    at: datetime
    ports: tuple[int, ...] = ()
    onvif_port: int = 0
    onvif_path: str = ""
    rtsp_port: int = 0
    http_port: int = 0
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""
    mac: str = ""
    name: str = ""
    hardware: str = ""
    endpoint: str = ""
    server: str = ""
    guarded: bool = False


@dataclass(frozen=True, slots=True)
class Ignored:
    """An address that was passed over: ``address`` answered, ``named`` is what was not contacted."""

    address: str
    named: str
    why: Oversight


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a person is asked to decide. ``device`` is the registered one that it is about, empty for a new one.

    ``key`` stays the same from one search to the next. ``fingerprint`` changes when there is other evidence: what was
    rejected is not proposed again before that. ``evidence`` holds JSON values.
    """

    kind: ProposalKind
    key: str
    address: str
    fingerprint: str
    device: str = ""
    evidence: Mapping[str, object] = field(default_factory=dict)

    def evidence_of(self, part: str) -> Mapping[str, object]:
        """One part of the evidence (``said``, ``before``), empty if there is none."""
        found = self.evidence.get(part)
        return found if isinstance(found, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Findings:
    """What a search means to a register. ``known``: addresses where all is as registered, and the device there
    (empty: one of several); ``others``: how many hosts answered, but not as a camera does."""

    proposals: tuple[Proposal, ...]
    known: Mapping[str, str]
    others: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a search is. ``position``: where it would go on after a stop; ``trouble``: why the last one ended early,
    for people; ``stopped``: somebody ended it. ``outside`` and ``elsewhere`` say why how many were ``ignored``.

    Known when it is over: how many of those ``met`` are as ``known`` to the register, how many are ``others`` than
    cameras, and how many it ``proposed`` (rejected ones that were seen again included).
    """

    running: bool = False
    begun: datetime | None = None
    ended: datetime | None = None
    position: int = 0
    total: int = 0
    met: int = 0
    ignored: int = 0
    trouble: str = ""
    stopped: bool = False
    outside: int = 0
    elsewhere: int = 0
    known: int = 0
    others: int = 0
    proposed: int = 0

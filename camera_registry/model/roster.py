"""The roster: what a poller is told to measure, and nothing of how it will be judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

Run = tuple[str, str]
"""(probe, channel): what is asked of one device again and again. The channel is empty for the device as a whole."""


@dataclass(frozen=True, slots=True)
class Parent:
    """A device through which another one is reached, and a port by which one can tell that it is alive (0: none)."""

    device: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Target:
    """A device as a probe sees it. ``ports`` names protocols: ``onvif``, ``rtsp``, ``http``, ``tcp``, ``tls``,
    ``snmp``; 0 or missing: not spoken. ``credential`` names a credential that is resolved where the probe runs,
    ``credentials`` those of protocols that have their own. ``tls``: its web and ONVIF services are encrypted;
    ``certificate`` is the SHA-256 fingerprint that they are held to (empty: none is known yet, or any will do).
    ``parents``: the nearest first, and no more than may be asked for one device."""

    device: str
    host: str
    ports: Mapping[str, int] = field(default_factory=dict)
    credential: str = ""
    onvif_path: str = "/onvif/device_service"
    http_path: str = "/"
    tls: bool = False
    certificate: str = ""
    credentials: Mapping[str, str] = field(default_factory=dict)
    parents: tuple[Parent, ...] = ()

    def credential_for(self, protocol: str) -> str:
        """The name of the credential for ``protocol``; empty where none is registered."""
        return self.credentials.get(protocol, self.credential)

    def web_port(self, protocol: str) -> int:
        """The port of ``http`` or ``onvif``; where none is registered, the usual one."""
        return self.ports.get(protocol, 0) or (443 if self.tls else 80)


@dataclass(frozen=True, slots=True)
class Task:
    """One probe of one device (or channel), asked every ``interval`` seconds, within ``timeout`` seconds.

    ``soon``: nothing is known of it yet, so the first run comes within minutes instead of at its place in a long
    interval.
    """

    probe: str
    interval: float
    timeout: float
    channel: str = ""
    options: Mapping[str, object] = field(default_factory=dict)
    soon: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """Everything a poller does for one device."""

    target: Target
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Put:
    """Poll this device from now on, in place of whatever was known of it."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Drop:
    """Stop polling this device."""

    device: str


@dataclass(frozen=True, slots=True)
class Hurry:
    """Run this task once more, ``after`` seconds from now: a verdict waits for confirmation."""

    device: str
    probe: str
    channel: str
    after: float


@dataclass(frozen=True, slots=True)
class LeaveAlone:
    """Do not send this version of a credential to this device over ``protocol`` ("*": over any) before ``until``: it
    was refused ``at``, as a poller told before it was started anew."""

    device: str
    credential: str
    version: int
    protocol: str
    at: datetime
    until: datetime


RosterChange = Put | Drop | Hurry | LeaveAlone

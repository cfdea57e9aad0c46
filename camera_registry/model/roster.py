"""The roster: what a poller is told to measure, and nothing of how it will be judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Target:
    """A device as a probe sees it. ``ports`` names protocols: ``onvif``, ``rtsp``, ``http``, ``tcp``, ``tls``,
    ``snmp``; 0 or missing: not spoken. ``credential`` names a credential that is resolved where the probe runs,
    ``credentials`` those of protocols that have their own. ``tls``: its web and ONVIF services are encrypted;
    ``certificate`` is the SHA-256 fingerprint that they are held to (empty: none is known yet, or any will do)."""

    device: str
    host: str
    ports: Mapping[str, int] = field(default_factory=dict)
    credential: str = ""
    onvif_path: str = "/onvif/device_service"
    http_path: str = "/"
    tls: bool = False
    certificate: str = ""
    credentials: Mapping[str, str] = field(default_factory=dict)

    def credential_for(self, protocol: str) -> str:
        """The name of the credential for ``protocol``; empty where none is registered."""
        return self.credentials.get(protocol, self.credential)


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


RosterChange = Put | Drop | Hurry

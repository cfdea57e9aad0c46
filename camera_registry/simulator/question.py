"""What an answer of a simulated device may depend on, and how it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from camera_registry.model.device import TlsUse
from camera_registry.simulator.live import LiveDevice
from camera_registry.simulator.member import Ports, profile_token
from camera_registry.simulator.sizes import SIZES

INNER_HOST = "192.168.1.64"
"""What a device behind NAT takes for its own address."""


class SoapFault(Exception):
    """A SOAP fault: code, the chain of subcodes, and a sentence."""

    def __init__(self, code: str, subcodes: tuple[str, ...], reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.subcodes = subcodes
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to a device. ``arguments`` by local name, the last of each; ``repeated``: all of each."""

    device: LiveDevice
    arguments: Mapping[str, str]
    ports: Ports
    repeated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def host(self) -> str:
        member = self.device.member
        return INNER_HOST if member.maker.tells_inner_address else member.device.host

    @property
    def base(self) -> str:
        if self.device.member.device.tls is TlsUse.PIN:
            return f"https://{self.host}:{self.ports.https}"
        return f"http://{self.host}:{self.ports.http}"

    def profile(self) -> tuple[int, int]:
        """Channel and stream of the profile asked for. Raises SoapFault."""
        token = self.arguments.get("ProfileToken", "")
        for channel in range(1, self.device.member.channels + 1):
            for stream in SIZES:
                if token == profile_token(channel, stream):
                    return channel, stream
        raise SoapFault("Sender", ("InvalidArgVal", "NoProfile"), f"there is no media profile {token!r}")

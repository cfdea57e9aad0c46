"""What is remembered of a device between runs: how it wants to be greeted, how far its clock is off, when to leave it
alone. Losing it costs one extra exchange, never a wrong verdict."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class DeviceMemory:
    """``schemes``: per protocol ("onvif", "rtsp", "http") the authentication that worked last, as its codec keeps it.
    ``clock_offset``: device clock minus ours, seconds. ``quiet_until``: loop time before which the credential
    ``quiet_version`` is not sent again, because the device refused it."""

    schemes: dict[str, object] = field(default_factory=dict)
    clock_offset: float | None = None
    quiet_until: float = 0.0
    quiet_version: tuple[str, int] = ("", 0)


class Memory:
    """One record per device, made when first asked for."""

    def __init__(self) -> None:
        self._devices: dict[str, DeviceMemory] = {}

    def of(self, device: str) -> DeviceMemory:
        known = self._devices.get(device)
        if known is None:
            known = self._devices[device] = DeviceMemory()
        return known

    def forget(self, device: str) -> None:
        self._devices.pop(device, None)

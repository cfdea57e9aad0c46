"""The fault dial: sets and clears faults of devices while the fleet is being served."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Address

from camera_registry.simulator.faults import NONE, SILENT, Fault, FaultError, Faults, options_of
from camera_registry.simulator.live import LiveDevice
from camera_registry.simulator.plan import Fleet

log = logging.getLogger(__name__)


class Dial:
    """Faults by device. ``darken`` is called with the addresses that must be silent whenever those change.

    Methods take one device's id, or several. Those who are not of this fleet raise FaultError.
    """

    def __init__(
        self, fleet: Fleet, devices: Mapping[str, LiveDevice], darken: Callable[[frozenset[int]], None]
    ) -> None:
        self._fleet = fleet
        self._devices = devices
        self._darken = darken
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._off_beat: set[str] = set()
        """Flapping devices that are silent just now."""
        self._dark: frozenset[str] = frozenset()
        self._silenced: set[str] = set()
        """Devices whose own fault silences them and all beneath them."""

    def set(self, devices: str | Iterable[str], fault: Fault | str, **options: object) -> None:
        """Put a fault in force, at once. Set again, it takes the new options. Raises FaultError."""
        kind = _fault(fault)
        filled = options_of(kind, options)
        for device in self._known(devices):
            if device.faults is NONE:
                device.faults = Faults()
            device.faults.active[kind] = filled
            device.faults.begun[kind] = time.time()
            if kind in SILENT:
                self._silenced.add(device.member.id)
            elif kind is Fault.FLAPPING:
                self._stop(device)
                self._beat(device, filled["period"] / 2)
            elif kind is Fault.FROZEN:
                device.frozen_picture.clear()
        self._spread()

    def clear(self, devices: str | Iterable[str], fault: Fault | str | None = None) -> None:
        """End a fault, or all of a device's. A device without it is left as it is."""
        kind = None if fault is None else _fault(fault)
        for device in self._known(devices):
            ended = tuple(device.faults.active) if kind is None else (kind,)
            for each in ended:
                self._end(device, each)
        self._spread()

    def clear_all(self) -> None:
        """All is well again, and nothing of the dial is left on the event loop."""
        self.clear(list(self.active()))

    def active(self) -> dict[str, dict[Fault, dict[str, float]]]:
        """What is in force now: device to faults with their options."""
        return {
            device.member.id: dict(device.faults.active) for device in self._devices.values() if device.faults.active
        }

    def dark(self) -> frozenset[str]:
        """Devices that are silent now, those under a switch that is down among them."""
        return self._dark

    def _end(self, device: LiveDevice, fault: Fault) -> None:
        if fault not in device.faults:
            return
        del device.faults.active[fault]
        if not any(silent in device.faults for silent in SILENT):
            self._silenced.discard(device.member.id)
        if fault is Fault.FLAPPING:
            self._stop(device)
        elif fault is Fault.FROZEN:
            device.frozen_picture.clear()
        elif fault is Fault.WRONG_PASSWORD:
            device.unlock()

    def _known(self, devices: str | Iterable[str]) -> list[LiveDevice]:
        names = [devices] if isinstance(devices, str) else list(devices)
        missing = [name for name in names if name not in self._devices]
        if missing:
            raise FaultError("no_device", device=missing[0])
        return [self._devices[name] for name in names]

    def _beat(self, device: LiveDevice, half: float) -> None:
        """A flapping device is silent first, then well, by halves of its period."""
        self._off_beat ^= {device.member.id}
        self._timers[device.member.id] = asyncio.get_running_loop().call_later(half, self._turn, device, half)

    def _turn(self, device: LiveDevice, half: float) -> None:
        self._beat(device, half)
        self._spread()

    def _stop(self, device: LiveDevice) -> None:
        timer = self._timers.pop(device.member.id, None)
        if timer is not None:
            timer.cancel()
        self._off_beat.discard(device.member.id)

    def _spread(self) -> None:
        """Work out who is silent, beneath whom, and tell the kernel if that has changed."""
        dark = frozenset(below for device in self._silenced | self._off_beat for below in self._fleet.beneath(device))
        if dark == self._dark:
            return
        for name in self._dark - dark:
            self._devices[name].faults.dark = False
        for name in dark - self._dark:
            device = self._devices[name]
            if device.faults is NONE:
                device.faults = Faults()
            device.faults.dark = True
        self._dark = dark
        self._darken(frozenset(int(IPv4Address(self._devices[name].member.device.host)) for name in dark))


def _fault(name: Fault | str) -> Fault:
    try:
        return Fault(name)
    except ValueError as error:
        raise FaultError("no_fault", fault=name, known=", ".join(Fault)) from error

"""The faults that a simulated device can have, and the options of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from camera_registry.texts.errors import TellableError


class Fault(StrEnum):
    """What is wrong with a device. Several may be in force at once."""

    POWER_OFF = "power_off"
    """Silence: packets to it vanish, as with a dead camera."""
    SWITCH_DOWN = "switch_down"
    """Silence of the device and of all beneath it."""
    FLAPPING = "flapping"
    """Silent for half of each ``period``, well for the other half."""
    REFUSED = "refused"
    """Every connection is reset at once."""
    HANG = "hang"
    """Accepts connections, reads, and never answers."""
    SLOW_DRIP = "slow_drip"
    """Answers one byte every ``interval`` seconds."""
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - the name of a fault
    """Somebody changed the device's password."""
    CLOCK_DRIFT = "clock_drift"
    """Its clock is ``seconds`` ahead."""
    OSD_WRONG = "osd_wrong"
    """The clock that it burns into its pictures is ``seconds`` ahead; its own is right."""
    OSD_STOPPED = "osd_stopped"
    """The clock that it burns into its pictures stands still since ``ago`` seconds before now."""
    SERIAL_SWAPPED = "serial_swapped"
    """Another unit hangs in its place: the serial number has changed."""
    BUSY = "busy"
    """Its table of stream sessions is full; it answers with ``status``, 453 or 503."""
    NO_MEDIA = "no_media"
    """Streams play and no packet comes."""
    NO_STREAM = "no_stream"
    """Its streams are gone: asked for one it says that there is none."""
    UNDECODABLE = "undecodable"
    """Streams play, and their packets hold noise."""
    LOW_FRAME_RATE = "low_frame_rate"
    """Streams play ``rate`` pictures a second, and go on to announce what they should."""
    WRONG_STREAM = "wrong_stream"
    """The main stream is played where the sub stream is asked for, and the other way round."""
    RECORDING_GAP = "recording_gap"
    """A recorder lacks ``seconds`` of recordings, up to ``ago`` seconds before now; 0: it has stopped writing."""
    STORAGE_FAULT = "storage_fault"
    """A recorder's disk reports errors."""
    POE_OFF = "poe_off"
    """The switch's port no longer feeds it: silence, and a port with a fault of PoE."""
    ON_BATTERY = "on_battery"
    """The cabinet of a switch has lost its mains and runs on its battery."""
    CERTIFICATE_CHANGED = "certificate_changed"
    """It shows another certificate than it did."""
    CERTIFICATE_EXPIRING = "certificate_expiring"
    """Its certificate ends in ten days."""
    TLS_BROKEN = "tls_broken"
    """It ends every handshake with an alert."""
    BLACK = "black"
    FROZEN = "frozen"
    """The same bytes again and again."""
    HELD = "held"
    """One exposure again and again, with a burnt-in clock that runs."""
    COVERED = "covered"
    BLURRED = "blurred"
    MOVED = "moved"
    """Somebody has turned it: its view is another part of the scene."""
    NO_SIGNAL = "no_signal"


OPTIONS: Mapping[Fault, Mapping[str, float]] = {
    Fault.FLAPPING: {"period": 20.0},
    Fault.SLOW_DRIP: {"interval": 1.0},
    Fault.CLOCK_DRIFT: {"seconds": 86_400.0},
    Fault.OSD_WRONG: {"seconds": 7_200.0},
    Fault.OSD_STOPPED: {"ago": 0.0},
    Fault.BUSY: {"status": 453.0},
    Fault.LOW_FRAME_RATE: {"rate": 3.0},
    Fault.RECORDING_GAP: {"seconds": 7_200.0, "ago": 0.0},
}
"""The options of a fault and what they are unless said otherwise, in seconds but for those in UNITS."""

UNITS: Mapping[str, str] = {"status": "no_status", "rate": "no_rate"}
"""Which text says what a value of another unit should be."""

SILENT = frozenset({Fault.POWER_OFF, Fault.SWITCH_DOWN, Fault.POE_OFF})
OF_ENCRYPTION = frozenset({Fault.CERTIFICATE_CHANGED, Fault.CERTIFICATE_EXPIRING, Fault.TLS_BROKEN})


class FaultError(TellableError):
    """A fault can't be set as asked; the message says why and what would do."""

    section = "fault_error"


@dataclass(slots=True)
class Faults:
    """The faults in force on one device, and what its protocols must ask at each request.

    ``begun``: when each was set, in seconds since 1970; ``dark``: nothing of it reaches the network, be it for its own
    fault or for that of a device above it.
    """

    active: dict[Fault, dict[str, float]] = field(default_factory=dict)
    begun: dict[Fault, float] = field(default_factory=dict)
    dark: bool = False

    def __contains__(self, fault: object) -> bool:
        return fault in self.active

    def option(self, fault: Fault, name: str) -> float:
        """The option's value; 0.0 while the fault is not in force."""
        return self.active.get(fault, {}).get(name, 0.0)


NONE = Faults()
"""Shared by all healthy devices; never changed."""


def options_of(fault: Fault, given: Mapping[str, object]) -> dict[str, float]:
    """The fault's options with defaults filled in. Raises FaultError."""
    known = OPTIONS.get(fault, {})
    filled = dict(known)
    for name, value in given.items():
        if name not in known:
            raise FaultError("option" if known else "no_options", fault=fault.value, name=name, known=", ".join(known))
        if isinstance(value, bool) or not isinstance(value, int | float):
            key = UNITS.get(name, "no_seconds")
            raise FaultError(key, fault=fault.value, name=name, given=value)
        if name != "seconds" and (value < 0 or (known[name] and not value)):
            least = "0" if name in UNITS else "0 s"
            raise FaultError("too_small", fault=fault.value, name=name, least=least, given=value)
        filled[name] = float(value)
    return filled

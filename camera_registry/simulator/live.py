"""A simulated device as it lives: its clock, its faults, and the counts of what was asked of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from camera_registry.simulator.faults import NONE, Fault, Faults
from camera_registry.simulator.member import Member

LOCKED_FOR = 1800.0
"""Seconds for which an account is locked after too many wrong passwords."""
MOST_OPERATIONS = 64
"""Different operations that a device counts one by one."""


@dataclass(slots=True)
class Counts:
    """What a device was asked. ``requests``: operations as ``onvif.GetProfiles``, ``rtsp.DESCRIBE``, ``http.snapshot``,
    ``tcp.connect``. ``failed_authentications``: wrong proofs, not mere challenges. ``forbidden``: operations that would
    change the device. ``open_sessions``: streams set up and not torn down; ``abandoned_sessions``: those that ended
    with their connection, because nobody took them down."""

    requests: dict[str, int] = field(default_factory=dict)
    failed_authentications: int = 0
    forbidden: int = 0
    open_sessions: int = 0
    abandoned_sessions: int = 0

    def request(self, operation: str) -> None:
        if len(self.requests) >= MOST_OPERATIONS and operation not in self.requests:
            operation = "other"  # whoever makes up names shall not fill the memory
        self.requests[operation] = self.requests.get(operation, 0) + 1


class LiveDevice:
    """One device that answers. Everything but what makes it itself is made when first needed."""

    __slots__ = ("_counts", "_locked_until", "_wrong", "faults", "frozen_picture", "member")

    def __init__(self, member: Member) -> None:
        self.member = member
        self.faults: Faults = NONE
        self.frozen_picture: dict[int, bytes] = {}
        self._counts: Counts | None = None
        self._wrong = 0
        self._locked_until = 0.0

    @property
    def counts(self) -> Counts:
        if self._counts is None:
            self._counts = Counts()
        return self._counts

    @property
    def clock(self) -> float:
        """Its own idea of the time, in seconds since 1970."""
        return time.time() + self.member.drift + self.faults.option(Fault.CLOCK_DRIFT, "seconds")

    @property
    def shown(self) -> float:
        """The time that it burns into its pictures, in seconds since 1970."""
        stopped = self.faults.begun.get(Fault.OSD_STOPPED) if Fault.OSD_STOPPED in self.faults else None
        running = self.clock if stopped is None else stopped - self.faults.option(Fault.OSD_STOPPED, "ago")
        return running + self.faults.option(Fault.OSD_WRONG, "seconds")

    @property
    def password(self) -> str:
        password = self.member.password
        return f"{password}-changed" if Fault.WRONG_PASSWORD in self.faults else password

    @property
    def serial(self) -> str:
        serial = self.member.device.serial
        return f"{serial[:2]}{serial[:1:-1]}" if Fault.SERIAL_SWAPPED in self.faults else serial

    @property
    def locked(self) -> bool:
        return self._locked_until > time.monotonic()

    def wrong_proof(self) -> None:
        """Somebody gave a wrong password; enough of that locks the account."""
        self.counts.failed_authentications += 1
        self._wrong += 1
        if self.member.maker.lockout and self._wrong >= self.member.maker.lockout:
            self._locked_until = time.monotonic() + LOCKED_FOR

    def right_proof(self) -> None:
        self._wrong = 0

    def unlock(self) -> None:
        self._wrong, self._locked_until = 0, 0.0

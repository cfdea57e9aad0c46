"""The lookout: watches what the ledger judges for signs that it is we who see nothing, and knows whom to ask then."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from camera_registry.model.device import Device
from camera_registry.model.health import Aspect, AspectState, Reading, State
from camera_registry.model.policy import Policy
from camera_registry.model.register import Register
from camera_registry.rules import blindness
from camera_registry.rules.blindness import Sight
from camera_registry.rules.incidents.book import Blindness
from camera_registry.rules.incidents.faults import LOSSES
from camera_registry.rules.topology import Parents


class Lookout:
    """The eyes of one poller. It belongs to the event loop, like the ledger."""

    def __init__(self, poller: str) -> None:
        self.names: tuple[str, ...] = ()
        """What the settings call canaries: identifiers or addresses of devices whose silence, all at once, is ours."""
        self.canaries: frozenset[str] = frozenset()
        self.strangers: list[str] = []
        """Canaries that are not registered, so that nobody asks them."""
        self._poller = poller
        self._sight = Sight()
        self._asked: datetime | None = None
        self._devices: Mapping[str, Device] = {}
        self._parents: Parents = {}

    def follow(self, register: Register) -> None:
        """Take up the register as it is now."""
        devices = register.devices
        by_host = {device.host: device.id for device in devices.values() if device.host}
        known = {name: name if name in devices else by_host.get(name, "") for name in self.names}
        self.canaries = frozenset(filter(None, known.values()))
        self.strangers = [name for name, id in known.items() if not id]
        self._devices = devices
        self._parents = register.parents()

    def resume(self, since: datetime) -> None:
        """We were blind when the service last ran, and are until somebody answers."""
        self._sight = Sight(tuple(self.canaries) or ("",), since, since, since)

    @property
    def memory(self) -> tuple[Sight, datetime | None]:
        """What was seen, and when canaries were last asked."""
        return self._sight, self._asked

    def recall(self, sight: Sight, asked: datetime | None) -> None:
        """Remember that again."""
        self._sight, self._asked = sight, asked

    def look(self, state: AspectState, reading: Reading, policy: Policy, now: datetime) -> Collection[str]:
        """Note whether a device answers. Returns the canaries that should be asked at once."""
        if reading.subject.aspect is not Aspect.REACH:
            return ()
        device = reading.subject.device
        if reading.good:
            self._sight = blindness.answered(self._sight, device, self.canaries)
            return ()
        # After a pause of our own everything is stale, and our line may be what is lost.
        well = State.OK in (state.settled, state.was if state.settled is State.STALE else None)
        if well or device in self.canaries:
            self._sight = blindness.failed(self._sight, device, reading.at, self.canaries, self._devices, self._parents)
        if self._asked is not None and now - self._asked < timedelta(seconds=policy.retry):
            return ()
        self._asked = now
        return self.canaries - {device}

    def doubts(self, reading: Reading) -> bool:
        """Whether a failure to connect says more of us than of the device."""
        if self._sight.doubted is None or reading.subject.device in self.canaries:
            return False
        return reading.cause in LOSSES

    def pass_time(self, now: datetime, policy: Policy) -> None:
        """Become certain of what was doubted for long enough."""
        self._sight = blindness.pass_time(self._sight, now, policy.recheck)

    @property
    def blind(self) -> Blindness | None:
        """Since when we see nothing, if that is certain."""
        sight = self._sight
        if sight.blind is None or sight.first is None:
            return None
        asked = "none of the canaries answers" if self.canaries else "no device answers anywhere"
        return Blindness(self._poller, sight.first, sight.blind, asked)

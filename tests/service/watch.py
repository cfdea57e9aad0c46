"""A fleet that is asked without a socket, and the ledger and casebook that judge what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from camera_registry.model.device import Device, Kind
from camera_registry.model.incident import IncidentChange
from camera_registry.model.observation import Failure, FailureKind, Observation, Stage
from camera_registry.model.register import Register
from camera_registry.model.work_order import OrderChange
from camera_registry.service.books import Books
from camera_registry.service.casebook import Casebook
from camera_registry.service.dispatcher import Dispatcher
from camera_registry.service.ledger import Ledger
from camera_registry.settings import Settings

NOON = datetime(2026, 10, 1, 4, tzinfo=UTC)
SILENT = Failure(FailureKind.TIMEOUT, Stage.CONNECT, "no answer")


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def unit(n: int, **values: object) -> Device:
    made = Device(f"u-{n:04}", Kind.NETWORK, host=f"10.{n // 200}.{n % 200}.1", tcp_port=80)
    return replace(made, **values)  # type: ignore[arg-type]


class Watch:
    """A fleet that is asked over tcp each minute, and again after ten seconds while something waits."""

    def __init__(self, devices: Iterable[Device]) -> None:
        self.register = Register(devices={device.id: device for device in devices})
        self.told: list[IncidentChange] = []
        self.ordered: list[OrderChange] = []
        self.now = 0.0
        self._begin()
        self._follow()

    def _begin(self) -> None:
        settings = Settings()
        self.ledger = Ledger(settings.health.policy(), settings.probes.policy())
        self.casebook = Casebook(self.ledger, settings.incidents.policy(), at(self.now))
        self.dispatcher = Dispatcher(self.ledger, settings.dispatch_policy())
        self.books = Books(self.casebook, self.dispatcher)

    def _follow(self) -> None:
        self.ledger.follow(self.register, at(self.now))
        self.casebook.follow(self.register, (), Settings().incidents.policy())
        self.dispatcher.follow(self.register, Settings().dispatch_policy())

    def restart(self) -> None:
        """Another process takes up what this one has stored."""
        kept = self.ledger
        states = [state for watched in kept._watched.values() for state in watched.states.values()]
        seen = [(device, run) for device, watched in kept._watched.items() for run in watched.seen.values()]
        book, orders = self.casebook._book, self.dispatcher._book
        self._begin()
        self.ledger.load(states, seen)
        self.casebook.load(states, book.incidents.values(), book.affected.values(), book.last_id, at(self.now))
        self.dispatcher.load(orders.orders.values(), orders.last_id)
        self._follow()
        self.ledger.tick(at(self.now), 1)
        self.fold()

    def ask(self, up: Callable[[Device], bool], devices: Iterable[Device] | None = None) -> None:
        for device in devices if devices is not None else self.register.devices.values():
            self.hear(device.id, None if up(device) else SILENT)

    def hear(self, device: str, failure: Failure | None) -> None:
        self.ledger.judge([Observation(device, "tcp", at(self.now), 0.1, failure=failure)], at(self.now))

    def fold(self) -> None:
        changes = self.ledger.collect(at(self.now))
        self.books.fold(changes, at(self.now))
        self.told += changes.steps
        self.ordered += changes.order_steps

    def run(self, seconds: float, up: Callable[[Device], bool]) -> list[IncidentChange]:
        """Let time pass: devices are asked once a minute, those in suspicion every ten seconds."""
        before, end = len(self.told), self.now + seconds
        while self.now < end:
            self.now += 10
            suspected = [one for one in self.register.devices.values() if self.waits(one.id)]
            self.ask(up, None if self.now % 60 == 0 else suspected)
            self.ledger.tick(at(self.now), 1)
            self.fold()
        return self.told[before:]

    def waits(self, device: str) -> bool:
        """Whether the poller was told to hurry."""
        entry = self.ledger.entry(device)
        return entry is not None and any(state.run for state in entry.states)

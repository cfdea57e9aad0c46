"""A fleet whose flips a test makes by hand, and the book that is kept of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from camera_registry.model.device import Device, Kind
from camera_registry.model.health import Aspect, AspectState, Cause, Flip, State, Subject
from camera_registry.model.incident import Incident, IncidentChange, Step
from camera_registry.model.maintenance import Window
from camera_registry.model.work_order import Hold
from camera_registry.rules.incidents.book import Blindness, Book, Fleet, Folded
from camera_registry.rules.incidents.fold import fold
from camera_registry.rules.maintenance import plan

NOON = datetime(2026, 10, 1, 4, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def camera(n: int, **values: object) -> Device:
    return replace(Device(f"cam-{n:03}", Kind.CAMERA, host=f"10.{n % 200}.0.1"), **values)  # type: ignore[arg-type]


class City:
    """Devices, what is heard of each of them by now, and everything that was told."""

    def __init__(self, devices: Iterable[Device], area_parents: dict[str, str] | None = None) -> None:
        self.devices = {device.id: device for device in devices}
        self.states: dict[Subject, AspectState] = {}
        self.told: list[IncidentChange] = []
        self.windows: Sequence[Window] = ()
        self.blind: Blindness | None = None
        self.holds: dict[int, tuple[Hold, ...]] = {}
        self.folded = Folded()
        self.waiting: list[Flip] = []
        self.book = Book(NOON)
        self.now = 0.0
        self._areas = area_parents or {}

    @property
    def fleet(self) -> Fleet:
        parents = {device.id: device.parents for device in self.devices.values()}
        planned = plan(self.windows, self.devices, self._areas, parents)
        return Fleet(
            self.devices, parents, self._areas, self.states.get, windows=planned, blind=self.blind, holds=self.holds
        )

    def lose(
        self,
        device: str,
        seconds: float,
        cause: Cause = Cause.TIMEOUT,
        aspect: Aspect = Aspect.REACH,
        channel: str = "",
    ) -> None:
        """The loss began at ``seconds``; it is confirmed 20 seconds later."""
        self._flip(Subject(device, aspect, channel), State.DOWN, seconds, seconds + 20, cause)

    def back(self, device: str, seconds: float, aspect: Aspect = Aspect.REACH, channel: str = "") -> None:
        self._flip(Subject(device, aspect, channel), State.OK, seconds, seconds + 10)

    def silent(self, device: str, seconds: float, aspect: Aspect = Aspect.REACH) -> None:
        """Nothing was heard after ``seconds``; that is noticed 150 seconds later."""
        self._flip(Subject(device, aspect), State.STALE, seconds, seconds + 150)

    def flapping(self, device: str, seconds: float, cause: Cause = Cause.TIMEOUT) -> None:
        self._flip(Subject(device, Aspect.REACH), State.FLAPPING, seconds, seconds, cause)

    def forget(self, device: str, seconds: float) -> None:
        self._flip(Subject(device, Aspect.REACH), State.UNKNOWN, seconds, seconds)

    def hear(self, device: str, seconds: float, aspect: Aspect = Aspect.REACH, *, good: bool) -> None:
        subject = Subject(device, aspect)
        self.states[subject] = replace(self.states.get(subject, AspectState(subject)), read_at=at(seconds), good=good)

    def _flip(self, subject: Subject, after: State, begun: float, confirmed: float, cause: Cause | None = None) -> None:
        known = self.states.get(subject, AspectState(subject))
        self.waiting.append(Flip(subject, known.settled, after, at(begun), at(confirmed), cause))
        since = known.since if after is State.STALE else at(begun)
        was = known.settled if after is State.STALE else State.UNKNOWN
        good = None if after is State.STALE else cause is None
        read = at(begun if after is State.STALE else confirmed)
        kept = known.cause if after is State.STALE and known.settled is State.DOWN else cause
        self.states[subject] = AspectState(subject, after, after, was, since, kept, read_at=read, good=good)

    def until(self, seconds: float, every: float = 5.0) -> list[IncidentChange]:
        """Let time pass; flips are folded when they are confirmed. What was told meanwhile."""
        before = len(self.told)
        while self.now < seconds:
            self.now = min(seconds, self.now + every)
            due = [flip for flip in self.waiting if flip.confirmed_at <= at(self.now)]
            self.waiting = [flip for flip in self.waiting if flip.confirmed_at > at(self.now)]
            self.fold(due)
        return self.told[before:]

    def fold(self, flips: Sequence[Flip] = ()) -> None:
        self.book, folded = fold(self.book, flips, self.fleet, at(self.now))
        self.folded = folded
        self.told += folded.changes
        for id, began in folded.set_off:
            self.windows = [replace(one, began=began) if one.id == id else one for one in self.windows]
        for incident in self.book.incidents.values():
            lasted = max(timedelta(), at(self.now) - incident.started)
            assert sum(incident.charged(at(self.now)).values(), timedelta()) == lasted
        about = [(one.scope, one.about, one.cause) for one in self.book.incidents.values()]
        assert len(about) == len(set(about)), "never two open about one thing with one cause"

    @property
    def open(self) -> list[Incident]:
        return list(self.book.incidents.values())

    def steps(self, step: Step) -> list[str]:
        return [change.incident.about for change in self.told if change.step is step]

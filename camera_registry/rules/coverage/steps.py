"""This file holds values that change at moments, and makes them from flips and from changes of the register."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, Protocol, TypeVar

from camera_registry.model.health import Flip, State

T = TypeVar("T")


class Change(Protocol):
    """An edit of an item: when, and what it had before of the fields that differ; None: it was not registered."""

    @property
    def at(self) -> datetime: ...

    @property
    def before(self) -> Mapping[str, Any] | None: ...


EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Steps(Generic[T]):
    """A value over time: ``values[n]`` holds from ``times[n]``, included, until the next. The first has held ever."""

    times: tuple[datetime, ...]
    values: tuple[T, ...]

    def at(self, moment: datetime) -> T:
        return self.values[bisect_right(self.times, moment) - 1]

    def between(self, since: datetime, until: datetime) -> tuple[datetime, ...]:
        """The moments after ``since`` and before ``until`` at which it changes."""
        return self.times[bisect_right(self.times, since) : bisect_right(self.times, until)]

    def held(self, since: datetime, until: datetime) -> tuple[T, ...]:
        """What it was from ``since`` until ``until``, not included."""
        return (self.at(since), *(self.at(moment) for moment in self.between(since, until)))

    def ending(self, at: datetime, value: T) -> Steps[T]:
        """The same until a moment, and this value from then on."""
        count = bisect_left(self.times, at)
        return Steps((*self.times[:count], at), (*self.values[:count], value))


def constant(value: T) -> Steps[T]:
    """A value that never changes."""
    return Steps((EVER,), (value,))


def states(flips: Iterable[Flip], held: State | None = None) -> Steps[State]:
    """The state of one subject, from its flips in any order. ``held`` is what is held now, which has stood ever where
    there is no flip.

    A flip begins at its first sign, which may lie before the end of what was believed until then: it begins there then.
    """
    ordered = sorted(flips, key=lambda flip: (flip.at, flip.confirmed_at))
    if not ordered:
        return constant(held or State.UNKNOWN)
    times, values = [EVER], [ordered[0].before]
    for flip in ordered:
        if flip.at == times[-1]:
            values[-1] = flip.after
        else:
            times.append(flip.at)
            values.append(flip.after)
    return Steps(tuple(times), tuple(values))


def item(
    present: Mapping[str, object] | None, changes: Iterable[Change], blank: Mapping[str, object]
) -> Steps[Mapping[str, object] | None]:
    """The fields of one item of the register, from how it stands now (None: it is gone) and its changes, newest first.

    ``blank`` are the fields that are wanted, each with what a new item has; None in the result: it was not registered.
    """
    times: list[datetime] = []
    values: list[Mapping[str, object] | None] = []
    value = None if present is None else {name: present.get(name, default) for name, default in blank.items()}
    for change in changes:
        before = change.before
        earlier = None if before is None else {name: before.get(name, (value or blank)[name]) for name in blank}
        if earlier != value and (not times or change.at < times[-1]):
            times.append(change.at)
            values.append(value)
        value = earlier
    return Steps((EVER, *reversed(times)), (value, *reversed(values)))

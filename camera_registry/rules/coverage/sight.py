"""This file decides whether a channel shows a usable picture, and whether what its channels show covers a view."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from camera_registry.model.coverage import Sight, ViewState
from camera_registry.model.device import Life
from camera_registry.model.health import OF_THE_DEVICE, Aspect, State, Subject

NEEDED = (Aspect.REACH, Aspect.STREAM, Aspect.PICTURE)
"""What must be in order: online is reach and stream; a picture that is not usable, or not of the same view any more
(``moved``), is a fault of the picture."""

_BAD = frozenset({State.DOWN, State.FLAPPING})


def sight(life: Life | None, states: Iterable[State]) -> Sight:
    """What the confirmed ``states`` of what is needed make of a channel; ``life`` is its device's, None: there is none.

    A device that people have not put to work covers nothing, whatever is known of it; one known fault is enough; and
    where none is known, everything must be known to be in order.
    """
    if life is not Life.ACTIVE:
        return Sight.UNUSABLE
    seen = tuple(states)
    if any(state in _BAD for state in seen):
        return Sight.UNUSABLE
    return Sight.USABLE if all(state is State.OK for state in seen) else Sight.UNKNOWN


def needed(device: str, channel: str, held: Callable[[Subject], State | None]) -> tuple[State, ...]:
    """The state of each aspect that a channel needs, by what ``held`` tells of a subject (None: nothing).

    A device whose channels were registered later may still be known under no channel at all.
    """
    found = []
    for aspect in NEEDED:
        state = None if aspect in OF_THE_DEVICE else held(Subject(device, aspect, channel))
        if state is None or state is State.UNKNOWN:
            state = held(Subject(device, aspect)) or state
        found.append(state or State.UNKNOWN)
    return tuple(found)


def cover(channels: Iterable[tuple[Sight, bool]]) -> ViewState:
    """What a view's channels make of it; each with whether planned work covers its device. A view that no channel is
    mapped to is uncovered."""
    seen = tuple(channels)
    if any(sight is Sight.USABLE for sight, _ in seen):
        return ViewState.COVERED
    if any(planned for _, planned in seen):
        return ViewState.PLANNED
    if any(sight is Sight.UNKNOWN for sight, _ in seen):
        return ViewState.UNKNOWN
    return ViewState.UNCOVERED

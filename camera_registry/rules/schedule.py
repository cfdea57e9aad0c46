"""This file decides when each task is due: one heap, a hashed phase, and no opinion about sockets.

All times are seconds of one clock that never jumps. The caller adds a fixed offset once, at its start, so that phases
are pinned to absolute time and a restart moves nothing.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

from camera_registry.model.health import Aspect
from camera_registry.model.probe import PROBES
from camera_registry.model.roster import Entry, Target, Task

SOON = 300.0
"""The first run of a task of which nothing is known comes within this time. Not sooner: a new fleet's first pictures
would otherwise all be fetched and decoded within one minute of its import."""

FIRST = 200.0
"""Devices a second that are asked for the first time where their streams are, at most and by all agendas together: that
is ten times as much as what is asked of them ever after, and a fleet just met must not be asked all of it at once."""

Key = tuple[str, str, str]
"""(device, probe, channel)."""

TELLING = frozenset(name for name, kind in PROBES.items() if kind.tells)
"""The probes that tell what others need to know."""
SEEING = frozenset(name for name, kind in PROBES.items() if Aspect.PICTURE in kind.aspects)
"""The probes that bring pictures."""


def phase(key: Key) -> float:
    """A fixed share of the interval, 0 to 1, spread evenly over keys."""
    digest = blake2b("\\0".join(key).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def next_due(after: float, interval: float, share: float) -> float:
    """The first time later than ``after`` that lies at ``share`` of an interval since the epoch of the clock."""
    start = share * interval
    due = start + (int((after - start) // interval) + 1) * interval
    # Of large numbers the quotient may be rounded down to just below the whole one that it is.
    return due if due > after else due + interval


class Due(NamedTuple):
    """A task whose time has come. ``due`` is when it should have begun; ``extra`` marks a quick re-try, ``stranger``
    what has never gone well."""

    key: Key
    target: Target
    task: Task
    due: float
    extra: bool
    stranger: bool = False


@dataclass(slots=True)
class _Slot:
    target: Target
    task: Task
    share: float
    due: float
    stranger: bool
    place: int = 0
    """The number of the place that counts: what it had before may still lie in a heap."""
    extra: float | None = None
    running: bool = False


_Place = tuple[float, int, Key]
"""When, a number of its own, and what."""
_Heap = list[_Place]


@dataclass(slots=True)
class _Lane:
    """What waits together. ``fast`` is what was hurried. It goes before all else that is due: where more is due than
    can be asked, a suspicion must not wait in line for its confirmation behind what is merely late."""

    heap: _Heap = field(default_factory=list)
    fast: _Heap = field(default_factory=list)


class Agenda:
    """What is due when. A task still running when it is due again is skipped and counted in ``missed``.

    Pictures have a lane of their own, which is passed over where the caller says so: they wait for each other where
    they are measured, and must not take every slot from what is measured at once. So have strangers, of which nothing
    was known and that have not answered well yet: what was imported a moment ago may be a district without power.
    """

    def __init__(self) -> None:
        self.first = FIRST
        """How many devices a second it has asked for the first time, at most."""
        self._slots: dict[Key, _Slot] = {}
        self._of: dict[str, tuple[Key, ...]] = {}
        self._usual, self._seeing, self._strange = _Lane(), _Lane(), _Lane()
        self._wanted = {
            (pictures, strangers): self._heaps(pictures=pictures, strangers=strangers)
            for pictures in (True, False)
            for strangers in (True, False)
        }
        self._next_first = self._next_more = 0.0
        self._count = 0
        self.missed: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._slots)

    def put(self, entry: Entry, now: float) -> None:
        """Take up a device, in place of what was known of it. A task whose interval stays keeps its place, and what was
        hurried stays so."""
        device = entry.target.device
        old = {key: self._slots.pop(key) for key in self._of.get(device, ())}
        keys: list[Key] = []
        for task in entry.tasks:
            key = (device, task.probe, task.channel)
            keys.append(key)
            kept = old.get(key)
            if kept is not None and kept.task.interval == task.interval:
                kept.target, kept.task = entry.target, task
                self._slots[key] = kept
                continue
            share = phase(key)
            due = self._soon(task, share, now, further=bool(old)) if task.soon else next_due(now, task.interval, share)
            running = kept is not None and kept.running
            stranger = kept.stranger if kept is not None else task.soon and task.probe not in SEEING
            slot = self._slots[key] = _Slot(entry.target, task, share, due, stranger, running=running)
            heapq.heappush(self._lane(key, slot).heap, self._place(key, slot))
            if kept is not None and kept.extra is not None:
                # Who is asked more often because it answers again still waits for its confirmation.
                self.hurry(key, kept.extra)
        self._of[device] = tuple(keys)

    def _soon(self, task: Task, share: float, now: float, *, further: bool) -> float:
        """When a task of which nothing is known is first run; ``further``: its device is asked other things already.

        Where its streams are a device is asked in its turn, and what follows from its answer right after that. At their
        places in the interval both would come on average half an interval later, one after the other."""
        if task.probe in TELLING:
            self._next_first = max(self._next_first, now) + 1 / self.first
            return self._next_first
        due = next_due(now, task.interval, share)
        if due - now > SOON:
            due = now + share * SOON
        if further and task.interval <= SOON:
            self._next_more = max(self._next_more, now) + 1 / self.first
            due = min(due, self._next_more)
        return due

    def drop(self, device: str) -> None:
        for key in self._of.pop(device, ()):
            del self._slots[key]

    def hurry(self, key: Key, at: float) -> None:
        """Run a task once more at ``at``, beside its ordinary times, unless it comes up before that anyway."""
        slot = self._slots.get(key)
        if slot is not None and slot.due > at and (slot.extra is None or slot.extra > at):
            slot.extra = at
            self._count += 1
            heapq.heappush(self._lane(key, slot).fast, (at, self._count, key))

    def skip(self, now: float) -> None:
        """Let go of all that is overdue, because nobody could run it: each task comes up at its own times again, so
        that not all are asked at once; a rare one within SOON."""
        for lane in (self._usual, self._seeing, self._strange):
            lane.heap.clear()
            lane.fast.clear()
        for key, slot in self._slots.items():
            overdue = slot.due <= now
            if overdue:
                due = next_due(now, slot.task.interval, slot.share)
                self._miss(slot.task.probe, round((due - slot.due) / slot.task.interval))
                slot.due = due
            slot.extra = None
            heapq.heappush(self._lane(key, slot).heap, self._place(key, slot))
            if overdue and slot.due - now > SOON:
                self.hurry(key, now + slot.share * SOON)

    def next_at(self, *, pictures: bool = True, strangers: bool = True) -> float | None:
        """When something is next due, also ``pictures`` and ``strangers`` or not; None: nothing."""
        fast, heaps = self._wanted[pictures, strangers]
        return min((heap[0][0] for heap in (*fast, *heaps) if heap), default=None)

    def pop(self, now: float, *, pictures: bool = True, strangers: bool = True) -> Due | None:
        """The longest overdue task that is not running, hurried ones first, now marked as running; None when nothing
        is due, or nothing but ``pictures`` and ``strangers`` that are not wanted."""
        fast, heaps = self._wanted[pictures, strangers]
        while (heap := _longest_overdue(fast, now)) is not None:
            if (due := self._pop_hurried(heap)) is not None:
                return due
        while (heap := _longest_overdue(heaps, now)) is not None:
            if (due := self._pop_ordinary(heap, now)) is not None:
                return due
        return None

    def _heaps(self, *, pictures: bool, strangers: bool) -> tuple[tuple[_Heap, ...], tuple[_Heap, ...]]:
        """The heaps of all lanes that are wanted: of what was hurried, and of the rest."""
        wanted = (self._usual, True), (self._seeing, pictures), (self._strange, strangers)
        lanes = [lane for lane, is_wanted in wanted if is_wanted]
        return tuple(lane.fast for lane in lanes), tuple(lane.heap for lane in lanes)

    def _lane(self, key: Key, slot: _Slot) -> _Lane:
        if key[1] in SEEING:
            return self._seeing
        return self._strange if slot.stranger else self._usual

    def _pop_hurried(self, heap: _Heap) -> Due | None:
        """The first of a heap, if it is to be run."""
        due, _, key = heapq.heappop(heap)
        slot = self._slots.get(key)
        if slot is None or slot.extra != due:
            return None
        slot.extra = None
        if slot.running:
            return None
        slot.running = True
        return Due(key, slot.target, slot.task, due, extra=True, stranger=slot.stranger)

    def _pop_ordinary(self, heap: _Heap, now: float) -> Due | None:
        """The first of a heap, if it is to be run, with its next time in its place."""
        due, place, key = heap[0]
        slot = self._slots.get(key)
        if slot is None or slot.place != place:
            heapq.heappop(heap)
            return None
        task = slot.task
        slot.due = next_due(now, task.interval, slot.share)
        lost = round((slot.due - due) / task.interval) - 1
        if lost > 0:
            self._miss(task.probe, lost)
        if slot.stranger and slot.due - now < task.interval / 2:
            # What was asked in its turn, and not at its own time, is not asked again a moment later.
            slot.due += task.interval
        heapq.heapreplace(heap, self._place(key, slot))
        if slot.running:
            self._miss(task.probe, 1)
            return None
        slot.running = True
        return Due(key, slot.target, task, due, extra=False, stranger=slot.stranger)

    def done(self, key: Key, *, well: bool = True) -> None:
        """The run that ``pop`` began is over, and went ``well`` or not."""
        slot = self._slots.get(key)
        if slot is None:
            return
        slot.running = False
        if well and slot.stranger:
            slot.stranger = False
            extra, slot.extra = slot.extra, None
            heapq.heappush(self._lane(key, slot).heap, self._place(key, slot))
            if extra is not None:
                self.hurry(key, extra)

    def _place(self, key: Key, slot: _Slot) -> _Place:
        """A place at the slot's next time, which counts from now on."""
        self._count += 1
        slot.place = self._count
        return slot.due, self._count, key

    def _miss(self, probe: str, count: int) -> None:
        self.missed[probe] = self.missed.get(probe, 0) + count


def _longest_overdue(heaps: Iterable[_Heap], now: float) -> _Heap | None:
    """The heap whose first place is due, and before those of the others; None: nothing is due."""
    found: _Heap | None = None
    for heap in heaps:
        if heap and heap[0][0] <= now and (found is None or heap[0] < found[0]):
            found = heap
    return found

"""This file decides how many probes must be able to run at once for nobody to be asked late."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

from camera_registry.model.roster import Entry


@dataclass(frozen=True, slots=True)
class Need:
    """``usual``: slots in use when every answer takes a second; ``worst``: when every device hangs until its
    timeout. Little's law: rate times duration (J. D. C. Little, Operations Research 9, 1961)."""

    devices: int
    tasks: int
    rate: float
    usual: int
    worst: int


def need(entries: Iterable[Entry]) -> Need:
    """What polling ``entries`` takes; ``rate`` is in runs a second."""
    devices = tasks = 0
    rate = worst = 0.0
    for entry in entries:
        devices += 1
        for task in entry.tasks:
            tasks += 1
            rate += 1 / task.interval
            worst += task.timeout / task.interval
    return Need(devices, tasks, rate, ceil(rate), ceil(worst))


def part(whole: int, processes: int) -> int:
    """What each of several processes gets of a whole, so that together they have no less."""
    return -(-whole // processes)


LATE = 0.1
"""Seconds by which a sleeper may wake late before that says that more is under way than this machine can attend to."""
LEAST = 32
"""Runs under way that are never too many."""


def room(before: int, late: float, slots: int) -> int:
    """How many runs may be under way now, where ``before`` might, and a sleeper woke ``late`` seconds late: a third
    fewer while the machine is behind, else a thirty-second of the slots more.

    Runs of which each gets its turn too late end in timeouts, and what they have done until then is lost: fewer at once
    get more done. (Additive increase, multiplicative decrease: Chiu and Jain 1989.)
    """
    if late > LATE:
        return min(slots, max(LEAST, before * 2 // 3))
    return min(slots, before + max(1, slots // 32))

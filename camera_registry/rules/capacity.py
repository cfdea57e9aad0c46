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

"""This file counts how far long work is, for whoever watches it; what a watcher raises stops the work."""

from __future__ import annotations

from collections.abc import Callable

Step = Callable[[int, int], None]
"""Told how much is done of how much; what it raises stops the work."""
Tick = Callable[[], None]
"""Told that one more is done."""


def unwatched(done: int, of: int) -> None:
    """For who does not want to know."""


def untold() -> None:
    """For who does not count."""


class Count:
    """Adds up the parts of works that follow each other; ``of`` is how many they are together."""

    def __init__(self, step: Step, of: int) -> None:
        self._step = step
        self._done = 0
        self._of = max(1, of)
        step(0, self._of)

    def tick(self) -> None:
        """One more part is done. Raises what the watcher raises."""
        self._done = min(self._done + 1, self._of)
        self._step(self._done, self._of)

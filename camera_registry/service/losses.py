"""The losses: which devices are lost, which came back and when, and who stands behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from camera_registry.model.health import Aspect, AspectState, State
from camera_registry.rules import topology
from camera_registry.rules.topology import Parents


class Losses:
    """Kept by the ledger as reach changes, and like it of the event loop."""

    def __init__(self) -> None:
        self._parents: Parents = {}
        self._below: Mapping[str, Sequence[str]] = {}
        self._lost: set[str] = set()
        self._back: dict[str, datetime] = {}

    def follow(self, parents: Parents) -> None:
        """Take up who stands behind whom, as the register has it now."""
        self._parents = parents
        self._below = topology.children(parents)

    @property
    def memory(self) -> tuple[tuple[str, ...], Mapping[str, datetime]]:
        """Who is lost, and who came back when."""
        return tuple(sorted(self._lost)), dict(self._back)

    def recall(self, lost: Iterable[str], back: Mapping[str, datetime]) -> None:
        """Remember that again."""
        self._lost, self._back = set(lost), dict(back)

    def mark(self, state: AspectState) -> Sequence[str]:
        """Note whether a device is lost. Returns those behind it if that is new: they must be shown anew."""
        if state.subject.aspect is not Aspect.REACH:
            return ()
        device = state.subject.device
        # A fault that silence has covered is not over: what is behind it must not be told again after a long pause.
        lost = State.DOWN in (state.settled, state.was)
        if lost == (device in self._lost):
            return ()
        (self._lost.add if lost else self._lost.discard)(device)
        self._back.pop(device, None)
        if not lost and state.since is not None:
            self._back[device] = state.since
        return topology.descendants(device, self._below)

    def __contains__(self, device: str) -> bool:
        return device in self._lost

    def back(self, device: str) -> datetime | None:
        """When a device that was lost came back; None while it is lost, and if it never was."""
        return self._back.get(device)

    def blame(self, device: str) -> tuple[str, datetime | None]:
        """The parent that explains what ``device`` has lost, or an empty text; and when that came back, if it did."""
        if self._lost and (blamed := topology.blamed(device, self._parents, self._lost)):
            return blamed, None
        back = [one for one in topology.ancestors(device, self._parents) if one in self._back] if self._back else []
        if not back:
            return "", None
        newest = max(back, key=self._back.__getitem__)
        return newest, self._back[newest]

    def behind(self, device: str) -> list[str]:
        """Everything that stands behind ``device``, lost or not."""
        return topology.descendants(device, self._below)

    def right_behind(self, device: str) -> Sequence[str]:
        """What is connected to ``device`` itself, lost or not."""
        return self._below.get(device, ())

    def only_way(self, device: str) -> list[str]:
        """The devices above ``device``, the nearest first, as far up as there is but one way."""
        return topology.only_way(device, self._parents)

"""This file walks the tree of areas for readers: what lies beneath one, and how to cut a fleet into pages of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

ROOT = ""
"""Above every area; also where a device stands that has none."""


@dataclass(frozen=True, slots=True)
class Part:
    """An area with all beneath it, or (``subtree`` False) the area alone."""

    area: str
    subtree: bool = True


class Tree:
    """The tree that ``parents`` (area to parent) describes. An area without a known parent, and a loop, hang below the
    root; so do ``others``, areas that devices name and the register does not."""

    def __init__(self, parents: Mapping[str, str], others: Iterable[str] = ()) -> None:
        self._below: dict[str, list[str]] = {}
        for area in dict.fromkeys((*parents, *parents.values(), *others)):
            if area != ROOT:
                self._below.setdefault(_parent(area, parents), []).append(area)

    def children(self, area: str) -> list[str]:
        return self._below.get(area, [])

    def beneath(self, area: str) -> frozenset[str]:
        """The area itself and every area beneath it."""
        found: set[str] = set()
        waiting = [area]
        while waiting:
            here = waiting.pop()
            found.add(here)
            waiting.extend(self.children(here))
        return frozenset(found)

    def members(self, part: Part) -> frozenset[str]:
        return self.beneath(part.area) if part.subtree else frozenset({part.area})

    def cut(self, devices: Mapping[str, int], limit: int) -> list[Part]:
        """Parts that hold every device once, none with more than ``limit`` of them unless one area alone has more.

        ``devices`` counts the devices that stand directly in each area.
        """
        return list(self._cut(ROOT, devices, self._sums(devices), limit))

    def _sums(self, devices: Mapping[str, int]) -> Counter[str]:
        order = [ROOT]
        for area in order:
            order.extend(self.children(area))
        sums: Counter[str] = Counter()
        for area in reversed(order):
            sums[area] = devices.get(area, 0) + sum(sums[child] for child in self.children(area))
        return sums

    def _cut(self, area: str, devices: Mapping[str, int], sums: Mapping[str, int], limit: int) -> Iterable[Part]:
        if not sums[area]:
            return
        children = self.children(area)
        if sums[area] <= limit or not children:
            yield Part(area)
            return
        if devices.get(area):
            yield Part(area, subtree=False)
        for child in sorted(children):
            yield from self._cut(child, devices, sums, limit)


def _parent(area: str, parents: Mapping[str, str]) -> str:
    """The parent, or the root where going up never ends."""
    walked = {area}
    here = parents.get(area, ROOT)
    while here != ROOT:
        if here in walked:
            return ROOT
        walked.add(here)
        here = parents.get(here, ROOT)
    return parents.get(area, ROOT)
